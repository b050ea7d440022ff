"""Pitched roofs over rectangular plans: gable, hip, pyramid, shed, saw-tooth and barrel."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from .model import Frame, Model, Part, Point, Vertex

EAVES = 0.35
"""Overhang of eaves in metres."""

THICKNESS = 0.18


def slope(model: Model, quad: Sequence[Vertex], obj: int, part: Part = Part.ROOF) -> None:
    """One roof plane, lowest edge first; roof coordinates are metres along the eaves and up the
    slope."""
    origin, along = quad[0], quad[1]
    direction = [(along[i] - origin[i]) for i in range(3)]
    length = math.sqrt(sum(d * d for d in direction)) or 1.0
    direction = [d / length for d in direction]
    coordinates = []
    for point in quad:
        delta = [point[i] - origin[i] for i in range(3)]
        u = sum(delta[i] * direction[i] for i in range(3))
        v = math.sqrt(max(0.0, sum(d * d for d in delta) - u * u))
        coordinates.append((u, v))
    model.face(quad, part, obj, coordinates)


def _at(frame: Frame, x: float, y: float, z: float) -> Vertex:
    ((wx, wy),) = frame([(x, y)])
    return wx, wy, z


def _fascia(model: Model, edge: tuple[Vertex, Vertex], obj: int) -> None:
    a, b = edge
    model.face(
        [(a[0], a[1], a[2] - THICKNESS), (b[0], b[1], b[2] - THICKNESS), b, a], Part.TRIM, obj
    )


def gable(
    model: Model,
    frame: Frame,
    box: tuple[float, float, float, float],
    z: float,
    rise: float,
    obj: int,
    along_x: bool = True,
    walls: bool = True,
    eaves: float = EAVES,
) -> None:
    """A gable roof on the box (x0, y0, x1, y1) with eaves at height `z`; the ridge runs along x
    or along y."""
    x0, y0, x1, y1 = box
    if not along_x:
        turned = Frame(*frame([((x0 + x1) / 2, (y0 + y1) / 2)])[0], frame.angle + math.pi / 2)
        w, d = (y1 - y0) / 2, (x1 - x0) / 2
        gable(model, turned, (-w, -d, w, d), z, rise, obj, True, walls, eaves)
        return
    middle = (y0 + y1) / 2
    drop = eaves * rise / (middle - y0)
    front = [
        _at(frame, x0 - eaves, y0 - eaves, z - drop),
        _at(frame, x1 + eaves, y0 - eaves, z - drop),
    ]
    back = [
        _at(frame, x1 + eaves, y1 + eaves, z - drop),
        _at(frame, x0 - eaves, y1 + eaves, z - drop),
    ]
    right, left = _at(frame, x1 + eaves, middle, z + rise), _at(frame, x0 - eaves, middle, z + rise)
    slope(model, [front[0], front[1], right, left], obj)
    slope(model, [back[0], back[1], left, right], obj)
    for edge in (
        (front[0], front[1]),
        (back[0], back[1]),
        (front[1], right),
        (right, back[0]),
        (back[1], left),
        (left, front[0]),
    ):
        _fascia(model, edge, obj)
    low = [(p[0], p[1], p[2] - THICKNESS) for p in (*front, right, *back, left)]
    model.face([low[1], low[0], low[5], low[2]], Part.TRIM, obj)
    model.face([low[4], low[3], low[2], low[5]], Part.TRIM, obj)
    if walls:
        top = z + rise - THICKNESS
        for x, ya, yb in ((x1, y0, y1), (x0, y1, y0)):
            triangle = [_at(frame, x, ya, z), _at(frame, x, yb, z), _at(frame, x, middle, top)]
            width = abs(yb - ya)
            model.face(triangle, Part.WALL, obj, [(0.0, 0.0), (width, 0.0), (width / 2, rise)])


def hip(
    model: Model,
    frame: Frame,
    box: tuple[float, float, float, float],
    z: float,
    rise: float,
    obj: int,
    eaves: float = EAVES,
    ridge: float | None = None,
) -> None:
    """A hip roof; with `ridge` 0 a pyramid. The ridge runs along the longer side."""
    x0, y0, x1, y1 = box
    if x1 - x0 < y1 - y0:
        turned = Frame(*frame([((x0 + x1) / 2, (y0 + y1) / 2)])[0], frame.angle + math.pi / 2)
        w, d = (y1 - y0) / 2, (x1 - x0) / 2
        hip(model, turned, (-w, -d, w, d), z, rise, obj, eaves, ridge)
        return
    middle, half = (y0 + y1) / 2, (y1 - y0) / 2
    drop = eaves * rise / half
    inset = half if ridge is None else (x1 - x0 - ridge) / 2
    low = [
        _at(frame, px, py, z - drop)
        for px, py in (
            (x0 - eaves, y0 - eaves),
            (x1 + eaves, y0 - eaves),
            (x1 + eaves, y1 + eaves),
            (x0 - eaves, y1 + eaves),
        )
    ]
    a, b = _at(frame, x0 + inset, middle, z + rise), _at(frame, x1 - inset, middle, z + rise)
    if math.dist(a, b) < 0.05:
        for i in range(4):
            slope(model, [low[i], low[(i + 1) % 4], a], obj)
    else:
        slope(model, [low[0], low[1], b, a], obj)
        slope(model, [low[1], low[2], b], obj)
        slope(model, [low[2], low[3], a, b], obj)
        slope(model, [low[3], low[0], a], obj)
    for i in range(4):
        _fascia(model, (low[i], low[(i + 1) % 4]), obj)
    model.face([(p[0], p[1], p[2] - THICKNESS) for p in reversed(low)], Part.TRIM, obj)


def sawtooth(
    model: Model,
    frame: Frame,
    box: tuple[float, float, float, float],
    z: float,
    rise: float,
    teeth: int,
    obj: int,
) -> None:
    """A saw-tooth roof of `teeth` bays along x, with glazed upright sides."""
    x0, y0, x1, y1 = box
    step = (x1 - x0) / teeth
    for i in range(teeth):
        a, b = x0 + i * step, x0 + (i + 1) * step
        slope(
            model,
            [
                _at(frame, a, y1, z),
                _at(frame, a, y0, z),
                _at(frame, b, y0, z + rise),
                _at(frame, b, y1, z + rise),
            ],
            obj,
        )
        bays = max(1.0, round((y1 - y0) / 2.5))
        model.face(
            [
                _at(frame, b, y0, z),
                _at(frame, b, y1, z),
                _at(frame, b, y1, z + rise),
                _at(frame, b, y0, z + rise),
            ],
            Part.WALL,
            obj,
            [(0, 0), (bays, 0), (bays, 1), (0, 1)],
            ((y1 - y0) / bays, rise, 2),
        )
        model.face(
            [_at(frame, a, y0, z), _at(frame, b, y0, z), _at(frame, b, y0, z + rise)],
            Part.WALL,
            obj,
        )
        model.face(
            [_at(frame, b, y1, z), _at(frame, a, y1, z), _at(frame, b, y1, z + rise)],
            Part.WALL,
            obj,
        )


def barrel(
    model: Model,
    frame: Frame,
    box: tuple[float, float, float, float],
    z: float,
    rise: float,
    obj: int,
    count: int = 12,
) -> None:
    """A barrel vault along y over the box, with closed ends."""
    x0, y0, x1, y1 = box
    profile: list[Point] = []
    for i in range(count + 1):
        angle = math.pi * (1 - i / count)
        profile.append(
            ((x0 + x1) / 2 + (x1 - x0) / 2 * math.cos(angle), z + rise * math.sin(angle))
        )
    for (xa, za), (xb, zb) in itertools.pairwise(profile):
        slope(
            model,
            [
                _at(frame, xa, y1, za),
                _at(frame, xa, y0, za),
                _at(frame, xb, y0, zb),
                _at(frame, xb, y1, zb),
            ],
            obj,
        )
    model.face([_at(frame, x, y0, h) for x, h in reversed(profile)], Part.WALL, obj)
    model.face([_at(frame, x, y1, h) for x, h in profile], Part.WALL, obj)


def flat_slab(model: Model, polygon: Sequence[Point], z: float, thickness: float, obj: int) -> None:
    """A thin roof slab: roofing on top, trim at the rim and below."""
    ring = list(polygon)
    model.face([(x, y, z + thickness) for x, y in ring], Part.ROOF, obj, ring)
    model.face([(x, y, z) for x, y in reversed(ring)], Part.TRIM, obj)
    for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
        model.face([(*a, z), (*b, z), (*b, z + thickness), (*a, z + thickness)], Part.TRIM, obj)
