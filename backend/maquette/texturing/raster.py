"""Which texels a surface covers.

Triangles are cut by blocks of texels into parts; a part's texels are rows of it, found from where
its edges cross them (Pineda, "A Parallel Algorithm for Polygon Rasterization", SIGGRAPH 1988).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from ..workers import ALONE, Workers
from .surface import Surface
from .texels import Ints, Parts, Texels

CUT = 32
"""Side in texels of the blocks that triangles are cut by."""
BAND = 4 * CUT
"""Rows of texels that are laid at a time."""
_MARGIN = 1.0
"""Texels around a triangle that show its nearest point."""
_CANDIDATES = 1 << 18
"""Texels at a time, with as much for each as a processor has at hand."""
_TRIANGLES = 1 << 15
"""Triangles that are cut into parts at a time."""
_TOUCHING = 1e-6
"""Texel centres on an edge belong to both of its triangles."""
_WITHIN = 1e-3
"""Weights above this are inside beyond doubt: neighbours share an edge, and that is no overlap."""
_BLOCK = 4
"""Side of the blocks of texels in which free ones are looked for."""
_FLAT = 1e-9
"""An edge that rises less than this for a column bounds rows alone."""


def texels_of(surface: Surface, size: int, workers: Workers = ALONE) -> Texels:
    """Which texels a surface covers, with a margin of one texel around its triangles. Where
    triangles overlap, the last one stays."""
    tile, uvs = surface.within_tiles()
    tiles, tops = len(surface.tiles), (tile * size).astype(np.int32)
    corners = _in_texels(uvs, size)
    corners[1] += tops
    frames, solid = _frames(corners)
    solid = solid[tile[solid] >= 0]
    starts = range(0, max(1, len(solid)), _TRIANGLES)
    some = [solid[start : start + _TRIANGLES] for start in starts]
    count = -(-tiles * size // BAND)

    def bands(margin: float) -> list[Parts]:
        cut = workers.each(lambda each: _cut(corners, each, size, tops, margin), some)
        parts = Parts.joined(list(cut))
        # A part lies in one block, and so in one band.
        own = (parts.top // BAND).astype(np.uint16)
        ends = np.bincount(own, minlength=count).cumsum()
        parts = parts.chosen(np.argsort(own, kind="stable"))
        return [parts.chosen(slice(*each)) for each in pairwise([0, *ends])]

    covered = np.empty(tiles * size * size, bool)

    def lay(band: tuple[int, Parts, Parts]) -> tuple[_Laid, _Laid, int]:
        number, inside, beside = band
        made = _Band(size, number * BAND, min(BAND, tiles * size - number * BAND))
        laid = made.lay(inside, beside, frames)
        np.greater_equal(made.owner, 0, out=covered[made.start :][: len(made.owner)])
        return *laid, made.shared

    whole = zip(range(count), bands(0.0), bands(_MARGIN), strict=True)
    inside, beside, shared = zip(*workers.each(lay, whole), strict=True)
    first = sum(len(each.parts) for each in inside)
    laid = [*inside, *beside]
    del inside, beside
    parts, places, own, ends = _joined(laid)
    return Texels(size, tiles, parts, frames, covered, places, own, ends, first, sum(shared))


@dataclass(frozen=True)
class _Laid:
    """Texels of a band whose places begin with `start`, in pieces: the places from there on, and
    which of the parts [p] each is of, ascending with numbers from `first` on."""

    parts: Parts
    start: np.int32
    first: np.int32
    pieces: list[tuple[Ints, Ints]]


def _joined(laid: list[_Laid]) -> tuple[Parts, Ints, Ints, NDArray[np.int64]]:
    """Parts, places, own and ends of the texels together. The list is emptied on the way, for the
    memory that it takes."""
    parts = Parts.joined([each.parts for each in laid])
    total = sum(len(own) for each in laid for _, own in each.pieces)
    # PyTorch's memory, since a piece as large costs several times as much to come by from NumPy.
    places, own = torch.empty(2, total, dtype=torch.int32).numpy()
    laid.reverse()
    start = before = 0
    while laid:
        each = laid.pop()
        for spots, numbers in each.pieces:
            some = slice(start, start + len(spots))
            np.add(spots, each.start, out=places[some])
            np.add(numbers, np.int32(before) - each.first, out=own[some])
            start = some.stop
        before += len(each.parts)
    ends, final = np.zeros(len(parts), np.int64), np.ones(total, bool)
    np.not_equal(own[1:], own[:-1], out=final[:-1])
    last = np.flatnonzero(final)
    ends[own[last]] = last + 1
    return parts, places, own, np.maximum.accumulate(ends)


class _Band:
    """Some rows of a texture, from `top` on, while parts are laid on them: `owner` [rows * size] is
    the part of each texel, or -1; `shared` is how many are inside of several triangles."""

    def __init__(self, size: int, top: int, rows: int) -> None:
        self.size, self.top, self.start = size, top, np.int32(top * size)
        self.owner = np.full(rows * size, -1, np.int32)
        self.shared = 0

    def lay(self, inside: Parts, beside: Parts, frames: NDArray[np.float64]) -> tuple[_Laid, _Laid]:
        """All texels inside of these parts, and of these others around them. frames: of the
        triangles."""
        first = self._lay_inside(inside, frames.take(inside.triangles, 2))
        sums = _block_sums((self.owner < 0).reshape(-1, self.size))
        beside = beside.chosen(_any_within(sums, beside, self.top))
        second = self._lay_beside(beside, frames.take(beside.triangles, 2), np.int32(len(inside)))
        return first, second

    def _lay_inside(self, parts: Parts, frames: NDArray[np.float64]) -> _Laid:
        laid = list(_rows(parts, frames, self.size, self.start, 0.0))
        for spots, own in laid:
            self.owner[spots] = own
        twice = np.zeros(len(self.owner), bool)
        for spots, own, last in self._laid_over(laid):
            both = np.ones(len(spots), bool)
            for each in (own, last):
                both &= _weights(frames, each, spots + self.start, self.size).min(0) > _WITHIN
            twice[spots[both]] = True
        self.shared = int(np.count_nonzero(twice))
        return _Laid(parts, self.start, np.int32(0), laid)

    def _lay_beside(self, parts: Parts, frames: NDArray[np.float64], first: np.int32) -> _Laid:
        """Each texel for the part that it is nearest to, but where one lies that is inside. first:
        their numbers are from this one on."""
        laid = []
        steepness = np.hypot(frames[:, 1], frames[:, 2])
        # Of what lies around parts: two less the texels to it, 0 where nothing does.
        nearness = np.zeros(len(self.owner), np.float32)
        for spots, which in _rows(parts, frames, self.size, self.start, _MARGIN):
            before = self.owner.take(spots)
            free = np.flatnonzero((before < 0) | (before >= first))
            spots, which = spots[free], which[free]
            weights = _weights(frames, which, spots + self.start, self.size)
            near = (2.0 * _MARGIN - (-weights / steepness.take(which, 1)).max(0)).astype(np.float32)
            closer = np.flatnonzero(near > nearness.take(spots))
            own, near, spots = which[closer] + first, near[closer], spots[closer]
            # The nearest of several is written last.
            order = np.argsort(near)
            self.owner[spots[order]], nearness[spots[order]] = own[order], near[order]
            laid.append((spots, own))
        deque(self._laid_over(laid), 0)
        return _Laid(parts, self.start, first, laid)

    def _laid_over(self, laid: list[tuple[Ints, Ints]]) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Take out of `laid` what others were laid over; with which of these, for each piece."""
        for number, (spots, own) in enumerate(laid):
            last = self.owner.take(spots)
            under = np.flatnonzero(last != own)
            if len(under):
                stays = np.flatnonzero(last == own)
                laid[number] = spots.take(stays), own.take(stays)
                yield spots[under], own[under], last[under]


