"""Walls divided into bays and storeys, and the openings that these hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from .kinds import Kind
from .sight import Floats, Sight, see_past
from .walls import Wall

_LEAST_LENGTH = 1.6
_LEAST_HEIGHT = 1.9
"""Metres of a wall that has windows."""
_MOST = 20_000
"""Openings of a wall; those of more, as in a model whose unit is a millimetre, are smaller than any
pixel."""
_SMALL = (2.6, 4.0)
"""Metres of length and height: what has no wall that is larger is a tree's crown rather than a
building."""
_PARAPET = 0.25
"""Metres that a head may come to the top of its wall."""
_STRETCH = np.linspace(0.85, 1.18, 34)
"""A storey's height as a share of what was asked for, the choices of a building."""
_CORNER = 0.8
"""Metres between the ends of walls of one building, beside the samples."""
_GROUNDED = 0.6
"""Metres from the lowest wall of a building to one that stands on the ground as well."""
_NEIGHBOURHOOD = 5.0
"""Metres around a wall in which another one tells where the ground is."""
_DOOR = (0.9, 2.6)
"""Half the width and the height of a door, metres, at most."""
_DOOR_SHARE = (0.24, 0.82)
"""Of the bay and the storey."""
_DOOR_LENGTH = 5.0
"""Metres of a wall that has a door."""
_SPARE = 0.25
"""Metres that a building may be lower than its storeys."""
_BELOW_TOP = 0.4
"""Metres below a wall's top at which it is looked at whether that is level."""
_EVEN = 0.05
"""Metres that an opening may come out of its wall, by rounding."""


@dataclass(frozen=True)
class Grid:
    """A wall's openings: one in each bay of each storey that has one, and a door.

    Attributes:
        start, bay: metres along the wall where its bays begin, and their width.
        base, storey: metres above zero where its storeys begin, and their height.
        present: bool [storeys, bays].
        door: the bay of the ground floor that holds the door in place of a window, or None.
    """

    wall: Wall
    kind: Kind
    start: float
    bay: float
    base: float
    storey: float
    present: NDArray[np.bool_]
    door: int | None = None


def lay_out(
    walls: Sequence[Wall], sights: Sequence[Sight], kind: Kind, storey: float, bay: float
) -> list[Grid]:
    """The openings of all walls. storey, bay: metres that are asked for; the walls of a building
    share one height of storeys, and every wall is divided into whole bays."""
    fit = [w for w in walls if w.length >= _LEAST_LENGTH and w.top - w.bottom >= _LEAST_HEIGHT]
    lowest = _lowest_near(fit)
    grids: list[Grid] = []
    for building in _buildings(fit):
        members = [fit[number] for number in building]
        if all(w.length < _SMALL[0] and w.top - w.bottom < _SMALL[1] for w in members):
            continue
        bases = _bases(members)
        height = _storey(members, bases, storey, sights)
        own = [
            _grid(wall, base, height, bay, kind, sights)
            for wall, base in zip(members, bases, strict=True)
        ]
        grids += _with_door(own, float(lowest[building].min()))
    return [grid for grid in grids if grid.present.any() or grid.door is not None]


def _buildings(walls: Sequence[Wall]) -> list[NDArray[np.intp]]:
    """Numbers of the walls that meet at corners."""
    if not walls:
        return []
    ends = np.array([w.places(np.array([0.0, w.length]), np.zeros(2))[0][:, :2] for w in walls])
    spacing = np.array([w.spacing for w in walls])
    room = _CORNER + spacing[:, None] + spacing[None, :]
    meet = np.zeros((len(walls), len(walls)), bool)
    for a in (0, 1):
        for b in (0, 1):
            apart = np.linalg.norm(ends[:, None, a] - ends[None, :, b], axis=-1)
            meet |= apart < room
    low, high = (np.array([getattr(w, side) for w in walls]) for side in ("bottom", "top"))
    meet &= (low[:, None] < high[None, :]) & (low[None, :] < high[:, None])
    count, of = csgraph.connected_components(sparse.coo_array(meet), directed=False)
    return [np.flatnonzero(of == number) for number in range(count)]


def _lowest_near(walls: Sequence[Wall]) -> Floats:
    """[walls], metres above zero of the lowest bottom of walls in the neighbourhood of each: what
    stands much higher stands on a roof."""
    if not walls:
        return np.zeros(0)
    middle = np.array([w.places(np.array([w.length / 2]), np.zeros(1))[0][0, :2] for w in walls])
    reach = np.array([w.length / 2 for w in walls]) + _NEIGHBOURHOOD
    apart = np.linalg.norm(middle[:, None] - middle[None, :], axis=-1)
    bottoms = np.array([w.bottom for w in walls])
    return np.where(apart < reach[:, None] + reach[None, :], bottoms[None, :], np.inf).min(1)


def _bases(walls: Sequence[Wall]) -> list[float]:
    """Where the storeys of each wall of a building begin: at its bottom, or where that is hidden,
    at the next bottom below that is seen."""
    known = np.array([w.bottom for w in walls if w.ends[2]])
    bases = []
    for wall in walls:
        below = known[known <= wall.bottom + _GROUNDED] if len(known) else known
        hidden = not wall.ends[2] and len(below)
        bases.append(float(below.max()) if hidden else wall.bottom)
    return bases


