"""Bake: every texel's colour, from the views that see it best.

A texel is coloured by each view in proportion to a high power of how well that view sees it: how
squarely, how closely, and how far from a jump of depth. So a texel has its best view's colour
alone, and two views mix only in a narrow band where they see equally well; wide mixing would show
two pictures' windows at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from maquette_wire.errors import MaquetteError
from maquette_wire.view import View
from numpy.typing import NDArray
from torch import Tensor

from ..srgb import linear_of_srgb, srgb_of_linear
from .fill import fill
from .matching import color_factors
from .projection import Camera, Sight, away_from_jumps, look
from .surface import Surface, Texels, texels_of

Progress = Callable[[int, int], None]

_CHUNK = 1 << 18
"""Texels at a time, which bounds the memory of a bake."""
_SAMPLES = 1 << 16
"""Texels from which exposure and the outside of objects are judged."""
_SHARPNESS = 32.0
"""Power of the quality that a view colours a texel in proportion to."""
_NOTHING = 1e-6
"""Share of a view in a colour below which it is not looked up."""
_CLEAN_PIXELS = 3.0
"""From a jump of depth on, pixels are trusted fully from this distance; at the jump hardly."""
_HARDLY = 0.01
_GRAZING = 0.03
"""Least cosine at which a view colours at all."""
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
    stage = _Stage(surface, views, texels, device)
    if match:
        stage.match_exposure()
    linear = np.zeros((texels.total, 3), np.float32)
    best = np.zeros(texels.total, np.float32)
    for start in range(0, len(texels), _CHUNK):
        part = slice(start, start + _CHUNK)
        colors, cosines = stage.colors(part)
        linear[texels.places[part]] = colors.cpu().numpy()
        best[texels.places[part]] = cosines.cpu().numpy()
        if progress is not None:
            progress(min(start + _CHUNK, len(texels)), len(texels))
    seen = best > 0.0
    if not seen.any():
        raise MaquetteError(
            "not-seen",
            "None of the views sees the model's surface.",
            "Point a camera at it, or let Maquette place the views.",
        )
    share = (
        float((best[texels.places[texels.inside]] >= WELL_SEEN).mean())
        if texels.inside.any()
        else 0.0
    )
    whole = fill(linear, seen, surface, texels)
    covered = np.zeros(texels.total, bool)
    covered[texels.places] = True
    return Baked(
        srgb_of_linear(whole).reshape(-1, size, 3),
        seen.reshape(-1, size),
        covered.reshape(-1, size),
        share,
    )


class _Stage:
    """Surface and views as tensors, in coordinates about the model's middle."""

    def __init__(
        self,
        surface: Surface,
        views: Sequence[PaintedView],
        texels: Texels,
        device: torch.device,
    ) -> None:
        self.texels, self.device = texels, device
        origin = (surface.corners.min((0, 1)) + surface.corners.max((0, 1))) / 2
        self.corners = self._tensor((surface.corners - origin).reshape(-1, 9))
        self.normals = self._tensor(surface.normals())
        self.cameras = [Camera.of(each.view, origin, device) for each in views]
        self.depths = [self._flat(each.depth) for each in views]
        self.trusts = [
            self._flat((away_from_jumps(each.depth, each.view) / _CLEAN_PIXELS).clip(_HARDLY, 1.0))
            for each in views
        ]
        self.pictures = [self._flat(linear_of_srgb(each.picture)) for each in views]
        self.factors = torch.ones(len(views), 3, device=device)
        self.normals *= self._outsides(torch.from_numpy(surface.objects).long().to(device))

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        # A copy: frames of a capture are read-only.
        return torch.from_numpy(np.array(values, np.float32, order="C")).to(self.device)

    def _flat(self, picture: NDArray[np.float32]) -> Tensor:
        """[h, w, ...] → [h * w, ...]."""
        return self._tensor(picture.reshape(-1, *picture.shape[2:]))

    def _points(self, part: slice | NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Points and normals of texels, [3, n]."""
        triangles = torch.from_numpy(self.texels.triangles[part]).to(self.device)
        weights = torch.from_numpy(self.texels.weights[part]).to(self.device)
        corners = self.corners[triangles].T
        points = sum(weights[:, k] * corners[3 * k : 3 * k + 3] for k in range(3))
        return cast(Tensor, points), self.normals[triangles].T.contiguous()

    def _sights(self, part: slice | NDArray[np.int64], least: float) -> list[Sight]:
        points, normals = self._points(part)
        return [
            look(camera, depth, points, normals, least)
            for camera, depth in zip(self.cameras, self.depths, strict=True)
        ]

    def _some(self) -> NDArray[np.int64]:
        return np.unique(np.linspace(0, len(self.texels) - 1, _SAMPLES).astype(np.int64))

    def _outsides(self, objects: Tensor) -> Tensor:
        """For each triangle 1, or -1 where the views see the inner side of its object's faces:
        their normals point inwards, which no picture shows. A sheet is seen from both sides, and
        keeps its own. [n, 1]."""
        some = self._some()
        of_texels = objects[torch.from_numpy(self.texels.triangles[some]).to(self.device)]
        sides = torch.zeros(2, int(objects.max()) + 1, device=self.device)
        for sight in self._sights(some, -1.0):
            own = of_texels[sight.rows]
            sides[0].index_add_(0, own, sight.cosine.clamp(min=0.0))
            sides[1].index_add_(0, own, -sight.cosine.clamp(max=0.0))
        return torch.where(sides[1] > 2.0 * sides[0], -1.0, 1.0)[objects][:, None]

    def match_exposure(self) -> None:
        """Set the views' colour factors from what two of them both see well."""
        some = self._some()
        sights = self._sights(some, WELL_SEEN)
        colors = torch.zeros(len(sights), len(some), 3, device=self.device)
        trusted = torch.zeros(len(sights), len(some), dtype=torch.bool, device=self.device)
        for number, (sight, picture, trust) in enumerate(
            zip(sights, self.pictures, self.trusts, strict=True)
        ):
            colors[number, sight.rows] = sight.gather(picture)
            trusted[number, sight.rows] = sight.gather(trust[:, None])[:, 0] > 0.99
        self.factors = color_factors(colors, trusted)

    def colors(self, part: slice) -> tuple[Tensor, Tensor]:
        """Linear colours [n, 3], and the cosine [n] of the view that sees a texel best, 0 where
        none does."""
        sights = self._sights(part, _GRAZING)
        count = len(self.texels.triangles[part])
        quality = torch.zeros(len(sights), count, device=self.device)
        cosine = torch.zeros_like(quality)
        for number, (sight, trust) in enumerate(zip(sights, self.trusts, strict=True)):
            trusted = sight.gather(trust[:, None])[:, 0]
            quality[number, sight.rows] = sight.cosine * sight.density.sqrt() * trusted
            cosine[number, sight.rows] = sight.cosine
        best, chosen = quality.max(0)
        weight = (quality / best.clamp(min=1e-12)) ** _SHARPNESS
        weight /= weight.sum(0).clamp(min=1e-12)
        mixed = torch.zeros(count, 3, device=self.device)
        for sight, picture, factor, amount in zip(
            sights, self.pictures, self.factors, weight, strict=True
        ):
            share = amount[sight.rows]
            some = (share > _NOTHING).nonzero()[:, 0]
            colors = sight.gather(picture, some) * (factor * share[some, None])
            mixed.index_add_(0, sight.rows[some], colors)
        return mixed, cosine.gather(0, chosen[None])[0]
