"""Bake: every texel's colour, from the views that see it best.

Texels are found (`raster`), blended of what views see (`blend`, `eye`), and what no view sees is
filled (`fill`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from maquette_wire.errors import MaquetteError
from maquette_wire.view import View
from numpy.typing import NDArray
from torch import Tensor

from ..srgb import srgb_of_linear
from ..workers import ALONE, Workers, keep_memory
from .blend import Blend, grouped, ranked
from .eye import Eye
from .fill import continue_islands, fill
from .matching import color_factors, side_factors
from .outsides import outsides
from .projection import look
from .raster import texels_of
from .surface import Surface
from .tensors import put, runs
from .texels import Patches, Texels
from .window import window

Progress = Callable[[int, int], None]

_BATCH = 1 << 22
"""Texels that views are ranked for before any is blended, which bounds the memory of a bake. The
more they are, the more of those that the same views see are blended together."""
_PARTS = 1 << 16
"""Parts that a processor's thread ranks views for at a time, with as much for each as it has at
hand."""
_CHUNK = 1 << 18
"""Texels that a processor's thread blends at a time: enough that threads seldom wait for each other
between two operations. A device that has thousands of cores takes a batch."""
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
    even: bool = False,
    progress: Progress | None = None,
) -> Baked:
    """Carry the pictures of `views` onto a texture of `size`.

    match: bring the views to one exposure first. even: bring the sides of each object to one as
    well, for a texture that is lit by the scene it is in. progress is called with texels done and
    all. Raises MaquetteError("not-seen") where no view sees any of the surface.
    """
    keep_memory()
    with Workers.hired() as workers:
        device = device or torch.device("cpu")
        return _bake(surface, views, size, device, match, even, progress, workers)


def _bake(
    surface: Surface,
    views: Sequence[PaintedView],
    size: int,
    device: torch.device,
    match: bool,
    even: bool,
    progress: Progress | None,
    workers: Workers,
) -> Baked:
    texels = texels_of(surface, size, workers)
    if not len(texels):
        raise MaquetteError(
            "no-faces",
            "The model has no face with an area in its UV map.",
            "Unwrap it again; Maquette can add a UV map of its own.",
        )
    # A device has one stream of work.
    hands = workers if device.type == "cpu" else ALONE
    stage = Stage(surface, views, texels, device, match, hands, even=even)
    canvas = torch.zeros(texels.total, 3)
    linear: NDArray[np.float32] = canvas.numpy()
    inside = int(texels.ends[texels.beside - 1]) if texels.beside else 0
    shown, seen = np.zeros(texels.total, bool), np.zeros(len(texels), bool)

    def paint(chunk: Chunk) -> tuple[int, int]:
        """Colour what views see of some parts; how many texels are done then, and how many of these
        that lie inside of triangles are well seen."""
        rows, colors, cosines = stage.colors(chunk)
        places = texels.places.take(rows)
        put(canvas, places, colors)
        seeing = torch.from_numpy(cosines > 0.0)[None]
        put(torch.from_numpy(shown)[:, None], places, seeing)
        put(torch.from_numpy(seen)[:, None], rows, seeing)
        return chunk.done, int(np.count_nonzero((cosines >= WELL_SEEN) & (rows < inside)))

    well = 0
    for done, more in hands.each(paint, stage.chunks(hands)):
        well += more
        if progress is not None:
            progress(done, len(texels))
    if progress is not None:
        progress(len(texels), len(texels))
    if not seen.any():
        raise MaquetteError(
            "not-seen",
            "None of the views sees the model's surface.",
            "Point a camera at it, or let Maquette place the views.",
        )
    if not seen.all():
        fill(linear, seen, surface.objects, stage.patches, hands)
    for tile, islands in zip(
        linear.reshape(-1, size, size, 3), texels.covered.reshape(-1, size, size), strict=True
    ):
        if islands.any():
            continue_islands(tile, islands, workers)
    flat = linear.reshape(-1)
    parts = [flat[start : start + _CHUNK] for start in range(0, len(flat), _CHUNK)]
    workers.all(lambda part: srgb_of_linear(part, out=part), parts)
    return Baked(
        linear.reshape(-1, size, 3),
        shown.reshape(-1, size),
        texels.covered.reshape(-1, size),
        well / max(1, inside),
    )


@dataclass(frozen=True)
class Chunk:
    """Parts [p] whose texels are coloured at a time: of each how many it has, and the `ranked`
    views to ask about it and their bounds, both [views, p]. `done`: how many texels are, then."""

    parts: Tensor
    views: Tensor
    bounds: Tensor
    counts: Tensor
    done: int


class Stage:
    """A surface and the views of it, about the same origin."""

    def __init__(
        self,
        surface: Surface,
        views: Sequence[PaintedView],
        texels: Texels,
        device: torch.device,
        match: bool,
        workers: Workers = ALONE,
        *,
        even: bool = False,
    ) -> None:
        self.texels, self.device = texels, device
        self.patches = patches = Patches(surface, texels, device)
        ends = self._tensor(texels.ends)
        self._counts = ends.diff(prepend=ends.new_zeros(1))
        self._starts = ends - self._counts
        self.eyes = list(workers.each(lambda each: _eye(each, patches, device), views))
        self.lights: Tensor | None = None
        self._turn_and_match(surface, match, even, workers)
        first = self._tensor(patches.corners[0])
        offsets = workers.each(lambda eye: eye.offsets(first, patches.normals), self.eyes)
        self.offsets = torch.stack(list(offsets))

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)

    def _turn_and_match(self, surface: Surface, match: bool, even: bool, workers: Workers) -> None:
        """Turn normals outwards and bring the pictures, and all sides, to one exposure, from
        samples."""
        objects = self._tensor(surface.objects).long()
        some = np.unique(np.linspace(0, len(self.texels) - 1, _SAMPLES).astype(np.int64))
        parts = self._tensor(self.texels.own[some]).long()
        points, planes = self.patches.points(some, parts), self.patches.planes[parts]
        normals = self.patches.normals.index_select(1, planes)
        sights = list(
            workers.each(lambda eye: look(eye.camera, eye.depth, points, normals), self.eyes)
        )
        turns = outsides(sights, planes, surface)
        self.patches.normals *= turns
        if match or even:
            colors = torch.zeros(len(sights), len(some), 3, device=self.device)
            good = torch.zeros(len(sights), len(some), dtype=torch.bool, device=self.device)
            for number, (eye, sight) in enumerate(zip(self.eyes, sights, strict=True)):
                trust, seen = eye.values(sight)
                colors[number, sight.rows] = seen.T
                cosine = sight.cosine * turns.index_select(0, planes[sight.rows])
                good[number, sight.rows] = (trust > 0.99) & (cosine >= WELL_SEEN)
            if even:
                own = normals * turns.index_select(0, planes), objects.index_select(0, planes)
                every = self.patches.normals, objects
                self.lights = side_factors(colors, good, own, every)
                return
            for eye, factors in zip(self.eyes, color_factors(colors, good), strict=True):
                eye.scale_colors(factors)

    def chunks(self, workers: Workers = ALONE) -> Iterator[Chunk]:
        """All parts that any view may see, some at a time."""
        ends = self.texels.ends
        stops = np.searchsorted(ends, np.arange(_BATCH, ends[-1], _BATCH), side="right")
        cpu = self.device.type == "cpu"
        for begin, end in pairwise([0, *stops, len(ends)]):
            first = int(ends[begin - 1]) if begin else 0
            some, piece = (_CHUNK, _PARTS) if cpu else (_BATCH, _BATCH)
            pieces = [slice(start, min(start + piece, end)) for start in range(begin, end, piece)]
            pairs = zip(*workers.each(self._ranked, pieces), strict=True)
            views, bounds = (torch.cat(each, 1) for each in pairs)
            parts = grouped(views)
            if not len(parts):
                continue
            counts = self._counts.index_select(0, parts + begin)
            last = counts.cumsum(0).cpu().numpy()
            cuts = np.searchsorted(last, np.arange(some, last[-1], some), side="right")
            for start, stop in pairwise([0, *cuts, len(parts)]):
                own = parts[start:stop]
                asked, best = (each.index_select(1, own) for each in (views, bounds))
                done = first + int(last[stop - 1])
                yield Chunk(own + begin, asked, best, counts[start:stop], done)

    def _ranked(self, some: slice) -> tuple[Tensor, Tensor]:
        """Of some parts."""
        centers, radii = self.patches.spheres(some)
        offsets = self.offsets.index_select(1, self.patches.planes[some])
        pairs = zip(self.eyes, offsets, strict=True)
        return ranked(torch.stack([eye.bound(centers, radii, own) for eye, own in pairs]))

    def colors(self, chunk: Chunk) -> tuple[NDArray[np.int64], Tensor, NDArray[np.float32]]:
        """The texels [n] of a chunk, their linear colours [3, n], and the cosine [n] of the view
        that sees a texel best, 0 where none does."""
        planes = self.patches.planes.index_select(0, chunk.parts)
        rows = runs(self._starts.index_select(0, chunk.parts), chunk.counts).cpu().numpy()
        numbers = torch.arange(len(chunk.parts), device=self.device)
        own = torch.repeat_interleave(numbers, chunk.counts)
        points = self.patches.points(rows, chunk.parts.index_select(0, own))
        blend = Blend(points, own, self.patches.normals.index_select(1, planes))
        offsets = self.offsets.index_select(1, planes)
        lights = None if self.lights is None else self.lights.index_select(2, planes)
        blend.ask(self.eyes, offsets, chunk.views, chunk.bounds, chunk.counts, lights)
        return rows, blend.colors(), blend.cosine.cpu().numpy()

    def shown_at(
        self, points: NDArray[np.float64], triangles: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Linear colours [n, 3] that the views show at points [n, 3] of triangles, and where any
        does, [n]."""
        local = (points - self.patches.origin).T.astype(np.float32)
        planes = self._tensor(triangles)
        blend = Blend(self._tensor(local), planes, self.patches.normals)
        bounds = torch.full_like(self.offsets, torch.inf)
        views = torch.arange(len(bounds), device=self.device)[:, None].expand_as(bounds)
        counts = torch.bincount(planes, minlength=self.offsets.shape[1])
        blend.ask(self.eyes, self.offsets, views, bounds, counts, self.lights)
        return blend.colors().T.cpu().numpy(), (blend.cosine > 0.0).cpu().numpy()


def _eye(painted: PaintedView, patches: Patches, device: torch.device) -> Eye:
    """A view's, of the part that the surface lies in."""
    view, *part = window(painted.view, patches.boxes)
    some = tuple(part)
    return Eye.of(view, painted.depth[some], painted.picture[some], patches.origin, device)
