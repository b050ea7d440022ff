"""Bake: every texel's colour, from the views that see it best.

Texels are found (`raster`), blended of what views see (`blend`, `eye`), and what no view sees is
filled (`fill`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import Any

import numpy as np
import torch
from maquette_wire.errors import MaquetteError
from maquette_wire.view import View
from numpy.typing import NDArray
from torch import Tensor

from ..srgb import srgb_of_linear
from .blend import Blend
from .eye import Eye
from .fill import continue_islands, fill
from .matching import color_factors
from .projection import Sight, look
from .raster import Texels, texels_of
from .surface import Surface

Progress = Callable[[int, int], None]

_BATCH = 1 << 21
"""Texels that are blended at a time, which bounds the memory of a bake."""
_CHUNK = 1 << 16
"""Texels that are placed at a time, with as much for each as a processor has at hand."""
_SAMPLES = 1 << 14
"""Texels from which exposure and the outside of objects are judged."""
WELL_SEEN = float(np.cos(np.radians(75.0)))
"""Cosine from which a texel counts as seen in figures."""


@dataclass(frozen=True)
class PaintedView:
    """A View, its depth float32 [h, w] in metres, and a picture of it: uint8 sRGB [h, w, 3]."""

    view: View
    depth: NDArray[np.float32]
    picture: NDArray[np.uint8]


@dataclass(frozen=True)
class Baked:
    """A finished texture.

    Attributes:
        picture: float32 [tiles * size, size, 3], sRGB in [0, 1], row 0 at the top, the tiles one
            below the other; every texel has a colour.
        seen: bool [tiles * size, size], coloured by a view; the rest of the islands is filled
            from beside.
        covered: bool [tiles * size, size], part of an island.
        share_seen: of the islands' texels, the share that a view sees under 75 degrees.
    """

    picture: NDArray[np.float32]
    seen: NDArray[np.bool_]
    covered: NDArray[np.bool_]
    share_seen: float


def bake(
    surface: Surface,
    views: Sequence[PaintedView],
    size: int,
    *,
    device: torch.device | None = None,
    match: bool = True,
    progress: Progress | None = None,
) -> Baked:
    """Carry the pictures of `views` onto a texture of `size`.

    match: bring the views to one exposure first. progress is called with texels done and all.
    Raises MaquetteError("not-seen") where no view sees any of the surface.
    """
    device = device or torch.device("cpu")
    texels = texels_of(surface, size)
    if not len(texels):
        raise MaquetteError(
            "no-faces",
            "The model has no face with an area in its UV map.",
            "Unwrap it again; Maquette can add a UV map of its own.",
        )
    stage = Stage(surface, views, texels, device, match)
    linear: NDArray[np.float32] = torch.zeros(texels.total, 3).numpy()
    seen = np.zeros(len(texels), bool)
    inside, well = texels.inside, 0
    for parts in stage.batches():
        batch, colors, cosines = stage.colors(parts)
        linear[texels.places[batch]] = colors
        seen[batch] = cosines > 0.0
        well += np.count_nonzero(inside[batch] & (cosines >= WELL_SEEN))
        if progress is not None:
            progress(batch.stop, len(texels))
    if not seen.any():
        raise MaquetteError(
            "not-seen",
            "None of the views sees the model's surface.",
            "Point a camera at it, or let Maquette place the views.",
        )
    if not seen.all():
        fill(linear, seen, surface, texels, device)
    covered = np.zeros(texels.total, bool)
    covered[texels.places] = True
    for tile, islands in zip(
        linear.reshape(-1, size, size, 3), covered.reshape(-1, size, size), strict=True
    ):
        if islands.any():
            continue_islands(tile, islands)
    shown = np.zeros(texels.total, bool)
    shown[texels.places] = seen
    return Baked(
        srgb_of_linear(linear, out=linear).reshape(-1, size, 3),
        shown.reshape(-1, size),
        covered.reshape(-1, size),
        float(well / max(1, np.count_nonzero(inside))),
    )


class Stage:
    """Surface and views about the model's middle, so that float32 holds them anywhere."""

    def __init__(
        self,
        surface: Surface,
        views: Sequence[PaintedView],
        texels: Texels,
        device: torch.device,
        match: bool,
    ) -> None:
        self.texels, self.device = texels, device
        self.origin = (surface.corners.min((0, 1)) + surface.corners.max((0, 1))) / 2
        corners = (surface.corners - self.origin).astype(np.float32)
        self.corners = np.ascontiguousarray(np.moveaxis(corners, 0, 2))
        self.normals = self._tensor(surface.normals().T.astype(np.float32))
        self.eyes = [
            Eye.of(each.view, each.depth, each.picture, self.origin, device) for each in views
        ]
        self._turn_and_match(self._tensor(surface.objects).long(), match)
        first = self._tensor(self.corners[0])
        self.offsets = [eye.offsets(first, self.normals) for eye in self.eyes]
        counts = np.bincount(texels.own, minlength=len(texels.parts))
        self.ends = np.cumsum(counts)

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)

    def _turn_and_match(self, objects: Tensor, match: bool) -> None:
        """Turn normals outwards and bring the pictures to one exposure, both from samples."""
        some = np.unique(np.linspace(0, len(self.texels) - 1, _SAMPLES).astype(np.int64))
        points = self._tensor(self.texels.positions(self.corners, some))
        planes = self._tensor(self.texels.triangles[some])
        normals = self.normals.index_select(1, planes)
        sights = [look(eye.camera, eye.depth, points, normals) for eye in self.eyes]
        turns = _outsides(sights, objects.index_select(0, planes), objects)
        self.normals *= turns
        if match:
            colors = torch.zeros(len(sights), len(some), 3, device=self.device)
            good = torch.zeros(len(sights), len(some), dtype=torch.bool, device=self.device)
            for number, (eye, sight) in enumerate(zip(self.eyes, sights, strict=True)):
                trust, seen = eye.values(sight)
                colors[number, sight.rows] = seen.T
                cosine = sight.cosine * turns.index_select(0, planes[sight.rows])
                good[number, sight.rows] = (trust > 0.99) & (cosine >= WELL_SEEN)
            for eye, factors in zip(self.eyes, color_factors(colors, good), strict=True):
                eye.scale_colors(factors)

    def batches(self) -> Iterator[slice]:
        """Parts with about so many texels that a bake holds what it needs for them."""
        stops = np.searchsorted(self.ends, np.arange(_BATCH, self.ends[-1], _BATCH), side="right")
        yield from starmap(slice, pairwise([0, *stops, len(self.ends)]))

    def colors(self, parts: slice) -> tuple[slice, NDArray[np.float32], NDArray[np.float32]]:
        """The texels of these parts, their linear colours [n, 3], and the cosine [n] of the view
        that sees a texel best, 0 where none does."""
        texels = self.texels
        begin = int(self.ends[parts.start - 1]) if parts.start else 0
        chosen = slice(begin, int(self.ends[parts.stop - 1]))
        points = np.empty((3, chosen.stop - begin), np.float32)
        for start in range(0, points.shape[1], _CHUNK):
            some = slice(begin + start, min(begin + start + _CHUNK, chosen.stop))
            points[:, start : start + _CHUNK] = texels.positions(self.corners, some)
        planes = self._tensor(texels.triangles[chosen])
        blend = Blend(self._tensor(points), planes, self.normals)
        counts = self._tensor(np.diff(self.ends[parts], prepend=begin))
        part_planes = self._tensor(texels.parts.triangles[parts])
        centers, radii = map(self._tensor, texels.spheres(self.corners, parts))
        bounds = torch.stack(
            [
                eye.bound(centers, radii, offsets.index_select(0, part_planes))
                for eye, offsets in zip(self.eyes, self.offsets, strict=True)
            ]
        )
        blend.ask(self.eyes, self.offsets, bounds, counts)
        return chosen, blend.colors().T.cpu().numpy(), blend.cosine.cpu().numpy()

    def shown_at(
        self, points: NDArray[np.float64], triangles: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Linear colours [n, 3] that the views show at points [n, 3] of triangles, and where any
        does, [n]."""
        local = (points - self.origin).T.astype(np.float32)
        blend = Blend(self._tensor(local), self._tensor(triangles), self.normals)
        bounds = torch.full((len(self.eyes), 1), torch.inf, device=self.device)
        blend.ask(self.eyes, self.offsets, bounds, torch.tensor([len(points)]).to(self.device))
        return blend.colors().T.cpu().numpy(), (blend.cosine > 0.0).cpu().numpy()


def _outsides(sights: list[Sight], own: Tensor, objects: Tensor) -> Tensor:
    """For each triangle 1, or -1 where the views see the inner side of its object's faces: their
    normals point inwards, which no picture shows. A sheet is seen from both sides, and keeps its
    own. own: objects of the points that were looked at; objects: [n], of the triangles."""
    sides = torch.zeros(2, int(objects.max()) + 1, device=objects.device)
    for sight in sights:
        sides[0].index_add_(0, own[sight.rows], sight.cosine.clamp(min=0.0))
        sides[1].index_add_(0, own[sight.rows], -sight.cosine.clamp(max=0.0))
    return torch.where(sides[1] > 2.0 * sides[0], -1.0, 1.0)[objects]
