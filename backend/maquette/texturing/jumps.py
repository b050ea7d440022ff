"""Jumps of a depth map: where one surface ends before another."""

from __future__ import annotations

from typing import Any

import numpy as np
from maquette_wire.view import View
from numpy.typing import NDArray
from scipy import ndimage

_JUMP_PIXELS = 4.0
"""Neighbouring pixels whose depths differ by more than this many pixel sides may be a jump."""
_SLACK = 0.25
"""Of the difference of two pixels: what a continued slope may miss it by."""
_CHUNK = 1 << 16
"""Pixels at a time, with as much for each as a processor has at hand."""

Depth = NDArray[np.float32]


def away_from_jumps(depth: Depth, view: View, reach: int | None = None) -> Depth:
    """Pixels between each pixel and the next jump of depth, float32 [h, w].

    Beside a jump, a picture's colour may come from either side: a painted edge is never exact to
    the pixel. reach: pixels beyond which a distance isn't told; it is much faster.
    """
    jump = jumps(depth, view)
    if reach is not None:
        return _near(jump, reach)
    if not jump.any():
        return np.full(depth.shape, np.float32(np.hypot(*depth.shape)))
    distance: Any = ndimage.distance_transform_edt(~jump)
    return distance.astype(np.float32)


def flattened(depth: Depth, view: View, out: Depth | None = None) -> Depth:
    """What of a depth map is affine in the pixel on a plane: the inverse in perspective, depth
    itself otherwise; 0 where nothing is seen."""
    if view.kind == "perspective":
        flat = np.maximum(depth, np.float32(1e-6), out=out)
        return np.reciprocal(flat, out=flat)
    flat = np.empty_like(depth) if out is None else out
    flat[...] = depth
    flat[np.isinf(flat)] = 0.0
    return flat


def pixel_side(view: View) -> float:
    """Of a pixel in metres, at a depth of one metre or, orthographic, at every depth."""
    return 2.0 / (view.width * abs(view.projection_matrix[0]))


def jumps(depth: Depth, view: View) -> NDArray[np.bool_]:
    """The pixels on both sides of a jump, [h, w]. Depth jumps where a neighbour lies further off
    than both surfaces, continued by their slope, would have it."""
    width = depth.shape[1]
    z = depth.reshape(-1)
    jump = np.zeros(z.shape, bool)
    for axis, step in enumerate((width, 1)):
        at = _apart(z, step, view)
        place, last = np.divmod(at, width)[axis], depth.shape[axis] - 1
        at, place = at[place < last], place[place < last]
        values = (z.take(at + steps * step, mode="clip") for steps in (-1, 0, 1, 2))
        before, here, there, after = (flattened(each, view) for each in values)
        slack = _SLACK * np.abs(there - here)
        before = np.where(place > 0, 2 * here - before, here)
        after = np.where(place + 1 < last, 2 * there - after, there)
        broken = (np.abs(there - before) > slack) & (np.abs(here - after) > slack)
        broken |= np.isinf(z[at]) | np.isinf(z[at + step])
        jump[at[broken]] = jump[at[broken] + step] = True
    return jump.reshape(depth.shape)


def _apart(z: Depth, step: int, view: View) -> NDArray[np.int64]:
    """The pixels whose depth differs from that `step` further on by more than may be a slope."""
    limit = np.float32(_JUMP_PIXELS * pixel_side(view))
    found = [np.zeros(0, np.int64)]
    for start in range(0, len(z) - step, _CHUNK):
        stop = min(start + _CHUNK, len(z) - step)
        here, there = z[start:stop], z[start + step : stop + step]
        with np.errstate(invalid="ignore"):
            apart = there - here
        np.abs(apart, out=apart)
        # Where both see nothing they differ by no number.
        if view.kind == "perspective":
            far = apart > np.minimum(here, there) * limit
        else:
            far = apart > limit
        found.append(np.flatnonzero(far) + start)
    return np.concatenate(found)


def _near(jump: NDArray[np.bool_], reach: int) -> Depth:
    """Distances up to `reach`, written around every jump from the farthest on. A place that is held
    within the map is nearer than it was, so it is written again."""
    height, width = jump.shape
    result = np.full(jump.size, np.float32(reach))
    rows, columns = np.divmod(np.flatnonzero(jump), width)
    steps = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    squares = (steps**2).sum(0)
    order = np.argsort(-squares)
    for number in order[squares[order] < reach**2]:
        down, across = steps[:, number]
        places = (rows + down).clip(0, height - 1) * width
        places += (columns + across).clip(0, width - 1)
        result[places] = np.sqrt(np.float32(squares[number]))
    return result.reshape(jump.shape)
