"""Walls divided into bays and storeys, and the openings that these hold."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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

    @property
    def middles(self) -> tuple[Floats, float]:
        """Metres along the wall of the middle of each bay's openings, and half their width."""
        bays = np.arange(self.present.shape[1])
        return self.start + (bays + 0.5) * self.bay, min(self.kind.width, 1.0) * self.bay / 2

    @property
    def heights(self) -> tuple[Floats, Floats]:
        """Metres above zero of the sill and the head of each storey's openings."""
        floor = self.base + np.arange(self.present.shape[0]) * self.storey
        return floor + self.kind.sill * self.storey, floor + self.kind.head * self.storey


def lay_out(
    walls: Sequence[Wall], sights: Sequence[Sight], kind: Kind, storey: float, bay: float
) -> list[Grid]:
    """The openings of all walls. storey, bay: metres that are asked for; the walls of a building
    share one height of storeys, and every wall is divided into whole bays."""
    fit = [w for w in walls if w.length >= _LEAST_LENGTH and w.top - w.bottom >= _LEAST_HEIGHT]
    lowest, level = _lowest_near(fit), _are_level(fit, sights)
    buildings, grids = [], []
    for building in _buildings(fit):
        members = [fit[number] for number in building]
        if all(w.length < _SMALL[0] and w.top - w.bottom < _SMALL[1] for w in members):
            continue
        bases = _bases(members)
        height = _storey(members, bases, level[building], storey)
        buildings.append(building)
        grids += [
            _grid(wall, base, height, bay, kind) for wall, base in zip(members, bases, strict=True)
        ]
    grids = iter(_without_past(grids, sights))
    done: list[Grid] = []
    for building in buildings:
        own = list(itertools.islice(grids, len(building)))
        done += _with_door(own, float(lowest[building].min()))
    return [grid for grid in done if grid.present.any() or grid.door is not None]


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
    walls: Sequence[Wall], bases: Sequence[float], level: NDArray[np.bool_], asked: float
) -> float:
    """The height of a building's storeys, near what is asked for, of which whole ones fit under the
    tops of its walls, as far as these are level and seen."""
    heights = np.array([w.top - base for w, base in zip(walls, bases, strict=True)])
    sure = level & np.array([w.ends[3] for w in walls])
    weights = np.array([w.length for w in walls]) * heights * np.where(sure, 1.0, 0.05)
    choices = asked * _STRETCH
    storeys = np.floor((heights[:, None] + _SPARE) / choices)
    spare = np.abs(heights[:, None] - storeys * choices - _SPARE) / choices
    cost = (weights[:, None] * spare).sum(0) / weights.sum() + 0.5 * np.abs(_STRETCH - 1.0)
    return float(choices[cost.argmin()])


def _are_level(walls: Sequence[Wall], sights: Sequence[Sight]) -> NDArray[np.bool_]:
    """Which walls are as high everywhere, so that no capture sees past them below their tops."""
    places = []
    for wall in walls:
        along = np.linspace(0.08, 0.92, 9) * wall.length
        below = min(_BELOW_TOP + 1.5 * wall.spacing, 0.5 * (wall.top - wall.bottom))
        places.append(wall.places(along, np.full(9, wall.top - below)))
    past = _past(places, sights)
    return np.array([part.mean() < 0.25 for part in past], bool)


def _past(places: Sequence[tuple[Floats, Floats]], sights: Sequence[Sight]) -> list[Any]:
    """For each of several lots of places, as `Wall.places` gives them: where captures see past the
    wall, bool [n]. They are looked at all at once, since to look takes far longer to begin with
    than for another place."""
    if not places:
        return []
    points, normals = (np.concatenate(each) for each in zip(*places, strict=True))
    return np.split(see_past(sights, points, normals), np.cumsum([len(p) for p, _ in places])[:-1])


def _grid(wall: Wall, base: float, storey: float, bay: float, kind: Kind) -> Grid:
    """A wall's grid, with all openings that lie within its ends."""
    left, right = wall.ends[:2]
    count = max(1, round(wall.length / bay))
    # Whole bays from end to end; where an end isn't seen, of the width that is asked for.
    width = wall.length / count if left and right else bay
    start = 0.0
    if not (left and right):
        count = int(np.ceil(wall.length / bay))
        start = 0.0 if left else wall.length - count * bay
    storeys = max(1, int((wall.top - base + _SPARE + wall.spacing) / storey))
    none = np.zeros((1, 1), bool)
    if storeys * count > _MOST:
        return Grid(wall, kind, start, width, base, storey, none)
    grid = Grid(wall, kind, start, width, base, storey, np.broadcast_to(none, (storeys, count)))
    middle, half = grid.middles
    low, high = grid.heights
    left, right = middle - half, middle + half
    inside = (left >= -_EVEN) & (right <= wall.length + _EVEN)
    if kind.width >= 1.0:  # a band is cut where its wall is
        inside = (right > 0.0) & (left < wall.length)
    fits = (high <= wall.top - _PARAPET + wall.spacing) & (low >= wall.bottom - storey)
    return dataclasses.replace(grid, present=inside[None, :] & fits[:, None])


def _without_past(grids: Sequence[Grid], sights: Sequence[Sight]) -> list[Grid]:
    """The grids without the openings at which captures see past the wall, as over the slope of a
    gable."""
    past = _past([_probes(grid) for grid in grids], sights)
    kept = []
    for grid, seen in zip(grids, past, strict=True):
        present = grid.present.copy()
        present[present] = ~seen.reshape(9, -1).any(0)
        kept.append(dataclasses.replace(grid, present=present))
    return kept


def _probes(grid: Grid) -> tuple[Floats, Floats]:
    """Nine places in each opening, as `Wall.places`, the first ones of all openings first: a sample
    or two inside, since a pixel at the wall's very end may show what is behind it."""
    wall = grid.wall
    middle, half = grid.middles
    low, high = grid.heights
    inner = half - min(1.5 * wall.spacing, 0.6 * half)
    tall = (grid.kind.head - grid.kind.sill) * grid.storey / 2
    inner_tall = tall - min(1.5 * wall.spacing, 0.6 * tall)
    aside, above = np.meshgrid((-inner, 0.0, inner), (-inner_tall, 0.0, inner_tall))
    storey, bay = np.nonzero(grid.present)
    along = (middle[bay] + aside.reshape(-1, 1)).clip(0.0, wall.length)
    up = ((low + high) / 2)[storey] + above.reshape(-1, 1)
    return wall.places(along.ravel(), up.ravel())


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
