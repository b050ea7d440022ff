"""What stands around a building: ground, city context, trees, people and cars, all of it also in
the massing."""

from __future__ import annotations

import math
import random

from .massing.site import Site
from .model import Facade, Frame, Model, Part, arc, rectangle
from .planting import TREES, bush, treeline
from .walls import prism

GROUND_RADIUS = 1500.0
ROAD = (-15.5, -8.5)
"""y range, from the main front, of the road that the ground `street` shows."""

CONTEXT = Facade(floor=3.2, ground_floor=3.8, bay=3.2, parapet=0.7)


def add_ground(site: Site) -> None:
    """A wide disc at z = 0."""
    x, y = site_centre(site)
    ring = arc(x, y, GROUND_RADIUS, 0.0, 2 * math.pi, 96)[:-1]
    site.model.face([(px, py, 0.0) for px, py in ring], Part.GROUND, 0, ring)


def add_section(site: Site) -> None:
    """Cut the ground before the building, for elevations, which would see a flat ground edge-on."""
    x, _ = site_centre(site)
    y = site.front - 4.0
    corners = [
        (x - 600.0, y, -300.0),
        (x + 600.0, y, -300.0),
        (x + 600.0, y, 0.0),
        (x - 600.0, y, 0.0),
    ]
    site.model.face(corners, Part.GROUND, 0)


def site_centre(site: Site) -> tuple[float, float]:
    """Plan centre of what is framed."""
    xs, ys = [p[0] for p in site.focus], [p[1] for p in site.focus]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def add_context(site: Site, rng: random.Random) -> None:
    """City blocks behind and beside the building, never in front of it."""
    top = max(p[2] for p in site.focus)
    left, right = min(b[0] for b in site.occupied), max(b[2] for b in site.occupied)
    back = max(b[3] for b in site.occupied)
    places = [(rng.uniform(left - 10, right + 10), back + rng.uniform(22, 60)) for _ in range(3)]
    for side in (-1, 1):
        edge = left if side < 0 else right
        places += [
            (edge + side * rng.uniform(24, 50), rng.uniform(4, 40)),
            (edge + side * rng.uniform(60, 110), rng.uniform(0, 90)),
        ]
    for x, y in places:
        width, depth = 3.2 * rng.choice([5, 6, 8, 10]), rng.choice([12.8, 16.0])
        if not site.is_free(x, y + depth / 2, max(width, depth) / 2 + 8.0):
            continue
        z = CONTEXT.height(rng.choice([3, 4, 5, 6]))
        z = min(z, CONTEXT.height(max(2, int(top * 0.7 / CONTEXT.floor))))
        prism(site.model, rectangle(width, depth, x, y), 0.0, z, CONTEXT)
        site.occupied.append((x - width / 2, y, x + width / 2, y + depth))
    site.extras.add("context")


def add_trees(site: Site, rng: random.Random, count: int) -> None:
    """Trees beside and behind the building, a few of them before its flanks."""
    left, right = min(p[0] for p in site.focus), max(p[0] for p in site.focus)
    depth = max(p[1] for p in site.focus)
    span = right - left
    kind = rng.choice(TREES)
    for _ in range(count):
        side = rng.choice([-1, 1])
        x = (right if side > 0 else left) + side * rng.uniform(3.0, 4.0 + span * 0.6)
        y = rng.uniform(site.front - 5.0, depth + 12.0)
        height = rng.uniform(6.0, 9.5)
        if site.is_free(x, y, height * 0.4):
            kind(site.model, rng, x, y, height)
            site.occupied.append((x - 2, y - 2, x + 2, y + 2))
    if rng.random() < 0.4:
        for i in range(6):
            x = left + span * (i + 0.5) / 6
            if abs(i - 2.5) > 1:
                bush(site.model, rng, x, site.front - 1.4, 0.9)
    site.extras.add("trees")


