"""The colours that a user gave the model, in what was painted over it.

Image-to-image keeps the colours of what it begins from by beginning late, at a strength below 1. A
model that paints in a single step from noise has nothing to begin late with, and a massing in flat
colours is no picture to it. So it paints all, and then each surface's painting is given that
surface's own colour: the mean of its colour is moved, and what is painted on it, light, texture
and windows, stays as it differs from the mean. Colours are transferred between means as by
Reinhard et al. ("Color Transfer between Images", 2001), surface by surface, in Oklab (Ottosson,
2020). What has no colour of its own, as grey has not, stays as it is painted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..oklab import oklab, srgb_of_oklab
from ..regions import connected

_GREY = 0.015, 0.045
"""Chroma below which a surface has no colour of its own, and above which it has all of it."""
_STEP = 0.04
"""Between neighbours of one surface that have different colours."""
_LIGHTNESS = 0.6
"""How much of a surface's own lightness counts: the rest is the light that is painted."""
_DIMMED = 0.25, 1.25
"""Share of a colour's chroma in the least and the most light."""
_LEAST = 6
"""Pixels of a surface."""
_SOON = 1.5
"""A surface has all of its colour before all is asked for: where two thirds are."""


@dataclass(frozen=True)
class OwnColors:
    """The surfaces of a capture that have colours of their own.

    Attributes:
        surfaces: int [H, W], numbers from 1, 0 for what stays as it is painted.
        bare: float32 [H, W], how much of each pixel is the surface itself.
        colors: float32 [n, 3], Oklab, by number; the first one is of no surface.
        shares: float32 [n], how much of its own colour each has.
    """

    surfaces: NDArray[np.int32]
    bare: NDArray[np.float32]
    colors: NDArray[np.float32]
    shares: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        color: NDArray[np.uint8],
        ends: tuple[NDArray[np.bool_], NDArray[np.bool_]],
        covered: NDArray[np.floating],
        share: float,
    ) -> OwnColors:
        """color: sRGB [H, W, 3], as captured. ends: between which neighbours a surface ends, down
        [H - 1, W] and across [H, W - 1]. covered: [H, W], how much of each pixel has no colour of
        its own, as sky and openings haven't. share: of the colours, 0 to 1."""
        lab = oklab(color)
        steps = (np.abs(np.diff(lab, axis=axis)).max(-1) > _STEP for axis in (0, 1))
        down, across = (~(end | step) for end, step in zip(ends, steps, strict=True))
        surfaces, count = connected(covered < 1.0, down, across)
        sizes = np.bincount(surfaces.ravel(), minlength=count + 1)
        bare = (1.0 - covered).astype(np.float32)
        colors = _means(lab, surfaces, bare, count + 1)
        chroma = np.hypot(colors[:, 1], colors[:, 2])
        shares = min(_SOON * share, 1.0) * ((chroma - _GREY[0]) / (_GREY[1] - _GREY[0])).clip(
            0.0, 1.0
        )
        shares[sizes < _LEAST] = 0.0
        shares[0] = 0.0
        return cls(surfaces, bare, colors, shares.astype(np.float32))

    def given_to(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture sRGB [H, W, 3] with these colours."""
        if not self.shares.any():
            return picture
        lab = oklab(picture)
        sizes = np.bincount(self.surfaces.ravel(), minlength=len(self.colors))
        painted = _means(lab, self.surfaces, self.bare, len(self.colors))
        sizes[0] = 0
        own, now = ((each[:, 0] * sizes).sum() / sizes.sum() for each in (self.colors, painted))
        wanted = self.colors.copy()
        # As light as it is painted on the whole, and between surfaces as they are.
        wanted[:, 0] = painted[:, 0] + _LIGHTNESS * (
            (self.colors[:, 0] - own) - (painted[:, 0] - now)
        )
        lit = (wanted[:, 0] / np.maximum(self.colors[:, 0], 1e-3)).clip(*_DIMMED)
        wanted[:, 1:] *= lit[:, None]
        moved = self.shares[:, None] * (wanted - painted)
        lab += moved[self.surfaces] * self.bare[..., None]
        return srgb_of_oklab(lab)


def _means(
    values: NDArray[np.float32],
    surfaces: NDArray[np.int32],
    weights: NDArray[np.float32],
    count: int,
) -> NDArray[np.float32]:
    """Of values [H, W, 3], on each of so many surfaces [n, 3]."""
    flat = surfaces.ravel()
    sums = [
        np.bincount(flat, (values[..., channel] * weights).ravel(), count) for channel in range(3)
    ]
    total = np.bincount(flat, weights.ravel(), count)
    return (np.stack(sums, 1) / np.maximum(total, 1e-6)[:, None]).astype(np.float32)
