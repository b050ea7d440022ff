"""What a camera capture brings is what a viewport draws of the same View, in every Blender.

Runs in a window. MAQUETTE_TEST_CAPTURES names a folder with .blend files, and beside them captures
of all their cameras that Blenders without a window have made, as BLENDER/SCENE.maquette. Without
it, the samples are captured in this process alone.
"""

from __future__ import annotations

import os
from pathlib import Path

import bpy
import numpy as np
import pytest
from maquette_wire import container
from maquette_wire.capture import Capture, captures_of
from maquette_wire.messages import Submit

from blender_addon.capture import camera_size, capture_camera
from tests.blender_addon.capture import truth
from tests.blender_addon.capture.conftest import SAMPLES
from tests.blender_addon.capture.viewports import draw, needs_window

FOLDER = os.environ.get("MAQUETTE_TEST_CAPTURES")
SCENES = sorted(Path(FOLDER).glob("*.blend")) if FOLDER else SAMPLES
LONG_SIDE = 192
COLOR_OFF = 1.5
"""Mean difference of a byte: antialiasing differs, and shading from version to version."""


def _without_a_window(scene: Path) -> dict[str, list[Capture]]:
    """Captures of all cameras in a scene, by the Blender that made them."""
    files = sorted(scene.parent.glob(f"*/{scene.stem}{container.SUFFIX}")) if FOLDER else []
    assert files or not FOLDER
    return {file.parent.name: captures_of(*container.read(file, kind=Submit)) for file in files}


@needs_window
@pytest.mark.parametrize("scene", SCENES, ids=[path.stem for path in SCENES])
def test_viewport_and_camera_captures_agree(scene: Path):
    bpy.ops.wm.open_mainfile(filepath=str(scene), load_ui=False, use_scripts=False)
    cameras = [thing for thing in bpy.context.scene.objects if thing.type == "CAMERA"]
    assert {camera.data.type for camera in cameras} == {"PERSP", "ORTHO"}
    size = camera_size(bpy.context.scene, LONG_SIDE)
    others = _without_a_window(scene)
    others["here"] = [capture_camera(bpy.context, camera, *size) for camera in cameras]
    corners = truth.triangles(bpy.context.evaluated_depsgraph_get())
    for index, camera in enumerate(cameras):
        view = others["here"][index].view
        color, depth = draw(view)
        truth.assert_exact(view, depth, corners)
        for blender, captures in others.items():
            capture = captures[index]
            assert capture.view.name == view.name
            for name in ("view_matrix", "projection_matrix"):
                np.testing.assert_allclose(
                    getattr(capture.view, name), getattr(view, name), rtol=1e-6, atol=1e-6
                )
            seen = np.asarray(capture.depth)
            truth.assert_agree(view, depth, seen, corners)
            off = np.abs(color.astype(int) - np.asarray(capture.color)).mean()
            assert off < COLOR_OFF, (blender, camera.name)
            print(
                f"{scene.stem}, {camera.name!r}, captured by {blender}: "
                f"{(~truth.close(depth, seen)).sum()} of {depth.size} pixels differ "
                f"by over 0.1% in depth, all within half a pixel; colour by {off:.2f} of 255"
            )
