"""Small scenes that the tests of the capture build."""

# Blender's stubs call optional what these scenes have, and know too few of its conversions.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

import math
from typing import Any

import bpy
from mathutils import Vector


def link(name: str, data: Any) -> bpy.types.Object:
    made = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(made)
    return made


def box(center: tuple[float, float, float], size: tuple[float, float, float], name: str = "Box"):
    """A box with its size in its vertices."""
    corners = [
        tuple(center[axis] + size[axis] * (((corner >> axis) & 1) - 0.5) for axis in range(3))
        for corner in range(8)
    ]
    faces = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners, [], faces)
    return link(name, mesh)


def camera(
    location: tuple[float, float, float],
    target: tuple[float, float, float],
    name: str = "Camera",
    **lens: Any,
) -> bpy.types.Object:
    """A camera that looks at ``target``; ``lens`` are properties of its data."""
    made = link(name, bpy.data.cameras.new(name))
    made.location = location
    made.rotation_mode = "QUATERNION"
    direction = Vector(target) - Vector(location)
    made.rotation_quaternion = direction.to_track_quat("-Z", "Y")
    for key, value in lens.items():
        setattr(made.data, key, value)
    if bpy.context.scene.camera is None:
        bpy.context.scene.camera = made
    return made


def material(name: str, color: tuple[float, float, float, float]) -> bpy.types.Material:
    made = bpy.data.materials.new(name)
    made.diffuse_color = color
    return made


def town() -> None:
    """Ground and buildings from 3 m to 400 m: meshes, modifiers, instances, curves, text."""
    box((0, 200, -0.5), (600, 500, 1), "Ground")
    for index in range(12):
        x = (index % 4 - 1.5) * 35
        box((x, 30 + 90 * (index // 4), 8), (14, 16, 16 + 5 * (index % 3)), f"House {index}")
    array = box((-14, 8, 1.5), (1, 1, 3), "Colonnade").modifiers.new("Array", "ARRAY")
    array.count = 6
    array.relative_offset_displace = (1.8, 0, 0)
    solid = box((8, 9, 2), (4, 3, 4), "Kiosk")
    solid.modifiers.new("Bevel", "BEVEL").width = 0.4
    row = bpy.data.collections.new("Row")
    row.objects.link(bpy.data.objects.new("Stone", solid.data))
    instance = link("Instance", None)
    instance.instance_type = "COLLECTION"
    instance.instance_collection = row
    instance.location, instance.rotation_euler = (6, 12, 0), (0, 0, math.radians(30))
    path = bpy.data.curves.new("Rail", "CURVE")
    path.dimensions, path.bevel_depth = "3D", 0.15
    spline = path.splines.new("POLY")
    spline.points.add(2)
    for point, place in zip(spline.points, [(-6, 5, 1), (0, 6, 1.4), (6, 5, 1)], strict=True):
        point.co = (*place, 1)
    link("Rail", path)
    text = bpy.data.curves.new("Sign", "FONT")
    text.body, text.size, text.extrude = "HALL", 3, 0.2
    sign = link("Sign", text)
    sign.location, sign.rotation_euler = (-4, 20, 1), (math.pi / 2, 0, 0)
    ball = bpy.data.metaballs.new("Blob")
    ball.elements.new().co = (0, 0, 0)
    ball.resolution = ball.render_resolution  # else a render is finer than what is held against it
    link("Blob", ball).location = (3, 7, 1)
    bpy.context.view_layer.update()


KINDS: dict[str, dict[str, Any]] = {
    "wide": {"lens": 24},
    "shift": {"lens": 28, "shift_x": 0.1, "shift_y": 0.25},
    "vertical fit": {"sensor_fit": "VERTICAL", "sensor_height": 18, "shift_y": -0.1},
    "near clip of a centimetre": {"lens": 35, "clip_start": 0.01, "clip_end": 1000},
    "orthographic": {"type": "ORTHO", "ortho_scale": 40, "shift_y": 0.1},
    "long orthographic range": {"type": "ORTHO", "ortho_scale": 60, "clip_end": 100000},
}
"""Settings of cameras by kind of projection."""


def town_camera(kind: str) -> bpy.types.Object:
    lens = {"clip_end": 1000.0, **KINDS[kind]}
    if lens.get("type") == "ORTHO":
        return camera((5, -20, 12), (0, 30, 4), **lens)
    return camera((1, -4, 1.7), (-2, 30, 5), **lens)
