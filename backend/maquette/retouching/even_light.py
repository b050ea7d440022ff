"""Painted light, taken out of the pictures of one scene.

A model paints light: one end of a wall is brighter than the other, shade lies in corners. A
texture is lit again by the scene that it is in, and shows the painted light beside that. Where
surfaces end is known exactly, so what varies slowly within one of them is taken for light and what
varies fast for its material (retinex: Land and McCann, "Lightness and Retinex Theory", 1971), and
each surface is left with one colour and its detail. How one side of a model is lit against another
is `texturing.matching`'s.

What a wall's windows and what is between them are like is told apart by the exact openings, blurred
as a model blurs: a pixel is a mixture of both in known shares (guided filtering: He et al., "Guided
Image Filtering", ECCV 2010, over a whole wall). Where windows are too small in a picture for it to
tell, they are like those that are larger, in this picture or another of the scene; and where all
are too small, as in a whole quarter of a town, they are like glass usually is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from ..oklab import oklab, srgb_of_oklab
from ..regions import connected

Ends = tuple[NDArray[np.bool_], NDArray[np.bool_]]

_ALL = 0.95
"""Of what varies slowly, how much is taken out."""
_OWN = 0.4
"""Of how openings of a wall differ, how much stays."""
_BLURS = (0.4, 1.2, 1.7, 2.4)
"""Painted pixels that a model may blur what it paints by."""
_UNSURE = 0.02
"""Share of the openings' variance that is lost in what is painted beside them."""
_LEAST = 0.005
"""The least of that share that a blur is judged by."""
_OPEN = 0.03
"""Variance of openings in a face, from which on they are told: ground that hardly differs in depth
from the foot of a far wall has a few, too."""
_FEW = 64.0
"""Painted pixels of a face by which what they say of its openings is half believed."""
_ENOUGH = 300.0
"""Painted pixels of faces whose openings are told in full, by which a scene's are half believed."""
_TIED = 10.0
"""How much more it counts that what several pictures show of a surface is alike than what it is
like in each."""
_GIVEN = 100.0
"""How much more a face of a given picture counts than one that was painted."""
_ALIKE = 0.12
"""Oklab, how far apart the colours are by which faces are half believed to be one surface's."""
_GLASS = 0.65
"""How light glass is by day, against its walls; it is grey."""
_WARMER = 0.04
"""Oklab, how much yellower than its walls an opening is that is lit from within."""


