"""Which texel shows which point of a surface.

Texel (column, row) of a texture of `size` has its centre at u = (column + 0.5) / size,
v = 1 - (row + 0.5) / size: row 0 is the top, as in every picture here. A texture may have several
tiles, squares of UV space that are pictures of their own: they are laid one below the other, so
that the rows of the second follow those of the first.

Triangles are cut by blocks of texels into parts, which are small in UV space however large
a triangle is. Within a part, points and what a view sees of them change evenly from texel to texel.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Parts:
    """Parts of triangles, each in one block, all int32 [p]: the triangle, and the first and last
    row and column of its texels."""

    triangles: Ints
    top: Ints
    bottom: Ints
    left: Ints
    right: Ints

    def __len__(self) -> int:
        return len(self.triangles)

    def chosen(self, which: NDArray[np.bool_] | slice) -> Parts:
        return Parts(*(getattr(self, each.name)[which] for each in fields(self)))

    @staticmethod
    def joined(several: list[Parts]) -> Parts:
        return Parts(
            *(np.concatenate([getattr(one, f.name) for one in several]) for f in fields(Parts))
        )


@dataclass(frozen=True)
class Texels:
    """What the texels of a texture show, each once.

    Attributes:
        size: side of the texture.
        tiles: how many it has.
        parts: the parts of triangles that have texels, and some that have none.
        frames: float64 [3, 3, n], how the weights of triangles' corners follow from the place: of
            each corner its weight at column and row 0, and what a column and a row add to it.
        places: int32 [m], row * size + column.
        own: int32 [m], the part, ascending.
        beside: parts from this one on are margins: texels that lie beside their triangle and show
            its nearest point, so that a triangle narrower than a texel is not lost.
        shared: how many texels lie inside of more than one triangle that is not its neighbour on
            an edge: more than a few are an overlap.
    """

    size: int
    tiles: int
    parts: Parts
    frames: NDArray[np.float64]
    places: Ints
    own: Ints
    beside: int
    shared: int

    def __len__(self) -> int:
        return len(self.places)

    @property
    def total(self) -> int:
        """Of all texels, also those that show nothing."""
        return self.tiles * self.size**2

    @property
    def inside(self) -> NDArray[np.bool_]:
        """[m], false for margins."""
        return self.own < self.beside

    @cached_property
    def triangles(self) -> Ints:
        """[m]"""
        return self.parts.triangles[self.own]

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """[p], where the texels of each part end."""
        return np.bincount(self.own, minlength=len(self.parts)).cumsum()

    def weights(self, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        """[3, k] of the triangle's corners, in [0, 1]; they sum to one."""
        rows, columns = np.divmod(self.places[chosen], np.int32(self.size))
        frames = self.frames.take(self.parts.triangles.take(self.own[chosen]), 2)
        weights = np.maximum(frames[:, 0] + frames[:, 1] * columns + frames[:, 2] * rows, 0.0)
        return (weights / weights.sum(0)).astype(np.float32)

    def positions(
        self, corners: NDArray[np.float32], chosen: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """[3, k], from all triangles' corners, [3, 3, n]: of each corner its coordinates."""
        patches = Patches(self, corners, torch.device("cpu"))
        return patches.points(np.arange(len(self)) if chosen is None else chosen).numpy()


class Patches:
    """Texels' points in the world, of triangles with corners [3, 3, n]: of each corner its
    coordinates."""

    def __init__(
        self, texels: Texels, corners: NDArray[np.float32], device: torch.device
    ) -> None:
        self.texels, self.corners, self.device = texels, corners, device
        parts = texels.parts
        frames, own = texels.frames, corners.astype(np.float64)
        # Of each triangle its point at column and row 0, and what a column and a row add.
        planes = np.einsum("ckn,cxn->kxn", frames, own).take(parts.triangles, 2)
        planes[0] += planes[1] * parts.left + planes[2] * parts.top
        self._planes = torch.from_numpy(planes.astype(np.float32)).to(device)
        self._first = torch.from_numpy(np.stack([parts.left, parts.top])).to(device)

    def points(self, chosen: NDArray[np.int64]) -> Tensor:
        """[3, k]"""
        texels = self.texels
        own, places = texels.own[chosen], texels.places[chosen]
        rows = places // np.int32(texels.size)
        places = np.stack([places - rows * np.int32(texels.size), rows])
        parts = torch.from_numpy(own).to(self.device).long()
        places = torch.from_numpy(places).to(self.device) - self._first.index_select(1, parts)
        columns, rows = places.float()
        start, across, down = (each.index_select(1, parts) for each in self._planes)
        points = start.addcmul_(across, columns).addcmul_(down, rows)
        beside = np.flatnonzero(own >= texels.beside)
        if len(beside):
            corners = self.corners.take(texels.parts.triangles.take(own[beside]), 2)
            nearest = (texels.weights(chosen[beside])[:, None] * corners).sum(0)
            points[:, torch.from_numpy(beside)] = torch.from_numpy(nearest).to(self.device)
        return points

    def spheres(self, some: slice) -> tuple[Tensor, Tensor]:
        """Centres [3, p] and radii [p] about what parts show: a sphere about the triangle or, where
        it is smaller, about the rows and columns of the part."""
        parts = self.texels.parts.chosen(some)
        own = torch.from_numpy(self.corners.take(parts.triangles, 2)).to(self.device)
        center = own.mean(0)
        radius = (own - center).square_().sum(1).amax(0).sqrt_()
        wide, tall = (
            torch.from_numpy(last - first).to(self.device) / 2
            for last, first in ((parts.right, parts.left), (parts.bottom, parts.top))
        )
        start, across, down = self._planes[..., some]
        # With the texel beside, of a margin.
        reach = across.norm(dim=0) * (wide + 1) + down.norm(dim=0) * (tall + 1)
        smaller = reach < radius
        center = torch.where(smaller, start + across * wide + down * tall, center)
        return center, torch.where(smaller, reach, radius)
