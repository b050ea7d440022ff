"""Where the units of a pattern lie on a tile: bricks in their courses, hexagons, scattered stones.

Units are made to fit the tile a whole number of times, so it repeats without a seam.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from maquette_wire.material import Material, PatternName
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cells:
    """The units of a tile, [n, n] each: which one a pixel is in, how far in metres it is from that
    one's edge, and where in it, from 0 to 1, rightwards and downwards."""

    units: NDArray[np.int32]
    inside: NDArray[np.float32]
    across: NDArray[np.float32]
    down: NDArray[np.float32]


def cells_of(material: Material, pixels: int) -> Cells:
    """Where the units of a material lie, whose values are all filled in."""
    assert material.pattern is not None
    return _LAID[material.pattern](material, pixels)


def _courses(
    material: Material,
    pixels: int,
    shift: Callable[[int], float] = lambda row: 0.0,
    uneven: float = 0.0,
    even_rows: bool = False,
) -> Cells:
    """Rows of units. shift: of a row, in units; uneven: how much lengths differ, as a share."""
    rows = _fitting(material.size, unit_of(material)[1], 2 if even_rows else 1)
    columns = _fitting(material.size, unit_of(material)[0])
    ends = np.stack([_ends(row, columns, shift(row), uneven) for row in range(rows)])
    x = (np.arange(pixels) + 0.5) / pixels
    y = x * rows
    row = np.minimum(y.astype(np.int32), rows - 1)
    place = np.stack([np.searchsorted(each, x, side="right") for each in ends])
    left = np.take_along_axis(ends, place - 1, 1)
    right = np.take_along_axis(ends, place, 1)
    across = (x - left) / (right - left)
    beside = np.minimum(x - left, right - x) * material.size
    # What is cut by the tile's border is one unit with what goes on at the other side.
    unit = np.arange(rows)[:, None] * columns + (place - 1) % columns
    down = (y - row).astype(np.float32)
    above = (np.minimum(down, 1.0 - down) * (material.size / rows)).astype(np.float32)
    inside = np.minimum(beside[row].astype(np.float32), above[:, None])
    return Cells(
        unit[row].astype(np.int32),
        inside,
        across[row].astype(np.float32),
        np.broadcast_to(down[:, None], inside.shape),
    )


def _ends(row: int, columns: int, shift: float, uneven: float) -> NDArray[np.float64]:
    """Where the units of a row begin and end, from at or before 0 to at or after 1."""
    offsets = (chance(row, columns, 1) - 0.5) * uneven
    starts = np.sort((np.arange(columns) + offsets + shift) / columns % 1.0)
    return np.concatenate([starts[-1:] - 1.0, starts, starts[:1] + 1.0])


def _whole(material: Material, pixels: int) -> Cells:
    """One unit, without an edge."""
    place = ((np.arange(pixels) + 0.5) / pixels).astype(np.float32)
    across = np.repeat(place[None, :], pixels, 0)
    inside = np.full(across.shape, material.size, np.float32)
    return Cells(np.zeros(across.shape, np.int32), inside, across, across.T.copy())


def _running(material: Material, pixels: int) -> Cells:
    return _courses(material, pixels, lambda row: 0.5 * (row % 2), even_rows=True)


def _stack(material: Material, pixels: int) -> Cells:
    return _courses(material, pixels)


def _ashlar(material: Material, pixels: int) -> Cells:
    return _courses(material, pixels, lambda row: 0.45 * row, uneven=0.55)


def _planks(material: Material, pixels: int) -> Cells:
    return _courses(material, pixels, lambda row: float(chance(row, 1, 2)[0]))


def _boards(material: Material, pixels: int) -> Cells:
    width, height = unit_of(material)
    lying = _planks(msgspec.structs.replace(material, unit=(height, width)), pixels)
    return Cells(
        np.ascontiguousarray(lying.units.T),
        np.ascontiguousarray(lying.inside.T),
        np.ascontiguousarray(lying.down.T),
        np.ascontiguousarray(lying.across.T),
    )


