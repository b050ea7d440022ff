"""Units that differ: no two bricks of a wall are of one colour.

A model that paints in one step gives all units of a pattern nearly the same colour, and every seed
the same wall. What its picture lacks of the variety that such units have is added, unit by unit.
"""

from __future__ import annotations

import numpy as np
from maquette_wire.material import PatternName
from numpy.typing import NDArray

from ..srgb import linear_of_srgb, srgb_of_linear
from .maps import LUMA

VARIETY: dict[PatternName, float] = {
    "running-bond": 0.12,
    "stack-bond": 0.1,
    "herringbone": 0.12,
    "ashlar": 0.08,
    "planks": 0.14,
    "boards": 0.14,
    "tiles": 0.03,
    "hexagons": 0.05,
    "roof-tiles": 0.1,
    "shingles": 0.12,
    "cobbles": 0.15,
    "standing-seam": 0.02,
}
"""By how much units differ in linear lightness, as the standard deviation of its logarithm."""
_MOST = 2.0
"""Standard deviations."""
_HUE = 0.25
"""Of the lightness: how much warmer or cooler they are."""
_DARK = 0.01


def varied(
    albedo: NDArray[np.uint8], units: NDArray[np.int32], variety: float, seed: int
) -> NDArray[np.uint8]:
    """A tile [n, n, 3] whose units differ in lightness by `variety` at least, a function of the
    seed. units: [n, n], below 0 in joints, which stay as they are."""
    laid = units >= 0
    _, numbers = np.unique(units[laid], return_inverse=True)
    count = int(numbers.max(initial=-1)) + 1
    if variety <= 0.0 or count < 2:
        return albedo
    linear = linear_of_srgb(albedo[laid])
    lightness = np.log(linear @ LUMA + np.float32(_DARK))
    means = np.bincount(numbers, lightness) / np.bincount(numbers)
    lacking = np.sqrt(max(0.0, variety**2 - float(means.var())))
    chance = np.random.default_rng(seed).normal(size=(2, count)).clip(-_MOST, _MOST) * lacking
    lighter, warmer = chance[0], _HUE * chance[1]
    factors = np.exp(np.stack([lighter + warmer, lighter, lighter - warmer], 1))
    changed = srgb_of_linear(linear * factors.astype(np.float32)[numbers])
    result = albedo.copy()
    result[laid] = np.rint(changed * 255.0).astype(np.uint8)
    return result
