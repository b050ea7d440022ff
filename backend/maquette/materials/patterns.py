"""Patterns: what units are like where they are laid, as a relief that repeats without a seam.

A relief is what a view's depth is for a concept: exact, in metres, and what the model paints on. So
courses are straight and units of true size whatever the model, and the maps of a material agree
with its colours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.material import Material, PatternName
from maquette_wire.view import View
from numpy.typing import NDArray

from .layouts import Cells, cells_of, chance, unit_of

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


def lay(material: Material, pixels: int) -> Relief:
    """The relief of a material, whose values are all filled in, at `pixels` a side.

    Units are made to fit the tile a whole number of times. The same material always has the same
    relief, whatever the prompt and the seed.
    """
    return relief_of(cells_of(material, pixels), material)


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
    beside = np.minimum(cells.across, 1.0 - cells.across) * np.float32(unit_of(material)[0])
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
    beside = np.minimum(cells.across, 1.0 - cells.across) * np.float32(unit_of(material)[0])
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
    return chance(0, int(units.max()) + 1, salt).astype(np.float32)[units]


def _waves(pixels: int, salt: int) -> NDArray[np.float32]:
    """Soft unevenness from 0 to 1 that repeats: noise of few frequencies."""
    spectrum = np.zeros((pixels, pixels // 2 + 1), np.complex64)
    reach = 6
    many = (2 * reach + 1) * (reach + 1)
    drawn = chance(1, 2 * many, salt).reshape(2, 2 * reach + 1, reach + 1)
    rows = np.arange(-reach, reach + 1)
    falling = 1.0 / np.hypot(rows[:, None], np.arange(reach + 1)[None, :]).clip(min=1.0) ** 1.5
    values = falling * drawn[0] * np.exp(2j * np.pi * drawn[1])
    spectrum[rows % pixels, : reach + 1] = values
    spectrum[0, 0] = 0.0
    field = np.fft.irfft2(spectrum, (pixels, pixels)).astype(np.float32)
    low, high = field.min(), field.max()
    return (field - low) / (high - low)
