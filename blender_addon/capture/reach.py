"""How near and how far what a picture shows can lie, by the boxes around it: the clip range of a
drawing whose depth buffer is exact at once, where the whole one would be too long (``slabs``)."""

from __future__ import annotations

import numpy as np
from maquette_wire.view import View
from numpy.typing import NDArray

from .slabs import Range, clip_range, projection_of

Boxes = NDArray[np.float64]
"""Corners of boxes in the world [n, 8, 3], metres, in the order of Blender's ``bound_box``."""

EDGES = (
    (0, 1), (1, 2), (2, 3), (3, 0),
    (4, 5), (5, 6), (6, 7), (7, 4),
    (0, 4), (1, 5), (2, 6), (3, 7),
)  # fmt: skip


def needed_range(view: View, boxes: Boxes | None) -> Range:
    """The part of a View's clip range that certainly holds what it shows of these boxes; all of it
    where they are unknown."""
    near, far = clip_range(view)
    if boxes is None or (seen := within(boxes, view)) is None:
        return near, far
    least, greatest = seen
    # A hundredth is far more than what single precision is off on the graphics card.
    margin = 1e-3 + 1e-6 * float(np.abs(boxes).max())
    margins = (
        (0.01 * least, 0.01 * greatest)
        if view.kind == "perspective"
        else (0.01 * (greatest - least),) * 2
    )
    near = max(near, least - margins[0] - margin)
    far = min(far, greatest + margins[1] + margin)
    return (near, far) if near < far else clip_range(view)


def within(boxes: Boxes, view: View) -> Range | None:
    """(least, greatest) depth in metres along the view axis that anything in the boxes can have
    where a View shows it; None where it shows none of them.

    Each box is cut by one side of the view's frustum at a time, which leaves in all that the four
    of them together do.
    """
    view_matrix = np.reshape(np.array(view.view_matrix, np.float64), (4, 4))
    points = boxes @ view_matrix[:3, :3].T + view_matrix[:3, 3]
    clip = np.concatenate([points, np.ones_like(points[..., :1])], -1) @ projection_of(view).T
    depth = -points[..., 2]
    first, second = np.transpose(EDGES)
    least, greatest = np.full(len(boxes), -np.inf), np.full(len(boxes), np.inf)
    for axis, sign in ((0, 1), (0, -1), (1, 1), (1, -1)):
        inside = clip[..., 3] + sign * clip[..., axis]
        one, other = inside[:, first], inside[:, second]
        cut = (one < 0) != (other < 0)
        share = np.where(cut, one / np.where(cut, one - other, 1), 0)
        border = depth[:, first] + share * (depth[:, second] - depth[:, first])
        seen = np.concatenate([inside >= 0, cut], 1)
        depths = np.concatenate([depth, border], 1)
        least = np.maximum(least, np.where(seen, depths, np.inf).min(1))
        greatest = np.minimum(greatest, np.where(seen, depths, -np.inf).max(1))
    visible = least <= greatest
    if not visible.any():
        return None
    return float(least[visible].min()), float(greatest[visible].max())
