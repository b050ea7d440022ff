"""Patterns: how the units of a material are laid, as a relief that repeats without a seam.

A relief is what a view's depth is for a concept: exact, in metres, and what the model paints on. So
courses are straight and units of true size whatever the model, and the maps of a material agree
with its colours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.material import Material, PatternName
from maquette_wire.view import View
from numpy.typing import NDArray

JOINT = -1
"""The unit of a pixel that lies in a joint."""

_CLOSE = 2.0
"""Of the relief: how far above its top the camera is. So near, depth tells top from bottom in every
encoding, and a plain surface stays plain."""
_NEAREST = 1e-3
_LIGHT = (-0.35, 0.5, 0.79)
"""Towards the light: rightwards, upwards, outwards."""
_GREY = 160.0
_UNEVEN = 0.12
"""Of the relief: how much units of one pattern differ in height."""
_ROUNDED = 0.5
"""Of the joint's depth: width of the rounded edge of a unit."""


@dataclass(frozen=True)
class Relief:
    """A pattern on a tile.

    Attributes:
        height: float32 [n, n], metres, row 0 at the top; 0 is the top of the highest unit.
        units: int32 [n, n], which unit a pixel belongs to, from 0, or JOINT.
        size: side of the tile in metres.
    """

    height: NDArray[np.float32]
    units: NDArray[np.int32]
    size: float

    def capture(self) -> Capture:
        """What a camera sees that looks squarely at the tile from just above it, orthographic: the
        depth is the relief, the colour a grey under light from above on the left."""
        pixels = self.height.shape[0]
        low = float(self.height.min())
        above = max(_CLOSE * -low, _NEAREST)
        down, right = (
            (np.roll(self.height, -1, axis) - np.roll(self.height, 1, axis))
            * np.float32(pixels / (2.0 * self.size))
            for axis in (0, 1)
        )
        lit = (_LIGHT[2] - _LIGHT[0] * right + _LIGHT[1] * down) / np.sqrt(
            1.0 + right * right + down * down
        )
        grey = np.rint(_GREY * lit.clip(0.2, 1.0) / _LIGHT[2]).clip(0.0, 255.0).astype(np.uint8)
        reach = 2.0 / self.size
        view = View(
            view_matrix=(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, -above, 0, 0, 0, 1),
            projection_matrix=(
                *(reach, 0, 0, 0),
                *(0, reach, 0, 0),
                *(0, 0, -1.0 / (above - low), -1.0),
                *(0, 0, 0, 1),
            ),
            width=pixels,
            height=pixels,
            kind="orthographic",
            name="material",
        )
        return Capture(view, np.repeat(grey[..., None], 3, 2), np.float32(above) - self.height)


@dataclass(frozen=True)
class Cells:
    """The units of a tile, [n, n] each: which one a pixel is in, how far in metres it is from that
    one's edge, and where in it, from 0 to 1, rightwards and downwards."""

    units: NDArray[np.int32]
    inside: NDArray[np.float32]
    across: NDArray[np.float32]
    down: NDArray[np.float32]


def lay(material: Material, pixels: int) -> Relief:
    """The relief of a material, whose values are all filled in, at `pixels` a side.

    Units are made to fit the tile a whole number of times. The same material always has the same
    relief, whatever the prompt and the seed.
    """
    return relief_of(cells_of(material, pixels), material)


def cells_of(material: Material, pixels: int) -> Cells:
    """Where the units of a material lie, whose values are all filled in."""
    assert material.pattern is not None
    return _LAID[material.pattern](material, pixels)


def relief_of(cells: Cells, material: Material) -> Relief:
    """The relief of units that lie there."""
    assert material.pattern and material.joint is not None and material.relief is not None
    shaped = _SHAPED.get(material.pattern, _blocks)
    shape = shaped(cells, material, material.size / cells.units.shape[0])
    height = (shape - shape.max()) * np.float32(material.relief)
    units = cells.units
    if shaped in (_blocks, _stones):
        units = np.where(cells.inside < material.joint / 2, np.int32(JOINT), units)
    return Relief(height.astype(np.float32, copy=False), units, material.size)


# --- where units lie --------------------------------------------------------------------------


def _courses(
    material: Material,
    pixels: int,
    shift: Callable[[int], float] = lambda row: 0.0,
    uneven: float = 0.0,
    even_rows: bool = False,
) -> Cells:
    """Rows of units. shift: of a row, in units; uneven: how much lengths differ, as a share."""
    rows = _fitting(material.size, _unit(material)[1], 2 if even_rows else 1)
    columns = _fitting(material.size, _unit(material)[0])
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
    offsets = (_chance(row, columns, 1) - 0.5) * uneven
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
    return _courses(material, pixels, lambda row: float(_chance(row, 1, 2)[0]))


def _boards(material: Material, pixels: int) -> Cells:
    width, height = _unit(material)
    lying = _planks(msgspec.structs.replace(material, unit=(height, width)), pixels)
    return Cells(
        np.ascontiguousarray(lying.units.T),
        np.ascontiguousarray(lying.inside.T),
        np.ascontiguousarray(lying.down.T),
        np.ascontiguousarray(lying.across.T),
    )


