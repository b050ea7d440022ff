"""The surface of a model as a texture sees it: triangles in the world, and their place in UV space.

Texel (column, row) of a texture of `size` has its centre at u = (column + 0.5) / size,
v = 1 - (row + 0.5) / size: row 0 is the top, as in every picture here. A texture may have several
tiles, squares of UV space that are pictures of their own: they are laid one below the other, so
that the rows of the second follow those of the first.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import maquette_wire.surface
import numpy as np
from maquette_wire.errors import MaquetteError
from maquette_wire.limits import FIRST_TILE
from maquette_wire.messages import Texture
from numpy.typing import NDArray

ROW = 10
"""UDIM tiles beside each other, before the next ones lie above."""
_CANDIDATES = 1 << 18
"""Texels that are tested at a time, which bounds the memory of a raster."""
_TRIANGLES = 1 << 16
"""Triangles that are made rows of at a time."""
_TOUCHING = 1e-6
"""Texel centres on an edge belong to both of its triangles."""
_WITHIN = 1e-3
"""Weights above this are inside beyond doubt: neighbours share an edge, and that is no overlap."""


@dataclass(frozen=True)
class Surface:
    """Triangles of all objects that share one texture.

    Attributes:
        corners: float64 [n, 3, 3], world positions in metres, counter-clockwise seen from outside.
        uvs: float64 [n, 3, 2], in the tiles.
        objects: int32 [n], the number of the object that a triangle belongs to.
        tiles: UDIM numbers of the squares that the texture has.
    """

    corners: NDArray[np.float64]
    uvs: NDArray[np.float64]
    objects: NDArray[np.int32]
    tiles: tuple[int, ...] = (FIRST_TILE,)

    def __post_init__(self) -> None:
        count = len(self.corners)
        shapes = (self.corners.shape, self.uvs.shape, self.objects.shape)
        if shapes != ((count, 3, 3), (count, 3, 2), (count,)):
            raise MaquetteError(
                "bad-surface",
                f"A surface has frames of shapes {shapes}, which don't belong together.",
                "Give corners [n, 3, 3], uvs [n, 3, 2] and objects [n].",
            )
        if not count:
            raise MaquetteError(
                "no-faces", "There is no face to texture.", "Select a mesh that has faces."
            )
        if not (np.isfinite(self.corners).all() and np.isfinite(self.uvs).all()):
            raise MaquetteError(
                "bad-surface",
                "The model has vertices or UVs that are not numbers.",
                "Undo what made them, or give the model another UV map.",
            )

    def normals(self) -> NDArray[np.float64]:
        """[n, 3] unit normals of the triangles; zero where a triangle has no area."""
        first, second, third = np.moveaxis(self.corners, 1, 0)
        across = np.cross(second - first, third - first)
        length = np.linalg.norm(across, axis=1, keepdims=True)
        return np.divide(across, length, out=np.zeros_like(across), where=length > 0)

    def within_tiles(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """For each triangle the place of its tile in `tiles`, -1 where it lies in none, and its
        UVs [n, 3, 2] in that tile."""
        squares = np.array(self.tiles) - FIRST_TILE
        if len(squares) == 1:
            own = np.zeros(len(self.uvs), np.int64)
        else:
            across, up = np.floor(self.uvs.mean(1)).astype(np.int64).T
            own = np.full(len(self.uvs), -1)
            for place, square in enumerate(squares):
                own[(up * ROW + across == square) & (across >= 0) & (across < ROW)] = place
        corner = np.stack([squares[own] % ROW, squares[own] // ROW], 1)
        return own, self.uvs - corner[:, None]


def read_surface(path: Path) -> tuple[Surface, list[str], list[str]]:
    """What the extension wrote: the surface, its objects' names, and what was left out as ground.

    Raises MaquetteError("bad-surface").
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            named = json.loads(file["named"].tobytes())
            tiles = tuple(map(int, named["tiles"]))
            surface = Surface(file["corners"], file["uvs"], file["objects"], tiles)
        return surface, list(named["names"]), list(named["left_out"])
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise MaquetteError(
            "bad-surface", f"The surface in {path} can't be read: {error}.", "Capture it again."
        ) from error


def of_wire(surface: maquette_wire.surface.Surface) -> Surface:
    """The surface that a job brings. Raises MaquetteError("bad-surface", "no-faces")."""
    counts = surface.texture.objects
    return Surface(
        np.asarray(surface.corners).astype(np.float64) + surface.texture.origin,
        np.asarray(surface.uvs).astype(np.float64),
        np.repeat(np.arange(len(counts), dtype=np.int32), counts),
        surface.texture.tiles,
    )


