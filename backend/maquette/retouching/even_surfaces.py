"""Surfaces without blots.

A small model paints in blots as large as the cells of its latents, and into the surfaces beside.
Where surfaces and openings end is known to the pixel, so each surface keeps its colour, what light
varies slowly over it, and a part of its finest detail; colours near its edges count little, since
they may be another's. What a wall is like and what its openings are is told apart by regression on
the exact openings, blurred as a model blurs (guided filtering: He et al., "Guided Image Filtering",
ECCV 2010, over a whole wall). On level surfaces, as the ground, everything is foreshortened: what
is painted taller than that allows is smoothed along the horizon.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from maquette_wire.view import View
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_array

from ..depth import area_resize, enlarged
from ..positions import camera_points
from ..regions import connected
from .outlines import Outlines

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_TRUSTED = 4.0
"""Painted pixels from an edge, a cell of latents, from which on a colour is its surface's own."""
_LEAST = 0.03
"""What colours at an edge count, for surfaces that are nowhere wider."""
_LIGHT = 10.0
"""Painted pixels over which what varies on a surface is light."""
_CELL = 4
"""Painted pixels along a side over which light is averaged first."""
_DETAIL = 0.25
"""How much of what varies faster stays on a wall, and within an opening."""
_BLUR = 1.2
"""Painted pixels that a model blurs openings by."""
_OPEN = 0.004
"""Variance of a face's blurred openings, from which on they say what it is like without them."""
_MORE = 2.0
"""Times as much as they are seen to, that openings may differ from their wall."""
_TINY = 5.0
"""Painted pixels that a surface has at least."""
_LARGE = 0.01
"""Share of a picture that a level surface has at least to be treated as one."""
_FLAT, _FAR = 0.05, 50.0
"""Metres by which its height varies at most, and the distance in metres for which it may by as much
more."""
_CLEAR = 12.0
"""Painted pixels from an edge from which on its colours are its own: ground has the halos of what
stands on it."""
_TALL = 1.5
"""Painted pixels that its detail is tall at least; it is as wide as it is foreshortened."""
_WIDE = 24.0, 80.0
"""Painted pixels to either side that it is wide, at least and at most."""


