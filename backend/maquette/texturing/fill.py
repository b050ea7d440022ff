"""Colours for texels that no view sees, and for the texture around its islands.

What the views saw of an object is taken as a coarse volume of colours for each of six directions
that a surface may face. Cells that nothing was seen in take what lies around them from coarser
volumes (pull and push: Gortler et al., "The Lumigraph", SIGGRAPH 1996), and an unseen texel takes
the colours at its place of the directions that it faces (the ambient cube: McTaggart, "Half-Life 2
Valve Source Shading", GDC 2004). So a fill is a smooth function of place and facing, and shows no
border of an island. Then every island is continued outwards, so that no mip level mixes in another
colour.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool3d, grid_sample

from ..workers import ALONE, Workers
from .tensors import put, which_above
from .texels import Ints, Patches, Texels

_CELLS = 4, 32
"""Least and greatest number of cells along the longest side of an object."""
_TEXELS = 16
"""Side of a square of texels that a cell is about as large as."""
_KNOWN = 1 << 16
"""Seen texels of an object that are looked at, spread over its surface."""
_NEAR = 2
"""Cells along a side of the coarsest volume that is of one direction; beyond, any one counts."""
_ROWS = 128
"""Rows of texels that are continued at a time; even."""
_CHUNK = 1 << 17
"""Texels at a time, with as much for each as a processor has at hand."""


def fill(
    linear: NDArray[np.float32],
    seen: NDArray[np.bool_],
    objects: NDArray[np.int32],
    patches: Patches,
    workers: Workers = ALONE,
) -> None:
    """Colour the unseen texels of `linear` [all texels, 3] from the others, in place. seen: [m], of
    the texels; some are. objects: [n], of the triangles."""
    texels, canvas = patches.texels, torch.from_numpy(linear)
    facing = _facing(patches.normals.index_select(1, patches.planes))

    def spots(chosen: Ints) -> tuple[Tensor, Tensor]:
        own = torch.from_numpy(texels.own.take(chosen)).to(patches.device).long()
        return patches.points(chosen, own), facing.index_select(1, own)

    def volumes() -> Iterator[tuple[_Volume, Ints]]:
        """Each with some of the texels that it colours."""
        for wanted, known in _by_object(objects[texels.parts.triangles], texels, seen):
            some = known[:: max(1, len(known) // _KNOWN)]
            colors = torch.from_numpy(linear[texels.places[some]]).to(patches.device)
            volume = _Volume(*spots(some), colors.T, len(wanted) + len(known))
            for start in range(0, len(wanted), _CHUNK):
                yield volume, wanted[start : start + _CHUNK]

    def color(given: tuple[_Volume, Ints]) -> None:
        volume, chosen = given
        put(canvas, texels.places[chosen], volume.colors(*spots(chosen)))

    workers.all(color, volumes())


def _by_object(
    of_parts: NDArray[np.int32], texels: Texels, seen: NDArray[np.bool_]
) -> Iterator[tuple[Ints, Ints]]:
    """Of each object that has any, the texels that no view sees, and those whose colours they take:
    of the same object or, where no view sees it, of all. of_parts: the objects of the parts."""
    wanted, known = _numbers(~seen), _numbers(seen)
    count = int(of_parts.max()) + 1
    if count == 1:
        yield wanted, known
        return
    of_texels = np.repeat(of_parts, np.diff(texels.ends, prepend=0))

    def split(chosen: Ints) -> list[Ints]:
        own = of_texels.take(chosen)
        ends = np.bincount(own, minlength=count).cumsum()
        return np.split(chosen.take(np.argsort(own, kind="stable")), ends[:-1])

    lost = []
    for own, beside in zip(split(wanted), split(known), strict=True):
        if not len(beside):
            lost.append(own)
        elif len(own):
            yield own, beside
    # What stands near to it.
    if sum(map(len, lost)):
        yield np.concatenate(lost), known


def _numbers(mask: NDArray[np.bool_]) -> Ints:
    """Where a mask [n] is true, in half the memory that NumPy takes."""
    starts = range(0, len(mask), _CHUNK)
    found = [np.flatnonzero(mask[start : start + _CHUNK]) + start for start in starts]
    return np.concatenate(found, dtype=np.int32)


class _Volume:
    """Colours [3, k] at points [3, k] that face six ways [6, k], continued to everywhere; `texels`
    is of how many texels they are a sample."""

    def __init__(self, points: Tensor, facing: Tensor, colors: Tensor, texels: int) -> None:
        self._low = points.amin(1, keepdim=True)
        self._extent = (points.amax(1, keepdim=True) - self._low).clamp(min=1e-6)
        longest = min(max(texels**0.5 / _TEXELS, _CELLS[0]), _CELLS[1])
        shares = (self._extent / self._extent.max())[:, 0].tolist()
        # Powers of two, that each level halves.
        cells = [1 << max(0, round(math.log2(longest * share))) for share in shares]
        count = torch.tensor(cells, device=points.device)[:, None]
        x, y, z = ((points - self._low) / self._extent * count).long().minimum(count - 1)
        spots = (z * cells[1] + y) * cells[0] + x
        sums = torch.zeros(6, 4, math.prod(cells), device=points.device)
        for own, share in zip(sums, facing, strict=True):
            for channel, values in zip(own, (*colors, 1.0), strict=True):
                channel.index_add_(0, spots, share * values)
        sums = sums.reshape(6, 4, *cells[::-1])
        alike, any_way = _continued(sums, _NEAR), _continued(sums.sum(0, keepdim=True), 1)
        self._values = alike[:, :3] + (1.0 - alike[:, 3:]) * (any_way[:, :3] / any_way[:, 3:])

    def colors(self, points: Tensor, facing: Tensor) -> Tensor:
        """[3, n]"""
        places = (points - self._low) / self._extent
        result = torch.zeros_like(points)
        for values, share in zip(self._values, facing, strict=True):
            rows = which_above(share, 1e-6)
            if len(rows):
                found = _trilinear(values, places.index_select(1, rows))
                result.index_add_(1, rows, found * share.index_select(0, rows))
        return result


def _trilinear(volume: Tensor, places: Tensor) -> Tensor:
    """Values [c, n] of a volume [c, z, y, x] at places [3, n] (x, y, z) from 0 to 1 along its
    sides; those of the outermost cells beyond their centres."""
    # Two looks at a picture that has the layers one below the other: much faster than one at a
    # volume.
    layers, height = volume.shape[1:3]
    x, y, z = places
    z = (z * layers).sub_(0.5).clamp_(0.0, layers - 1.0)
    below = z.floor()
    above = (below + 1.0).clamp_(max=layers - 1.0)
    y = (y * height).clamp_(0.5, height - 0.5)
    picture = volume.flatten(1, 2)[None]

    grid = torch.stack([x * 2.0 - 1.0, y])

    def looked(layer: Tensor) -> Tensor:
        torch.mul(layer, height, out=grid[1]).add_(y).mul_(2.0 / (layers * height)).sub_(1.0)
        spots = grid.T[None, None]
        found = grid_sample(picture, spots, padding_mode="border", align_corners=False)
        return found[0, :, 0]

    return torch.lerp(looked(below), looked(above), z - below)


def _facing(normals: Tensor) -> Tensor:
    """[6, n], how much unit normals [3, n] face along each axis and against it; they sum to one."""
    return torch.cat([normals.clamp(min=0.0), normals.clamp(max=0.0)]).square()


def _continued(sums: Tensor, coarsest: int) -> Tensor:
    """Sums of colours and their weights in the cells of volumes, [v, 4, z, y, x], to colours
    wherever there is one in a cell beside, of a volume no coarser than `coarsest` cells a side;
    with the share of the colours that they stand for, which multiplies them."""
    levels = [sums]
    while max(levels[-1].shape[2:]) > coarsest:
        halves = [min(2, n) for n in levels[-1].shape[2:]]
        levels.append(avg_pool3d(levels[-1], halves) * math.prod(halves))
    found = torch.zeros_like(levels[-1])
    for level in reversed(levels):
        weight = level[:, 3:]
        share = weight.clamp(max=1.0)
        for axis in (2, 3, 4):
            if found.shape[axis] < level.shape[axis]:
                found = _doubled(found, axis)
        found = found * (1.0 - share) + level * (share / weight.clamp(min=1e-12))
    return found


def _doubled(values: Tensor, axis: int) -> Tensor:
    """With two cells for each along an axis, linearly; the outermost ones go on as they are. Much
    faster than PyTorch's trilinear interpolation."""
    count = values.shape[axis]
    near = values * 0.75
    first, last = values.narrow(axis, 0, 1), values.narrow(axis, count - 1, 1)
    before = torch.cat([first, values.narrow(axis, 0, count - 1)], axis)
    after = torch.cat([values.narrow(axis, 1, count - 1), last], axis)
    halves = [torch.add(near, each, alpha=0.25) for each in (before, after)]
    return torch.stack(halves, axis + 1).flatten(axis, axis + 1)


