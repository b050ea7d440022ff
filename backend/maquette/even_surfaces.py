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
from PIL import Image
from scipy import ndimage

from .depth import area_resize
from .outlines import Outlines
from .positions import camera_points
from .regions import connected

Floats = NDArray[np.float32]

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
"""Painted pixels that it is wide, at least and at most."""


@dataclass(frozen=True)
class EvenSurfaces:
    """The surfaces of one capture, at the size of its pictures.

    Attributes:
        faces: int32 [H, W], numbers of surfaces with the openings in them, from 1; 0 for the sky.
        panes: int32 [H, W], numbers of openings, from 1, a little beyond their edges; 0 elsewhere.
        owners: int [panes + 1], the face that an opening is in.
        openings: float32 [H, W], how much of each pixel is one.
        blurred: the same, as blurred as it is painted.
        walls, glass: float32 [H, W], how much a pixel counts for its wall and for its opening.
        light: float32 [h, w], the walls' in cells.
        levels: the level ones.
        pixel: pixels for one that was painted.
    """

    faces: NDArray[np.int32]
    panes: NDArray[np.int32]
    owners: NDArray[np.intp]
    openings: Floats
    blurred: Floats
    walls: Floats
    glass: Floats
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
        solid = np.isfinite(depth)
        shape = solid.shape
        holes = np.zeros(shape, bool)
        shares = np.zeros(shape, np.float32)
        if openings is not None:
            shares = openings.astype(np.float32)
            holes = (shares > 0.5) & solid
        faces, _ = connected(solid, *(~each for each in outlines[0].ends))
        panes, count = connected(holes, *(~each for each in outlines[-1].ends))
        owners = np.zeros(count + 1, np.intp)
        owners[panes.ravel()] = faces.ravel()
        owners[0] = 0
        if count:
            # A pixel of which less than half is one belongs to the nearest.
            rows, columns = ndimage.distance_transform_edt(  # type: ignore[misc]
                ~holes, return_distances=False, return_indices=True
            )
            nearest = panes[rows, columns]
            panes = np.where((shares > 0.0) & (owners[nearest] == faces), nearest, 0)
        trust = _trust(outlines[-1], _TRUSTED * pixel)
        walls = trust * np.float32(1.0 - shares) * (solid & ~holes)
        return cls(
            faces.astype(np.int32),
            panes.astype(np.int32),
            owners,
            shares * (panes > 0),
            _smooth(shares, _BLUR * pixel),
            walls,
            trust * holes,
            np.maximum(_smooth(_cells(walls, pixel), _LIGHT / _CELL), 1e-4),
            _Level.all_of(depth, view, faces, _trust(outlines[0], _CLEAR * pixel), pixel),
            pixel,
        )

    def evened(self, picture: NDArray[np.uint8], share: float = 1.0) -> NDArray[np.uint8]:
        """A picture uint8 [H, W, 3] with its surfaces evened. share: how much of that, 0 to 1."""
        values = np.ascontiguousarray(np.moveaxis(picture, -1, 0), np.float32)
        means = _means(values, self.faces, self.walls)
        walls, glass = self._told(values, means)
        seen = _means(values, self.panes, self.glass)
        sizes = np.bincount(self.panes.ravel(), minlength=len(self.owners)).astype(np.float64)
        sizes[0] = 0.0
        even = picture.copy()
        weight = share * (self.faces > 0)
        for number, color in enumerate(values):
            apart = color - means[number][self.faces]
            light = _smooth(_cells(apart * self.walls, self.pixel), _LIGHT / _CELL) / self.light
            slow = _enlarged(light, color.shape[::-1])
            wall = walls[number][self.faces] + slow + _DETAIL * (apart - slow)
            for level in self.levels:
                level.smooth(color, wall, self.pixel)
            # As openings differ from each other, about what those of their face are like.
            whole = np.bincount(self.owners, seen[number] * sizes, len(means[number]))
            usual = whole / np.bincount(self.owners, sizes, len(means[number])).clip(1.0)
            panes = glass[number][self.owners] + seen[number] - usual[self.owners]
            inside = panes.astype(np.float32)[self.panes]
            inside += _DETAIL * (self.glass > 0.0) * (color - seen[number][self.panes])
            wall += self.openings * (inside - wall)
            color += weight * (wall - color)
            even[..., number] = (color + 0.5).clip(0, 255)
        return even

    def _told(self, values: Floats, means: Floats) -> tuple[Floats, Floats]:
        """Colours of walls and of their openings, both [3, faces + 1]: as they are seen away from
        edges, or as regression tells them, whichever differ more, since blurring only makes them
        alike. means: [3, faces + 1], of walls."""
        count = means.shape[1]
        flat, shares = self.faces.ravel(), self.blurred
        weight = (self.walls + self.glass).ravel()
        total = np.bincount(flat, weight, count).clip(1e-6)

        def mean(each: Floats) -> NDArray[np.float64]:
            return np.bincount(flat, weight * each.ravel(), count) / total

        share = mean(shares)
        spread = mean(shares * shares) - share * share
        middle = np.stack([mean(each) for each in values])
        both = np.stack([mean(each * shares) for each in values]) - middle * share
        slope = both / np.maximum(spread, _OPEN)
        fitted = middle - share * slope, middle + (1.0 - share) * slope
        glass = self.glass.ravel()
        some = np.bincount(flat, glass, count)
        shown = np.stack([np.bincount(flat, glass * each.ravel(), count) for each in values])
        shown /= some.clip(1e-6)
        better = (spread > _OPEN) & (np.abs(slope).sum(0) > np.abs(shown - means).sum(0))
        pairs = zip(fitted, (means, shown), strict=True)
        walls, panes = (np.where(better, a, b).clip(0.0, 255.0) for a, b in pairs)
        return walls.astype(np.float32), panes.astype(np.float32)


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
        sizes = np.bincount(flat, minlength=count).clip(1)

        def mean(values: NDArray[np.floating]) -> NDArray[np.float64]:
            return np.bincount(flat, values.ravel(), count) / sizes

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
        whole = _enlarged(found, self.inside.shape[::-1])
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


def _trust(outlines: Outlines, own: float) -> Floats:
    """[H, W], how much colours count by their distance from where a surface ends; wholly from `own`
    pixels on."""
    inside = np.ones(outlines.shape, bool)
    inside.ravel()[outlines.edge] = False
    away = np.asarray(ndimage.distance_transform_edt(inside), np.float32)
    return (away / np.float32(own)).clip(_LEAST, 1.0)


def _means(values: Floats, labels: NDArray[np.int32], weights: Floats) -> Floats:
    """Of values [3, H, W], by label, [3, labels]."""
    flat, each = labels.ravel(), weights.ravel()
    total = np.bincount(flat, each).clip(1e-6)
    sums = [np.bincount(flat, value.ravel() * each) for value in values]
    return (np.stack(sums) / total).astype(np.float32)


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


def _enlarged(values: Floats, size: tuple[int, int]) -> Floats:
    """float32 [h, w] → [H, W] for a size (W, H), linearly."""
    image = Image.fromarray(np.ascontiguousarray(values))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR))
