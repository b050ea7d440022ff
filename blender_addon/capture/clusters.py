"""Clusters: what of a surface stands together, for views that are aimed at less than all of it.

A building is one cluster. Blocks far apart, or a district, are small in a picture of them all, so
they are parted in two, and again, until every part is large enough in a picture of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .poses import Array

SPARSE = 1 / 3
"""Area over size squared of a part, below which a picture of it shows mostly what is around it."""
LOW = 1 / 12
"""Height over width of a part, below which its walls are lines in a picture of it."""
ROOFS = 90
"""Percentile of its points' heights that is a part's height: a single tower makes no part high."""
LARGEST = 3.0
"""Times the size of the largest cluster, of parts that a view is aimed at."""


@dataclass(frozen=True)
class Part:
    """Points of a surface that lie together.

    Attributes:
        members: int64 [m], numbers of its points.
        extremes: float64 [e, 3], the outermost places of it in all directions, and others maybe.
        low, high: float64 [3], its bounds.
    """

    members: NDArray[np.int64]
    extremes: Array
    low: Array
    high: Array

    @property
    def middle(self) -> Array:
        return (self.low + self.high) / 2

    @property
    def size(self) -> float:
        """Metres across."""
        return float(np.linalg.norm(self.high - self.low))


@dataclass(frozen=True)
class Clusters:
    """Parts of a surface that aren't parted further, each point in one of them.

    Attributes:
        parts: what a view may be aimed at: clusters, and several of them together.
        number: int64 [s], the cluster of each point.
        shares: float32 [s, clusters], which each point is of its cluster; 0 of others.
        middles: float64 [clusters, 3].
        sizes: float64 [clusters], metres across.
    """

    parts: list[Part]
    number: NDArray[np.int64]
    shares: NDArray[np.float32]
    middles: Array
    sizes: Array


def clusters_of(whole: Part, points: Array, area: float, turn: float, most: int) -> Clusters:
    """At most so many clusters of a surface.

    points: float64 [s, 3], metres, each for the same share of the area in square metres; turn:
    radians, a direction that streets go.
    """
    parts, found = _parted(whole, points, area, turn, most)
    number = np.zeros(len(points), np.int64)
    for place, each in enumerate(found):
        number[each.members] = place
    shares = np.eye(len(found), dtype=np.float32)[number]
    sizes = np.array([each.size for each in found])
    return Clusters(
        [part for part in parts if part.size <= LARGEST * sizes.max()],
        number,
        shares / shares.sum(0),
        np.array([each.middle for each in found]),
        sizes,
    )


def _parted(
    whole: Part, points: Array, area: float, turn: float, most: int
) -> tuple[list[Part], list[Part]]:
    """The whole with all that it is parted into on the way, and what is left at the end of it. Each
    time the largest is parted that should be."""
    parts, clusters = [whole], [whole]
    share = area / len(points)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    while len(clusters) < most:
        scattered = [part for part in clusters if _is_scattered(part, points, share)]
        if not scattered:
            break
        largest = max(scattered, key=lambda part: part.size)
        level = points[largest.members, :2] @ axes.T
        before = _before_gap(level[:, np.ptp(level, axis=0).argmax()])
        if before.all():  # in one place, though faces without an area reach farther
            break
        halves = [_part(largest.members[half], points, share) for half in (before, ~before)]
        clusters = [*(part for part in clusters if part is not largest), *halves]
        parts += halves
    return parts, clusters


def _is_scattered(part: Part, points: Array, share: float) -> bool:
    """Whether a picture of all of it shows little, and one of half of it would show more."""
    x, y, height = part.high - part.low
    width = float(np.hypot(x, y))
    sparse = len(part.members) * share < SPARSE * part.size**2
    roofs = np.percentile(points[part.members, 2], ROOFS) - part.low[2]
    return bool(width > height and (sparse or roofs < LOW * width))


def _before_gap(along: Array) -> NDArray[np.bool_]:
    """Which places [m] on a line lie before the gap in it that is widest, and farthest from both
    ends; all of them where they are the same."""
    places = np.sort(along)
    gaps, between = np.diff(places), (places[1:] + places[:-1]) / 2
    ends = np.minimum(between - places[0], places[-1] - between)
    return along <= places[(gaps * ends).argmax()]


def _part(members: NDArray[np.int64], points: Array, share: float) -> Part:
    """The surface goes on past its outermost points, by about half of what they are apart."""
    own = points[members]
    low, high = own.min(0), own.max(0)
    outwards = np.sign(own - (low + high) / 2)
    return Part(members, own + share**0.5 / 2 * outwards, low, high)
