"""Runs in Blender: writes the scenes that a user gets wrong, into the folder given last."""

import sys
from pathlib import Path

import bpy

folder = Path(sys.argv[-1])


def empty_file() -> bpy.types.Scene:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = 128, 96
    return scene


def camera(scene: bpy.types.Scene, name: str, location: tuple, rotation: tuple) -> None:
    made = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    made.location, made.rotation_euler = location, rotation
    scene.collection.objects.link(made)
    scene.camera = made


def save(name: str) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / f"{name}.blend"))


empty_file()
bpy.ops.mesh.primitive_cube_add()
save("no_camera")

camera(empty_file(), "Up", (0, 0, 0), (3.14, 0, 0))
save("all_sky")

camera(empty_file(), "Front", (0, -10, 0), (1.5708, 0, 0))
bpy.ops.mesh.primitive_plane_add(size=100, rotation=(1.5708, 0, 0))
save("flat_wall")

camera(empty_file(), "Straße / Süd 1", (0, -20, 2), (1.5708, 0, 0))
bpy.ops.mesh.primitive_cube_add(size=6, location=(0, 0, 3))
save("odd_name")
