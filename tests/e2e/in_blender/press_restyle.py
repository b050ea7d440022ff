"""Runs in Blender with the extension installed: opens a scene, fills the panel, presses Restyle.

Arguments: scene, .blend to save at the end. Prints one line of JSON about what the user has then.
"""

import importlib
import json
import sys
import time

import bpy

ADD_ON = "bl_ext.user_default.maquette"
scene_file, saved_file = sys.argv[-2:]

bpy.ops.preferences.addon_enable(module=ADD_ON)
bpy.ops.wm.open_mainfile(filepath=scene_file)
scene = bpy.context.scene
settings = scene.maquette
settings.source = "CAMERA"
settings.prompt = "red brick"
settings.model = "tiny"
settings.long_side = 128
settings.use_steps, settings.steps = True, 3
settings.seed, settings.seed_locked = 7, True

session = importlib.import_module(f"{ADD_ON}.session").current()
pressed = bpy.ops.maquette.restyle()
longest, end = 0.0, time.monotonic() + 120
while session.jobs and time.monotonic() < end:
    began = time.perf_counter()
    session.tick()  # Blender's timer, which needs a window
    longest = max(longest, time.perf_counter() - began)
    time.sleep(0.02)

image = settings.last_result
told = [notice.text for notice in session.notices]
print(
    "USER HAS "
    + json.dumps(
        {
            "pressed": list(pressed),
            "open": len(session.jobs),
            "told": told,
            "image": image and list(image.size),
            "file": image and bpy.path.abspath(image.filepath),
            "longest": longest,
            "wire": importlib.import_module("maquette_wire").__file__,
            "zmq": importlib.import_module("zmq").__file__,
        }
    ),
    flush=True,
)
bpy.ops.wm.save_as_mainfile(filepath=saved_file)
