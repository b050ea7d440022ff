"""Trees and far treelines: simple closed volumes, the same in the massing and in the finish."""

from __future__ import annotations

import math
import random

from .model import Frame, Model, Part, Vertex


def _ball(
    rng: random.Random, rings: int = 7, sides: int = 10, rough: float = 0.1
) -> list[list[Vertex]]:
    """Rings of a unit ball with an uneven surface, bottom to top."""
    ball = []
    for ring in range(rings + 1):
        polar = -math.pi / 2 + math.pi * ring / rings
        row = []
        for side in range(sides):
            turn = 2 * math.pi * (side + 0.5 * (ring % 2)) / sides
            r = 1.0 + rough * rng.uniform(-1, 1)
            row.append(
                (
                    r * math.cos(polar) * math.cos(turn),
                    r * math.cos(polar) * math.sin(turn),
                    r * math.sin(polar),
                )
            )
        ball.append(row)
    return ball


def _trunk(model: Model, x: float, y: float, height: float, radius: float, obj: int) -> None:
    sides = 6
    ring = Frame(x, y)(
        [
            (radius * math.cos(2 * math.pi * i / sides), radius * math.sin(2 * math.pi * i / sides))
            for i in range(sides)
        ]
    )
    for i in range(sides):
        a, b = ring[i], ring[(i + 1) % sides]
        model.face([(*a, 0.0), (*b, 0.0), (*b, height), (*a, height)], Part.TRUNK, obj)


def round_tree(model: Model, rng: random.Random, x: float, y: float, height: float) -> None:
    """A broad-leaved tree: a ball on a trunk."""
    obj = model.new_object()
    crown, radius = height * 0.36, height * rng.uniform(0.27, 0.33)
    _trunk(model, x, y, height * 0.45, height * 0.025, obj)
    rows = [
        [(x + radius * a, y + radius * b, height - crown + crown * c) for a, b, c in row]
        for row in _ball(rng)
    ]
    model.smooth_grid(rows, Part.FOLIAGE, obj)


def poplar(model: Model, rng: random.Random, x: float, y: float, height: float) -> None:
    """A slender upright tree."""
    obj = model.new_object()
    half, radius = height * 0.44, height * 0.12
    _trunk(model, x, y, height * 0.2, height * 0.02, obj)
    rows = [
        [(x + radius * a, y + radius * b, height - half + half * c) for a, b, c in row]
        for row in _ball(rng, 9)
    ]
    model.smooth_grid(rows, Part.FOLIAGE, obj)


def conifer(model: Model, rng: random.Random, x: float, y: float, height: float) -> None:
    """A cone on a short trunk."""
    obj = model.new_object()
    _trunk(model, x, y, height * 0.15, height * 0.025, obj)
    rows: list[list[Vertex]] = []
    rings, sides = 6, 10
    for ring in range(rings + 1):
        t = ring / rings
        radius = height * 0.22 * (1 - t) + 0.02
        row: list[Vertex] = []
        for side in range(sides):
            turn = 2 * math.pi * side / sides
            r = radius * (1 + 0.1 * rng.uniform(-1, 1))
            row.append((x + r * math.cos(turn), y + r * math.sin(turn), height * (0.12 + 0.88 * t)))
        rows.append(row)
    model.smooth_grid(rows, Part.FOLIAGE, obj)


def bush(model: Model, rng: random.Random, x: float, y: float, height: float) -> None:
    """A low shrub."""
    obj = model.new_object()
    rows = [
        [
            (x + height * 0.9 * a, y + height * 0.9 * b, max(0.0, height * 0.4 + height * 0.6 * c))
            for a, b, c in row
        ]
        for row in _ball(rng, 5, 8)
    ]
    model.smooth_grid(rows, Part.FOLIAGE, obj)


TREES = (round_tree, round_tree, poplar, conifer)


def treeline(
    model: Model, rng: random.Random, x: float, y: float, radius: float, height: float
) -> None:
    """A ring of far trees around a point, as one low jagged wall."""
    obj, count = model.new_object(), 160
    tops = [height * rng.uniform(0.7, 1.0) for _ in range(count)]
    for i in range(1, count):
        tops[i] = 0.55 * tops[i - 1] + 0.45 * tops[i]
    for i in range(count):
        a0, a1 = 2 * math.pi * i / count, 2 * math.pi * (i + 1) / count
        p, q = (
            (x + radius * math.cos(a0), y + radius * math.sin(a0)),
            (x + radius * math.cos(a1), y + radius * math.sin(a1)),
        )
        model.face(
            [(*q, 0.0), (*p, 0.0), (*p, tops[i]), (*q, tops[(i + 1) % count])], Part.BACKDROP, obj
        )
