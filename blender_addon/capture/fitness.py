"""Whether a UV map is fit to carry a texture that is painted on the model: a pure judgement.

A map that a user made is kept where it can be: the texture then serves in their other programs
too. It can't where one texel shows two places, or where parts of the model get far fewer texels
than others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .raster import coverage

Array = NDArray[np.float64]

SIDE = 1024
"""Samples along a tile's side, by which overlaps are judged."""
ROW = 10
"""UDIM tiles beside each other, before the next ones lie above."""
MOST_TILES = 100
OVERLAPPING = 0.005
SPREAD = 3.0
TRIMMED = 0.025
"""Share of the area at either end of the densities that isn't looked at."""
LOST = 0.001
COVERED = 0.1
EDGE = 1e-4
"""How far beyond the edge of its tile a corner may lie, by rounding."""


@dataclass(frozen=True)
class Measures:
    """What a UV map is like, as shares of the surface's area where nothing else is said.

    Attributes:
        tiles: UDIM numbers of the squares that its faces lie in, rising.
        outside: of faces that don't lie in one square, or in none that has a number.
        lost: of faces that have no area in the map.
        overlapping: share of the map's used samples that more than one face claims.
        spread: texels along a metre where they are densest and in whichever direction, over where
            they are sparsest, the outermost 2.5 % of the area at either end left out.
        covered: share of the tiles that faces cover.
    """

    tiles: tuple[int, ...]
    outside: float
    lost: float
    overlapping: float
    spread: float
    covered: float

    def fault(self) -> str:
        """What makes the map unfit, as the end of a sentence ("there ..."); empty for a fit one."""
        if self.outside > LOST:
            return f"{_share(self.outside)} of the faces reach beyond its square"
        if self.lost > LOST:
            return f"{_share(self.lost)} of the faces have no area"
        if self.overlapping > OVERLAPPING:
            return f"faces lie on each other on {_share(self.overlapping)} of it"
        if self.spread > SPREAD:
            return f"some faces have {self.spread:.0f} times the texels along a metre of others"
        if self.covered < COVERED:
            return f"the faces use {_share(self.covered)} of it"
        return ""


def measures(corners: Array, uvs: Array) -> Measures:
    """Of triangles [n, 3, 3], metres, in a map [n, 3, 2]."""
    across, up = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas = np.linalg.norm(np.cross(across, up), axis=1)
    shares = areas / max(areas.sum(), 1e-300)
    finite = np.asarray(np.isfinite(uvs).all((1, 2)))
    uvs = np.where(finite[:, None, None], uvs, -1.0)
    square = np.floor(uvs.mean(1))
    local = uvs - square[:, None]
    inside = finite & (local >= -EDGE).all((1, 2)) & (local <= 1.0 + EDGE).all((1, 2))
    inside &= (square >= 0).all(1) & (square < ROW).all(1)
    real = shares > 1e-12  # a face without area needs no texels
    squares = (square[:, 0] + ROW * square[:, 1]).astype(np.int64)
    found = np.unique(squares[inside & real])
    counts = [_counts(local[inside & (squares == each)]) for each in found]
    used = sum(int((count > 0).sum()) for count in counts)
    twice = sum(int((count > 1).sum()) for count in counts)
    most, least = _densities(across, up, uvs)
    flat = ~(least > 1e-9 * np.median(most[real])) if real.any() else ~real
    seen = real & inside & ~flat
    return Measures(
        tiles=tuple(int(each) + 1001 for each in found),
        outside=float(shares[~inside].sum()),
        lost=float(shares[inside & flat].sum()),
        overlapping=twice / max(used, 1),
        spread=_spread(most[seen], least[seen], shares[seen]),
        covered=used / (max(len(found), 1) * SIDE**2),
    )


def _share(value: float) -> str:
    return f"{value:.0%}" if value >= 0.01 else "less than 1%"


def _counts(local: Array) -> NDArray[np.int64]:
    """How many triangles each sample of a tile lies in."""
    return coverage(local * SIDE - 0.5, SIDE, SIDE)


def _densities(across: Array, up: Array, uvs: Array) -> tuple[Array, Array]:
    """Greatest and least length in the map of a metre on each triangle, in whichever direction:
    the singular values of its map. 0 where the triangle has no area."""
    along, rise = uvs[:, 1] - uvs[:, 0], uvs[:, 2] - uvs[:, 0]
    a, b, c = ((one * other).sum(1) for one, other in ((across, across), (across, up), (up, up)))
    p, q, r = ((one * other).sum(1) for one, other in ((along, along), (along, rise), (rise, rise)))
    area = a * c - b * b
    solid = area > 1e-12 * a * c
    area = np.where(solid, area, 1.0)
    half = np.where(solid, (c * p - 2 * b * q + a * r) / area / 2, 0.0)
    product = np.where(solid, (p * r - q * q).clip(min=0.0) / area, 0.0)
    root = np.sqrt((half * half - product).clip(min=0.0))
    most = half + root
    # Not half - root, which rounding spoils for a long stretch.
    least = np.divide(product, most, out=np.zeros_like(most), where=most > 0)
    return np.sqrt(most), np.sqrt(least)


def _spread(most: Array, least: Array, shares: Array) -> float:
    if not len(shares):
        return 1.0
    return float(_quantile(most, shares, 1.0 - TRIMMED) / _quantile(least, shares, TRIMMED))


def _quantile(values: Array, weights: Array, share: float) -> float:
    order = np.argsort(values)
    ends = np.cumsum(weights[order])
    return float(values[order][min(np.searchsorted(ends, share * ends[-1]), len(order) - 1)])