def continue_islands(
    picture: NDArray[np.float32], covered: NDArray[np.bool_], workers: Workers = ALONE
) -> None:
    """Colour the texels that are not `covered` [h, w] as those around them, in place: each as the
    mean of the smallest square of a mip level that has any. picture: [h, w, c], 0 there."""
    height, width = covered.shape
    if covered.all():
        return
    coarse = torch.empty(-(-height // 2), -(-width // 2), picture.shape[2])
    counts = torch.empty(coarse.shape[:2], dtype=torch.uint8)
    bands = [slice(top, top + _ROWS) for top in range(0, height, _ROWS)]

    def gather(band: slice) -> None:
        half = slice(band.start // 2, band.stop // 2)
        counts[half] = _quartered(covered[band])
        coarse[half] = _quartered(picture[band])
        coarse[half] /= counts[half].clamp(min=1)[..., None]

    def spread(band: slice) -> None:
        empty = np.flatnonzero(~covered[band])
        rows = empty // width
        around = (rows + band.start) // 2 * coarse.shape[1] + (empty - rows * width) // 2
        found = coarse.flatten(0, 1).index_select(0, torch.from_numpy(around))
        given = torch.from_numpy(picture[band]).flatten(0, 1)
        given.index_copy_(0, torch.from_numpy(empty), found)

    workers.all(gather, bands)
    continue_islands(coarse.numpy(), counts.numpy() > 0, workers)
    workers.all(spread, bands)


def _quartered(values: NDArray[Any]) -> Tensor:
    """Sums of two by two, [h, w, ...] to [h / 2, w / 2, ...], up; how many for truths. Beyond the
    edge there is nothing."""
    odd = [(0, n % 2) for n in values.shape[:2]]
    if np.any(odd):
        values = np.pad(values, [*odd, *[(0, 0)] * (values.ndim - 2)])
    given = torch.from_numpy(values)
    given = given.byte() if given.dtype == torch.bool else given
    rows = given[0::2] + given[1::2]
    return rows[:, 0::2] + rows[:, 1::2]
