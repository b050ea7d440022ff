"""sRGB and scene-linear values with its primaries, both ways, by IEC 61966-2-1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def linear_of_srgb(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """sRGB bytes of any shape → linear in [0, 1]."""
    values = np.arange(256) / 255.0
    table = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return table.astype(np.float32)[picture]


def srgb_of_linear(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear values of any shape → sRGB in [0, 1]; what lies outside is clipped."""
    clipped = linear.clip(0.0, 1.0)
    curve = 1.055 * clipped ** (1.0 / 2.4) - 0.055
    return np.where(clipped <= 0.0031308, clipped * 12.92, curve).astype(np.float32)
