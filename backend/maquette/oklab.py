"""Oklab, in which equal steps look equally large (Ottosson, 2020)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .srgb import linear_of_srgb, srgb_of_linear

_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)


def oklab(color: NDArray[np.uint8]) -> NDArray[np.float32]:
    """sRGB bytes [..., 3] → Oklab: lightness 0 to 1, and two of colour, 0 in grey."""
    return np.cbrt(linear_of_srgb(color) @ _CONES.T) @ _OKLAB.T


def srgb_of_oklab(lab: NDArray[np.float32]) -> NDArray[np.uint8]:
    linear = (lab @ np.linalg.inv(_OKLAB).T) ** 3 @ np.linalg.inv(_CONES).T
    levels = srgb_of_linear(np.ascontiguousarray(linear, np.float32)) * 255.0
    return np.rint(levels).astype(np.uint8)
