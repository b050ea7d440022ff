"""Whether a texture shows where its UV map is cut.

Two triangles that share an edge of the model lie side by side in one island of the UV map, or
across a border of islands. The change of a texture from half a texel before an edge to half a texel
after it is held against that from texel to texel inside of islands. A UV map is also cut where the
surface turns, and there pictures change, cut or not: a white wall meets a black roof. So it is held
against that of the views themselves at the same points, too; and where the surface goes on, as
around a round wall, against whichever of the two is more, since there a cut could be seen.
"""

from __future__ import annotations

import numpy as np
from maquette.srgb import srgb_of_linear
from maquette.texturing.bake import Baked, Stage
from maquette.texturing.surface import Surface
from numpy.typing import NDArray

SAMPLES = 100_000
GOES_ON = float(np.cos(np.radians(30.0)))
"""Cosine of the most that a surface turns where it goes on, as around a round wall."""
Array = NDArray[np.float64]


def seams(surface: Surface, stage: Stage, baked: Baked) -> tuple[float, float, float]:
    """Mean difference of colours across borders of islands in a texture, where views see both
    sides: over that which the views show there; over that from texel to texel inside of islands;
    and, of borders alone where the surface goes on, over the greater of both at each point. Not a
    number where the map isn't cut so."""
    picture = baked.picture
    first, second, cut = _edges(surface)
    first, second = first[cut], second[cut]
    length = np.linalg.norm(np.subtract(*_ends(surface.corners, first)), axis=1)
    texel = np.sqrt(_area(surface.corners) / np.maximum(_area(surface.uvs), 1e-18)) / len(picture)
    step = np.sqrt(texel[first // 3] * texel[second // 3])
    count = length / step
    count = np.ceil(count * min(1.0, SAMPLES / max(1.0, count.sum()))).astype(int)
    edges = np.repeat(np.arange(len(first)), count)
    along = np.random.default_rng(0).uniform(0.05, 0.95, len(edges))
    good = np.ones(len(edges), bool)
    textured, shown = [], []
    for side, share in ((first[edges], along), (second[edges], 1.0 - along)):
        weights = _beside(surface.corners, side, share, step[edges] / 2)
        uvs, points = (
            np.einsum("kn,nkc->nc", weights, _from_edge(each, side))
            for each in (surface.uvs, surface.corners)
        )
        colors, seen = stage.shown_at(points, side // 3)
        good &= seen & (weights > 0.0).all(0)
        textured.append(_sample(picture, uvs))
        shown.append(srgb_of_linear(colors))
    across, by_views = (np.abs(a - b)[good].mean(1) for a, b in (textured, shown))
    normals = surface.normals()
    turn = (normals[first[edges] // 3] * normals[second[edges] // 3]).sum(1)[good]
    inside = _inside(picture, baked.seen)
    smooth = turn > GOES_ON
    return (
        _mean(across) / _mean(by_views),
        _mean(across) / inside,
        _mean(across[smooth]) / _mean(np.maximum(by_views, inside)[smooth]),
    )


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _inside(picture: NDArray[np.float32], seen: NDArray[np.bool_]) -> float:
    """The mean difference of texels beside each other that views see."""
    differences = []
    for axis in (0, 1):
        mask, colors = np.moveaxis(seen, axis, 0), np.moveaxis(picture, axis, 0)
        both = mask[1:] & mask[:-1]
        differences.append(np.abs(colors[1:] - colors[:-1])[both].mean(1))
    return float(np.concatenate(differences).mean())


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


def _from_edge(values: Array, edges: NDArray[np.int64]) -> Array:
    """Corners' values [n, 3, c], from the one that an edge begins at."""
    turned = (edges[:, None] + np.arange(3)) % 3
    return values[(edges // 3)[:, None], turned]


def _beside(corners: Array, edges: NDArray[np.int64], along: Array, far: Array) -> Array:
    """Weights [3, n], from the corner that an edge begins at, of points at a share of the way along
    edges, so many metres from them; not all above zero where that is outside of the triangle."""
    begin, end, apex = np.moveaxis(_from_edge(corners, edges), 1, 0)
    way = end - begin
    foot = ((apex - begin) * way).sum(1) / np.maximum((way**2).sum(1), 1e-18)
    height = np.linalg.norm(apex - begin - foot[:, None] * way, axis=1)
    share = far / np.maximum(height, 1e-9)
    # The apex has its share, and the ends what puts the point square to the edge.
    last = along - share * foot
    return np.stack([1.0 - share - last, last, share])


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
