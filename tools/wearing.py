"""In Blender: houses whose parts wear materials, rendered in Cycles.

    python tools/wearing.py PICTURE.png PART=FOLDER ...                        (a Python with bpy)

FOLDER is one that ``maquette material`` wrote. What the add-on's wheels bring (msgspec and others)
must be on the path.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any

import bpy
from mathutils import Vector

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "shared")]

from blender_addon import materials, saved_materials  # noqa: E402

WIDTH, HEIGHT = 1200, 480
SAMPLES = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("picture", type=Path)
    parser.add_argument("parts", nargs="+", metavar="PART=FOLDER")
    given = parser.parse_args()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    folders = dict(part.split("=", 1) for part in given.parts)
    made = {
        part: materials.make(saved_materials.read(Path(folder) / "albedo.png"), "FACES")
        for part, folder in folders.items()
    }
    _house((-6.4, 0.0), 0.0, made["stone"], made["slate"])
    _house((0.0, 0.0), 0.0, made["brick"], made["tiles"])
    _house((6.6, 0.6), math.radians(-28), made["timber"], made["slate"])
    _mesh("Plaza", [(-60, -40, 0), (60, -40, 0), (60, 60, 0), (-60, 60, 0)], [(0, 1, 2, 3)])
    bpy.data.objects["Plaza"].data.materials.append(made["paving"])  # type: ignore[union-attr]
    _light()
    scene: Any = bpy.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", SAMPLES
    scene.cycles.use_denoising = True
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    scene.view_settings.view_transform = "Standard"
    scene.render.filepath = str(given.picture.resolve())
    bpy.ops.render.render(write_still=True)


def _mesh(name: str, corners: list[tuple[float, float, float]], faces: list[Any]) -> Any:
    mesh: Any = bpy.data.meshes.new(name)
    mesh.from_pydata(corners, [], faces)
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)  # type: ignore[union-attr]
    return thing


def _house(place: tuple[float, float], turn: float, wall: Any, roof: Any) -> None:
    """Walls of 5 x 6 m, 3 m high, under a gabled roof that stands out a little."""
    x, y, eaves, ridge, out = 2.5, 3.0, 3.0, 5.2, 0.25
    low = [(-x, -y, 0.0), (x, -y, 0.0), (x, y, 0.0), (-x, y, 0.0)]
    high = [(a, b, eaves) for a, b, _ in low]
    gables = [(-x, 0.0, ridge), (x, 0.0, ridge)]
    faces = [(0, 1, 5, 4), (1, 2, 6, 9, 5), (2, 3, 7, 6), (3, 0, 4, 8, 7)]
    walls = _mesh("Walls", [*low, *high, *gables], faces)
    walls.data.materials.append(wall)
    fall = (ridge - eaves) / y * out
    edges = [(-x - out, x + out), (-y - out, 0.0, y + out)]
    rows = [(edges[1][0], eaves - fall), (0.0, ridge), (edges[1][2], eaves - fall)]
    corners = [(a, b, c + 0.02) for b, c in rows for a in edges[0]]
    tiles = _mesh("Roof", corners, [(0, 1, 3, 2), (2, 3, 5, 4)])
    tiles.data.materials.append(roof)
    for thing in (walls, tiles):
        thing.location, thing.rotation_euler = (*place, 0.0), (0.0, 0.0, turn)


def _light() -> None:
    scene: Any = bpy.context.scene
    world: Any = bpy.data.worlds.new("Sky")
    if bpy.app.version < (5, 0):
        world.use_nodes = True
    sky = world.node_tree.nodes["Background"].inputs
    sky["Color"].default_value, sky["Strength"].default_value = (0.62, 0.74, 0.9, 1.0), 0.75
    scene.world = world
    light: Any = bpy.data.lights.new("Sun", "SUN")
    light.energy, light.angle = 3.6, math.radians(1.0)
    sun = bpy.data.objects.new("Sun", light)
    sun.rotation_euler = Vector((-0.55, -0.75, 0.8)).to_track_quat("Z", "Y").to_euler()
    lens: Any = bpy.data.cameras.new("Camera")
    lens.lens = 40.0
    camera = bpy.data.objects.new("Camera", lens)
    camera.location = (0.0, -25.0, 5.2)
    toward = Vector((0.0, 25.0, -2.9))
    camera.rotation_euler = toward.to_track_quat("-Z", "Y").to_euler()
    for thing in (sun, camera):
        scene.collection.objects.link(thing)
    scene.camera = camera


if __name__ == "__main__":
    main()
