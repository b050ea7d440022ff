"""Points and directions spread evenly: over a surface, and all around. Pure functions on arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .poses import Array

CHUNK = 1 << 13
"""Points at a time, with as much for each as a processor has at hand."""


def spread(corners: Array, count: int) -> tuple[Array, Array, NDArray[np.int64], float]:
    """`count` points on triangles [3, 3, n] (corner, axis), evenly over their area: (points [s, 3],
    normals, triangles, area of all).

    Stratified by area from triangle to triangle; within one, along the additive recurrence of the
    plastic number (Roberts, "The Unreasonable Effectiveness of Quasirandom Sequences", 2018).
    """
    (ax, ay, az), (bx, by, bz) = corners[1:] - corners[0]
    across = np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])
    areas = np.sqrt(np.einsum("xn,xn->n", across, across))
    ends = np.cumsum(areas)
    number = np.arange(count) + 0.5
    chosen = np.searchsorted(ends, number / count * ends[-1]).clip(max=len(areas) - 1)
    root = 1.324717957244746
    u, v = (number / root) % 1.0, (number / root**2) % 1.0
    over = u + v > 1.0
    u, v = np.where(over, 1.0 - u, u), np.where(over, 1.0 - v, v)
    weights = np.stack([1.0 - u - v, u, v])
    normals = (across[:, chosen] / np.maximum(areas[chosen], 1e-30)).T
    points = np.einsum("ks,kxs->sx", weights, corners[..., chosen])
    return points, normals, chosen, float(ends[-1]) / 2


def sphere(count: int) -> Array:
    """[count, 3] unit vectors spread over the sphere: a Fibonacci lattice."""
    number = np.arange(count) + 0.5
    up, turns = 1.0 - 2.0 * number / count, np.pi * (1.0 + 5.0**0.5) * number
    flat = np.sqrt(1.0 - up**2)
    return np.stack([flat * np.cos(turns), flat * np.sin(turns), up], 1)


def extremes(corners: Array) -> Array:
    """The outermost of triangles' corners [3, 3, n] (corner, axis), in directions all around."""
    ways = sphere(64)
    found = []
    for points in corners:
        for start in range(0, points.shape[1], CHUNK):
            some = points[:, start : start + CHUNK]
            found.append(some[:, (ways @ some).argmax(1)])
    found = np.concatenate(found, 1)
    return found[:, np.unique((ways @ found).argmax(1))].T


def farthest(places: Array, count: int) -> NDArray[np.int64]:
    """At most `count` of places [n, d] that lie far from each other, by farthest point sampling
    (Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985)."""
    chosen = [0]
    apart = np.linalg.norm(places - places[0], axis=1)
    while len(chosen) < min(count, len(places)):
        chosen.append(int(apart.argmax()))
        apart = np.minimum(apart, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return np.array(chosen)
