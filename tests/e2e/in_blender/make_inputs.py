"""Runs in Blender: writes what the command line captures, into the folder given last."""

import math
import os
import sys
from pathlib import Path

import bpy

folder = Path(sys.argv[-1])


def camera(name: str, y: float) -> bpy.types.Object:
    made = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    made.location, made.rotation_euler = (0, y, 0), (math.pi / 2, 0, 0)
    bpy.context.scene.collection.objects.link(made)
    return made


bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
bpy.ops.mesh.primitive_plane_add(size=400, rotation=(math.pi / 2, 0, 0))
scene.camera = moving = camera("Fährt", -20)
camera("Steht", -5)
for frame, y in ((1, -20), (11, -10)):
    moving.location.y = y
    moving.keyframe_insert("location", index=1, frame=frame)
scene.frame_start, scene.frame_end, scene.frame_step = 1, 11, 2
scene.frame_set(3)
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "moving.blend"))

bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_cube_add(size=8, location=(0, 0, 4))
bpy.ops.mesh.primitive_cone_add(radius1=6, depth=4, location=(0, 0, 10))
bpy.ops.mesh.primitive_plane_add(size=60)
bpy.ops.export_scene.gltf(filepath=str(folder / "house.glb"))
bpy.ops.wm.obj_export(filepath=str(folder / "house.obj"))
bpy.ops.wm.usd_export(filepath=str(folder / "house.usdc"))

# The bpy module of Blender 4.2 may crash when it ends after an export to USD.
os._exit(0)