@dataclass(frozen=True)
class EvenSurfaces:
    """The surfaces of one capture, at the size of its pictures.

    Attributes:
        faces: int [H, W], numbers of surfaces with the openings in them, from 1; 0 for the sky.
        solid: bool [H, W], what isn't sky.
        panes: int [n], numbers of openings from 1, 0 for none, at the pixels that have some of one.
        open: int [n], those pixels, row by row, and float32 [n], how much of each is an opening.
        owners: int [panes + 1], the face that an opening is in.
        walls: float32 [H, W], how much a pixel counts for its wall.
        sums: sparse, of pixels' colours: those of walls, [faces, H * W], those of openings,
            [panes + 1, H * W], and all times how much of each is an opening, as blurred as it is
            painted, [faces, H * W].
        counts: float64 [faces] of walls and [panes + 1] of openings, what those sums are of.
        shares, spreads: float64 [faces], mean and variance of the blurred openings.
        light: float32 [h, w], what walls count in cells.
        levels: the level ones.
        pixel: pixels for one that was painted.
    """

    faces: NDArray[np.intp]
    solid: NDArray[np.bool_]
    panes: NDArray[np.intp]
    open: tuple[NDArray[np.intp], Floats]
    owners: NDArray[np.intp]
    walls: Floats
    sums: tuple[Any, Any, Any]
    counts: tuple[Doubles, Doubles]
    shares: Doubles
    spreads: Doubles
    light: Floats
    levels: tuple[_Level, ...]
    pixel: float

    @classmethod
    def of(
        cls,
        depth: NDArray[np.floating],
        view: View,
        outlines: Sequence[Outlines],
        openings: NDArray[np.floating] | None,
        pixel: float,
    ) -> EvenSurfaces:
        """depth: metres [H, W], +inf for sky. outlines: of surfaces, and last those with the
        openings'. openings: [H, W], how much of each pixel is one. pixel: see the attributes."""
        faces = _faces(np.isfinite(depth), outlines[0], pixel)
        solid = faces > 0
        amounts = np.zeros(solid.shape, np.float32)
        if openings is not None:
            amounts = np.float32(openings) * solid
        holes = amounts > 0.5
        panes, count = connected(holes, *(~each for each in outlines[-1].ends))
        owners = np.zeros(count + 1, np.intp)
        owners[panes[holes]] = faces[holes]
        # A pixel of which less than half is one belongs to the one beside it.
        beside = np.where(holes, panes, ndimage.maximum_filter(panes, 3))
        panes = np.where(owners[beside] == faces, beside, 0)
        open_ = np.flatnonzero((amounts > 0.0) & (panes > 0))
        trust = _trust(outlines[-1], _TRUSTED * pixel)
        own = trust * solid
        walls, glass = own * ~holes, own * holes
        walls *= 1.0 - amounts
        blurred = _smooth(amounts, _BLUR * pixel)
        whole = _counted(faces, own).clip(1e-6)
        shares = _counted(faces, own * blurred) / whole
        return cls(
            faces.astype(np.intp),
            solid,
            panes.ravel()[open_].astype(np.intp),
            (open_, amounts.ravel()[open_]),
            owners,
            walls,
            (_sums(faces, walls), _sums(panes, glass), _sums(faces, own * blurred)),
            (_counted(faces, walls), _counted(panes, glass)),
            shares,
            _counted(faces, own * blurred**2) / whole - shares**2,
            np.maximum(_smooth(_cells(walls, pixel), _LIGHT / _CELL), 1e-4),
            _Level.all_of(depth, view, faces, _trust(outlines[0], _CLEAR * pixel), pixel),
            pixel,
        )

    def evened(self, picture: NDArray[np.uint8], share: float = 1.0) -> NDArray[np.uint8]:
        """A picture uint8 [H, W, 3] with its surfaces evened. share: how much of that, 0 to 1."""
        means, walls, seen, panes = self._told(picture.reshape(-1, 3).astype(np.float32))
        where, amounts = self.open
        even = picture.copy()
        for number in range(3):
            color = picture[..., number].astype(np.float32)
            apart = color - means[number].take(self.faces)
            light = _smooth(_cells(apart * self.walls, self.pixel), _LIGHT / _CELL) / self.light
            wall = walls[number].take(self.faces)
            wall += _DETAIL * apart
            wall += (1.0 - _DETAIL) * enlarged(light, apart.shape[::-1])
            for level in self.levels:
                level.smooth(color, wall, self.pixel)
            flat, own = wall.ravel(), color.ravel()[where]
            inside = panes[number].take(self.panes)
            inside += (amounts > 0.5) * _DETAIL * (own - seen[number].take(self.panes))
            flat[where] += amounts * (inside - flat[where])
            wall -= color
            wall *= share * self.solid
            color += wall
            even[..., number] = (color + 0.5).clip(0, 255)
        return even

    def _told(self, colors: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Colours of walls as they are seen away from edges and as they are to be, [3, faces], and
        of openings, [3, panes + 1]. colors: [H * W, 3].

        They are as they are seen or, where these differ more, as regression tells them, since
        blurring only makes them alike; and openings differ from each other as they are seen to.
        """
        of_walls, of_panes, of_both = (np.asarray(each @ colors, np.float64) for each in self.sums)
        walls, panes = self.counts
        glass, size = np.zeros_like(of_walls), np.zeros_like(walls)
        np.add.at(glass, self.owners, of_panes)
        np.add.at(size, self.owners, panes)
        whole = (walls + size).clip(1e-6)[:, None]
        middle = (of_walls + glass) / whole
        shares = self.shares[:, None]
        seen = of_walls / walls.clip(1e-6)[:, None], glass / size.clip(1e-6)[:, None]
        apart = seen[1] - seen[0]
        slope = (of_both / whole - middle * shares) / np.maximum(self.spreads, _OPEN)[:, None]
        # Openings of a pixel or two hardly say what they are like.
        most = _MORE * np.abs(apart).sum(1, keepdims=True)
        slope *= most / np.maximum(np.abs(slope).sum(1, keepdims=True), most + 1e-6)
        fitted = middle - shares * slope, middle + (1.0 - shares) * slope
        better = np.abs(slope).sum(1) > np.abs(apart).sum(1)
        better &= self.spreads > _OPEN
        wall, pane = (
            np.where(better[:, None], a, b).clip(0.0, 255.0)
            for a, b in zip(fitted, seen, strict=True)
        )
        each = of_panes / panes.clip(1e-6)[:, None]
        given = pane[self.owners] + each - seen[1][self.owners]
        results = (np.float32(values.T) for values in (seen[0], wall, each, given))
        first, second, third, fourth = (np.ascontiguousarray(values) for values in results)
        return first, second, third, fourth


@dataclass(frozen=True)
class _Level:
    """A level surface, in the part of a picture that it is in, and in cells along its rows.

    Attributes:
        part: rows and columns.
        inside: bool [rows, columns].
        trust: float32 [rows, columns], how much a pixel counts.
        first, last: int [rows * cells], between which sums along the rows each cell is the mean.
        counts: float32 [rows, cells], what those means are of what counts.
        tall: pixels over which rows are averaged.
    """

    part: tuple[slice, slice]
    inside: NDArray[np.bool_]
    trust: Floats
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    counts: Floats
    tall: float

    @classmethod
    def all_of(
        cls,
        depth: NDArray[np.floating],
        view: View,
        faces: NDArray[Any],
        trust: Floats,
        pixel: float,
    ) -> tuple[_Level, ...]:
        """Those of a capture, as for `EvenSurfaces`. trust: [H, W], how much a pixel counts."""
        turn = np.array(view.view_matrix).reshape(4, 4)[:3, :3]
        points = camera_points(np.where(faces > 0, depth, 0.0), view)
        height = points @ turn[:, 2]
        flat, count = faces.ravel(), int(faces.max()) + 1
        sizes = np.bincount(flat, minlength=count)  # none of those that belong to one beside them

        def mean(values: NDArray[np.floating]) -> NDArray[np.float64]:
            return np.bincount(flat, values.ravel(), count) / sizes.clip(1)

        varies = mean(np.abs(height - mean(height)[faces]))
        level = varies < _FLAT * (1.0 - mean(points[..., 2]) / _FAR)
        level &= sizes > _LARGE * faces.size
        level[0] = False
        found, boxes = [], ndimage.find_objects(faces)
        for number in np.flatnonzero(level):
            part = boxes[number - 1]
            steep = np.full(faces[part].shape, abs(turn[2, 2]))
            if view.kind == "perspective":
                away = np.linalg.norm(points[part], axis=-1)
                steep = np.abs(height[part]) / np.maximum(away, 1e-9)
            inside = faces[part] == number
            found.append(cls._of(part, inside, trust[part] * inside, steep, pixel))
        return tuple(found)

    @classmethod
    def _of(
        cls,
        part: tuple[slice, slice],
        inside: NDArray[np.bool_],
        trust: Floats,
        steep: NDArray[np.floating],
        pixel: float,
    ) -> _Level:
        """steep: sine of the angle that it is seen at, of each pixel."""
        wide = (_TALL / np.maximum(steep, 1e-3)).clip(*_WIDE).astype(np.float32)
        wide = _across(wide, pixel) / _CELL
        cells = wide.shape[1]
        column, start = np.arange(cells) + 0.5, np.arange(len(wide))[:, None] * (cells + 1)
        first, last = (
            (np.rint(column + way * wide).clip(0, cells) + start).astype(np.intp).ravel()
            for way in (-1.0, 1.0)
        )
        tall = max(_TALL, _WIDE[0] / 2 * float(steep[inside].mean())) * pixel
        made = cls(part, inside, trust, first, last, np.ones(wide.shape, np.float32), tall)
        counts = made._smoothed(trust, pixel)
        return dataclasses.replace(made, counts=np.maximum(counts, 1e-6))

    def smooth(self, color: Floats, into: Floats, pixel: float) -> None:
        """Write one channel [H, W] into another, where this surface is."""
        found = self._smoothed(color[self.part] * self.trust, pixel) / self.counts
        whole = enlarged(found, self.inside.shape[::-1])
        into[self.part][self.inside] = whole[self.inside]

    def _smoothed(self, values: Floats, pixel: float) -> Floats:
        """[rows, columns] → [rows, cells], along the rows twice."""
        values = _across(values, pixel)
        rows = np.asarray(ndimage.gaussian_filter1d(values, self.tall, 0, mode="constant"))
        sums = np.zeros((rows.shape[0], rows.shape[1] + 1))
        for _ in range(2):
            np.cumsum(rows, 1, out=sums[:, 1:])
            whole = sums.ravel()
            means = (whole.take(self.last) - whole.take(self.first)) / (self.last - self.first)
            rows = means.reshape(rows.shape)
        return rows.astype(np.float32)


def _faces(solid: NDArray[np.bool_], outlines: Outlines, pixel: float) -> NDArray[Any]:
    """Numbers of surfaces; one of a pixel or two belongs to one beside it, since what is painted
    there is the halo of an edge."""
    faces, _ = connected(solid, *(~each for each in outlines.ends))
    tiny = (np.bincount(faces.ravel()) < _TINY * pixel**2)[faces] & solid
    beside = ndimage.maximum_filter(np.where(tiny, 0, faces), 5)
    return np.where(tiny, beside, faces)


def _trust(outlines: Outlines, own: float) -> Floats:
    """[H, W], how much colours count by their distance from where a surface ends; wholly from `own`
    pixels on."""
    inside = np.ones(outlines.shape, bool)
    inside.ravel()[outlines.edge] = False
    away = np.asarray(ndimage.distance_transform_cdt(inside, "taxicab"), np.float32)
    return (away / np.float32(own)).clip(_LEAST, 1.0)


def _sums(labels: NDArray[Any], weights: Floats) -> csr_array:
    """[labels, H * W], which sums weighted pixels by label."""
    flat, each = labels.ravel(), weights.ravel()
    some = np.flatnonzero(each)
    shape = int(labels.max()) + 1, flat.size
    return csr_array((each[some], (flat[some], some)), shape)


def _counted(labels: NDArray[Any], weights: NDArray[np.floating]) -> Doubles:
    return np.asarray(np.bincount(labels.ravel(), weights.ravel()), np.float64)


def _cells(values: Floats, pixel: float) -> Floats:
    side = _CELL * pixel
    height, width = values.shape
    return area_resize(values, (max(1, round(height / side)), max(1, round(width / side))))


def _across(values: Floats, pixel: float) -> Floats:
    """Cells along rows alone."""
    height, width = values.shape
    return area_resize(values, (height, max(1, round(width / (_CELL * pixel)))))


def _smooth(values: Floats, scale: float) -> Floats:
    return np.asarray(ndimage.gaussian_filter(values, scale, mode="nearest"), np.float32)
