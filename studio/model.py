"""Geometry of a scene before it goes to Blender: faces with façade coordinates, collected in plain
lists.

Coordinates are Blender's world (metres, Z up); a building's front faces -Y. Façade coordinates
count bays (u) and floors (v), so that windows line up with both whatever the size of a wall.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

Point = tuple[float, float]
Vertex = tuple[float, float, float]


class Part(IntEnum):
    """What a face belongs to; also its material slot, and its value in the dataset's `parts`
    map."""

    SKY = 0
    GROUND = 1
    WALL = 2
    ROOF = 3
    TRIM = 4
    FOLIAGE = 5
    TRUNK = 6
    PERSON = 7
    CAR = 8
    BACKDROP = 9


class Cell(IntEnum):
    """What a bay of a wall holds."""

    BLANK = 0
    WINDOW = 1
    STOREFRONT = 2
    DOOR = 3
    LANCET = 4


@dataclass(frozen=True)
class Facade:
    """How a building's walls divide: storey heights and bay width in metres, and what the bays
    hold."""

    floor: float = 3.0
    ground_floor: float = 3.0
    bay: float = 3.0
    upper: Cell = Cell.WINDOW
    lower: Cell = Cell.WINDOW
    parapet: float = 0.6
    plinth: float = 0.0

    def height(self, floors: int) -> float:
        """Height in metres of a wall of `floors` storeys with its parapet."""
        return self.plinth + self.ground_floor + (floors - 1) * self.floor + self.parapet


@dataclass(frozen=True)
class Frame:
    """A place on the ground: origin and rotation in the plan."""

    x: float = 0.0
    y: float = 0.0
    angle: float = 0.0

    def __call__(self, points: Sequence[Point]) -> list[Point]:
        """Move plan points from this frame to the world."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        return [(self.x + c * px - s * py, self.y + s * px + c * py) for px, py in points]


@dataclass
class Model:
    """Faces of a scene; every face knows its part, its object and its façade cell."""

    vertices: list[Vertex] = field(default_factory=list)
    faces: list[tuple[int, ...]] = field(default_factory=list)
    uvs: list[Point] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    objects: list[int] = field(default_factory=list)
    cells: list[tuple[float, float, int]] = field(default_factory=list)
    object_count: int = 0

    def new_object(self) -> int:
        """Number of a new volume, from 1."""
        self.object_count += 1
        return self.object_count

    def face(
        self,
        points: Sequence[Vertex],
        part: Part,
        obj: int,
        uv: Sequence[Point] | None = None,
        cell: tuple[float, float, int] = (1.0, 1.0, Cell.BLANK),
    ) -> None:
        """Add one polygon, counter-clockwise seen from outside; `cell` is bay width, storey
        height, content."""
        start = len(self.vertices)
        self.vertices.extend(points)
        self.faces.append(tuple(range(start, start + len(points))))
        self.uvs.extend(uv if uv is not None else [(0.0, 0.0)] * len(points))
        self.parts.append(int(part))
        self.objects.append(obj)
        self.cells.append(cell)

    def smooth_grid(self, rows: Sequence[Sequence[Vertex]], part: Part, obj: int) -> None:
        """Add triangles between closed rings of equal length, bottom to top, sharing vertices
        for smooth shading."""
        start, count = len(self.vertices), len(rows[0])
        for row in rows:
            self.vertices.extend(row)
        for ring in range(len(rows) - 1):
            for i in range(count):
                a, b = start + ring * count + i, start + ring * count + (i + 1) % count
                for corners in ((a, b, b + count), (a, b + count, a + count)):
                    self.faces.append(corners)
                    self.uvs.extend([(0.0, 0.0)] * 3)
                    self.parts.append(int(part))
                    self.objects.append(obj)
                    self.cells.append((1.0, 1.0, Cell.BLANK))

    def digest(self) -> str:
        """Hash of the geometry to the tenth of a millimetre: equal for equal scenes."""
        rounded = np.round(np.array(self.vertices), 4) + 0.0
        state = hashlib.sha256(rounded.tobytes())
        state.update(repr((self.faces, self.parts, self.objects, self.cells)).encode())
        return state.hexdigest()


def rectangle(width: float, depth: float, x: float = 0.0, y: float = 0.0) -> list[Point]:
    """Plan of a box whose front lies on y, centred on x, counter-clockwise."""
    return [
        (x - width / 2, y),
        (x + width / 2, y),
        (x + width / 2, y + depth),
        (x - width / 2, y + depth),
    ]


def offset(polygon: Sequence[Point], distance: float) -> list[Point]:
    """Move a counter-clockwise polygon's sides outward by `distance` (inward if negative),
    mitred."""
    count = len(polygon)
    moved = []
    for i in range(count):
        before, here, after = polygon[i - 1], polygon[i], polygon[(i + 1) % count]
        n0, n1 = _outward(before, here), _outward(here, after)
        scale = distance / max(0.2, 1.0 + n0[0] * n1[0] + n0[1] * n1[1])
        moved.append((here[0] + scale * (n0[0] + n1[0]), here[1] + scale * (n0[1] + n1[1])))
    return moved


def _outward(a: Point, b: Point) -> Point:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy) or 1.0
    return dy / length, -dx / length


def arc(x: float, y: float, radius: float, start: float, end: float, count: int) -> list[Point]:
    """`count` + 1 points on a circle, angles in radians."""
    return [
        (
            x + radius * math.cos(start + (end - start) * i / count),
            y + radius * math.sin(start + (end - start) * i / count),
        )
        for i in range(count + 1)
    ]
