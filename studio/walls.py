"""Walls divided into bays and floors, prisms and flat roofs with parapets."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from .model import Cell, Facade, Model, Part, Point, offset

MIN_WALL = 1.6
"""Walls narrower than this many metres stay blank."""


def wall(
    model: Model,
    run: Sequence[Point],
    z0: float,
    z1: float,
    facade: Facade,
    obj: int,
    door: bool = False,
    grounded: bool = True,
) -> None:
    """Build a wall over a run of plan points (outside to the right), divided into bays over its
    whole length.

    `door` puts a door in the middle bay of the ground floor; a wall that is not `grounded` has no
    ground floor of its own and starts with an upper storey.
    """
    lengths = [math.dist(a, b) for a, b in itertools.pairwise(run)]
    total = sum(lengths)
    bays = max(1, round(total / facade.bay))
    if total < MIN_WALL:
        facade = Facade(facade.floor, facade.ground_floor, facade.bay, Cell.BLANK, Cell.BLANK)
        door = False
    bay = total / bays
    strips = _strips(z0, z1, facade, grounded)
    travelled = 0.0
    for (a, b), length in zip(itertools.pairwise(run), lengths, strict=True):
        u0, u1 = travelled / bay, (travelled + length) / bay
        for low, high, floors, storey, content in strips:
            is_ground = grounded and low <= z0 + facade.plinth + 1e-6 and content != Cell.BLANK
            middle = bays // 2 if door and is_ground and len(run) == 2 else -1
            for s0, s1, kind in _spans(u0, u1, middle, content):
                t0, t1 = (s0 - u0) / (u1 - u0), (s1 - u0) / (u1 - u0)
                p, q = _mix(a, b, t0), _mix(a, b, t1)
                model.face(
                    [(*p, low), (*q, low), (*q, high), (*p, high)],
                    Part.WALL,
                    obj,
                    [(s0, 0.0), (s1, 0.0), (s1, floors), (s0, floors)],
                    (bay, storey, kind),
                )
        travelled += length


def _spans(u0: float, u1: float, door_bay: int, content: Cell) -> list[tuple[float, float, Cell]]:
    if door_bay < 0:
        return [(u0, u1, content)]
    cuts = [
        (u0, float(door_bay), content),
        (float(door_bay), door_bay + 1.0, Cell.DOOR),
        (door_bay + 1.0, u1, content),
    ]
    return [cut for cut in cuts if cut[1] - cut[0] > 1e-6]


def _strips(
    z0: float, z1: float, facade: Facade, grounded: bool
) -> list[tuple[float, float, float, float, Cell]]:
    """Horizontal strips of a wall: (bottom, top, storeys, storey height, content)."""
    strips: list[tuple[float, float, float, float, Cell]] = []
    low = z0
    if grounded and facade.plinth > 0.0:
        strips.append((low, low + facade.plinth, 1.0, facade.plinth, Cell.BLANK))
        low += facade.plinth
    if grounded and facade.ground_floor <= z1 - low + 1e-3:
        strips.append((low, low + facade.ground_floor, 1.0, facade.ground_floor, facade.lower))
        low += facade.ground_floor
    floors = int((z1 - low) / facade.floor + 1e-3)
    if floors > 0:
        high = low + floors * facade.floor
        strips.append((low, high, float(floors), facade.floor, facade.upper))
        low = high
    if z1 - low > 1e-3:
        strips.append((low, z1, 1.0, z1 - low, Cell.BLANK))
    return strips


def _mix(a: Point, b: Point, t: float) -> Point:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t


def cap(
    model: Model, polygon: Sequence[Point], z: float, part: Part, obj: int, down: bool = False
) -> None:
    """A horizontal polygon facing up, or down for a soffit."""
    ring = list(reversed(polygon)) if down else list(polygon)
    model.face([(x, y, z) for x, y in ring], part, obj, [(x, y) for x, y in ring])


def band(
    model: Model, polygon: Sequence[Point], z0: float, z1: float, part: Part, obj: int
) -> None:
    """A closed slab over a convex or star-shaped plan: sides, top and underside."""
    cap(model, polygon, z1, part, obj)
    cap(model, polygon, z0, part, obj, down=True)
    for a, b in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        length = math.dist(a, b)
        model.face(
            [(*a, z0), (*b, z0), (*b, z1), (*a, z1)],
            part,
            obj,
            [(0.0, z0), (length, z0), (length, z1), (0.0, z1)],
        )


def parapet(model: Model, polygon: Sequence[Point], z: float, obj: int, depth: float = 0.5) -> None:
    """A parapet around a flat roof that lies `depth` below its top at `z`, with a coping that
    stands out by 6 cm."""
    outer, inner = offset(polygon, 0.06), offset(polygon, -0.3)
    count = len(polygon)
    for i in range(count):
        j = (i + 1) % count
        a, b, c, d = outer[i], outer[j], inner[j], inner[i]
        model.face([(*a, z), (*b, z), (*c, z), (*d, z)], Part.TRIM, obj)
        model.face([(*a, z - 0.22), (*b, z - 0.22), (*b, z), (*a, z)], Part.TRIM, obj)
        model.face([(*c, z - depth), (*d, z - depth), (*d, z), (*c, z)], Part.WALL, obj)


def parapet_roof(
    model: Model, polygon: Sequence[Point], z: float, obj: int, depth: float = 0.5
) -> None:
    """A flat roof behind a parapet whose top is at `z`."""
    cap(model, offset(polygon, -0.3), z - depth, Part.ROOF, obj)
    parapet(model, polygon, z, obj, depth)


def prism(
    model: Model,
    polygon: Sequence[Point],
    z0: float,
    z1: float,
    facade: Facade,
    obj: int | None = None,
    door: int = -1,
    roof: bool = True,
    grounded: bool | None = None,
    blank: Sequence[int] = (),
) -> int:
    """A building volume over a plan: walls, a flat roof with parapet, a soffit if it floats;
    returns its object.

    `door` is the side that gets the door; sides listed in `blank` have no openings.
    """
    number = model.new_object() if obj is None else obj
    on_ground = z0 < 0.01 if grounded is None else grounded
    closed = [*polygon, polygon[0]]
    no_openings = Facade(facade.floor, facade.ground_floor, facade.bay, Cell.BLANK, Cell.BLANK)
    for i in range(len(polygon)):
        rules = no_openings if i in blank else facade
        wall(model, closed[i : i + 2], z0, z1, rules, number, door=i == door, grounded=on_ground)
    if roof:
        parapet_roof(model, polygon, z1, number, min(0.5, max(0.12, facade.parapet * 0.8)))
    if z0 > 0.01:
        cap(model, polygon, z0, Part.TRIM, number, down=True)
    return number


def round_prism(
    model: Model, polygon: Sequence[Point], z0: float, z1: float, facade: Facade, door: bool = False
) -> int:
    """A volume with a smooth closed plan: bays run on around the curve."""
    number = model.new_object()
    wall(model, [*polygon, polygon[0]], z0, z1, facade, number, grounded=z0 < 0.01)
    parapet_roof(model, polygon, z1, number)
    if z0 > 0.01:
        cap(model, polygon, z0, Part.TRIM, number, down=True)
    return number
