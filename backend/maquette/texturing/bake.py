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
from .blend import Blend, ranked
from .eye import Eye
from .fill import continue_islands, fill
from .matching import color_factors
from .projection import Sight, look
from .raster import texels_of
from .surface import Surface
from .tensors import put, runs
from .texels import Patches, Texels
from .window import window

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
    canvas = torch.zeros(texels.total, 3)
    linear: NDArray[np.float32] = canvas.numpy()
    cosines = np.zeros(len(texels), np.float32)
    for parts in stage.batches():
        rows, colors, best = stage.colors(parts)
        put(canvas, texels.places[rows], colors)
        cosines[rows] = best
        if progress is not None:
            progress(int(texels.ends[parts.stop - 1]), len(texels))
    seen = cosines > 0.0
    if not seen.any():
        raise MaquetteError(
            "not-seen",
            "None of the views sees the model's surface.",
            "Point a camera at it, or let Maquette place the views.",
        )
    if not seen.all():
        fill(linear, seen, surface.objects, stage.patches)
    covered = np.zeros(texels.total, bool)
    covered[texels.places] = True
    for tile, islands in zip(
        linear.reshape(-1, size, size, 3), covered.reshape(-1, size, size), strict=True
    ):
        if islands.any():
            continue_islands(tile, islands)
    inside = texels.inside
    well = np.count_nonzero(inside & (cosines >= WELL_SEEN))
    shown = np.zeros(texels.total, bool)
    shown[texels.places] = seen
    return Baked(
        srgb_of_linear(linear, out=linear).reshape(-1, size, 3),
        shown.reshape(-1, size),
        covered.reshape(-1, size),
        float(well / max(1, np.count_nonzero(inside))),
    )


class Stage:
    """A surface and the views of it, about the same origin."""

    def __init__(
        self,
        surface: Surface,
        views: Sequence[PaintedView],
        texels: Texels,
        device: torch.device,
        match: bool,
    ) -> None:
        self.texels, self.device = texels, device
        self.patches = patches = Patches(surface, texels, device)
        self.eyes = [_eye(each, patches, device) for each in views]
        self._turn_and_match(self._tensor(surface.objects).long(), match)
        first = self._tensor(patches.corners[0])
        self.offsets = torch.stack([eye.offsets(first, patches.normals) for eye in self.eyes])

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)

    def _turn_and_match(self, objects: Tensor, match: bool) -> None:
        """Turn normals outwards and bring the pictures to one exposure, both from samples."""
        some = np.unique(np.linspace(0, len(self.texels) - 1, _SAMPLES).astype(np.int64))
        points = self.patches.points(some)
        planes = self.patches.planes[self._tensor(self.texels.own[some])]
        normals = self.patches.normals.index_select(1, planes)
        sights = [look(eye.camera, eye.depth, points, normals) for eye in self.eyes]
        turns = _outsides(sights, objects.index_select(0, planes), objects)
        self.patches.normals *= turns
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
        ends = self.texels.ends
        stops = np.searchsorted(ends, np.arange(_BATCH, ends[-1], _BATCH), side="right")
        yield from starmap(slice, pairwise([0, *stops, len(ends)]))

    def colors(self, some: slice) -> tuple[NDArray[np.int64], Tensor, NDArray[np.float32]]:
        """The texels [n] of some parts that any view may see, their linear colours [3, n], and the
        cosine [n] of the view that sees a texel best, 0 where none does."""
        ends = self._tensor(self.texels.ends[some])
        begin = int(self.texels.ends[some.start - 1]) if some.start else 0
        counts = ends.diff(prepend=ends.new_tensor([begin]))
        planes = self.patches.planes[some]
        centers, radii = self.patches.spheres(some)
        offsets = self.offsets.index_select(1, planes)
        bounds = torch.stack(
            [eye.bound(centers, radii, own) for eye, own in zip(self.eyes, offsets, strict=True)]
        )
        parts, views, bounds = ranked(bounds)
        counts, planes = counts[parts], planes[parts]
        rows = runs(ends[parts] - counts, counts).cpu().numpy()
        points = torch.empty(3, len(rows), device=self.device)
        for start in range(0, len(rows), _CHUNK):
            points[:, start : start + _CHUNK] = self.patches.points(rows[start : start + _CHUNK])
        own = torch.repeat_interleave(torch.arange(len(parts), device=self.device), counts)
        blend = Blend(points, own, self.patches.normals.index_select(1, planes))
        blend.ask(self.eyes, offsets.index_select(1, parts), views, bounds, counts)
        return rows, blend.colors(), blend.cosine.cpu().numpy()

    def shown_at(
        self, points: NDArray[np.float64], triangles: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Linear colours [n, 3] that the views show at points [n, 3] of triangles, and where any
        does, [n]."""
        local = (points - self.patches.origin).T.astype(np.float32)
        blend = Blend(self._tensor(local), self._tensor(triangles), self.patches.normals)
        _, views, bounds = ranked(torch.full((len(self.eyes), 1), torch.inf, device=self.device))
        counts = torch.tensor([len(points)], device=self.device)
        blend.ask(self.eyes, self.offsets, views, bounds, counts)
        return blend.colors().T.cpu().numpy(), (blend.cosine > 0.0).cpu().numpy()


def _eye(painted: PaintedView, patches: Patches, device: torch.device) -> Eye:
    """A view's, of the part that the surface lies in."""
    view, *part = window(painted.view, patches.boxes)
    some = tuple(part)
    return Eye.of(view, painted.depth[some], painted.picture[some], patches.origin, device)


def _outsides(sights: list[Sight], own: Tensor, objects: Tensor) -> Tensor:
    """For each triangle 1, or -1 where the views see the inner side of its object's faces: their
    normals point inwards, which no picture shows. A sheet is seen from both sides, and keeps its
    own. own: objects of the points that were looked at; objects: [n], of the triangles."""
    sides = torch.zeros(2, int(objects.max()) + 1, device=objects.device)
    for sight in sights:
        sides[0].index_add_(0, own[sight.rows], sight.cosine.clamp(min=0.0))
        sides[1].index_add_(0, own[sight.rows], -sight.cosine.clamp(max=0.0))
    return torch.where(sides[1] > 2.0 * sides[0], -1.0, 1.0)[objects]
