"""Skies without stains.

A small model's convolutions know how high in the sky they are by the picture's border alone, so
they stain a sky along borders and around what stands before it. Where the sky is, is known to the
pixel. A clear or a clouded one changes with height far more than along the horizon (Preetham et
al., "A Practical Analytic Model for Daylight", SIGGRAPH 1999), so each row gets the mean of what
was painted of it far from stains, smooth from row to row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from ..depth import area_resize, enlarged

_CELL = 4
"""Pixels along a side over which colours are averaged first."""
_STAINED = 48.0
"""Pixels from a border, and along the row from what stands before the sky, that count less."""
_LEAST = 0.02
"""What they count at least, for rows in which there is nothing else."""
_SMOOTH = 28.0
"""Pixels over which rows are averaged."""
_BLURRED = 4.0
"""Pixels from what stands before the sky that have some of its colour."""
_SEEN = 0.002
"""Share of a picture that a sky has at least."""


@dataclass(frozen=True)
class EvenSky:
    """The sky of one capture, at the size its pictures are painted in, in the rows from the top
    that it is in.

    Attributes:
        sky: bool [rows, W].
        clear: float32 [rows, W], 1 where the sky's colour is its own, 0 where none is.
        counts: float32 [h, w], how much each cell counts.
        smooth: float32 [h, h], makes a row's colour of the sums of what counts of each.
    """

    sky: NDArray[np.bool_]
    clear: NDArray[np.float32]
    counts: NDArray[np.float32]
    smooth: NDArray[np.float32]

    @classmethod
    def of(cls, depth: NDArray[np.floating]) -> EvenSky | None:
        """depth: metres [H, W], +inf for sky. None without enough of it, or with nothing else."""
        sky = ~np.isfinite(depth)
        if sky.mean() < _SEEN or sky.all():
            return None
        # Whole cells, and a row of what isn't sky where there is one.
        rows = min(-(-(int(np.flatnonzero(sky.any(1))[-1]) + 2) // _CELL) * _CELL, len(sky))
        sky = sky[:rows]
        height, width = sky.shape
        away = _distance(sky)
        clear = (away > _BLURRED).astype(np.float32)
        if not clear.any():
            return None
        row, column = np.arange(height), np.arange(width)
        side = np.minimum(column, column[::-1]) + 1.0
        along = _distance(sky, rows=height * width)
        trust = (_ramp(along) * _ramp(side) * _ramp(row + 1.0)[:, None] * clear).astype(np.float32)
        counts = area_resize(trust, (-(-height // _CELL), -(-width // _CELL)))
        return cls(sky, clear, counts, _smooth(counts.sum(1)))

    def evened(self, picture: NDArray[np.uint8], share: float = 1.0) -> NDArray[np.uint8]:
        """A picture uint8 [H, W, 3] with its sky evened. share: how much of that, 0 to 1."""
        rows = len(self.sky)
        clear = np.maximum(area_resize(self.clear, self.counts.shape), 1e-3)
        weight = share * self.sky
        even = picture.copy()
        for channel in range(3):
            color = picture[:rows, :, channel].astype(np.float32)
            seen = area_resize(color * self.clear, self.counts.shape)
            wanted = (self.smooth @ (self.counts * seen / clear).sum(1))[:, None]
            color += weight * (enlarged(wanted, (1, rows)) - color)
            even[:rows, :, channel] = (color + 0.5).clip(0, 255)
        return even


def _smooth(counts: NDArray[np.floating]) -> NDArray[np.float32]:
    """[h, h]: local linear regression (Cleveland, "Robust Locally Weighted Regression", JASA 1979)
    at each row, of sums over so many counts [h]. Far rows are heard where none are near."""
    row = np.arange(len(counts), dtype=np.float64)
    near = np.exp(-0.5 * np.square((row[:, None] - row) * _CELL / _SMOOTH)) + 1e-12
    known = (near @ counts)[:, None]
    place = (near @ (counts * row))[:, None] / known
    spread = (near @ (counts * row * row))[:, None] / known - place * place
    slope = (row[:, None] - place) * (row - place) / (spread + 1.0)
    return (near / known * (1.0 + slope)).astype(np.float32)


def _ramp(distance: NDArray[np.floating]) -> NDArray[np.floating]:
    return (distance / _STAINED).clip(_LEAST, 1.0)


def _distance(sky: NDArray[np.bool_], rows: float = 1.0) -> NDArray[np.floating]:
    """Pixels to what isn't sky, where a row is as far as so many columns."""
    return np.asarray(distance_transform_edt(sky, (rows, 1.0)))