def to_wire(surface: Surface, size: int, bits: Literal[8, 16] = 8) -> maquette_wire.surface.Surface:
    """The surface as a job brings it, for a texture of `size` with so many `bits`; objects are in
    the order of their numbers."""
    low, high = surface.corners.min((0, 1)), surface.corners.max((0, 1))
    origin = (low + high) / 2
    order = np.argsort(surface.objects, kind="stable")
    counts = np.bincount(surface.objects)
    texture = Texture(
        size=size,
        objects=tuple(int(count) for count in counts if count),
        origin=(float(origin[0]), float(origin[1]), float(origin[2])),
        tiles=surface.tiles,
        bits=bits,
    )
    return maquette_wire.surface.Surface(
        texture,
        np.ascontiguousarray((surface.corners[order] - origin).astype(np.float32)),
        np.ascontiguousarray(surface.uvs[order].astype(np.float32)),
    )


@dataclass(frozen=True)
class Texels:
    """What the texels of a texture show, each once, ordered by their place.

    Attributes:
        size: side of the texture.
        tiles: how many it has.
        places: int64 [m], row * size + column, rising.
        triangles: int64 [m].
        weights: float32 [m, 3], of the triangle's corners; they sum to one.
        inside: bool [m]; the others lie beside their triangle and show its nearest point, so that
            a triangle narrower than a texel is not lost.
        shared: how many texels lie inside of more than one triangle that is not its neighbour on
            an edge: more than a few are an overlap.
    """

    size: int
    tiles: int
    places: NDArray[np.int64]
    triangles: NDArray[np.int64]
    weights: NDArray[np.float32]
    inside: NDArray[np.bool_]
    shared: int

    def __len__(self) -> int:
        return len(self.places)

    @property
    def total(self) -> int:
        """Of all texels, also those that show nothing."""
        return self.tiles * self.size**2

    def positions(self, surface: Surface, part: slice = slice(None)) -> NDArray[np.float64]:
        """[m, 3], metres."""
        corners = surface.corners[self.triangles[part]]
        return np.einsum("mk,mkx->mx", self.weights[part].astype(np.float64), corners)


def texels_of(surface: Surface, size: int) -> Texels:
    """Which texels a surface covers, with a margin of one texel around its triangles.

    Triangles become rows of texels, and each texel is tested by signed areas (Pineda, "A Parallel
    Algorithm for Polygon Rasterization", SIGGRAPH 1988). Where triangles overlap, the last one
    stays.
    """
    tile, uvs = surface.within_tiles()
    parts = [
        _texels_of(np.flatnonzero(tile == number), uvs, number, size)
        for number in range(len(surface.tiles))
    ]
    places, triangles, weights, inside, shared = zip(*parts, strict=True)
    return Texels(
        size,
        len(parts),
        np.concatenate(places),
        np.concatenate(triangles),
        np.concatenate(weights),
        np.concatenate(inside),
        sum(shared),
    )


def _texels_of(
    own: NDArray[np.int64], all_uvs: NDArray[np.float64], tile: int, size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.bool_], int]:
    """What `Texels` has from `places` on, of one tile and its `own` triangles."""
    uvs = all_uvs[own]
    owner = np.full(size * size, -1, np.int32)
    weights = np.zeros((size * size, 3), np.float32)
    times = np.zeros(size * size, np.uint16)
    for triangles, places, found in _candidates(uvs, size, 0.0):
        least = found.min(1)
        inside = least >= -_TOUCHING
        owner[places[inside]] = triangles[inside]
        weights[places[inside]] = found[inside]
        np.add.at(times, places[least > _WITHIN], 1)
    first = owner >= 0
    nearest = np.full(size * size, np.inf, np.float32)
    for triangles, places, found in _candidates(uvs, size, 1.0, ~first):
        # How far outside, by the most negative weight.
        outside = -found.min(1)
        closer = outside < nearest[places]
        chosen, places = triangles[closer], places[closer]
        owner[places], weights[places] = chosen, found[closer]
        nearest[places] = outside[closer]
    places = np.flatnonzero(owner >= 0)
    clean = np.clip(weights[places], 0.0, None)
    clean /= clean.sum(1, keepdims=True)
    triangles = own[owner[places]]
    return places + tile * size * size, triangles, clean, first[places], int((times > 1).sum())


