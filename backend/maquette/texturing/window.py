"""The part of a view that a surface lies in: nothing need be known of the rest."""

from __future__ import annotations

import msgspec
import numpy as np
from maquette_wire.view import View
from numpy.typing import NDArray

_RIM = 8
"""Pixels around the surface, from which distances to jumps of depth are known within it."""
_BOX = 256
"""Triangles that share a box. Those of a mesh that follow each other lie side by side."""


def boxes(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners [3, m] of boxes around triangles [3, 3, n] (corner, axis)."""
    starts = np.arange(0, corners.shape[2], _BOX)
    low = np.minimum.reduceat(corners.min(0), starts, axis=1)
    high = np.maximum.reduceat(corners.max(0), starts, axis=1)
    which = np.arange(8)[None] >> np.arange(3)[:, None] & 1
    return np.where(which[:, :, None], high[:, None], low[:, None]).reshape(3, -1)


def window(view: View, points: NDArray[np.float64]) -> tuple[View, slice, slice]:
    """The view of those of its rows and columns that points [3, m] lie in; two at least, and all
    where a point lies behind the camera."""
    matrix = np.reshape(view.view_matrix, (4, 4)).astype(np.float64)
    projection = np.reshape(view.projection_matrix, (4, 4)).astype(np.float64)
    clip = projection @ matrix
    x, y, _, depth = clip[:, :3] @ points + clip[:, 3:]
    if (depth <= 1e-6).any():
        return view, slice(view.height), slice(view.width)
    columns = _span((x / depth + 1.0) / 2.0 * view.width, view.width)
    rows = _span((1.0 - y / depth) / 2.0 * view.height, view.height)
    width, height = columns.stop - columns.start, rows.stop - rows.start
    # The part's places from -1 to 1, against those of the whole.
    projection[0] *= view.width / width
    projection[0] += ((view.width - 2 * columns.start) / width - 1.0) * projection[3]
    projection[1] *= view.height / height
    projection[1] -= ((view.height - 2 * rows.start) / height - 1.0) * projection[3]
    made = msgspec.structs.replace(
        view, projection_matrix=tuple(projection.ravel().tolist()), width=width, height=height
    )
    return made, rows, columns


def _span(places: NDArray[np.float64], count: int) -> slice:
    """The pixels of `count` that places, in pixels from the edge, lie in, with a rim."""
    low, high = places.min() - _RIM, places.max() + _RIM
    start = int(np.clip(np.floor(low), 0, count - 2))
    return slice(start, int(np.clip(np.ceil(high), start + 2, count)))