def _in_texels(uvs: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """UVs [n, 3, 2] → texel coordinates [2, 3, n] (column and row of the corners), a texel's
    centre at integers."""
    corners = np.empty((2, *uvs.shape[1::-1]))
    np.multiply(uvs[..., 0].T, size, out=corners[0])
    np.multiply(1.0 - uvs[..., 1].T, size, out=corners[1])
    corners -= 0.5
    return corners


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
    frames: NDArray[np.float64], which: Ints, places: Ints, size: int
) -> NDArray[np.float64]:
    """[3, m] barycentric coordinates of texel centres in triangles, negative outside. which: [m],
    of those whose frames [3, 3, k] are given."""
    rows, columns = np.divmod(places, np.int32(size))
    weights = np.empty((3, len(places)))
    for corner in (1, 2):
        start, column, row = (frames[corner, k].take(which) for k in range(3))
        weights[corner] = start + column * columns + row * rows
    weights[0] = 1.0 - weights[1] - weights[2]
    return weights


def _cut(corners: NDArray[np.float64], some: Ints, size: int, tops: Ints, margin: float) -> Parts:
    """The parts of some triangles within `margin` texels of them. tops: [n], the first row of their
    tile, which they don't leave."""
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
    return Parts(some[number], top, bottom, left, right)


def _rows(
    parts: Parts, frames: NDArray[np.float64], size: int, begin: np.int32, margin: float
) -> Iterator[tuple[Ints, Ints]]:
    """Places, from `begin` on, of the texels of parts and a margin around their triangles, and
    which part each is of; some at a time, in the order of the parts. frames: [3, 3, p], of the
    parts' triangles."""
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
        for start_weight, column, row in frames[:, :, start:stop]:
            # The weight is not below -slack on one side of the place where the row crosses it.
            slack = _TOUCHING + margin * (np.abs(column) + np.abs(row))
            leans = np.abs(column) > _FLAT * np.abs(row)
            column = np.where(leans, column, 1.0)
            offset = np.where(leans, -(start_weight + slack) / column, 0.0)
            slope = np.where(leans, -row / column, 0.0)
            floor = np.where(leans & (column > 0.0), offset, -np.inf)
            ceiling = np.where(leans & (column < 0.0), offset, np.inf)
            leaning = np.repeat(slope, tall)
            leaning *= rows
            least = np.maximum(least, leaning + np.repeat(floor, tall))
            most = np.minimum(most, leaning + np.repeat(ceiling, tall))
        first = np.ceil(least).astype(np.int32)
        lengths = np.maximum(np.floor(most).astype(np.int32) - first + 1, 0)
        begins = (rows * size - begin).astype(np.int32) + first
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


def _any_within(sums: Ints, parts: Parts, first: int) -> NDArray[np.bool_]:
    """Whether a block with a free texel touches a part's rows and columns. first: the row that
    `sums` begin with."""
    top, left = (parts.top - first) // _BLOCK, parts.left // _BLOCK
    bottom, right = (parts.bottom - first) // _BLOCK + 1, parts.right // _BLOCK + 1
    found = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return found > 0
