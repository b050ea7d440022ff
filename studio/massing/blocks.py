"""Blocks and quarters: courtyards, corner houses, stepped terraces, curved slabs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from ..model import Cell, Facade, Frame, Model, Part, Point, arc, rectangle
from ..roofs import gable
from ..walls import cap, parapet, prism, round_prism, wall
from .site import Site

BLOCK = Facade(floor=3.1, ground_floor=3.9, bay=3.2, lower=Cell.STOREFRONT, parapet=0.7)


def courtyard_block(site: Site) -> None:
    """Four wings around a court, flat or pitched roofs."""
    rng = site.rng
    width, depth, thick = rng.choice([38.4, 44.8]), rng.choice([32.0, 38.4]), 10.0
    z = BLOCK.height(rng.choice([3, 4, 5]))
    wings = [
        (rectangle(width, thick), True),
        (rectangle(width, thick, 0.0, depth - thick), True),
        (rectangle(thick, depth - 2 * thick, -(width - thick) / 2, thick), False),
        (rectangle(thick, depth - 2 * thick, (width - thick) / 2, thick), False),
    ]
    for number, (plan, door) in enumerate(wings):
        prism(site.model, plan, 0.0, z, BLOCK, door=0 if door and number == 0 else -1)
    site.frame_box(-width / 2, 0.0, width / 2, depth, z)


def corner_building(site: Site) -> None:
    """A block with a rounded, raised corner."""
    rng = site.rng
    z = BLOCK.height(rng.choice([4, 5, 6]))
    width, radius = rng.choice([22.4, 28.8]), 5.0
    side = rng.choice([-1, 1])
    body = rectangle(width, 14.0, -side * radius, 0.0)
    prism(site.model, body, 0.0, z, BLOCK, door=0)
    x = side * (width / 2 - radius)
    plan = arc(x, radius, radius, 0.0, 2 * math.pi, 32)[:-1]
    round_prism(site.model, plan, 0.0, z + 3.1, BLOCK)
    prism(site.model, rectangle(10.0, 22.0, x, radius), 0.0, z, BLOCK)
    site.frame_box(-width / 2 - radius, 0.0, width / 2 + radius, radius + 22.0, z + 3.1)


def terraced_building(site: Site) -> None:
    """Storeys that step back one behind the other, with a terrace each. Held out from training."""
    rng = site.rng
    floors, width, depth = rng.choice([4, 5, 6]), rng.choice([25.6, 32.0]), 20.0
    for floor in range(floors):
        z0 = 0.0 if floor == 0 else BLOCK.ground_floor + (floor - 1) * 3.1
        top = BLOCK.ground_floor + floor * 3.1 + 0.6
        reach = floor * 2.6
        prism(
            site.model,
            rectangle(width - floor * 2.0, depth - reach, 0.0, reach),
            z0,
            top,
            BLOCK,
            door=0 if floor == 0 else -1,
        )
    site.frame_box(-width / 2, 0.0, width / 2, depth, BLOCK.ground_floor + floors * 3.1)


def crescent(site: Site) -> None:
    """A slab on an arc, hollow towards the viewer or bulging."""
    rng = site.rng
    radius, thick, spread = rng.choice([30.0, 40.0]), 11.0, math.radians(rng.choice([60.0, 80.0]))
    z = BLOCK.height(rng.choice([3, 4, 5]))
    hollow = rng.random() < 0.5
    count = 24
    if hollow:
        centre = -radius * math.cos(spread / 2) + 0.0
        a0, a1 = math.pi / 2 + spread / 2, math.pi / 2 - spread / 2
        front = arc(0.0, centre, radius, a0, a1, count)
        back = arc(0.0, centre, radius + thick, a1, a0, count)
    else:
        centre = radius
        a0, a1 = -math.pi / 2 - spread / 2, -math.pi / 2 + spread / 2
        front = arc(0.0, centre, radius, a0, a1, count)
        back = arc(0.0, centre, radius - thick, a1, a0, count)
    model, obj = site.model, site.model.new_object()
    for run, door in (
        (front, True),
        ([front[-1], back[0]], False),
        (back, False),
        ([back[-1], front[0]], False),
    ):
        wall(model, run, 0.0, z, BLOCK, obj, door=door)
    ring = [*front, *back]
    _strip_roof(model, front, back, z, obj)
    site.front = min(p[1] for p in ring)
    site.frame_plan(ring, z)


def wave_building(site: Site) -> None:
    """A slab whose plan swings like a wave."""
    rng = site.rng
    length, thick, swing = rng.choice([40.0, 52.0]), 12.0, rng.choice([2.5, 4.0])
    z = BLOCK.height(rng.choice([4, 5, 7]))
    count = 32
    phase = rng.choice([0.0, math.pi])

    def line(y: float) -> list[tuple[float, float]]:
        return [
            (
                -length / 2 + length * i / count,
                y + swing * math.sin(phase + 2 * math.pi * i / count),
            )
            for i in range(count + 1)
        ]

    front, back = line(0.0), list(reversed(line(thick)))
    model, obj = site.model, site.model.new_object()
    for run in (front, [front[-1], back[0]], back, [back[-1], front[0]]):
        wall(model, run, 0.0, z, BLOCK, obj)
    ring = [*front, *back]
    _strip_roof(model, front, back, z, obj)
    site.front = -swing
    site.frame_plan(ring, z)


def _strip_roof(
    model: Model, front: Sequence[Point], back: Sequence[Point], z: float, obj: int
) -> None:
    """A flat roof behind a parapet whose top is at `z`, between two lines of as many points, of
    which the back one runs the other way."""
    for (a, d), (b, c) in pairwise(zip(front, reversed(back), strict=True)):
        cap(model, [a, b, c, d], z - 0.5, Part.ROOF, obj)
    parapet(model, [*front, *back], z, obj)


def street_canyon(site: Site) -> None:
    """Two rows of town houses along a street, seen from within it."""
    rng = site.rng
    half = rng.choice([7.0, 9.0])
    for side in (-1, 1):
        y = -10.0
        while y < 120.0:
            width = rng.choice([12.8, 16.0, 19.2])
            z = BLOCK.height(rng.choice([3, 4, 5, 6]))
            depth = 12.0
            x = side * (half + depth / 2)
            plan = rectangle(depth, width, x, y)
            if rng.random() < 0.35:
                obj = prism(site.model, plan, 0.0, z, BLOCK, door=3 if side > 0 else 1, roof=False)
                gable(
                    site.model,
                    Frame(),
                    (x - depth / 2, y, x + depth / 2, y + width),
                    z,
                    4.0,
                    obj,
                    along_x=False,
                    eaves=0.2,
                )
            else:
                prism(site.model, plan, 0.0, z, BLOCK, door=3 if side > 0 else 1)
            y += width
        site.occupied.append(
            (min(side * half, side * (half + 12)), -10.0, max(side * half, side * (half + 12)), y)
        )
    if rng.random() < 0.6:
        plan = rectangle(2 * half + 24.0, 14.0, 0.0, 128.0)
        prism(site.model, plan, 0.0, BLOCK.height(rng.choice([5, 9])), BLOCK, door=0)
    site.corridor = (-half, half)
    site.focus.extend(
        (x, y, z) for x in (-half - 4, half + 4) for y in (20.0, 60.0) for z in (0.0, 16.0)
    )


def canal_houses(site: Site) -> None:
    """Narrow town houses of different heights, gables to the front."""
    rng = site.rng
    facade = Facade(floor=3.2, ground_floor=3.8, bay=2.0, parapet=0.2)
    widths = [rng.choice([6.0, 6.0, 8.0]) for _ in range(rng.choice([4, 5, 6]))]
    x, top = -sum(widths) / 2, 0.0
    start = x
    for width in widths:
        z = facade.height(rng.choice([3, 4]))
        middle = x + width / 2
        obj = prism(
            site.model, rectangle(width, 13.0, middle, 0.0), 0.0, z, facade, door=0, roof=False
        )
        rise = width / 2 * rng.choice([0.9, 1.2])
        gable(
            site.model, Frame(), (x, 0.0, x + width, 13.0), z, rise, obj, along_x=False, eaves=0.05
        )
        top = max(top, z + rise)
        x += width
    site.frame_box(start, 0.0, -start, 13.0, top)