def _herringbone(material: Material, pixels: int) -> Cells:
    """Blocks of k squares: lying where (column - row) mod 2k is below k, standing elsewhere."""
    long, short = max(_unit(material)), min(_unit(material))
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
    width, height = _unit(material)
    columns = _fitting(material.size, width)
    rows = _fitting(material.size, height * step, 2 if shift else 1)
    side = np.array([material.size / columns, material.size / rows])
    jitters = [
        (_chance(number, rows * columns, 3).reshape(rows, columns) - 0.5) * jitter
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


# --- what units are like: heights from 0, the bottom of a joint, to 1 ---------------------------

_Shaped = Callable[[Cells, Material, float], NDArray[np.floating]]


def _blocks(cells: Cells, material: Material, pixel: float) -> NDArray[np.floating]:
    """Flat units with rounded edges, a little uneven, with joints between them."""
    assert material.joint is not None
    body = _rise(cells.inside, material, pixel)
    return body * (np.float32(1.0) - _UNEVEN * _each(cells.units, 4))


def _plain(cells: Cells, material: Material, pixel: float) -> NDArray[np.floating]:
    """One surface, hardly uneven."""
    return _waves(cells.units.shape[0], 5)


def _stones(cells: Cells, material: Material, pixel: float) -> NDArray[np.floating]:
    """Units that bulge."""
    flatter = ((cells.across - 0.5) ** 2 + (cells.down - 0.5) ** 2).clip(0.0, 0.5)
    top = 1.0 - 1.1 * flatter - _UNEVEN * _each(cells.units, 4)
    return _rise(cells.inside, material, pixel) * top


def _lapped(cells: Cells, material: Material, pixel: float) -> NDArray[np.floating]:
    """Flat units that lie on those below, each rising towards its lower edge."""
    beside = np.minimum(cells.across, 1.0 - cells.across) * np.float32(_unit(material)[0])
    open_ = _rise(beside, material, pixel)
    slope = (0.12 + 0.76 * cells.down) * (0.55 + 0.45 * open_)
    return slope + _UNEVEN * _each(cells.units, 4)


def _pantiles(cells: Cells, material: Material, pixel: float) -> NDArray[np.floating]:
    """Curved units that lie on those below."""
    wave = 0.5 - 0.5 * np.cos(2.0 * np.pi * cells.across)
    return 0.64 * wave + 0.32 * cells.down + 0.04 * _each(cells.units, 4)


def _seams(cells: Cells, material: Material, pixel: float) -> NDArray[np.floating]:
    """Flat sheets with ribs where they meet."""
    assert material.joint is not None
    beside = np.minimum(cells.across, 1.0 - cells.across) * np.float32(_unit(material)[0])
    half = max(material.joint / 2, pixel)
    return 1.0 - _smooth((beside - np.float32(0.6 * half)) / np.float32(0.8 * half))


def _corrugation(cells: Cells, material: Material, pixel: float) -> NDArray[np.floating]:
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * cells.across)).astype(np.float32)


_SHAPED: dict[PatternName, _Shaped] = {
    "plain": _plain,
    "cobbles": _stones,
    "ashlar": _blocks,
    "shingles": _lapped,
    "roof-tiles": _pantiles,
    "standing-seam": _seams,
    "corrugated": _corrugation,
}


def _rise(inside: NDArray[np.floating], material: Material, pixel: float) -> NDArray[np.floating]:
    """From 0 in a joint to 1 on a unit, over its rounded edge but over one pixel at least."""
    assert material.joint is not None and material.relief is not None
    if material.joint <= 0.0:
        return np.ones_like(inside)
    edge = max(_ROUNDED * material.relief, pixel)
    # A joint narrower than a pixel shows as one pixel that is part of it.
    half = max(material.joint / 2, 0.5 * pixel)
    return _smooth((inside - np.float32(half - 0.25 * edge)) / np.float32(edge))


def _smooth(t: NDArray[np.floating]) -> NDArray[np.floating]:
    """0 below 0, 1 above 1, smooth between them."""
    t = t.clip(0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def _each(units: NDArray[np.int32], salt: int) -> NDArray[np.float32]:
    """A number from 0 to 1 for each unit, the same one for the same unit."""
    return _chance(0, int(units.max()) + 1, salt).astype(np.float32)[units]


def _waves(pixels: int, salt: int) -> NDArray[np.float32]:
    """Soft unevenness from 0 to 1 that repeats: noise of few frequencies."""
    spectrum = np.zeros((pixels, pixels // 2 + 1), np.complex64)
    reach = 6
    many = (2 * reach + 1) * (reach + 1)
    chance = _chance(1, 2 * many, salt).reshape(2, 2 * reach + 1, reach + 1)
    rows = np.arange(-reach, reach + 1)
    falling = 1.0 / np.hypot(rows[:, None], np.arange(reach + 1)[None, :]).clip(min=1.0) ** 1.5
    values = falling * chance[0] * np.exp(2j * np.pi * chance[1])
    spectrum[rows % pixels, : reach + 1] = values
    spectrum[0, 0] = 0.0
    field = np.fft.irfft2(spectrum, (pixels, pixels)).astype(np.float32)
    low, high = field.min(), field.max()
    return (field - low) / (high - low)


def _chance(number: int, count: int, salt: int) -> NDArray[np.float64]:
    """Numbers from 0 to 1 that never change."""
    return np.random.default_rng((salt, number)).random(count)


def _fitting(size: float, unit: float, multiple: int = 1) -> int:
    """How many units come nearest to their size on a tile, as a multiple."""
    return multiple * max(1, round(size / unit / multiple))


def _unit(material: Material) -> tuple[float, float]:
    assert material.unit is not None
    return material.unit
