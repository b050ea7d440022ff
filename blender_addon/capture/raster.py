"""Which triangle each pixel of a View shows, and how far away it is: a rasteriser in NumPy.

Exact to rounding: a triangle's pixels are those whose sample lies inside it, found row by row, and
two triangles with a common edge share it without a gap or an overlap. Perspective and orthographic
Views, lens shift included, as everything comes from the View's own two matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from maquette_wire.view import View
from numpy.typing import NDArray

BLOCK = 400_000
"""Rows, and pixels, that are worked on at once: bounds the memory whatever the scene."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Projected:
    """Triangles on the pixel grid of a View, the nearest ones first.

    Attributes:
        points: [n, 3, 2], columns and rows in pixels from the upper left corner.
        nearness: [n, 3], grows towards the camera and is affine over the picture: the reciprocal
            of the depth in a perspective View, the negative depth in an orthographic one.
        source: [n], which triangle of the scene it is, or is a part of.
    """

    points: Floats
    nearness: Floats
    source: Ints


@dataclass(frozen=True)
class Seen:
    """What the samples of a picture show.

    Attributes:
        depth: float64 [height, width], metres along the view axis, +inf where nothing.
        triangle: int64 [height, width], -1 where nothing.
    """

    depth: Floats
    triangle: Ints


def project(view: View, corners: Floats) -> Projected:
    """Triangles [n, 3, 3] in the world on the pixel grid of a View, cut off at its near plane."""
    perspective = view.kind == "perspective"
    matrix = np.reshape(view.view_matrix, (4, 4))
    projection = np.reshape(view.projection_matrix, (4, 4))
    seen = corners @ matrix[:3, :3].T + matrix[:3, 3]
    source = np.arange(len(seen))
    if perspective:
        seen, source = _cut(seen, source, clip_range(view)[0])
    clip = seen @ projection[:, :3].T + projection[:, 3]
    flat = clip[..., :2] / clip[..., 3:]
    points = (flat * (0.5, -0.5) + 0.5) * (view.width, view.height)
    nearness = -1.0 / seen[..., 2] if perspective else seen[..., 2]
    low, high = points.min(1), points.max(1)
    inside = np.all((high >= 0) & (low <= (view.width, view.height)), axis=-1)
    order = np.flatnonzero(inside)
    order = order[np.argsort(-nearness[order].max(1), kind="stable")]
    return Projected(points[order], nearness[order], source[order])


def clip_range(view: View) -> tuple[float, float]:
    """Depth in metres of the View's near and far plane."""
    depth, offset = np.reshape(view.projection_matrix, (4, 4))[2, 2:]
    if view.kind == "perspective":
        return offset / (depth - 1), offset / (depth + 1)
    return (offset + 1) / depth, (offset - 1) / depth


def look(view: View, triangles: Projected, at: tuple[float, float] = (0.5, 0.5)) -> Seen:
    """What each pixel shows at one place of its square, by default its centre.

    at: columns and rows from the pixel's upper left corner.
    """
    perspective = view.kind == "perspective"
    near, far = clip_range(view)
    nearest, farthest = (1 / near, 1 / far) if perspective else (-near, -far)
    best = np.full(view.width * view.height, -np.inf)
    owner = np.full(best.shape, -1)
    points = triangles.points - at
    slopes = _slopes(points, triangles.nearness)
    bounds = triangles.nearness.min(1), triangles.nearness.max(1)
    for which, row, first, count in _spans(points, view.width, view.height):
        for part in _blocks(count):
            span = np.repeat(part, count[part])
            column = first[span] + _counting(count[part])
            one, y = which[span], row[span]
            x0, y0 = points[one, 0].T
            slope_x, slope_y = slopes[one].T
            value = triangles.nearness[one, 0] + slope_x * (column - x0) + slope_y * (y - y0)
            # Rounding must not carry a sliver beyond its own corners.
            value = value.clip(bounds[0][one], bounds[1][one])
            pixel = y * view.width + column
            kept = (value > best[pixel]) & (value <= nearest) & (value >= farthest)
            pixel, value, one = pixel[kept], value[kept], one[kept]
            order = np.argsort(value, kind="stable")  # the last one that is assigned stays
            pixel = pixel[order]
            best[pixel] = value[order]
            owner[pixel] = triangles.source[one[order]]
    with np.errstate(divide="ignore"):
        depth = np.where(owner >= 0, 1 / best if perspective else -best, np.inf)
    shape = view.height, view.width
    return Seen(depth.reshape(shape), owner.reshape(shape))


def coverage(points: Floats, width: int, height: int) -> Ints:
    """How many triangles [n, 3, 2] each sample of a grid lies in, [height, width].

    points: columns and rows, a sample's place at integers.
    """
    # Where spans begin and end, with a column for those that end at the right edge.
    steps = np.zeros(height * (width + 1), np.int64)
    for _which, row, first, count in _spans(points, width, height):
        begin = row * (width + 1) + first
        steps += np.bincount(begin, minlength=len(steps))
        steps -= np.bincount(begin + count, minlength=len(steps))
    return steps.reshape(height, width + 1).cumsum(1)[:, :width]


