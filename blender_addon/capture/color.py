"""Scene linear colour to sRGB, and back."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray


@cache
def _table() -> NDArray[np.uint8]:
    """sRGB byte of every half float: its 11 bits of mantissa are finer than a byte of sRGB."""
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float64)
    linear = np.clip(np.nan_to_num(halves, nan=0.0), 0.0, 1.0)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(curve * 255).astype(np.uint8)


def srgb_of_linear(linear: NDArray[np.float32]) -> NDArray[np.uint8]:
    """sRGB bytes (IEC 61966-2-1) of linear values with sRGB's primaries, of any shape."""
    with np.errstate(over="ignore"):
        return _table()[linear.astype(np.float16).view(np.uint16)]


@cache
def _inverse() -> NDArray[np.float32]:
    """Linear value of every sRGB byte."""
    levels = np.arange(256) / 255
    curve = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return curve.astype(np.float32)


def linear_of_srgb(color: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Linear values of sRGB bytes of any shape, which ``srgb_of_linear`` turns back exactly."""
    return _inverse()[color]