@dataclass(frozen=True)
class Lit:
    """One picture, and what is known of its surfaces.

    Attributes:
        picture: sRGB [H, W, 3].
        surfaces: int [H, W], openings by themselves, and `faces`, with their openings, from 1.
        openings: [H, W], how much of each pixel is one.
        scale: pixels over which what varies is light.
        walls, glass: [faces, 3], Oklab, what a face is without openings, and its openings.
        clear: [faces], how far its openings can be told, 0 to 1; 0 where it has none.
        sizes: [faces], in painted pixels.
    """

    picture: NDArray[np.uint8]
    surfaces: NDArray[Any]
    faces: NDArray[Any]
    openings: NDArray[np.floating]
    scale: float
    walls: NDArray[np.float64]
    glass: NDArray[np.float64]
    clear: NDArray[np.float64]
    sizes: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        painted: NDArray[np.uint8],
        picture: NDArray[np.uint8],
        ends: Sequence[Ends],
        openings: NDArray[np.floating],
        pixel: float,
        scale: float,
    ) -> Lit:
        """painted: sRGB [H, W, 3], as painted. picture: the same with its colours put on their own
        side of edges. ends: between which neighbours a surface ends, down [H - 1, W] and across
        [H, W - 1], and the same with the openings'. openings: [H, W], how much of each pixel is
        one. pixel: pixels for one that was painted. scale: see the attributes."""
        shape = openings.shape
        (faces, count), (surfaces, _) = (
            connected(np.ones(shape, bool), ~down, ~across) for down, across in (ends[0], ends[-1])
        )
        holes = openings > 0.5
        inside = _inside(faces, round(2.0 * pixel))
        some = np.bincount(faces[inside], minlength=count + 1)
        inside |= (some == 0)[faces]  # a small face has no inside
        own = faces[inside]
        counts = np.bincount(own, minlength=count + 1).clip(1)

        def mean(values: NDArray[np.floating]) -> NDArray[np.float64]:
            return np.bincount(own, values, count + 1) / counts

        spread = mean(holes[inside].astype(np.float64))
        spread -= spread**2
        open_ = spread > _OPEN
        colors = oklab(painted)[inside].T
        middle = np.stack([mean(values) for values in colors], 1)
        fits = []
        for blur in _BLURS:
            shares = _smooth(openings.astype(np.float32), blur * pixel)[inside]
            share = mean(shares)
            clear = (mean(shares**2) - share**2) / np.maximum(spread, _OPEN)
            both = np.stack([mean(values * shares) for values in colors], 1)
            both -= middle * share[:, None]
            slope = both / ((clear + _UNSURE) * np.maximum(spread, _OPEN))[:, None]
            slope *= open_[:, None]
            # What windows explain of how light the picture is, as much as the model blurred.
            told = counts * open_ * both[:, 0] ** 2 / ((clear + _LEAST) * np.maximum(spread, _OPEN))
            fits.append((float(told.sum()), share, (clear * open_).clip(0.0, 1.0), slope))
        _, share, clear, slope = max(fits, key=lambda fit: fit[0])
        painted_pixels = counts / pixel**2
        clear = clear * painted_pixels / (painted_pixels + _FEW)
        walls = middle - (clear * share)[:, None] * slope
        glass = middle + (1.0 - share)[:, None] * slope
        glass[:, 0] = glass[:, 0].clip(0.0, 1.0)
        known = picture, surfaces, faces, openings, scale
        return cls(*known, walls, glass, clear, painted_pixels)

    def evened(self, walls: NDArray[np.float64], glass: NDArray[np.float64]) -> NDArray[np.uint8]:
        """The picture, sRGB [H, W, 3]. walls, glass: [faces, 3], Oklab, as they are to be."""
        flat, faces = self.surfaces.ravel(), self.faces.ravel()
        sizes = np.bincount(flat).clip(1)
        of = np.zeros(len(sizes), np.intp)
        of[flat] = faces
        holes = self.openings > 0.5
        open_ = np.bincount(flat, holes.ravel()) > 0.5 * sizes
        clear = self.clear[of]
        sides = [each.astype(np.float32) for each in (holes, ~holes)]
        around = [np.maximum(_smooth(side, self.scale), 1e-6) for side in sides]
        # What is painted on a wall whose windows can't be told is neither.
        detail = np.where(self.clear > 0.0, self.clear, 1.0)[self.faces].astype(np.float32)
        windowed = (self.clear > 0.0)[self.faces]
        lab = oklab(self.picture)
        for channel, values in enumerate(np.moveaxis(lab, -1, 0)):
            means = np.bincount(flat, values.ravel()) / sizes
            # Across an edge both sides differ from their own mean, so that little comes over it.
            apart = values - means[self.surfaces].astype(np.float32)
            slow = sum(
                side * _smooth(apart * side, self.scale) / weight
                for side, weight in zip(sides, around, strict=True)
            )
            of_face = _mean_by(of[open_], means[open_], len(self.clear))
            # As much glass as there is in a pixel, so that small windows don't flicker.
            varied = np.where(open_ & (clear > 0.0), _OWN * clear * (means - of_face[of]), 0.0)
            own, wall, glazed = (
                each[:, channel][self.faces] for each in (self.walls, walls, glass)
            )
            mixed = wall + self.openings * (glazed - wall) + varied[self.surfaces]
            base = np.where(windowed, mixed, means[self.surfaces] + wall - own)
            values[:] = base + detail * (apart - _ALL * slow)
        return srgb_of_oklab(lab)


