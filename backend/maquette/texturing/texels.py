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

from .surface import Surface
from .tensors import squares, which
from .window import boxes

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

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Parts:
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
        covered: bool [rows * size], which texels show something.
        places: int32 [m], row * size + column.
        own: int32 [m], the part, ascending.
        ends: int64 [p], where the texels of each part end.
        beside: parts from this one on are margins: texels that lie beside their triangle and show
            its nearest point, so that a triangle narrower than a texel is not lost.
        shared: how many texels lie inside of more than one triangle that is not its neighbour on
            an edge: more than a few are an overlap.
    """

    size: int
    tiles: int
    parts: Parts
    frames: NDArray[np.float64]
    covered: NDArray[np.bool_]
    places: Ints
    own: Ints
    ends: NDArray[np.int64]
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

    def weights(self, chosen: Ints | NDArray[np.int64]) -> NDArray[np.float32]:
        """[3, k] of the triangle's corners, in [0, 1]; they sum to one."""
        rows, columns = np.divmod(self.places[chosen], np.int32(self.size))
        frames = self.frames.take(self.parts.triangles.take(self.own[chosen]), 2)
        weights = frames[:, 0] + frames[:, 1] * columns + frames[:, 2] * rows
        outside = np.flatnonzero(weights.min(0) < 0.0)
        beyond, across, down = (
            each.take(outside, 1) for each in (weights, frames[:, 1], frames[:, 2])
        )
        weights[:, outside] = beyond + _to_the_edge(beyond, across, down)
        np.maximum(weights, 0.0, out=weights)
        return (weights / weights.sum(0)).astype(np.float32)

    def positions(
        self, corners: NDArray[np.float32], chosen: Ints | NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """[3, k], from all triangles' corners, [3, 3, n]: of each corner its coordinates."""
        chosen = np.arange(len(self)) if chosen is None else chosen
        own = corners.take(self.parts.triangles.take(self.own[chosen]), 2)
        return (self.weights(chosen)[:, None] * own).sum(0)


class Patches:
    """A surface and the points of its texels about its middle, so that float32 holds them anywhere.

    Attributes:
        boxes: float64 [3, m], corners of boxes in the world that together hold the surface.
        origin: float64 [3], the middle in the world.
        corners: float32 [3, 3, n], of each corner of the triangles its coordinates.
        normals: [3, n], unit normals.
        planes: int64 [p], the triangle of each part.
    """

    def __init__(self, surface: Surface, texels: Texels, device: torch.device) -> None:
        self.texels, self.device = texels, device
        corners = np.ascontiguousarray(np.moveaxis(surface.corners, 0, 2))
        self.boxes = boxes(corners)
        self.origin = (self.boxes.min(1) + self.boxes.max(1)) / 2
        corners -= self.origin[:, None]
        self.corners = corners.astype(np.float32)
        self.normals = torch.from_numpy(surface.normals().T.astype(np.float32)).to(device)
        parts = texels.parts
        self.planes = torch.from_numpy(parts.triangles).to(device).long()
        # Of each triangle its point at column and row 0, and what a column and a row add.
        points = np.einsum("ckn,cxn->kxn", texels.frames, corners).take(parts.triangles, 2)
        points[0] += points[1] * parts.left + points[2] * parts.top
        self._points = torch.from_numpy(points.astype(np.float32)).to(device)
        self._first = torch.from_numpy(parts.top * np.int32(texels.size) + parts.left).to(device)
        self._beyond = torch.from_numpy(
            np.stack([parts.right - parts.left, parts.bottom - parts.top])
        ).to(device)

    def points(self, chosen: Ints | NDArray[np.int64], parts: Tensor) -> Tensor:
        """[3, k]. parts: int64 [k], of each texel its own."""
        texels = self.texels
        places = torch.from_numpy(texels.places.take(chosen))
        # From the part's first column and row on; less than 2^24, which float32 holds.
        places = (places.to(self.device) - self._first.index_select(0, parts)).float()
        rows = ((places + 0.5) * (1.0 / texels.size)).floor_()
        columns = places.sub_(rows, alpha=texels.size)
        start, across, down = (each.index_select(1, parts) for each in self._points)
        points = start.addcmul_(across, columns).addcmul_(down, rows)
        beside = which(parts >= texels.beside)
        if len(beside):
            nearest = texels.positions(self.corners, chosen[beside.cpu().numpy()])
            points[:, beside] = torch.from_numpy(nearest).to(self.device)
        return points

    def spheres(self, some: slice) -> tuple[Tensor, Tensor]:
        """Centres [3, p] and radii [p] about what parts show: a sphere about the triangle or, where
        it is smaller, about the rows and columns of the part."""
        own = torch.from_numpy(self.corners.take(self.texels.parts.triangles[some], 2))
        first, second, third = own.to(self.device)
        center = (first + second).add_(third).div_(3.0)
        radius = squares(first - center)
        for corner in (second, third):
            radius = radius.maximum(squares(corner - center))
        radius.sqrt_()
        wide, tall = self._beyond[:, some] / 2
        start, across, down = self._points[..., some]
        # With the texel beside, of a margin.
        reach = squares(across).sqrt_() * (wide + 1) + squares(down).sqrt_() * (tall + 1)
        smaller = reach < radius
        center = torch.where(smaller, start + across * wide + down * tall, center)
        return center, torch.where(smaller, reach, radius)


def _to_the_edge(
    weights: NDArray[np.float64], across: NDArray[np.float64], down: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What to add to weights [3, n] of places outside of their triangles to be on the edge that
    they lie farthest beyond, square to it. across, down: [3, n], what a column and a row add."""
    steep = np.maximum(across * across + down * down, 1e-300)
    edge = (weights / np.sqrt(steep)).argmin(0)[None]
    of_edge = (np.take_along_axis(each, edge, 0) for each in (weights, steep, across, down))
    weight, steepness, right, below = of_edge
    return -(across * right + down * below) * (weight / steepness)