def _in_texels(uvs: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """UVs [n, 3, 2] → texel coordinates [n, 3, 2] (column, row), a texel's centre at integers."""
    return np.stack([uvs[..., 0] * size - 0.5, (1.0 - uvs[..., 1]) * size - 0.5], -1)


def _candidates(
    uvs: NDArray[np.float64], size: int, margin: float, free: NDArray[np.bool_] | None = None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    """(triangles, places, weights of the corners there) of all texels within `margin` of a row's
    part of a triangle, or of those that are `free` [size²]; weights are negative outside.
    Triangles without area have no texels."""
    for begin in range(0, len(uvs), _TRIANGLES):
        corners = _in_texels(uvs[begin : begin + _TRIANGLES], size)
        triangles, rows, low, high = _rows(corners, size, margin)
        frames = _frames(corners)
        counts = high - low + 1
        ends = np.cumsum(counts)
        start = 0
        while start < len(triangles):
            before = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, before + _CANDIDATES, side="right")))
            lengths = counts[start:stop]
            # Of a span's first texel, less how many candidates come before it.
            first = (
                rows[start:stop] * size + low[start:stop] - (ends[start:stop] - before - lengths)
            )
            places = np.repeat(first, lengths)
            places += np.arange(len(places))
            chosen = np.repeat(triangles[start:stop], lengths)
            if free is not None:
                open_places = free[places]
                places, chosen = places[open_places], chosen[open_places]
            yield chosen + begin, places, _weights(frames[chosen], places, size)
            start = stop


def _rows(
    corners: NDArray[np.float64], size: int, margin: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The rows that each triangle crosses: (triangles, rows, first and last column), clipped."""
    area = _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    solid = np.flatnonzero(np.abs(area) > 1e-12)
    low = np.ceil(corners[solid, :, 1].min(1) - margin - _TOUCHING).clip(0, size).astype(np.int64)
    high = np.floor(corners[solid, :, 1].max(1) + margin + _TOUCHING).clip(-1, size - 1)
    counts = np.maximum(high.astype(np.int64) - low + 1, 0)
    triangles = np.repeat(solid, counts)
    rows = np.arange(len(triangles)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows += np.repeat(low, counts)
    # Where the triangle is cut by the band of rows within the margin: its corners in the band, and
    # where its edges cross the band's two sides.
    least = np.full(len(triangles), np.inf)
    most = np.full(len(triangles), -np.inf)
    for corner in range(3):
        begin, end = corners[triangles, corner], corners[triangles, (corner + 1) % 3]
        rise = end[:, 1] - begin[:, 1]
        for side in (rows - margin - _TOUCHING, rows + margin + _TOUCHING):
            with np.errstate(divide="ignore", invalid="ignore"):
                share = np.where(rise != 0.0, (side - begin[:, 1]) / rise, 0.0).clip(0.0, 1.0)
            column = begin[:, 0] + share * (end[:, 0] - begin[:, 0])
            near = np.abs(begin[:, 1] + share * rise - rows) <= margin + 2 * _TOUCHING
            least = np.where(near, np.minimum(least, column), least)
            most = np.where(near, np.maximum(most, column), most)
    first = np.ceil(least - margin - _TOUCHING).clip(0, size)
    last = np.floor(most + margin + _TOUCHING).clip(-1, size - 1)
    some = first <= last
    return triangles[some], rows[some], first[some].astype(int), last[some].astype(int)


def _frames(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n, 6] of triangles [n, 3, 2]: the first corner, and what an offset from it, in columns and
    rows, adds to the weights of the second and of the third corner. Not finite without area."""
    first, second, third = np.moveaxis(corners, 1, 0)
    along, up = second - first, third - first
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.stack([up[:, 1], -up[:, 0], -along[:, 1], along[:, 0]], 1)
        return np.concatenate([first, parts / _cross(along, up)[:, None]], 1)


def _weights(
    frames: NDArray[np.float64], places: NDArray[np.int64], size: int
) -> NDArray[np.float32]:
    """[m, 3] barycentric coordinates of texel centres in their triangles."""
    rows, columns = np.divmod(places, size)
    columns, rows = columns - frames[:, 0], rows - frames[:, 1]
    weights = np.empty((len(places), 3), np.float32)
    weights[:, 1] = second = columns * frames[:, 2] + rows * frames[:, 3]
    weights[:, 2] = third = columns * frames[:, 4] + rows * frames[:, 5]
    weights[:, 0] = 1.0 - second - third
    return weights


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
