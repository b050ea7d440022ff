"""Sample models of the city: an office slab on a podium, and a tower in a street."""

from __future__ import annotations

import itertools
import math
import random

import bpy

from ..cameras import Camera
from ..shapes import box, tree
from ..staging import bird, cameras, collection, corners, elevation, ground, level, pitched, trees


def office_slab() -> None:
    """A ten-storey slab on columns above a long podium, with a canopy and quiet neighbours."""
    ground()
    office = collection("Office")
    box("Podium", (-38.0, 0.0, 0.0), (38.0, 30.0, 8.4), office)
    box("Arcade roof", (-38.0, -3.0, 7.6), (8.0, 0.0, 8.4), office)
    for i in range(8):
        x = -37.0 + i * 6.2
        box(f"Column {i + 1}", (x - 0.3, -2.6, 0.0), (x + 0.3, -2.0, 7.6), office)
    box("Recess", (-22.0, 7.5, 8.4), (28.0, 20.5, 11.4), office)
    box("Slab", (-24.0, 6.0, 11.4), (30.0, 22.0, 43.0), office)
    box("Stair core", (30.0, 10.0, 8.4), (34.4, 18.0, 46.6), office)
    box("Plant", (-12.0, 10.0, 43.0), (14.0, 18.0, 46.2), office)
    box("Canopy", (13.0, -6.0, 4.0), (27.0, 0.0, 4.5), office)
    box("Roof pavilion", (-36.0, 8.0, 8.4), (-27.0, 20.0, 12.2), office)
    city = collection("Neighbours")
    for number, (x, y, w, d, h) in enumerate(
        (
            (-78.0, 8.0, 40.0, 16.0, 17.0),
            (78.0, 12.0, 38.0, 18.0, 21.0),
            (-40.0, 58.0, 46.0, 16.0, 24.0),
            (24.0, 62.0, 52.0, 16.0, 19.0),
            (92.0, 64.0, 30.0, 20.0, 28.0),
            (-104.0, 48.0, 26.0, 40.0, 20.0),
        )
    ):
        box(f"Neighbour {number + 1}", (x - w / 2, y, 0.0), (x + w / 2, y + d, h), city)
    trees([(-48.0, -8.0, 8.0), (-57.0, -8.0, 8.0), (48.0, -7.0, 8.5), (58.0, -7.0, 7.5)])
    points = corners((-38.0, -3.0, 0.0), (38.0, 30.0, 46.0))
    eye = level(points, -32.0, 24.0, 0.74, 0.72, 0.16, 1.65)
    cameras(
        pitched(eye),
        bird(points, -34.0, 24.0, 50.0, 0.7, 0.74),
        elevation(points, 0.7, 0.66, 0.1),
        level(points, 38.0, 24.0, 0.76, 0.72, 0.16, 1.65),
    )


def _blocks(city: bpy.types.Collection, block: float, street: float) -> None:
    """City blocks of four houses each on a grid, out to 400 m; the tower's own and the square
    before it have pavements alone."""
    rng = random.Random(5)
    count, half = 0, block / 2
    for column, row in itertools.product(range(-6, 7), range(-6, 7)):
        cx, cy = column * (block + street), 15.0 + row * (block + street)
        if math.hypot(cx, cy - 15.0) > 400.0:
            continue
        low, high = (cx - half - 3, cy - half - 3, 0.0), (cx + half + 3, cy + half + 3, 0.14)
        box(f"Pavement {column} {row}", low, high, city)
        if column == 0 and row in (0, -1):
            continue
        for x0, y0 in itertools.product((cx - half, cx), (cy - half, cy)):
            x1 = x0 + half - rng.choice((0.0, 0.0, 3.0))
            y1 = y0 + half - 1.0
            top = 3.3 * rng.choice((4, 5, 5, 6, 7, 8)) + 1.0
            count += 1
            house = box(f"House {count}", (x0, y0, 0.14), (x1, y1, top), city)
            house.color = (0.75, 0.78, 0.8, 1.0)
            if rng.random() < 0.3:
                attic = (x1 - 3, y1 - 3, top + 3.2)
                box(f"Attic {count}", (x0 + 3, y0 + 3, top), attic, city)


def street_tower() -> None:
    """A tower with a podium and a stepped crown at a street corner, city blocks around it out to
    400 m."""
    ground(700.0)
    tower = collection("Tower")
    box("Podium", (-16.0, 0.0, 0.0), (16.0, 30.0, 13.2), tower)
    box("Shaft", (-12.0, 4.0, 13.2), (12.0, 26.0, 82.0), tower)
    box("Upper shaft", (-9.0, 7.0, 82.0), (9.0, 23.0, 102.0), tower)
    box("Crown", (-5.0, 10.0, 102.0), (5.0, 20.0, 111.0), tower)
    box("Entrance canopy", (-5.0, -3.0, 4.2), (5.0, 0.0, 4.7), tower)
    for side in (-1, 1):
        box(
            f"Fin {'west' if side < 0 else 'east'}",
            (side * 12.0 - 0.4, 3.2, 13.2),
            (side * 12.0 + 0.4, 4.0, 84.0),
            tower,
        )
    _blocks(collection("City"), 52.0, 16.0)
    square = collection("Square")
    for number, y in enumerate(range(-74, -30, 10)):
        for column, x in enumerate((-4.0, 10.0, 22.0)):
            tree(f"Square tree {3 * number + column + 1}", x, float(y), 7.0, number, square)
    points = corners((-16.0, 0.0, 0.0), (16.0, 30.0, 111.0))
    street_camera = Camera(
        "street", (-30.0, -92.0, 1.65), math.radians(-11.0), math.radians(21.0), 20.0
    )
    two_point = Camera(
        "two-point", (-36.0, -112.0, 1.65), math.radians(-9.0), 0.0, 20.0, 0.0, 0.255
    )
    cameras(
        street_camera,
        bird(corners((-60.0, -50.0, 0.0), (60.0, 80.0, 111.0)), -32.0, 28.0, 35.0, 0.9, 0.82),
        elevation(points, 0.8, 0.8, 0.08),
        two_point,
    )
