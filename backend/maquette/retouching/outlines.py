"""Colours on their own side of the model's exact edges.

A picture model blurs where surfaces meet: its latents are coarser than the picture, and small
models add halos. Where the surfaces end is known to the pixel, since the capture has exact depth.
So within a few pixels of an edge, colours are taken from further inside of the same surface, ring
by ring towards the edge: nearest-neighbour extrapolation along the surface, in the spirit of joint
upsampling (Kopf et al., "Joint Bilateral Upsampling", SIGGRAPH 2007), which weighs a coarse
picture's pixels by a fine map that knows the edges.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from maquette_wire.view import View
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..edges import surface_ends

_FADE = 3
"""Rings, the innermost ones, in which the picture's own colours come back."""
_SMOOTH = 0.5
"""Of the pixels at an edge, how much is smoothed across it: a render's edges are, too."""
_REACH = 4
"""Pixels around one that tell whether a surface ends there, and that smooth it."""
_VISIBLE = 20.0
"""Levels of 255 by which colours on the two sides of an edge are to differ."""
_GAIN = 4.0
"""Of their difference, how much is added at most."""
_INWARDS = 0.8
"""Of what is added to a pixel, how much its neighbours further inside get."""
_KERNEL = np.array([0.25, 0.5, 0.25], np.float32)


@dataclass(frozen=True)
class _Ring:
    """Pixels equally far from the edge of their surface.

    Attributes:
        pixels: int [n], places in the picture, row by row.
        shares: float32 [n, H * W], of their neighbours further inside; they sum to one.
        own: share of the pixel's own colour that stays.
    """

    pixels: NDArray[np.intp]
    shares: Any
    own: float

    @classmethod
    def of(
        cls,
        pixels: NDArray[np.intp],
        inner: NDArray[np.intp],
        is_inside: NDArray[np.bool_],
        own: float,
        size: int,
    ) -> _Ring:
        """inner: int [8, n], neighbours of the pixels. is_inside: bool [8, n], which count. size:
        H * W."""
        # Where a surface is too thin to have an inside, its colours stay.
        some = is_inside.any(0)
        pixels, inner, is_inside = pixels[some], inner[:, some].T, is_inside[:, some].T
        number = is_inside.sum(1)
        shares = np.repeat((1.0 / number).astype(np.float32), number)
        starts = np.concatenate([[0], np.cumsum(number)])
        return cls(pixels, csr_array((shares, inner[is_inside], starts), (len(pixels), size)), own)


