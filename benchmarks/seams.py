"""Whether a texture shows where its UV map is cut.

Two triangles that share an edge of the model lie side by side in one island of the UV map, or
across a border of islands. Colours are compared half a texel to both sides of an edge, and from
there to a texel further in, which is the interior. Where the surface turns at an edge, pictures
change there with it, cut or not; so edges that are nearly flat are told by themselves.
"""

from __future__ import annotations

import numpy as np
from maquette.texturing.surface import Surface
from numpy.typing import NDArray

FLAT = np.cos(np.radians(10.0))
SAMPLES = 400_000
Array = NDArray[np.float64]


def seams(surface: Surface, picture: NDArray[np.float32]) -> dict[str, float]:
    """Mean difference of colours across borders of islands over that in the interior: of all
    edges, `seam`, and of nearly flat ones, `flat seam`; and `uncut`, of edges within islands. Not
    a number where there are none. picture: [size, size, 3]."""
    first, second, cut = _edges(surface)
    normals = surface.normals()
    flat = (normals[first // 3] * normals[second // 3]).sum(1) > FLAT
    size = len(picture)
    length = np.linalg.norm(np.subtract(*_ends(surface.corners, first)), axis=1)
    texel = np.sqrt(_area(surface.corners) / np.maximum(_area(surface.uvs), 1e-18)) / size
    step = np.sqrt(texel[first // 3] * texel[second // 3])
    count = np.maximum(1, length / step * min(1.0, SAMPLES / (length / step).sum())).astype(int)
    edges = np.repeat(np.arange(len(first)), count)
    along = np.random.default_rng(0).uniform(0.05, 0.95, len(edges))
    rows = [
        (_inwards(surface, each[edges], share, far * step[edges]))
        for each, share in ((first, along), (second, 1.0 - along))
        for far in (0.5, 1.5)
    ]
    near_a, far_a, near_b, far_b = (_sample(picture, uv) for uv, _ in rows)
    good = np.all([inside for _, inside in rows], 0)
    across = np.abs(near_a - near_b).mean(1)
    within = (np.abs(near_a - far_a).mean(1) + np.abs(near_b - far_b).mean(1)) / 2

    def ratio(chosen: NDArray[np.bool_]) -> float:
        some = chosen[edges] & good
        return float(across[some].mean() / within[some].mean()) if some.any() else float("nan")

    return {"seam": ratio(cut), "flat seam": ratio(cut & flat), "uncut": ratio(~cut)}


def _edges(surface: Surface) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Edges [n] of two triangles, as 3 * triangle + its first corner, in both; and which of them
    the UV map is cut at. The two run against each other."""
    corners = np.round(surface.corners.reshape(-1, 3) * 1e4).astype(np.int64)
    points = np.unique(corners, axis=0, return_inverse=True)[1].reshape(-1, 3)
    begin, end = points.ravel(), np.roll(points, -1, 1).ravel()
    count = points.max() + 1
    key = np.minimum(begin, end) * count + np.maximum(begin, end)
    order = np.argsort(key, kind="stable")
    _, starts, uses = np.unique(key[order], return_index=True, return_counts=True)
    pair = starts[uses == 2]
    first, second = order[pair], order[pair + 1]
    opposed = begin[first] == end[second]
    first, second = first[opposed], second[opposed]
    ours, theirs = _ends(surface.uvs, first), _ends(surface.uvs, second)
    apart = np.abs(np.stack(ours) - np.stack(theirs[::-1])).max((0, 2))
    return first, second, apart > 1e-5


def _ends(values: Array, edges: NDArray[np.int64]) -> tuple[Array, Array]:
    """Of corners' values [n, 3, c] those at both ends of edges."""
    triangles, corner = edges // 3, edges % 3
    return values[triangles, corner], values[triangles, (corner + 1) % 3]


def _area(corners: Array) -> Array:
    along, up = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    squares = (along**2).sum(1) * (up**2).sum(1) - (along * up).sum(1) ** 2
    return np.sqrt(np.maximum(squares, 0.0)) / 2


def _inwards(
    surface: Surface, edges: NDArray[np.int64], along: Array, far: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """UVs of points at a share of the way along edges, so many metres from them within their
    triangle, and whether they are in it."""
    begin, end = _ends(surface.corners, edges)
    apex = surface.corners[edges // 3, (edges % 3 + 2) % 3]
    way = end - begin
    foot = ((apex - begin) * way).sum(1) / np.maximum((way**2).sum(1), 1e-18)
    height = np.linalg.norm(apex - begin - foot[:, None] * way, axis=1)
    share = far / np.maximum(height, 1e-9)
    # Barycentric: the apex has `share`, and the ends what puts the point square to the edge.
    last = along - share * foot
    first = 1.0 - share - last
    u, v = _ends(surface.uvs, edges)
    top = surface.uvs[edges // 3, (edges % 3 + 2) % 3]
    uvs = first[:, None] * u + last[:, None] * v + share[:, None] * top
    return uvs, (first > 0) & (last > 0) & (share < 1)


def _sample(picture: NDArray[np.float32], uvs: Array) -> Array:
    """Bilinear, as a renderer samples a texture; [n, 3]."""
    size = len(picture)
    x, y = uvs[:, 0] * size - 0.5, (1.0 - uvs[:, 1]) * size - 0.5
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    result = np.zeros((len(uvs), 3))
    for dx, dy in np.ndindex(2, 2):
        share = np.abs(1 - dx - (x - left)) * np.abs(1 - dy - (y - top))
        taken = picture[(top + dy).clip(0, size - 1), (left + dx).clip(0, size - 1)]
        result += share[:, None] * taken
    return result
