"""Runs in Blender with the extension installed: opens a scene, fills the panel, presses Texture.

Arguments: scene, .blend to save at the end, .glb to export. Prints one line of JSON about what the
user has then.
"""

import importlib
import json
import os
import sys
import time

import bpy

ADD_ON = "bl_ext.user_default.maquette"
scene_file, saved_file, exported_file = sys.argv[-3:]

bpy.ops.preferences.addon_enable(module=ADD_ON)
bpy.ops.wm.open_mainfile(filepath=scene_file)
scene = bpy.context.scene
settings = scene.maquette
settings.prompt = "red brick"
settings.model = "tiny"
settings.texture_side = 128
settings.use_steps, settings.steps = True, 2
settings.seed, settings.seed_locked = 7, True
settings.texture_views, settings.texture_size = 4, "1024"
slots = {thing.name: list(thing.data.materials) for thing in scene.objects if thing.type == "MESH"}

session = importlib.import_module(f"{ADD_ON}.session").current()
pressed = bpy.ops.maquette.texture()
end = time.monotonic() + 200
while session.jobs and time.monotonic() < end:
    session.tick()  # Blender's timer, which needs a window
    time.sleep(0.02)

bpy.context.view_layer.update()
depsgraph = bpy.context.evaluated_depsgraph_get()
textured = {}
for name in slots:
    mesh = bpy.data.objects[name].evaluated_get(depsgraph).data
    used = {mesh.materials[face.material_index] for face in mesh.polygons} if mesh.materials else {}
    textured[name] = any(m is not None and "maquette_layer" in m for m in used)
kept = all(list(bpy.data.objects[name].data.materials) == found for name, found in slots.items())
told = [notice.text for notice in session.notices]
bpy.ops.wm.save_as_mainfile(filepath=saved_file)
bpy.ops.preferences.addon_enable(module="io_scene_gltf2")
bpy.ops.export_scene.gltf(filepath=exported_file, export_apply=True)
print(
    "USER HAS "
    + json.dumps(
        {
            "pressed": list(pressed),
            "open": len(session.jobs),
            "told": told,
            "textured": textured,
            "kept": kept,
        }
    ),
    flush=True,
)
os._exit(0)  # the bpy module of 4.2 crashes at its end where another add-on was enabled
