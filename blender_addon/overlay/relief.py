"""A picture as a relief of what it shows, to be looked at from elsewhere. No bpy here.

Each pixel stands where its depth says (depth image based rendering; McMillan and Bishop, "Plenoptic
modeling", 1995). So the last picture stays on the model while the view is orbited, until the next
one is there; what it doesn't show stays free.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from maquette_wire.view import View
from numpy.typing import NDArray

CELLS = 128
"""Cells along the picture's longer side, about."""
TORN = 0.1
"""Neighbours whose depths differ by more than this share of the nearer one are not one surface, but
for a plane that is seen at a glancing angle."""


@dataclass(frozen=True)
class Relief:
    """A mesh.

    Attributes:
        points: float32 [n, 4], homogeneous in the world; the last is 0 where nothing was seen.
        places: float32 [n, 2], where the picture shows them, from its lower left corner.
        triangles: int32 [m, 3], the farthest first.
    """

    points: NDArray[np.float32]
    places: NDArray[np.float32]
    triangles: NDArray[np.int32]


def relief(view: View, depth: NDArray[np.float32]) -> Relief:
    """The relief of a capture. depth: metres [height, width], +inf where nothing."""
    height, width = depth.shape
    step = max(1, round(max(height, width) / CELLS))
    rows, columns = (np.unique(np.r_[0 : side - 1 : step, side - 1]) for side in (height, width))
    metres = depth[np.ix_(rows, columns)].astype(np.float64)
    across, down = np.meshgrid((columns + 0.5) / width, (rows + 0.5) / height)
    points = _in_world(view, 2 * across - 1, 1 - 2 * down, metres)
    places = np.stack([across, 1 - down], -1).astype(np.float32)
    corners = np.arange(metres.size).reshape(metres.shape)
    upper = corners[:-1, :-1], corners[1:, :-1], corners[:-1, 1:]
    lower = corners[1:, 1:], corners[:-1, 1:], corners[1:, :-1]
    triangles = np.concatenate([np.stack(each, -1).reshape(-1, 3) for each in (upper, lower)])
    triangles = triangles[_whole(metres, corners, triangles)]
    far = np.minimum(metres.ravel()[triangles].min(1), np.finfo(np.float32).max)
    return Relief(
        points.reshape(-1, 4).astype(np.float32),
        places.reshape(-1, 2),
        triangles[np.argsort(-far, kind="stable")].astype(np.int32),
    )


def _in_world(
    view: View, x: NDArray[np.float64], y: NDArray[np.float64], metres: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Homogeneous points [h, w, 4] at normalised device coordinates x and y [h, w]."""
    projection = np.reshape(view.projection_matrix, (4, 4))
    seen = np.isfinite(metres)
    if view.kind == "perspective":
        rays = np.stack(
            [
                (x + projection[0, 2]) / projection[0, 0],
                (y + projection[1, 2]) / projection[1, 1],
                np.full_like(x, -1.0),
                np.zeros_like(x),
            ],
            -1,
        )
        points = rays * np.where(seen, metres, 1.0)[..., None]
    else:
        far = np.max(metres, initial=1.0, where=seen) * 10
        points = np.stack(
            [
                (x - projection[0, 3]) / projection[0, 0],
                (y - projection[1, 3]) / projection[1, 1],
                -np.where(seen, metres, far),
                np.ones_like(x),
            ],
            -1,
        )
        seen = np.ones_like(seen)
    points[..., 3] = seen
    return points @ np.linalg.inv(np.reshape(view.view_matrix, (4, 4))).T


def _whole(
    metres: NDArray[np.float64], corners: NDArray[np.int64], triangles: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which triangles lie on one surface: their depths are alike, or go on as they did beside."""
    inverse = np.where(np.isfinite(metres), 1.0 / np.maximum(metres, 1e-6), 0.0)
    # Over a plane, 1 / depth is linear in the picture, however it is seen.
    bent = np.zeros_like(inverse)
    for axis in (0, 1):
        second = np.abs(np.diff(inverse, 2, axis))
        before = [slice(None)] * 2
        before[axis] = slice(1, -1)
        bent[tuple(before)] = np.maximum(bent[tuple(before)], second)
    at = metres.ravel()[triangles]
    sky = ~np.isfinite(at)
    least, most = inverse.ravel()[triangles].min(1), inverse.ravel()[triangles].max(1)
    alike = most - least <= TORN * most
    level = bent.ravel()[triangles].max(1) <= TORN * most
    return sky.all(1) | (~sky.any(1) & (alike | level))
