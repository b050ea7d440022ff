"""A courtyard block that exercises Blender: collection instances, array, solidify, bevel,
boolean, a curved wing."""

from __future__ import annotations

import math
from typing import Any

import bpy

from ..model import arc
from ..shapes import add, box
from ..staging import bird, cameras, collection, corners, elevation, ground, level, pitched, trees

BAY, DEPTH, STOREY, FLOORS = 6.0, 12.0, 3.2, 5
FRONT_BAYS, SIDE_BAYS = 8, 5


def _flat(parts: bpy.types.Collection) -> bpy.types.Collection:
    """One dwelling with a loggia cut out by a boolean and softened by a bevel, kept in a
    collection to be instanced."""
    unit = bpy.data.collections.new("Flat")
    body = box("Flat body", (0.0, 0.0, 0.0), (BAY, DEPTH, STOREY), unit)
    cutter = box("Loggia cutter", (0.9, -1.0, 0.35), (BAY - 0.9, 1.8, STOREY - 0.35), parts)
    cutter.display_type = "WIRE"
    cutter.hide_render = True
    cutter.hide_set(True)
    cut: Any = body.modifiers.new("Loggia", "BOOLEAN")
    cut.operation, cut.solver, cut.object = "DIFFERENCE", "EXACT", cutter
    bevel: Any = body.modifiers.new("Edge", "BEVEL")
    bevel.width, bevel.segments = 0.05, 1
    box("Balcony", (1.2, -0.9, 0.0), (BAY - 1.2, 0.1, 0.16), unit)
    box("Balcony rail", (1.2, -0.9, 0.16), (BAY - 1.2, -0.82, 1.1), unit)
    return unit


def _place(
    unit: bpy.types.Collection,
    name: str,
    x: float,
    y: float,
    z: float,
    turn: float,
    group: bpy.types.Collection,
) -> None:
    instance = bpy.data.objects.new(name, None)
    instance.instance_type, instance.instance_collection = "COLLECTION", unit
    instance.location, instance.rotation_euler = (x, y, z), (0.0, 0.0, math.radians(turn))
    instance.empty_display_size = 0.5
    group.objects.link(instance)


def _front(unit: bpy.types.Collection, group: bpy.types.Collection) -> None:
    """The front wing: stacked flats around a gateway two storeys high."""
    for floor in range(FLOORS):
        for bay in range(FRONT_BAYS):
            if floor < 2 and bay == 3:
                continue
            _place(unit, f"Flat {floor} {bay}", -24.0 + bay * BAY, 0.0, floor * STOREY, 0.0, group)
    attic = box("Attic", (-20.0, 2.6, FLOORS * STOREY), (22.0, DEPTH, FLOORS * STOREY + 3.0), group)
    edge: Any = attic.modifiers.new("Edge", "BEVEL")
    edge.width = 0.08


def _side(group: bpy.types.Collection) -> None:
    """The west wing: one storey, repeated upwards by an array, with ledges between."""
    storey = box(
        "West wing storey",
        (-24.0, DEPTH, 0.0),
        (-12.0, DEPTH + SIDE_BAYS * BAY, STOREY - 0.25),
        group,
    )
    ledge = box(
        "West wing ledge",
        (-24.25, DEPTH, STOREY - 0.25),
        (-11.75, DEPTH + SIDE_BAYS * BAY + 0.25, STOREY),
        group,
    )
    for thing in (storey, ledge):
        array: Any = thing.modifiers.new("Storeys", "ARRAY")
        array.count, array.use_relative_offset, array.use_constant_offset = FLOORS - 1, False, True
        array.constant_offset_displace = (0.0, 0.0, STOREY)


def _curve(group: bpy.types.Collection) -> None:
    """The east wing swings around the court: a curved sheet made solid by a modifier, one for
    each storey."""
    centre, radius, count = (-2.0, 12.0), 26.0, 28
    path = arc(*centre, radius, 0.0, math.pi / 2, count)
    for floor in range(FLOORS - 1):
        z0 = floor * STOREY
        rows = [(x, y, z) for z in (z0, z0 + STOREY - 0.25) for x, y in path]
        faces = [[i, i + 1, count + 2 + i, count + 1 + i] for i in range(count)]
        sheet = add(f"Curved wing {floor}", rows, faces, group)
        solid: Any = sheet.modifiers.new("Depth", "SOLIDIFY")
        solid.thickness, solid.offset = 11.0, -1.0
        plate = add(
            f"Curved ledge {floor}",
            [
                (x, y, z)
                for z in (z0 + STOREY - 0.25, z0 + STOREY)
                for x, y in arc(*centre, radius + 0.3, 0.0, math.pi / 2, count)
            ],
            faces,
            group,
        )
        solid = plate.modifiers.new("Depth", "SOLIDIFY")
        solid.thickness, solid.offset = 11.6, -1.0
    link = box("Link", (-12.0, 27.0, 0.0), (-2.0, 38.0, (FLOORS - 1) * STOREY), group)
    edge: Any = link.modifiers.new("Edge", "BEVEL")
    edge.width = 0.08


def courtyard() -> None:
    """A courtyard block: stacked instances in front, an array to the west, a curved wing to the
    east."""
    ground()
    block = collection("Block")
    unit = _flat(block)
    _front(unit, block)
    _side(block)
    _curve(block)
    box("Court pavilion", (-5.0, 18.0, 0.0), (3.0, 24.0, 3.4), block)
    city = collection("Neighbours")
    for number, (x, y, w, d, h) in enumerate(
        (
            (-58.0, 0.0, 36.0, 14.0, 16.0),
            (60.0, 2.0, 34.0, 14.0, 19.0),
            (-10.0, 66.0, 60.0, 14.0, 17.0),
            (-62.0, 40.0, 16.0, 40.0, 14.0),
        )
    ):
        box(f"Neighbour {number + 1}", (x - w / 2, y, 0.0), (x + w / 2, y + d, h), city)
    trees(
        [
            (7.0, 20.0, 7.0),
            (-7.0, 15.5, 6.0),
            (33.0, -8.0, 8.0),
            (-31.0, -8.0, 8.0),
            (-39.0, -8.0, 7.5),
        ]
    )
    points = corners((-24.0, 0.0, 0.0), (24.0, 38.0, 19.0))
    front = corners((-24.0, 0.0, 0.0), (24.0, 12.0, 19.0))
    eye = level(front, -34.0, 24.0, 0.8, 0.62, 0.2, 1.65)
    cameras(
        pitched(eye),
        bird(points, 38.0, 50.0, 50.0, 0.78, 0.86),
        elevation(front, 0.76, 0.6, 0.12),
        level(front, 30.0, 28.0, 0.82, 0.6, 0.2, 1.65),
    )