def add_street_trees(site: Site, rng: random.Random) -> None:
    """A row of trees on both sides of a street along y."""
    assert site.corridor is not None, "a scene without a corridor has no street trees"
    left, right = site.corridor
    kind = rng.choice(TREES[:3])
    for y in range(14, 110, 16):
        for x in (left + 2.6, right - 2.6):
            kind(site.model, rng, x, float(y), rng.uniform(6.0, 7.5))
    site.extras.add("trees")


PERSON = (
    (-0.20, 0.0),
    (-0.05, 0.0),
    (0.0, 0.75),
    (0.05, 0.0),
    (0.20, 0.0),
    (0.17, 0.85),
    (0.25, 0.95),
    (0.23, 1.4),
    (0.08, 1.5),
    (0.12, 1.6),
    (0.1, 1.74),
    (0.0, 1.78),
    (-0.1, 1.74),
    (-0.12, 1.6),
    (-0.08, 1.5),
    (-0.23, 1.4),
    (-0.25, 0.95),
    (-0.17, 0.85),
)


def add_people(site: Site, rng: random.Random, heading: float, count: int) -> None:
    """Flat silhouettes of people facing a camera that looks along `heading` (radians, 0 along
    +Y)."""
    left, right = min(p[0] for p in site.focus), max(p[0] for p in site.focus)
    c, s = math.cos(-heading), math.sin(-heading)
    for _ in range(count):
        if site.corridor is not None:
            x, y = (
                rng.choice([-1, 1]) * (site.corridor[1] - rng.uniform(0.9, 1.8)),
                rng.uniform(6.0, 40.0),
            )
        else:
            x, y = rng.uniform(left, right), site.front - rng.uniform(2.0, 6.5)
        if site.corridor is None and site.is_too_close(x, y):
            continue
        obj = site.model.new_object()
        height = rng.uniform(0.94, 1.04)
        for step in range(rng.choice([1, 1, 2])):
            shift = step * 0.7
            points = [
                (x + c * (px + shift), y + s * (px + shift), pz * height) for px, pz in PERSON
            ]
            site.model.face(points, Part.PERSON, obj)
    site.extras.add("people")


CAR = (
    (-2.1, 0.25),
    (2.1, 0.25),
    (2.15, 0.75),
    (1.2, 0.9),
    (0.55, 1.42),
    (-1.1, 1.45),
    (-1.85, 0.95),
    (-2.1, 0.85),
)


def _car(model: Model, frame: Frame) -> None:
    obj, half = model.new_object(), 0.88
    left = [(*frame([(px, -half)])[0], pz) for px, pz in CAR]
    right = [(*frame([(px, half)])[0], pz) for px, pz in CAR]
    model.face(left, Part.CAR, obj)
    model.face(list(reversed(right)), Part.CAR, obj)
    for i in range(len(CAR)):
        j = (i + 1) % len(CAR)
        model.face([left[j], left[i], right[i], right[j]], Part.CAR, obj)
    for px in (-1.35, 1.35):
        for side in (-1, 1):
            wheel = [
                (
                    *frame([(px + 0.33 * math.cos(t), side * (half + 0.01))])[0],
                    0.33 + 0.33 * math.sin(t),
                )
                for t in [side * 2 * math.pi * k / 10 for k in range(10)]
            ]
            model.face(list(reversed(wheel)) if side > 0 else wheel, Part.PERSON, obj)


def add_cars(site: Site, rng: random.Random) -> None:
    """Cars parked along the road before the building, or along a street."""
    if site.corridor is not None:
        for y in range(10, 90, 7):
            if rng.random() < 0.5:
                _car(site.model, Frame(site.corridor[0] + 3.9, float(y), math.pi / 2))
    else:
        x, _ = site_centre(site)
        for i in range(-3, 4):
            place = (x + i * 6.5, site.front + ROAD[1] - 1.3)
            if rng.random() < 0.45 and not site.is_too_close(*place):
                _car(site.model, Frame(*place))
    site.extras.add("cars")


def add_treeline(site: Site, rng: random.Random) -> None:
    """A far line of trees that closes the horizon."""
    x, y = site_centre(site)
    treeline(site.model, rng, x, y, rng.choice([220.0, 320.0]), rng.choice([9.0, 13.0]))
