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
    return _last([right, up, -metres])


def camera_normals(points: Floats, values: Floats) -> Floats:
    """Unit normals [h, w, 3], which face away from the camera, of camera-space points [h, w, 3].

    values: [h, w], affine over the picture on every plane. Of the two neighbours on each axis the
    one that lies on the pixel's own plane is used, so that a normal never mixes two faces.
    """
    (ax, ay, az), (bx, by, bz) = (_tangents(points, values, axis) for axis in (1, 0))
    normals = _last([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])
    return normals / np.maximum(np.sqrt(dot(normals, normals)), 1e-12)[..., None]


def _tangents(points: Floats, values: Floats, axis: int) -> Floats:
    """From each point to its neighbour on its plane along an axis, by component [3, h, w]."""
    point = np.moveaxis(points, (axis, 2), (1, 0))
    value = np.moveaxis(values, axis, 0)
    step = point[:, 1:] - point[:, :-1]
    bend = np.zeros_like(value)
    bend[1:-1] = np.abs(value[2:] - 2.0 * value[1:-1] + value[:-2])
    # The curvature one pixel on tells which side the pixel's plane continues to.
    ahead = np.concatenate([bend[1:], bend[-1:]]) < np.concatenate([bend[:1], bend[:-1]])
    # The ends have one neighbour.
    ahead[0], ahead[-1] = True, False
    tangent = np.empty_like(point)
    tangent[:, 1:], tangent[:, 0] = step, 0.0
    np.copyto(tangent[:, :-1], step, where=ahead[:-1])
    return np.moveaxis(tangent, 1, axis + 1)


def dot(first: Floats, second: Floats) -> Floats:
    """Dot products [...] of vectors [..., n]; NumPy's sum of products takes several times as long
    where n is small."""
    return np.einsum("...i,...i", first, second)


def _last(components: list[Floats]) -> Floats:
    """Components [...] as vectors [..., n], which lie in memory component by component: faster in
    all that treats these alike."""
    return np.moveaxis(np.stack(components), 0, -1)


def to_world(points: Floats, view: View) -> Floats:
    """Camera-space positions [..., 3] in the world."""
    matrix = np.array(view.view_matrix).reshape(4, 4)
    return (points - matrix[:3, 3]) @ matrix[:3, :3]
