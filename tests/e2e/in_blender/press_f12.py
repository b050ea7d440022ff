"""Runs in Blender with the extension installed: renders a frame, and an animation, with Maquette.

Arguments: scene, folder for what is made. Prints one line of JSON about what the user has then.
"""

import json
import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np

ADD_ON = "bl_ext.user_default.maquette"
scene_file, folder = sys.argv[-2:]

bpy.ops.preferences.addon_enable(module=ADD_ON)
bpy.ops.wm.open_mainfile(filepath=scene_file)
scene = bpy.context.scene
settings = scene.maquette
scene.render.engine = "MAQUETTE"
scene.render.resolution_x, scene.render.resolution_y = 256, 192
scene.render.resolution_percentage = 50
scene.render.dither_intensity = 0.0
settings.prompt, settings.model, settings.seed = "red brick", "tiny", 7
settings.use_steps, settings.steps = True, 3
bpy.ops.maquette.show_as_painted()
scene.render.image_settings.file_format = "PNG"


def render(name: str, **words: Any) -> None:
    scene.render.filepath = str(Path(folder) / name)
    bpy.ops.render.render(**words)


def read(name: str) -> np.ndarray:
    image: Any = bpy.data.images.load(str(Path(folder) / name))
    return np.array(image.pixels[:]).reshape(image.size[1], image.size[0], -1)


render("one.png", write_still=True)
render("again.png", write_still=True)
camera = scene.camera
scene.frame_start, scene.frame_end = 1, 3
for frame, across in ((1, 0.0), (3, 0.4)):
    camera.delta_location.x = across
    camera.keyframe_insert("delta_location", frame=frame)
render("frame-", animation=True)
settings.steady = True
render("steady-", animation=True)
bpy.ops.wm.save_as_mainfile(filepath=str(Path(folder) / "scene.blend"))
one = read("one.png")
print(
    "USER HAS "
    + json.dumps(
        {
            "same": bool((one == read("again.png")).all()),
            "size": list(one.shape[:2]),
            "files": sorted(path.name for path in Path(folder).glob("*.png")),
        }
    ),
    flush=True,
)
