"""Where a small picture is in a large one: normalised cross-correlation, by FFT.

J. P. Lewis, "Fast Normalized Cross-Correlation" (1995). Blind to brightness and contrast, so that
one template of a word finds it on every button, whatever the theme.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]
FLAT = 2.0
"""Standard deviation, of 255, under which nothing is written in a place."""


def correlation(picture: Grey, template: Grey) -> Grey:
    """Likeness (-1 to 1) of each place of ``picture`` [H, W] with ``template`` [h, w].

    Returns [H - h + 1, W - w + 1]: by row and column of the template's upper left corner; 0 where
    the picture is flat. Empty where the template is larger than the picture.
    """
    (height, width), (rows, columns) = picture.shape, template.shape
    if rows > height or columns > width:
        return np.zeros((0, 0), np.float32)
    pattern = template.astype(np.float64) - template.mean()
    size = (height, width)
    product = np.fft.rfft2(picture.astype(np.float64), size) * np.conj(np.fft.rfft2(pattern, size))
    likeness = np.fft.irfft2(product, size)[: height - rows + 1, : width - columns + 1]
    count = rows * columns
    total, squares = (_sums(picture.astype(np.float64) ** power, rows, columns) for power in (1, 2))
    variance = np.maximum(squares - total**2 / count, 0)
    scale = np.sqrt(variance * (pattern**2).sum())
    flat = variance < FLAT**2 * count
    return np.where(flat, 0, likeness / np.maximum(scale, 1e-9)).astype(np.float32)


def _sums(values: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """Sum of each window of rows x columns."""
    total = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    return (
        total[rows:, columns:]
        - total[:-rows, columns:]
        - total[rows:, :-columns]
        + total[:-rows, :-columns]
    )