def _cut(seen: Floats, source: Ints, near: float) -> tuple[Floats, Ints]:
    """Triangles in camera coordinates without what is nearer than `near` metres."""
    depth = -seen[..., 2]
    ahead = depth >= near
    count = ahead.sum(1)
    whole = count == 3
    parts, sources = [seen[whole]], [source[whole]]
    for kept in (1, 2):
        some = np.flatnonzero(count == kept)
        # Turned so that the corner that is alone on its side comes first.
        alone = np.argmax(ahead[some] == (kept == 1), axis=1)
        turned = (alone[:, None] + np.arange(3)) % 3
        a, b, c = np.moveaxis(seen[some[:, None], turned], 1, 0)
        ab, ac = _crossing(a, b, near, kept == 1), _crossing(a, c, near, kept == 1)
        if kept == 1:
            parts.append(np.stack([a, ab, ac], 1))
            sources.append(source[some])
        else:
            parts += [np.stack([ab, b, c], 1), np.stack([ab, c, ac], 1)]
            sources += [source[some]] * 2
    return np.concatenate(parts), np.concatenate(sources)


def _crossing(one: Floats, other: Floats, near: float, one_ahead: bool) -> Floats:
    """Where edges [n, 3] cross the near plane, computed from the end that is ahead of it: the same
    for both triangles at the edge."""
    ahead, behind = (one, other) if one_ahead else (other, one)
    share = (-near - ahead[:, 2]) / (behind[:, 2] - ahead[:, 2])
    crossing = ahead + share[:, None] * (behind - ahead)
    crossing[:, 2] = -near
    return crossing


def _slopes(points: Floats, values: Floats) -> Floats:
    """How much a value at the corners [n, 3] changes with a column and with a row [n, 2]."""
    one, two = points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]
    rise, climb = (values[:, 1:] - values[:, :1]).T
    area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.stack(
            [
                (rise * two[:, 1] - climb * one[:, 1]) / area,
                (climb * one[:, 0] - rise * two[:, 0]) / area,
            ],
            axis=1,
        )
    # A triangle that is seen from its edge covers no sample but by rounding.
    return np.where(np.isfinite(slopes), slopes, 0.0)


def _spans(points: Floats, width: int, height: int) -> Iterator[tuple[Ints, Ints, Ints, Ints]]:
    """The rows of triangles [n, 3, 2]: which triangle, row, first column and number of columns."""
    top = np.ceil(points[..., 1].min(1)).clip(0, height).astype(np.int64)
    bottom = np.ceil(points[..., 1].max(1)).clip(0, height).astype(np.int64)
    rows = bottom - top
    edges = _edges(points)
    for part in _blocks(rows):
        which = np.repeat(part, rows[part])
        row = top[which] + _counting(rows[part])
        left, right = np.full(len(row), np.inf), np.full(len(row), -np.inf)
        for x, y, lean, end in edges:
            crosses = (y[which] <= row) & (row < end[which])
            place = x[which] + (row - y[which]) * lean[which]
            left = np.where(crosses, np.minimum(left, place), left)
            right = np.where(crosses, np.maximum(right, place), right)
        first = np.ceil(left.clip(0, width)).astype(np.int64)
        count = np.ceil(right.clip(0, width)).astype(np.int64) - first
        some = count > 0
        yield which[some], row[some], first[some], count[some]


def _edges(points: Floats) -> list[tuple[Floats, Floats, Floats, Floats]]:
    """The three edges of triangles [n, 3, 2], each from its upper end: x, y, change of x with a
    row, and the y of its lower end. The same for both triangles at an edge, bit for bit."""
    edges = []
    for one, other in ((0, 1), (1, 2), (2, 0)):
        a, b = points[:, one], points[:, other]
        upper = (a[:, 1] < b[:, 1]) | ((a[:, 1] == b[:, 1]) & (a[:, 0] < b[:, 0]))
        start, end = np.where(upper[:, None], a, b), np.where(upper[:, None], b, a)
        down = end[:, 1] - start[:, 1]
        lean = (end[:, 0] - start[:, 0]) / np.where(down > 0, down, 1.0)
        edges.append((start[:, 0], start[:, 1], lean, end[:, 1]))
    return edges


def _blocks(counts: Ints) -> Iterator[Ints]:
    """Places in `counts`, in order, so many at a time as add up to about a block."""
    if len(counts):
        number = np.cumsum(counts) // BLOCK
        yield from np.split(np.arange(len(counts)), np.flatnonzero(np.diff(number)) + 1)


def _counting(counts: Ints) -> Ints:
    """0, 1, ... up to each count, one after the other."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
