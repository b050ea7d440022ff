"""Pixels that hang together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def connected(
    inside: NDArray[np.bool_], down: NDArray[np.bool_], across: NDArray[np.bool_]
) -> tuple[NDArray[Any], int]:
    """The numbers of the regions, from 1, 0 outside of all, int [H, W], and how many there are.

    inside: [H, W]. down, across: which neighbours that are both inside are of one region,
    [H - 1, W] and [H, W - 1].
    """
    height, width = inside.shape
    # Pixels at even places, and between two of them whether they are linked.
    net = np.zeros((2 * height - 1, 2 * width - 1), bool)
    net[::2, ::2] = inside
    net[1::2, ::2] = down & inside[1:] & inside[:-1]
    net[::2, 1::2] = across & inside[:, 1:] & inside[:, :-1]
    labels, count = ndimage.label(net)  # type: ignore[misc]
    return np.asarray(labels)[::2, ::2], int(count)
