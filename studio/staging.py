"""What the sample models share: an empty file, a ground, trees, and cameras fitted to a
building."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Matrix

from .cameras import SENSOR, Camera, approach, project
from .model import Vertex, arc
from .shapes import prism, tree

WIDTH, HEIGHT = 1024, 768
ASPECT = HEIGHT / WIDTH


def start() -> bpy.types.Scene:
    """An empty file with Blender's own screens, set up for massing in metres."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    for mesh in list(bpy.data.meshes):
        bpy.data.meshes.remove(mesh)
    scene = bpy.context.scene
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    scene.unit_settings.system, scene.unit_settings.length_unit = "METRIC", "METERS"
    scene.display.shading.show_cavity = True
    for screen in bpy.data.screens:
        for area in screen.areas:
            for space in area.spaces:
                if space.type == "VIEW_3D":
                    space.clip_start, space.clip_end = 0.1, 3000.0
                    space.region_3d.view_perspective = "CAMERA"
    light = bpy.data.lights.new("Sun", "SUN")
    light.energy = 3.0
    sun = bpy.data.objects.new("Sun", light)
    sun.rotation_euler = (math.radians(48), 0.0, math.radians(-40))
    scene.collection.objects.link(sun)
    return scene


def collection(name: str) -> bpy.types.Collection:
    """A new collection in the scene."""
    group = bpy.data.collections.new(name)
    bpy.context.scene.collection.children.link(group)
    return group


def ground(radius: float = 500.0) -> None:
    """A round slab of ground whose top is z = 0."""
    ring = arc(0.0, 0.0, radius, 0.0, 2 * math.pi, 64)[:-1]
    prism("Ground", ring, -0.5, 0.0, collection("Site"))


def _add_camera(name: str, camera: Camera) -> bpy.types.Object:
    data = bpy.data.cameras.new(name)
    thing = bpy.data.objects.new(name, data)
    thing.matrix_world = Matrix(camera.matrix().tolist())
    data.sensor_width, data.lens = SENSOR, camera.lens
    data.shift_x, data.shift_y = camera.shift_x, camera.shift_y
    data.clip_start, data.clip_end = 0.1, 3000.0
    if camera.ortho_scale is not None:
        data.type, data.ortho_scale = "ORTHO", camera.ortho_scale
    bpy.context.scene.collection.objects.link(thing)
    return thing


def level(
    points: np.ndarray,
    heading: float,
    lens: float,
    width: float,
    height: float,
    base: float,
    eye: float,
) -> Camera:
    """A level camera with lens shift: verticals stay vertical; the building's foot lies `base`
    above the lower edge."""
    turn = math.radians(heading)
    middle = (points.min(0) + points.max(0)) / 2

    def make(distance: float) -> Camera:
        position = (
            middle[0] + math.sin(turn) * distance,
            middle[1] - math.cos(turn) * distance,
            eye,
        )
        return Camera("two-point", position, turn, 0.0, lens)

    camera = approach(make, points, width, height * ASPECT)
    image = project(camera, points)
    across = float(image[:, 0].min() + image[:, 0].max()) / 2
    up = float(image[:, 1].min()) + (0.5 - base) * ASPECT
    return Camera("two-point", camera.position, turn, 0.0, lens, across, up)


def pitched(camera: Camera, share: float = 1.0) -> Camera:
    """The same place and framing by tilting the camera instead of shifting its lens."""
    pitch = math.atan(share * camera.shift_y * SENSOR / camera.lens)
    turn = camera.heading - math.atan(camera.shift_x * SENSOR / camera.lens)
    return Camera("street", camera.position, turn, pitch, camera.lens)


def bird(
    points: np.ndarray, heading: float, pitch: float, lens: float, width: float, height: float
) -> Camera:
    """A view from above, filling the given shares of the picture."""
    turn, tilt = math.radians(heading), -math.radians(pitch)
    middle = (points.min(0) + points.max(0)) / 2
    back = np.array(
        [math.sin(turn) * math.cos(tilt), -math.cos(turn) * math.cos(tilt), -math.sin(tilt)]
    )

    def make(distance: float) -> Camera:
        x, y, z = middle + back * distance
        return Camera("bird", (float(x), float(y), float(z)), turn, tilt, lens)

    camera = approach(make, points, width, height * ASPECT)
    image = project(camera, points)
    shift = (image.min(0) + image.max(0)) / 2
    return Camera("bird", camera.position, turn, tilt, lens, float(shift[0]), float(shift[1]))


def elevation(points: np.ndarray, width: float, height: float, base: float) -> Camera:
    """An orthographic front elevation; the ground lies `base` above the lower edge."""
    low, high = points.min(0), points.max(0)
    scale = float(max((high[0] - low[0]) / width, (high[2] - low[2]) / height / ASPECT))
    position = (float(low[0] + high[0]) / 2, float(low[1]) - 60.0, (0.5 - base) * ASPECT * scale)
    return Camera("elevation", position, 0.0, 0.0, ortho_scale=scale)


def cameras(street: Camera, bird: Camera, elevation: Camera, two_point: Camera) -> None:
    """Add the four named cameras; Street is the active one."""
    named = (("Street", street), ("Bird", bird), ("Elevation", elevation), ("Two-point", two_point))
    for name, camera in named:
        thing = _add_camera(name, camera)
        if name == "Street":
            bpy.context.scene.camera = thing


def corners(low: Vertex, high: Vertex) -> np.ndarray:
    """The eight corners of a box, [8, 3]."""
    return np.array(
        [(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )


def trees(places: Sequence[tuple[float, float, float]]) -> None:
    """Trees at (x, y), each with its height in metres."""
    group = collection("Trees")
    for number, (x, y, height) in enumerate(places):
        tree(f"Tree {number + 1}", x, y, height, number, group)