def even_light(
    pictures: Sequence[Lit],
    ties: sparse.csr_array | None = None,
    given: Collection[int] = (),
) -> list[NDArray[np.uint8]]:
    """The pictures of one scene without the light that was painted, sRGB [H, W, 3]. ties: how many
    painted pixels the faces of all share, one picture's after the other's, [faces, faces]; those
    that do get the same colours. given: numbers of pictures that stay as they are, which decide
    those colours, and don't come back."""
    sizes, clear, walls, glass = (
        np.concatenate([getattr(each, name) for each in pictures])
        for name in ("sizes", "clear", "walls", "glass")
    )
    usual = _usual_glass(sizes * clear**2, clear, walls, glass)
    glass = clear[:, None] * glass + (1.0 - clear[:, None]) * usual
    if ties is not None:
        ties = _believed(ties, walls)
        counts = [len(each.walls) for each in pictures]
        held = np.repeat([number in given for number in range(len(pictures))], counts)
        walls = _alike(walls, np.maximum(sizes * np.where(held, _GIVEN, 1.0), 1e-3), ties)
        # A given picture may have its windows in other places.
        glass = _alike(glass, np.maximum(sizes * clear * ~held, 1e-3), ties)
    glass[:, 0] -= _mirrored(walls, glass)
    cuts = np.cumsum([len(each.walls) for each in pictures])[:-1]
    parts = zip(pictures, np.split(walls, cuts), np.split(glass, cuts), strict=True)
    return [each.evened(*own) for n, (each, *own) in enumerate(parts) if n not in given]


def _mirrored(walls: NDArray[np.float64], glass: NDArray[np.float64]) -> NDArray[np.float64]:
    """[faces], Oklab, how much lighter than glass by day openings are: they mirror the sky, which
    is light that falls on them, unless they are warmer than their walls, and so lit from within."""
    lit = (glass[:, 2] - walls[:, 2]) / _WARMER
    return (1.0 - lit).clip(0.0, 1.0) * (glass[:, 0] - _GLASS * walls[:, 0]).clip(0.0)


def _believed(ties: sparse.csr_array, walls: NDArray[np.float64]) -> sparse.csr_array:
    """Ties [faces, faces], less of faces that are of different colours, [faces, 3], though they
    share pixels: one of them is a wall and, where the picture shows no edge, the roof above it."""
    found = ties.tocoo()
    apart = np.square(walls[found.row] - walls[found.col]).sum(1)
    entries = found.data / (1.0 + apart / _ALIKE**2) ** 2, (found.row, found.col)
    return sparse.coo_array(entries, ties.shape).tocsr()


def _alike(
    values: NDArray[np.float64], weights: NDArray[np.float64], ties: sparse.csr_array
) -> NDArray[np.float64]:
    """Values [r, c] of regions, those with ties [r, r] as alike as these are strong.

    weights: [r], above zero, how much a region's own value counts, as ties do: least squares on
    how far values are from their own and from each other.
    """
    amounts = ties.sum(1)
    system = sparse.diags_array(weights + _TIED * amounts) - _TIED * ties
    solved = sparse.linalg.splu(system.tocsc()).solve(weights[:, None] * values)
    return np.asarray(solved)


def _usual_glass(
    weights: NDArray[np.float64],
    clear: NDArray[np.float64],
    walls: NDArray[np.float64],
    glass: NDArray[np.float64],
) -> NDArray[np.float64]:
    """[3], Oklab, what openings of a scene are like: as they are told, as far as they are.

    weights: [faces], how much each says of it, in painted pixels.
    """
    if not weights.any():  # no face has any that can be told
        weights = np.ones_like(weights)
    told = float(weights @ clear) / (float(weights @ clear) + _ENOUGH)
    usual = np.array([_GLASS * np.average(walls[:, 0], weights=weights), 0.0, 0.0])
    return told * np.average(glass, axis=0, weights=weights) + (1.0 - told) * usual


def _mean_by(of: NDArray[np.intp], values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.bincount(of, values, count) / np.bincount(of, minlength=count).clip(1)


def _inside(labels: NDArray[Any], far: int) -> NDArray[np.bool_]:
    """Which pixels have their own label all around."""
    side = 2 * far + 1
    low, high = (each(labels, side) for each in (ndimage.minimum_filter, ndimage.maximum_filter))
    return np.asarray(low == high)


def _smooth(values: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    return np.asarray(ndimage.gaussian_filter(values, scale, mode="nearest"), np.float32)