def _herringbone(material: Material, pixels: int) -> Cells:
    """Blocks of k squares: lying where (column - row) mod 2k is below k, standing elsewhere."""
    long, short = max(unit_of(material)), min(unit_of(material))
    # Blocks longer than half the tile, in whose length the pattern repeats, are cut to that.
    k = max(2, min(round(long / short), round(material.size / short / 2)))
    count = _fitting(material.size, short, 2 * k)
    x = (np.arange(pixels) + 0.5) / pixels * count
    column = x.astype(np.int32)
    part = (x - column).astype(np.float32)
    phase = (column[None, :] - column[:, None]) % (2 * k)
    lying = phase < k
    step = np.where(lying, phase, 2 * k - 1 - phase)
    first_column = np.where(lying, column[None, :] - step, column[None, :]) % count
    first_row = np.where(lying, column[:, None], column[:, None] - step) % count
    along = (step + np.where(lying, part[None, :], part[:, None])) / k
    aside = np.where(lying, part[:, None], part[None, :])
    side = material.size / count
    inside = np.minimum(
        np.minimum(along, 1.0 - along) * (k * side), np.minimum(aside, 1.0 - aside) * side
    )
    units = (first_row * count + first_column) * 2 + ~lying
    return Cells(
        units.astype(np.int32),
        inside.astype(np.float32),
        np.where(lying, along, aside).astype(np.float32),
        np.where(lying, aside, along).astype(np.float32),
    )


def _scattered(material: Material, pixels: int, jitter: float, shift: float, step: float) -> Cells:
    """Cells about points of a jittered grid, whose rows are `step` unit heights apart and every
    second one shifted, bounded half-way between neighbours (Worley, SIGGRAPH 1996)."""
    width, height = unit_of(material)
    columns = _fitting(material.size, width)
    rows = _fitting(material.size, height * step, 2 if shift else 1)
    side = np.array([material.size / columns, material.size / rows])
    jitters = [
        (chance(number, rows * columns, 3).reshape(rows, columns) - 0.5) * jitter
        for number in range(2)
    ]
    x = (np.arange(pixels) + 0.5) / pixels
    row = np.minimum((x * rows).astype(np.int32), rows - 1)

    def away(
        down: int, right: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[Any]]:
        """The point of the cell so far from a pixel's own: metres to it, x and y, and number."""
        r = row + down
        moved = np.where(r % 2 == 1, shift, 0.0)
        c = np.floor(x[None, :] * columns - moved[:, None]).astype(np.int32) + right
        place = (r % rows)[:, None], c % columns
        dx = (c + 0.5 + moved[:, None] + jitters[0][place]) / columns - x[None, :]
        dy = (r[:, None] + 0.5 + jitters[1][place]) / rows - x[:, None]
        number = place[0] * columns + place[1]
        scale = np.float32(material.size)
        return dx.astype(np.float32) * scale, dy.astype(np.float32) * scale, number

    around = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    nearest = np.full((pixels, pixels), np.inf, np.float32)
    vx, vy = np.zeros_like(nearest), np.zeros_like(nearest)
    units = np.zeros(nearest.shape, np.int32)
    for cell in around:
        dx, dy, number = away(*cell)
        distance = dx * dx + dy * dy
        closer = distance < nearest
        for kept, new in ((nearest, distance), (vx, dx), (vy, dy), (units, number)):
            np.copyto(kept, new, where=closer, casting="unsafe")
    inside = np.full_like(nearest, np.inf)
    for cell in around:
        dx, dy, number = away(*cell)
        apart = np.hypot(dx - vx, dy - vy)
        with np.errstate(divide="ignore", invalid="ignore"):
            edge = (dx * dx + dy * dy - nearest) / (2.0 * apart)
        np.copyto(inside, np.minimum(inside, edge), where=(number != units) | (apart > side.min()))
    return Cells(
        units,
        inside,
        (0.5 - vx / np.float32(side[0])).clip(0.0, 1.0),
        (0.5 - vy / np.float32(side[1])).clip(0.0, 1.0),
    )


def _hexagons(material: Material, pixels: int) -> Cells:
    return _scattered(material, pixels, 0.0, 0.5, 0.75 * 2.0 / 3.0**0.5)


def _cobbles(material: Material, pixels: int) -> Cells:
    return _scattered(material, pixels, 0.55, 0.5, 1.0)


_LAID: dict[PatternName, Callable[[Material, int], Cells]] = {
    "plain": _whole,
    "running-bond": _running,
    "stack-bond": _stack,
    "herringbone": _herringbone,
    "ashlar": _ashlar,
    "planks": _planks,
    "boards": _boards,
    "tiles": _stack,
    "hexagons": _hexagons,
    "roof-tiles": _stack,
    "shingles": _running,
    "cobbles": _cobbles,
    "standing-seam": _stack,
    "corrugated": _stack,
}


def chance(number: int, count: int, salt: int) -> NDArray[np.float64]:
    """Numbers from 0 to 1 that never change."""
    return np.random.default_rng((salt, number)).random(count)


def unit_of(material: Material) -> tuple[float, float]:
    assert material.unit is not None
    return material.unit


def _fitting(size: float, unit: float, multiple: int = 1) -> int:
    """How many units come nearest to their size on a tile, as a multiple."""
    return multiple * max(1, round(size / unit / multiple))