@dataclass(frozen=True)
class Outlines:
    """The edges of one capture, at the size of its pictures (height, width), with `beyond` pixels
    of the opposite edge beside each edge where the pictures go on there. ends: between which
    neighbours a surface ends, down [H - 1, W] and across [H, W - 1]. radius: pixels from an edge
    within which colours are moved; none are where it is 0. rings: None where they are made anew for
    each picture, since they take some hundred bytes a pixel.
    """

    shape: tuple[int, int]
    radius: int
    ends: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    rings: tuple[_Ring, ...] | None
    beyond: int = 0

    @classmethod
    def of(
        cls,
        depth: NDArray[np.floating],
        view: View,
        radius: int,
        *,
        wraps: bool = False,
        kept: bool = True,
    ) -> Outlines:
        """depth: metres [H, W], +inf for sky. radius: pixels, how far colours are moved at most.
        wraps: depth and pictures go on at their opposite edge; the view is orthographic then.
        kept: whether rings are."""
        beyond = min(2 * radius + _REACH, *depth.shape) if wraps else 0
        if beyond:
            view = widened(view, 1.0 + 2.0 * beyond / depth.shape[0])
            depth = np.pad(depth, beyond, mode="wrap")
        return cls._between(surface_ends(depth, view), radius, beyond, kept)

    def with_openings(self, openings: NDArray[np.floating], radius: int) -> Outlines:
        """The same edges, and those of openings of walls. openings: [H, W], how much of each pixel
        is one. radius: as for `of`."""
        holes = np.pad(openings > 0.5, self.beyond, mode="wrap")
        down, across = self.ends
        ends = down | (holes[1:] ^ holes[:-1]), across | (holes[:, 1:] ^ holes[:, :-1])
        return self._between(ends, radius, self.beyond, self.rings is not None)

    @classmethod
    def _between(
        cls,
        ends: tuple[NDArray[np.bool_], NDArray[np.bool_]],
        radius: int,
        beyond: int,
        kept: bool,
    ) -> Outlines:
        shape = len(ends[1]), ends[0].shape[1]
        plain = cls(shape, radius, ends, None, beyond)
        return dataclasses.replace(plain, rings=tuple(plain._made())) if kept else plain

    @property
    def edge(self) -> NDArray[np.intp]:
        """Pixels at which a surface ends, int [n], row by row."""
        return np.flatnonzero(~_inside(_linked(*self.ends)))

    def _made(self) -> Iterator[_Ring]:
        """The rings, from the innermost to that at the edge."""
        radius = self.radius
        straight = _linked(*self.ends)
        linked = np.concatenate([straight, _linked_diagonally(straight)]).reshape(8, -1)
        flat = _distance(straight, radius).ravel()
        width = self.shape[1]
        steps = np.array([-width, width, -1, 1, -width - 1, -width + 1, width - 1, width + 1])
        for ring in range(radius - 1, -1, -1):
            pixels = np.flatnonzero(flat == ring)
            inner = (pixels + steps[:, None]).clip(0, flat.size - 1)
            is_inside = linked[:, pixels] & (flat[inner] > ring)
            own = max(0.0, 1.0 - (radius - ring) / _FADE)
            yield _Ring.of(pixels, inner, is_inside, own, flat.size)

    def sharpened(self, picture: NDArray[np.uint8], share: float = 1.0) -> NDArray[np.uint8]:
        """A picture uint8 [H, W, 3] with its colours moved. share: how much of that, 0 to 1."""
        if not self.radius:
            return picture
        height, width = self.shape
        beyond = self.beyond
        if beyond:
            picture = np.pad(picture, ((beyond, beyond), (beyond, beyond), (0, 0)), mode="wrap")
        before = picture.reshape(-1, 3).astype(np.float32)
        colors = before.copy()
        for ring in self._made() if self.rings is None else self.rings:
            inside = ring.shares @ colors
            colors[ring.pixels] = ring.own * before[ring.pixels] + (1.0 - ring.own) * inside
        self._smooth(colors)
        mixed = before + share * (colors - before)
        whole = mixed.round().clip(0, 255).astype(np.uint8).reshape(height, width, 3)
        return np.ascontiguousarray(whole[beyond : height - beyond, beyond : width - beyond])

    def smoothed(self, picture: NDArray[np.uint8], share: float = 1.0) -> NDArray[np.uint8]:
        """A picture uint8 [H, W, 3], which doesn't wrap, with its colours where they are, smoothed
        across the edges. share: how much of that, 0 to 1."""
        before = picture.reshape(-1, 3).astype(np.float32)
        colors = before.copy()
        self._smooth(colors)
        mixed = before + share * (colors - before)
        return mixed.round().clip(0, 255).astype(np.uint8).reshape(picture.shape)

    def _smooth(self, colors: NDArray[np.float32]) -> None:
        """Smooth colours [H * W, 3] across the edges."""
        height, width = self.shape
        at_edge = self.edge
        smooth = np.zeros((at_edge.size, 3), np.float32)
        row, column = np.divmod(at_edge, width)
        for down, much in enumerate(_KERNEL, -1):
            for right, more in enumerate(_KERNEL, -1):
                beside = (row + down).clip(0, height - 1) * width
                beside += (column + right).clip(0, width - 1)
                smooth += much * more * colors[beside]
        colors[at_edge] += _SMOOTH * (smooth - colors[at_edge])

    def parted(self, picture: NDArray[np.uint8], share: float = 1.0) -> NDArray[np.uint8]:
        """A picture uint8 [H, W, 3], which doesn't wrap, with faint edges made visible. share: how
        much of that, 0 to 1."""
        colors = picture.astype(np.float32)
        added = np.zeros_like(colors)
        sides = np.zeros((*self.shape, 1), np.float32)
        for axis, ends in enumerate(self.ends):
            color, sum_, count = (np.moveaxis(each, axis, 0) for each in (colors, added, sides))
            first, second = np.nonzero(np.moveaxis(ends, axis, 0))
            # Behind the two pixels at an edge, which are smoothed across it.
            before, behind = np.maximum(first - 1, 0), np.minimum(first + 2, len(color) - 1)
            apart = color[before, second] - color[behind, second]
            size = np.sqrt(np.square(apart).mean(-1, keepdims=True))
            missing = np.minimum(np.maximum(_VISIBLE - size, 0.0), _GAIN * size)
            half = 0.5 * apart * missing / np.maximum(size, 1e-6)
            sum_[first, second] += half
            sum_[first + 1, second] -= half
            count[first, second] += 1.0
            count[first + 1, second] += 1.0
        added, sides = (added / np.maximum(sides, 1.0)).reshape(-1, 3), np.zeros((sides.size, 1))
        carried = np.zeros_like(added)
        for ring in reversed(tuple(self._made()) if self.rings is None else self.rings):
            inwards = ring.shares.T
            carried += inwards @ added[ring.pixels]
            touched = inwards @ np.ones((len(ring.pixels), 1), np.float32)
            sides += touched
            inside = np.flatnonzero(touched)
            added[inside] = _INWARDS * carried[inside] / sides[inside]
        whole = (colors + share * added.reshape(colors.shape)).round().clip(0, 255)
        return whole.astype(np.uint8)


