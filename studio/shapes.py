"""Clean Blender objects for the sample models: volumes as an architect would draw them, one
object for each."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import bpy

from .model import Point, Vertex

Faces = Sequence[Sequence[int]]


def add(
    name: str, vertices: Sequence[Vertex], faces: Faces, collection: bpy.types.Collection
) -> bpy.types.Object:
    """A mesh object linked to `collection`."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(list(vertices), [], [list(face) for face in faces])
    mesh.validate()
    mesh.update()
    thing = bpy.data.objects.new(name, mesh)
    collection.objects.link(thing)
    return thing


def prism(
    name: str, plan: Sequence[Point], z0: float, z1: float, collection: bpy.types.Collection
) -> bpy.types.Object:
    """A closed prism over a counter-clockwise plan."""
    count = len(plan)
    vertices = [(x, y, z0) for x, y in plan] + [(x, y, z1) for x, y in plan]
    faces: list[list[int]] = [list(range(count - 1, -1, -1)), list(range(count, 2 * count))]
    faces += [[i, (i + 1) % count, count + (i + 1) % count, count + i] for i in range(count)]
    return add(name, vertices, faces, collection)


def box(name: str, low: Vertex, high: Vertex, collection: bpy.types.Collection) -> bpy.types.Object:
    """A box between two corners."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    return prism(name, [(x0, y0), (x1, y0), (x1, y1), (x0, y1)], z0, z1, collection)


def gable_roof(
    name: str,
    low: Point,
    high: Point,
    z: float,
    rise: float,
    collection: bpy.types.Collection,
    along_x: bool = True,
    eaves: float = 0.4,
    verge: float = 0.3,
    thickness: float = 0.28,
) -> bpy.types.Object:
    """A folded roof plate with eaves over a rectangle whose walls reach up to `z` at the eaves."""
    (x0, y0), (x1, y1) = low, high
    if not along_x:
        x0, y0, x1, y1 = y0, x0, y1, x1
    middle = (y0 + y1) / 2
    drop = eaves * rise / (middle - y0)
    profile = [(y0 - eaves, z - drop), (middle, z + rise), (y1 + eaves, z - drop)]
    upper = [(y, h + thickness) for y, h in profile]
    ring = [*profile, *reversed(upper)]
    vertices = [(x, y, h) for x in (x0 - verge, x1 + verge) for y, h in ring]
    faces = [[0, 1, 4, 5], [1, 2, 3, 4], [11, 10, 7, 6], [10, 9, 8, 7]]
    faces += [[i, 6 + i, 6 + (i + 1) % 6, (i + 1) % 6] for i in range(6)]
    if not along_x:
        vertices = [(y, x, h) for x, y, h in vertices]
        faces = [list(reversed(face)) for face in faces]
    return add(name, vertices, faces, collection)


def gabled_body(
    name: str,
    low: Point,
    high: Point,
    z: float,
    rise: float,
    collection: bpy.types.Collection,
    along_x: bool = True,
) -> bpy.types.Object:
    """Walls with gable ends up to the ridge, closed on top by two planes."""
    (x0, y0), (x1, y1) = low, high
    if not along_x:
        x0, y0, x1, y1 = y0, x0, y1, x1
    middle = (y0 + y1) / 2
    section = [(y0, 0.0), (y1, 0.0), (y1, z), (middle, z + rise), (y0, z)]
    vertices = [(x, y, h) for x in (x0, x1) for y, h in section]
    faces = [[4, 3, 2, 1, 0], [5, 6, 7, 8, 9]]
    faces += [[i, (i + 1) % 5, 5 + (i + 1) % 5, 5 + i] for i in range(5)]
    if not along_x:
        vertices = [(y, x, h) for x, y, h in vertices]
        faces = [list(reversed(face)) for face in faces]
    return add(name, vertices, faces, collection)


def pyramid(
    name: str, plan: Sequence[Point], z: float, top: Vertex, collection: bpy.types.Collection
) -> bpy.types.Object:
    """A pyramid or cone over a plan."""
    count = len(plan)
    vertices = [*((x, y, z) for x, y in plan), top]
    faces: list[list[int]] = [list(range(count - 1, -1, -1))]
    faces += [[i, (i + 1) % count, count] for i in range(count)]
    return add(name, vertices, faces, collection)


def tree(
    name: str, x: float, y: float, height: float, seed: int, collection: bpy.types.Collection
) -> bpy.types.Object:
    """A ball on a trunk, as one object."""
    rng = random.Random(seed)
    vertices: list[Vertex] = []
    faces: list[list[int]] = []
    trunk = 6
    for z in (0.0, height * 0.5):
        vertices += [
            (
                x + 0.022 * height * math.cos(2 * math.pi * i / trunk),
                y + 0.022 * height * math.sin(2 * math.pi * i / trunk),
                z,
            )
            for i in range(trunk)
        ]
    faces += [[i, (i + 1) % trunk, trunk + (i + 1) % trunk, trunk + i] for i in range(trunk)]
    rings, sides, crown, radius = 8, 12, height * 0.37, height * 0.3
    start = len(vertices)
    for ring in range(1, rings):
        polar = -math.pi / 2 + math.pi * ring / rings
        for side in range(sides):
            turn = 2 * math.pi * side / sides
            r = radius * math.cos(polar) * (1 + 0.06 * rng.uniform(-1, 1))
            vertices.append(
                (
                    x + r * math.cos(turn),
                    y + r * math.sin(turn),
                    height - crown + crown * math.sin(polar),
                )
            )
    for ring in range(rings - 2):
        for i in range(sides):
            a, b = start + ring * sides + i, start + ring * sides + (i + 1) % sides
            faces.append([a, b, b + sides, a + sides])
    last = start + (rings - 2) * sides
    faces.append([start + i for i in reversed(range(sides))])
    faces.append([last + i for i in range(sides)])
    return add(name, vertices, faces, collection)