def _storey(
    walls: Sequence[Wall], bases: Sequence[float], asked: float, sights: Sequence[Sight]
) -> float:
    """The height of a building's storeys, near what is asked for, of which whole ones fit under the
    tops of its walls, as far as these are level and seen."""
    heights = np.array([w.top - base for w, base in zip(walls, bases, strict=True)])
    sure = np.array([w.ends[3] and _is_level(w, sights) for w in walls])
    weights = np.array([w.length for w in walls]) * heights * np.where(sure, 1.0, 0.05)
    choices = asked * _STRETCH
    storeys = np.floor((heights[:, None] + _SPARE) / choices)
    spare = np.abs(heights[:, None] - storeys * choices - _SPARE) / choices
    cost = (weights[:, None] * spare).sum(0) / weights.sum() + 0.5 * np.abs(_STRETCH - 1.0)
    return float(choices[cost.argmin()])


def _is_level(wall: Wall, sights: Sequence[Sight]) -> bool:
    """Whether a wall is as high everywhere, so that no capture sees past it below its top."""
    along = np.linspace(0.08, 0.92, 9) * wall.length
    below = min(_BELOW_TOP + 1.5 * wall.spacing, 0.5 * (wall.top - wall.bottom))
    points, normals = wall.places(along, np.full(9, wall.top - below))
    return bool(see_past(sights, points, normals).mean() < 0.25)


def _grid(
    wall: Wall, base: float, storey: float, bay: float, kind: Kind, sights: Sequence[Sight]
) -> Grid:
    left, right = wall.ends[:2]
    count = max(1, round(wall.length / bay))
    # Whole bays from end to end; where an end isn't seen, of the width that is asked for.
    width = wall.length / count if left and right else bay
    start = 0.0
    if not (left and right):
        count = int(np.ceil(wall.length / bay))
        start = 0.0 if left else wall.length - count * bay
    storeys = max(1, int((wall.top - base + _SPARE + wall.spacing) / storey))
    if storeys * count > _MOST:
        return Grid(wall, kind, start, width, base, storey, np.zeros((1, 1), bool))
    present = _present(wall, kind, (start, width, count), (base, storey, storeys), sights)
    return Grid(wall, kind, start, width, base, storey, present)


def _present(
    wall: Wall,
    kind: Kind,
    bays: tuple[float, float, int],
    storeys: tuple[float, float, int],
    sights: Sequence[Sight],
) -> NDArray[np.bool_]:
    """Which openings lie on their wall: within its ends, and where no capture sees past it, as over
    the slope of a gable. bool [storeys, bays]."""
    (start, bay, across), (base, storey, up) = bays, storeys
    half = min(kind.width, 1.0) * bay / 2
    middle = start + (np.arange(across) + 0.5) * bay
    floor = base + np.arange(up) * storey
    low, high = floor + kind.sill * storey, floor + kind.head * storey
    left, right = middle - half, middle + half
    inside = (left >= -_EVEN) & (right <= wall.length + _EVEN)
    if kind.width >= 1.0:  # a band is cut where its wall is
        inside = (right > 0.0) & (left < wall.length)
    fits = (high <= wall.top - _PARAPET + wall.spacing) & (low >= wall.bottom - storey)
    present = inside[None, :] & fits[:, None]
    past = np.zeros_like(present)
    # A sample or two inside, since a pixel at the wall's very end may show what is behind it.
    inner = half - min(1.5 * wall.spacing, 0.6 * half)
    tall = (kind.head - kind.sill) * storey / 2
    inner_tall = tall - min(1.5 * wall.spacing, 0.6 * tall)
    for aside in (-inner, 0.0, inner):
        for above in (-inner_tall, 0.0, inner_tall):
            along, height = np.meshgrid(
                (middle + aside).clip(0.0, wall.length), (low + high) / 2 + above
            )
            points, normals = wall.places(along.ravel(), height.ravel())
            past |= see_past(sights, points, normals).reshape(present.shape)
    return present & ~past


def _with_door(grids: list[Grid], ground: float) -> list[Grid]:
    """The longest wall of a building that stands on the ground gets its door."""
    grounded = [
        number
        for number, grid in enumerate(grids)
        if grid.wall.length >= _DOOR_LENGTH
        and grid.base <= ground + _GROUNDED
        and grid.wall.ends[2]
        and len(grid.wall.pieces) == 1
        and grid.present[0].any()
    ]
    if not grounded:
        return grids
    front = max(grounded, key=lambda number: grids[number].wall.length)
    grid = grids[front]
    bays = np.flatnonzero(grid.present[0])
    door = int(bays[len(bays) // 2])
    return [
        Grid(**{**vars(grid), "door": door}) if number == front else grid
        for number, grid in enumerate(grids)
    ]


def door_of(grid: Grid) -> tuple[float, float]:
    """Half the width and the height of a wall's door, metres."""
    return (
        min(_DOOR[0], _DOOR_SHARE[0] * grid.bay),
        min(_DOOR[1], _DOOR_SHARE[1] * grid.storey),
    )
