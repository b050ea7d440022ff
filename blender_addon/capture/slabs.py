"""Depth buffers to metres, exactly: clip ranges that a depth buffer can resolve.

A depth buffer of 24 bits (or of 32-bit floats, whose step just below 1 is the same 2^-24) holds
1/z between the near and the far clip plane, so a step at distance z is z^2 / (near 2^24): with a
near plane at 1 cm, 1 m at 400 m. Drawn once for each of a few slabs of the clip range, the same
buffer is exact to ``RATIO`` 2^-24 of z everywhere. The slabs of one pixel agree on which surface
is the nearest, since all are drawn with the same View: a surface cut open by a slab's near plane
has its front in the slab before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from maquette_wire.view import View
from numpy.typing import NDArray

RATIO = 512.0
"""Far over near of one slab at most: 512 / 2^24 is 3e-5 of the depth."""
OVERLAP = 1.01
"""Slabs overlap, so that no surface falls between two of them."""
SPAN_ERROR = 1e-5
"""Wanted step of an orthographic depth buffer, as a share of the nearest depth."""

Range = tuple[float, float]
Draw = Callable[[Range], NDArray[np.float32]]
"""Draws what is in a clip range; its depth in metres [height, width]."""


def projection_of(view: View) -> NDArray[np.float64]:
    """The projection matrix [4, 4] of a View."""
    return np.reshape(np.array(view.projection_matrix, dtype=np.float64), (4, 4))


def clip_range(view: View) -> Range:
    """(near, far) in metres along the view axis of a View's projection."""
    projection = projection_of(view)
    scale, offset = projection[2, 2], projection[2, 3]
    if view.kind == "perspective":
        return float(offset / (scale - 1)), float(offset / (scale + 1))
    return float((offset + 1) / scale), float((offset - 1) / scale)


def with_clip_range(view: View, clip: Range) -> NDArray[np.float32]:
    """The projection matrix [4, 4] of a View with other clip planes, as the GPU gets it."""
    near, far = clip
    projection = projection_of(view)
    if view.kind == "perspective":
        projection[2, 2] = -(far + near) / (far - near)
        projection[2, 3] = -2 * far * near / (far - near)
    else:
        projection[2, 2] = -2 / (far - near)
        projection[2, 3] = -(far + near) / (far - near)
    return projection.astype(np.float32)


def exact(
    draw: Draw, clip: Range, perspective: bool, coarse: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Depth in metres [height, width] in as few drawings as resolve it.

    Args:
        clip: the clip range.
        coarse: the depth of a drawing of all surfaces in it, where there is one already.
    """
    if perspective:
        reach = clip
        if coarse is not None:
            seen = seen_range(coarse)
            if seen is None or resolved(clip, seen):
                return coarse
            reach = around(clip, seen)
        return nearest([draw(part) for part in slabs(reach)])
    depth = draw(clip) if coarse is None else coarse
    seen = seen_range(depth)
    tight = tighter(clip, seen) if seen else None
    return draw(tight) if tight else depth


def slabs(clip: Range) -> list[Range]:
    """A perspective clip range in parts that a depth buffer resolves, the nearest first."""
    near, far = clip
    count = max(1, math.ceil(math.log(far / near) / math.log(RATIO)))
    borders = np.geomspace(near, far, count + 1)
    borders[-1] = far / OVERLAP
    return [(float(borders[i]), float(borders[i + 1] * OVERLAP)) for i in range(count)]


def resolved(clip: Range, seen: Range) -> bool:
    """Whether a perspective drawing of the clip range has what it saw as exactly as a slab."""
    return seen[1] <= clip[0] * RATIO


def around(clip: Range, seen: Range) -> Range:
    """The part of a perspective clip range that certainly holds what a drawing of it saw.

    What is measured at z is wrong by a few steps of z / (near 2^24) of itself at most.
    """
    near, far = clip
    least, greatest = (z * 4 * z / (near * 2**24) + 0.01 * z for z in seen)
    return max(near, seen[0] - least), min(far, seen[1] + greatest)


def to_metres(
    buffer: NDArray[np.float32], projection: NDArray[np.float32], perspective: bool
) -> NDArray[np.float32]:
    """Depth along the view axis, +inf where nothing was drawn.

    Args:
        buffer: depth buffer [height, width], 0 at the near plane, 1 where nothing is.
        projection: the matrix that it was drawn with [4, 4].
    """
    scale, offset = float(projection[2, 2]), float(projection[2, 3])
    normalised = 2.0 * buffer.astype(np.float64) - 1.0
    with np.errstate(divide="ignore"):
        depth = offset / (normalised + scale) if perspective else (offset - normalised) / scale
    return np.where(buffer < 1.0, depth, np.inf).astype(np.float32)


def nearest(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """One depth map of those of the slabs, the nearest first: the first that holds something."""
    merged = parts[0]
    for part in parts[1:]:
        merged = np.where(np.isfinite(merged), merged, part)
    return merged


def seen_range(depth: NDArray[np.float32]) -> Range | None:
    """(least, greatest) finite depth; None where nothing is seen."""
    finite = depth[np.isfinite(depth)]
    return (float(finite.min()), float(finite.max())) if finite.size else None


def tighter(clip: Range, seen: Range) -> Range | None:
    """A clip range just around what an orthographic buffer saw; None where ``clip`` will do."""
    near, far = clip
    least, greatest = seen
    step = (far - near) / 2**24
    if step <= SPAN_ERROR * abs(least):
        return None
    margin = 4 * step + 0.01 * (greatest - least) + 1e-3
    return max(near, least - margin), min(far, greatest + margin)
