"""A material to look at: repeated and lit, as a wall of it looks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..srgb import linear_of_srgb, srgb_of_linear

TIMES = 2
SIDE = 1024
"""Pixels of the picture at most."""
_SUN = np.array([-0.4, 0.5, 0.77], np.float32)
"""Towards the light: to the right, upwards, out of the surface."""
_SKY = 0.45
"""Of the light."""


def tiled(
    albedo: NDArray[np.uint8], normal: NDArray[np.uint8], occlusion: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """uint8 sRGB [h, h, 3]: two by two tiles, lit from the upper left. albedo: sRGB [n, n, 3].
    normal: [n, n, 3]. occlusion: [n, n]."""
    side = max(1, min(albedo.shape[0], SIDE // TIMES))
    direction = normal.astype(np.float32) / np.float32(127.5) - 1.0
    sun = (direction @ (_SUN / np.linalg.norm(_SUN))).clip(0.0) / (_SUN[2] / np.linalg.norm(_SUN))
    light = _SKY * (occlusion / np.float32(255.0)) + (1.0 - _SKY) * sun
    lit = srgb_of_linear(linear_of_srgb(albedo) * light[..., None])
    whole = Image.fromarray(np.rint(lit * 255.0).astype(np.uint8))
    tile = np.asarray(whole.resize((side, side), Image.Resampling.BOX))
    return np.tile(tile, (TIMES, TIMES, 1))
