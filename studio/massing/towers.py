"""Towers: on a podium, with setbacks, in pairs, twisted, round."""

from __future__ import annotations

import math

from ..model import Cell, Facade, Frame, Part, arc, rectangle
from ..walls import cap, parapet_roof, prism, round_prism, wall
from .site import Site

TOWER = Facade(floor=3.6, ground_floor=4.8, bay=3.0, lower=Cell.STOREFRONT, parapet=1.2)


def podium_tower(site: Site) -> None:
    """A tower on a podium of two or three storeys."""
    rng = site.rng
    base, depth = rng.choice([36.0, 42.0]), 30.0
    low = TOWER.height(rng.choice([2, 3]))
    prism(site.model, rectangle(base, depth), 0.0, low, TOWER, door=0)
    side = rng.choice([18.0, 21.0, 24.0])
    high = low + rng.choice([14, 18, 24]) * 3.6 + 0.6
    x = rng.choice([-1, 0, 1]) * (base - side) * 0.3
    prism(site.model, rectangle(side, 18.0, x, 5.0), low - 0.6, high, TOWER)
    prism(
        site.model,
        rectangle(side * 0.5, 9.0, x, 9.5),
        high - 0.6,
        high + 4.2,
        TOWER,
        blank=(0, 1, 2, 3),
    )
    site.frame_box(-base / 2, 0.0, base / 2, depth, high)


def setback_tower(site: Site) -> None:
    """A tower that steps back twice or three times towards its top."""
    rng = site.rng
    width, z, y = rng.choice([27.0, 33.0]), 0.0, 0.0
    start = width
    steps = rng.choice([3, 4])
    for step in range(steps):
        floors = rng.choice([5, 6, 7]) if step < steps - 1 else rng.choice([3, 5])
        top = z + (TOWER.height(floors) if step == 0 else floors * 3.6 + 0.6)
        prism(
            site.model,
            rectangle(width, width * 0.8, 0.0, y),
            max(0.0, z - 0.5),
            top,
            TOWER,
            door=0 if step == 0 else -1,
        )
        z, y, width = top, y + 2.4, width - 6.0
    site.frame_box(-start / 2, 0.0, start / 2, start * 0.8, z)


def twin_towers(site: Site) -> None:
    """Two slender towers of different height on one base."""
    rng = site.rng
    side, gap = rng.choice([15.0, 18.0]), rng.choice([8.0, 12.0])
    total = 2 * side + gap
    prism(site.model, rectangle(total + 6.0, side + 6.0), 0.0, TOWER.height(1), TOWER, door=0)
    heights = [rng.choice([12, 14]), rng.choice([17, 20])]
    if rng.random() < 0.5:
        heights.reverse()
    for i, floors in enumerate(heights):
        x = (i - 0.5) * (side + gap)
        prism(site.model, rectangle(side, side, x, 3.0), 5.4, 5.4 + floors * 3.6 + 1.2, TOWER)
    site.frame_box(-total / 2 - 3.0, 0.0, total / 2 + 3.0, side + 6.0, 5.4 + max(heights) * 3.6)


def twisted_tower(site: Site) -> None:
    """A square tower that turns a little from floor to floor."""
    rng = site.rng
    side, floors = rng.choice([18.0, 21.0]), rng.choice([14, 18, 22])
    turn = math.radians(rng.choice([-1, 1]) * rng.choice([2.0, 3.0, 4.0]))
    model, obj = site.model, site.model.new_object()
    square = rectangle(side, side, 0.0, -side / 2)
    z, bays = 0.0, round(side / 3.0)
    for floor in range(floors):
        height = 4.8 if floor == 0 else 3.6
        low = Frame(0.0, side / 2, turn * floor)(square)
        high = Frame(0.0, side / 2, turn * (floor + 1))(square)
        content = Cell.STOREFRONT if floor == 0 else Cell.WINDOW
        for i in range(4):
            j = (i + 1) % 4
            model.face(
                [(*low[i], z), (*low[j], z), (*high[j], z + height), (*high[i], z + height)],
                Part.WALL,
                obj,
                [(0, 0), (bays, 0), (bays, 1), (0, 1)],
                (side / bays, height, content),
            )
        z += height
    parapet_roof(model, Frame(0.0, side / 2, turn * floors)(square), z + 0.6, obj)
    top = Frame(0.0, side / 2, turn * floors)(square)
    for i in range(4):
        wall(
            model,
            [top[i], top[(i + 1) % 4]],
            z,
            z + 0.6,
            Facade(upper=Cell.BLANK, lower=Cell.BLANK),
            obj,
        )
    radius = side * 0.62
    site.frame_plan(
        [
            (-radius, side / 2 - radius),
            (radius, side / 2 - radius),
            (radius, side / 2 + radius),
            (-radius, side / 2 + radius),
        ],
        z,
    )


def round_tower(site: Site) -> None:
    """A cylinder on a round or square base."""
    rng = site.rng
    radius, floors = rng.choice([10.0, 12.0]), rng.choice([9, 12, 16])
    low = TOWER.height(1)
    base = radius * 1.5
    prism(site.model, rectangle(base * 2, base * 2), 0.0, low, TOWER, door=0)
    plan = arc(0.0, base, radius, 0.0, 2 * math.pi, 48)[:-1]
    top = low + floors * 3.6 + 0.6
    round_prism(site.model, plan, low - 0.5, top, TOWER)
    site.frame_box(-base, 0.0, base, base * 2, top)


def gate_tower(site: Site) -> None:
    """Two legs carrying a bridge: a building one can look through."""
    rng = site.rng
    leg, gap, depth = 10.8, rng.choice([10.8, 14.4]), 14.4
    facade = Facade(floor=3.6, ground_floor=4.8, bay=3.6, lower=Cell.STOREFRONT, parapet=0.9)
    low, high = facade.height(rng.choice([5, 6, 8])), 0.0
    high = low + 3 * 3.6 + 0.6
    for side in (-1, 1):
        prism(
            site.model,
            rectangle(leg, depth, side * (leg + gap) / 2, 0.0),
            0.0,
            low,
            facade,
            door=0,
            roof=False,
        )
        cap(
            site.model,
            rectangle(leg, depth, side * (leg + gap) / 2, 0.0),
            low,
            Part.ROOF,
            site.model.object_count,
        )
    prism(site.model, rectangle(2 * leg + gap, depth), low, high, facade)
    site.frame_box(-leg - gap / 2, 0.0, leg + gap / 2, depth, high)
