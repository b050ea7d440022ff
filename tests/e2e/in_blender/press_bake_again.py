"""Runs in Blender with the extension installed: opens a textured copy of a scene, makes the picture
of one view green, as a paint program would, presses Bake Again, and saves the copy.

Argument: the .blend. Prints one line of JSON about what the user has then.
"""

import importlib
import json
import os
import sys
import time
from typing import Any

import bpy
import numpy as np

ADD_ON = "bl_ext.user_default.maquette"

bpy.ops.preferences.addon_enable(module=ADD_ON)
bpy.ops.wm.open_mainfile(filepath=sys.argv[-1])
layers = importlib.import_module(f"{ADD_ON}.layers")
(layer,) = layers.layers()
folder = layers.folder_of(layer)
files = sorted(path.name for path in folder.iterdir())

picture = bpy.data.images.load(str(folder / "view-1.png"))
size: Any = picture.size
green = np.tile(np.array([0, 1, 0, 1], np.float32), size[0] * size[1])
picture.pixels.foreach_set(green)  # type: ignore[arg-type]
picture.save()
bpy.data.images.remove(picture)

session = importlib.import_module(f"{ADD_ON}.session").current()
pressed = bpy.ops.maquette.bake_again(layer=layer.name)
end = time.monotonic() + 200
while session.jobs and time.monotonic() < end:
    session.tick()  # Blender's timer, which needs a window
    time.sleep(0.02)

image = layers.image_of(layer)
user = {
    "files": files,
    "pressed": list(pressed),
    "open": len(session.jobs),
    "told": [notice.text for notice in session.notices],
    "texture": bpy.path.abspath(image.filepath),
    "layers": len(layers.layers()),
}
bpy.ops.wm.save_mainfile()
print("USER HAS " + json.dumps(user), flush=True)
os._exit(0)  # as press_texture.py does
