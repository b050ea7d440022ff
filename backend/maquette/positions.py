"""Where in the world each pixel of a depth map is, and which way its surface faces."""

from __future__ import annotations

from typing import Any

import numpy as np
from maquette_wire.view import View
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def camera_points(depth: NDArray[np.floating], view: View) -> Floats:
    """Camera-space positions [H, W, 3] in metres of depths [H, W] along the view axis."""
    height, width = depth.shape
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    return points_at(depth, view, rows, columns, (height, width))


def points_at(
    depth: NDArray[np.floating],
    view: View,
    rows: NDArray[Any],
    columns: NDArray[Any],
    size: tuple[int, int],
) -> Floats:
    """Camera-space positions [..., 3] in metres of some depths along the view axis.

    rows, columns: their pixels, whole numbers at the centres, which broadcast against `depth`.
    size: (height, width) of the whole map.
    """
    projection = np.array(view.projection_matrix).reshape(4, 4)
    x = 2.0 * (columns + 0.5) / size[1] - 1.0
    y = 1.0 - 2.0 * (rows + 0.5) / size[0]
    # Clip x is P00 X + P02 Z + P03 and clip w is P32 Z + P33, with Z = -depth.
    metres = np.asarray(depth, np.float64)
    w = -projection[3, 2] * metres + projection[3, 3]
    right = (x * w + projection[0, 2] * metres - projection[0, 3]) / projection[0, 0]
    up = (y * w + projection[1, 2] * metres - projection[1, 3]) / projection[1, 1]
    return np.stack([right, up, -metres], axis=-1)


def camera_normals(points: Floats, values: Floats) -> Floats:
    """Unit normals [h, w, 3], which face away from the camera, of camera-space points [h, w, 3].

    values: [h, w], affine over the picture on every plane. Of the two neighbours on each axis the
    one that lies on the pixel's own plane is used, so that a normal never mixes two faces.
    """
    tangents = []
    for axis in (1, 0):
        point = np.moveaxis(points, axis, 0)
        value = np.moveaxis(values, axis, 0)
        forward = np.concatenate([point[1:] - point[:-1], point[-1:] - point[-2:-1]])
        backward = np.concatenate([point[1:2] - point[:1], point[1:] - point[:-1]])
        bend = np.zeros_like(value)
        bend[1:-1] = np.abs(value[2:] - 2.0 * value[1:-1] + value[:-2])
        # The curvature one pixel on tells which side the pixel's plane continues to.
        after = np.concatenate([bend[1:], bend[-1:]])
        before = np.concatenate([bend[:1], bend[:-1]])
        chosen = np.where((after < before)[..., None], forward, backward)
        tangents.append(np.moveaxis(chosen, 0, axis))
    normals = np.cross(tangents[0], tangents[1])
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return normals / np.maximum(length, 1e-12)


def to_world(points: Floats, view: View) -> Floats:
    """Camera-space positions [..., 3] in the world."""
    matrix = np.array(view.view_matrix).reshape(4, 4)
    return (points - matrix[:3, 3]) @ matrix[:3, :3]
