"""Which texels a surface covers.

Triangles are cut by blocks of texels into parts; a part's texels are rows of it, found from where
its edges cross them (Pineda, "A Parallel Algorithm for Polygon Rasterization", SIGGRAPH 1988).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from .surface import Surface
from .texels import Ints, Parts, Texels

CUT = 32
"""Side in texels of the blocks that triangles are cut by."""
_MARGIN = 1.0
"""Texels around a triangle that show its nearest point."""
_CANDIDATES = 1 << 17
"""Texels at a time, with as much for each as a processor has at hand."""
_TRIANGLES = 1 << 16
"""Triangles that are cut into parts at a time."""
_TOUCHING = 1e-6
"""Texel centres on an edge belong to both of its triangles."""
_WITHIN = 1e-3
"""Weights above this are inside beyond doubt: neighbours share an edge, and that is no overlap."""
_BLOCK = 4
"""Side of the blocks of texels in which free ones are looked for."""
_FLAT = 1e-9
"""An edge that rises less than this for a column bounds rows alone."""


def texels_of(surface: Surface, size: int) -> Texels:
    """Which texels a surface covers, with a margin of one texel around its triangles. Where
    triangles overlap, the last one stays."""
    tile, uvs = surface.within_tiles()
    tiles, tops = len(surface.tiles), (tile * size).astype(np.int32)
    corners = _in_texels(uvs, size)
    corners[1] += tops
    frames, solid = _frames(corners)
    solid = solid[tile[solid] >= 0]
    canvas = _Canvas(size, tiles * size, frames)
    for parts in _cut(corners, solid, size, tops, 0.0):
        canvas.lay_inside(parts)
    beside = len(canvas.triangles)
    sums = _block_sums((canvas.owner < 0).reshape(-1, size))
    nearness = torch.zeros(len(canvas.owner)).numpy()
    for parts in _cut(corners, solid, size, tops, _MARGIN):
        canvas.lay_beside(parts.chosen(_any_within(sums, parts)), beside, nearness)
    places, own = canvas.laid()
    shared = int(np.count_nonzero(canvas.twice))
    return Texels(size, tiles, Parts.joined(canvas.parts), frames, places, own, beside, shared)


class _Canvas:
    """A texture while parts are laid on it: `owner` [rows * size] is the part of each texel, or -1;
    `twice` [rows * size] are texels inside of several triangles."""

    def __init__(self, size: int, rows: int, frames: NDArray[np.float64]) -> None:
        self.size, self.frames = size, frames
        self.steepness = np.hypot(frames[:, 1], frames[:, 2])
        self.owner: Ints = torch.full((rows * size,), -1, dtype=torch.int32).numpy()
        self.twice = np.zeros(rows * size, bool)
        self.parts: list[Parts] = []
        self.triangles = np.zeros(0, np.int32)
        # Of what has been laid, with room for what is laid over; memory that isn't used costs
        # nothing.
        room = 2 * rows * size + 2 * _CANDIDATES
        self._places, self._own = torch.empty(2, room, dtype=torch.int32).numpy()
        self._count = 0

    def lay_inside(self, parts: Parts) -> None:
        """Lay all texels inside of these parts."""
        first = self._add(parts)
        for places, which in _rows(parts, self.frames, self.size, 0.0):
            own = which + first
            before = self.owner.take(places)
            self.owner[places] = own
            for other in (before, self.owner.take(places)):
                doubt = np.flatnonzero((other >= 0) & (other != own))
                spots = places[doubt]
                both = self._within(own[doubt], spots) & self._within(other[doubt], spots)
                self.twice[spots[both]] = True
            self._lay(places, own)

    def lay_beside(self, parts: Parts, beside: int, nearness: NDArray[np.float32]) -> None:
        """Lay texels around these parts, each for the part that it is nearest to, but where one of
        the parts before `beside` is. nearness: [rows * size], of what lies around parts: two less
        the texels to it, 0 where nothing does. It is set to what they are laid at."""
        first = self._add(parts)
        for places, which in _rows(parts, self.frames, self.size, _MARGIN):
            before = self.owner.take(places)
            free = np.flatnonzero((before < 0) | (before >= beside))
            places, which = places[free], which[free]
            triangles = parts.triangles.take(which)
            weights = _weights(self.frames, triangles, places, self.size)
            apart = (-weights / self.steepness[:, triangles]).max(0)
            near = (2.0 * _MARGIN - apart).astype(np.float32)
            closer = np.flatnonzero(near > nearness.take(places))
            places, own, near = places[closer], which[closer] + first, near[closer]
            # The nearest of several is written last.
            order = np.argsort(near)
            self.owner[places[order]], nearness[places[order]] = own[order], near[order]
            self._lay(places, own)

    def laid(self) -> tuple[Ints, Ints]:
        """Places and parts of all texels, by their parts."""
        self._drop_covered()
        return self._places[: self._count], self._own[: self._count]

    def _add(self, parts: Parts) -> int:
        first = len(self.triangles)
        self.parts.append(parts)
        self.triangles = np.concatenate([self.triangles, parts.triangles])
        return first

    def _lay(self, places: Ints, own: Ints) -> None:
        if self._count + len(places) > len(self._places):
            self._drop_covered()
        some = slice(self._count, self._count + len(places))
        self._places[some], self._own[some] = places, own
        self._count = some.stop

    def _drop_covered(self) -> None:
        """Forget texels that others have been laid over."""
        count = 0
        for start in range(0, self._count, _CANDIDATES):
            some = slice(start, min(start + _CANDIDATES, self._count))
            places, own = self._places[some], self._own[some]
            stays = np.flatnonzero(self.owner.take(places) == own)
            kept = slice(count, count + len(stays))
            self._places[kept], self._own[kept] = places[stays], own[stays]
            count = kept.stop
        self._count = count

    def _within(self, own: Ints, places: Ints) -> NDArray[np.bool_]:
        weights = _weights(self.frames, self.triangles.take(own), places, self.size)
        return weights.min(0) > _WITHIN


def _in_texels(uvs: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """UVs [n, 3, 2] → texel coordinates [2, 3, n] (column and row of the corners), a texel's
    centre at integers."""
    return np.stack([uvs[..., 0].T * size - 0.5, (1.0 - uvs[..., 1].T) * size - 0.5])


def _frames(corners: NDArray[np.float64]) -> tuple[NDArray[np.float64], Ints]:
    """How the corners' weights follow from the place: float64 [3, 3, n], of each corner its weight
    at column and row 0 and what a column and a row add to it; and which triangles have an area."""
    x, y = corners[:, 0]
    along, up = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = along[0] * up[1] - along[1] * up[0]
    solid = np.abs(area) > 1e-12
    area = np.where(solid, area, np.inf)
    frames = np.empty((3, 3, len(area)))
    frames[1, 1:] = up[1] / area, -up[0] / area
    frames[2, 1:] = -along[1] / area, along[0] / area
    frames[1:, 0] = -frames[1:, 1] * x - frames[1:, 2] * y
    frames[0] = -frames[1] - frames[2]
    frames[0, 0] += 1.0
    return frames, np.flatnonzero(solid).astype(np.int32)


def _weights(
    frames: NDArray[np.float64], triangles: Ints, places: Ints, size: int
) -> NDArray[np.float64]:
    """[3, m] barycentric coordinates of texel centres in their triangles, negative outside."""
    rows, columns = np.divmod(places, np.int32(size))
    weights = np.empty((3, len(places)))
    for corner in (1, 2):
        start, column, row = (frames[corner, k].take(triangles) for k in range(3))
        weights[corner] = start + column * columns + row * rows
    weights[0] = 1.0 - weights[1] - weights[2]
    return weights


def _cut(
    corners: NDArray[np.float64], solid: Ints, size: int, tops: Ints, margin: float
) -> Iterator[Parts]:
    """The parts of triangles within `margin` texels of them, some triangles at a time. tops: [n],
    the first row of their tile, which they don't leave."""
    for begin in range(0, max(1, len(solid)), _TRIANGLES):
        some = solid[begin : begin + _TRIANGLES]
        first, second, third = np.moveaxis(corners.take(some, 2), 1, 0)
        low = np.minimum(np.minimum(first, second), third)
        high = np.maximum(np.maximum(first, second), third)
        least = np.stack([np.zeros(len(some), np.int32), tops[some]])
        most = least + (size - 1)
        low = np.ceil(low - margin - _TOUCHING).clip(least, most + 1).astype(np.int32)
        high = np.floor(high + margin + _TOUCHING).clip(least - 1, most).astype(np.int32)
        first_block = low // CUT
        across, down = np.maximum(high // CUT - first_block + 1, 0) * (low <= high).all(0)
        counts = across * down
        number = np.repeat(np.arange(len(some)), counts)
        block = np.arange(len(number)) - np.repeat(np.cumsum(counts) - counts, counts)
        blocks = np.stack([block % across[number], block // across[number]])
        blocks += first_block[:, number]
        left, top = np.maximum(low[:, number], blocks * CUT).astype(np.int32)
        right, bottom = np.minimum(high[:, number], blocks * CUT + CUT - 1).astype(np.int32)
        yield Parts(some[number], top, bottom, left, right)


def _rows(
    parts: Parts, frames: NDArray[np.float64], size: int, margin: float
) -> Iterator[tuple[Ints, Ints]]:
    """Places of the texels of parts and a margin around their triangles, and which part each is
    of; some at a time, in the order of the parts."""
    heights = parts.bottom - parts.top + 1
    if not len(parts):
        return
    ends = np.cumsum(heights.astype(np.int64) * (parts.right - parts.left + 1))
    stops = np.searchsorted(ends, np.arange(_CANDIDATES, ends[-1], _CANDIDATES), side="right")
    for start, stop in pairwise([0, *stops, len(ends)]):
        some, tall = parts.chosen(slice(start, stop)), heights[start:stop]
        skipped = np.cumsum(tall) - tall - some.top
        rows = np.arange(tall.sum(dtype=np.int64)) - np.repeat(skipped, tall)
        least, most = np.repeat(some.left, tall).astype(float), np.repeat(some.right, tall)
        for start_weight, column, row in frames[:, :, some.triangles]:
            # The weight is not below -slack on one side of the place where the row crosses it.
            slack = _TOUCHING + margin * (np.abs(column) + np.abs(row))
            leans = np.abs(column) > _FLAT * np.abs(row)
            column = np.where(leans, column, 1.0)
            offset = np.where(leans, -(start_weight + slack) / column, 0.0)
            slope = np.where(leans, -row / column, 0.0)
            crossing = np.repeat(slope, tall) * rows + np.repeat(offset, tall)
            floor = np.where(leans & (column > 0.0), 0.0, -np.inf)
            ceiling = np.where(leans & (column < 0.0), 0.0, np.inf)
            least = np.maximum(least, crossing + np.repeat(floor, tall))
            most = np.minimum(most, crossing + np.repeat(ceiling, tall))
        first = np.ceil(least).astype(np.int32)
        lengths = np.maximum(np.floor(most).astype(np.int32) - first + 1, 0)
        begins = (rows * size).astype(np.int32) + first
        begins -= (np.cumsum(lengths) - lengths).astype(np.int32)
        places = np.repeat(begins, lengths)
        places += np.arange(len(places), dtype=np.int32)
        which = np.arange(start, stop, dtype=np.int32)
        yield places, np.repeat(np.repeat(which, tall), lengths)


def _block_sums(free: NDArray[np.bool_]) -> Ints:
    """How many blocks with a free texel lie above and left of each block's corner."""
    blocks = np.pad(free, [(0, -side % _BLOCK) for side in free.shape])
    for _ in range(2):
        blocks = np.logical_or.reduce([blocks[k::_BLOCK] for k in range(_BLOCK)]).T
    return np.pad(blocks.cumsum(0).cumsum(1), ((1, 0), (1, 0))).astype(np.int32)


def _any_within(sums: Ints, parts: Parts) -> NDArray[np.bool_]:
    """Whether a block with a free texel touches a part's rows and columns."""
    top, left = parts.top // _BLOCK, parts.left // _BLOCK
    bottom, right = parts.bottom // _BLOCK + 1, parts.right // _BLOCK + 1
    found = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return found > 0