def widened(view: View, times: float) -> View:
    """An orthographic view of so many times as much, with pixels of the same size."""
    matrix = list(view.projection_matrix)
    matrix[0], matrix[5] = matrix[0] / times, matrix[5] / times
    return msgspec.structs.replace(view, projection_matrix=tuple(matrix))


def _linked(down: NDArray[np.bool_], across: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each pixel's neighbours above, below, left and right are of its own surface:
    bool [4, H, W]. down, across: between which neighbours a surface ends."""
    height, width = across.shape[0], down.shape[1]
    linked = np.zeros((4, height, width), bool)
    linked[0, 1:] = linked[1, :-1] = ~down
    linked[2, :, 1:] = linked[3, :, :-1] = ~across
    return linked


def _linked_diagonally(linked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The same for the neighbours above left, above right, below left and below right, which are
    linked by one of the two ways around the corner."""
    up, down, left, right = linked
    diagonal = np.zeros_like(linked)
    # Each way: along one side from here, and along the other from there.
    diagonal[0, 1:, 1:] = (up[1:, 1:] & left[:-1, 1:]) | (left[1:, 1:] & up[1:, :-1])
    diagonal[1, 1:, :-1] = (up[1:, :-1] & right[:-1, :-1]) | (right[1:, :-1] & up[1:, 1:])
    diagonal[2, :-1, 1:] = (down[:-1, 1:] & left[1:, 1:]) | (left[:-1, 1:] & down[:-1, :-1])
    diagonal[3, :-1, :-1] = (down[:-1, :-1] & right[1:, :-1]) | (right[:-1, :-1] & down[:-1, 1:])
    return diagonal


def _inside(linked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pixels have neighbours of their own surface on all four sides: bool [H, W]. The
    picture's border is no edge."""
    up, down, left, right = linked
    inside = np.ones_like(up)
    inside[1:] &= up[1:]
    inside[:-1] &= down[:-1]
    inside[:, 1:] &= left[:, 1:]
    inside[:, :-1] &= right[:, :-1]
    return inside


def _distance(linked: NDArray[np.bool_], radius: int) -> NDArray[np.int16]:
    """Steps from each pixel to the edge of its surface, within it: int [H, W], `radius` at most."""
    up, down, left, right = linked
    distance = np.where(_inside(linked), radius, 0).astype(np.int16)
    for ring in range(1, radius):
        last = distance == ring - 1
        reached = np.zeros_like(last)
        reached[1:] |= last[:-1] & up[1:]
        reached[:-1] |= last[1:] & down[:-1]
        reached[:, 1:] |= last[:, :-1] & left[:, 1:]
        reached[:, :-1] |= last[:, 1:] & right[:, :-1]
        distance[reached & (distance == radius)] = ring
    return distance
