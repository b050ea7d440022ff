"""Runs in Blender: the samples with cameras of every kind added, into the folder given last."""

import sys
from pathlib import Path

import bpy

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tests.blender_addon.capture.scenes import KINDS  # noqa: E402

folder = Path(sys.argv[-1])

for sample in sorted((ROOT / "samples").glob("*.blend")):
    bpy.ops.wm.open_mainfile(filepath=str(sample), load_ui=False, use_scripts=False)
    for kind, lens in KINDS.items():
        like = bpy.data.objects["Bird" if lens.get("type") == "ORTHO" else "Street"]
        assert like.data is not None
        camera = bpy.data.objects.new(kind, like.data.copy())
        bpy.context.scene.collection.objects.link(camera)
        camera.matrix_world = like.matrix_world
        for name, value in lens.items():
            setattr(camera.data, name, value)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / sample.name), compress=True)
