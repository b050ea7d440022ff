"""sRGB and scene-linear values with its primaries, both ways, by IEC 61966-2-1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CHUNK = 1 << 16
"""Values at a time, with as much for each as a processor has at hand."""
_BYTES = np.arange(256) / 255.0
_LINEAR = np.where(_BYTES <= 0.04045, _BYTES / 12.92, ((_BYTES + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)


def linear_of_srgb(
    picture: NDArray[np.uint8], out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """sRGB bytes of any shape → linear in [0, 1].

    out: where the result is written.
    """
    return _LINEAR.take(picture, mode="clip", out=out)


def srgb_of_linear(
    linear: NDArray[np.float32], out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Linear values of any shape → sRGB in [0, 1]; what lies outside is clipped.

    out: contiguous, where the result is written, which may be `linear` itself.
    """
    result = np.empty(linear.shape, np.float32) if out is None else out
    given, made = linear.reshape(-1), result.reshape(-1)
    for start in range(0, len(made), _CHUNK):
        part = slice(start, start + _CHUNK)
        clipped = given[part].clip(0.0, 1.0)
        curve = np.power(clipped, np.float32(1.0 / 2.4))
        curve *= 1.055
        curve -= 0.055
        np.copyto(curve, clipped * np.float32(12.92), where=clipped <= 0.0031308)
        made[part] = curve
    return result
