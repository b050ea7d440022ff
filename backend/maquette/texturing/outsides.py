"""Which side of a surface is its outside: the one that the views see.

No picture shows the inner side of a closed model. Where views see it, its faces are turned inside
out, which other programs don't show: all of an object, or some of its faces among others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array, csgraph
from torch import Tensor

from .projection import Sight
from .surface import Surface

_CLEARLY = 2.0
"""Times as much as the other side that a side is to be seen for faces to be turned; a sheet is seen
from both sides, and keeps its own."""
_MIXED = 0.02
"""Share of what is seen of an object that is its inner side, from which on faces are looked at one
by one: less is seen past its outline."""
_WELD = 1e4
"""Steps in a metre, within which corners are one."""
_MIX = np.array([0x9E3779B1, 0x42E1653C5F815519, 0x51AFD7ED558CCD5B, 0x2545F4914F6CDD1D], np.int64)
"""Odd factors that make one number of several, modulo 2 ** 64."""


def outsides(sights: Sequence[Sight], points: Tensor, surface: Surface) -> Tensor:
    """For each triangle 1, or -1 where it faces inwards. points: of each point that the views were
    asked for, its triangle."""
    objects = torch.from_numpy(surface.objects).to(points.device).long()
    count = int(objects.max()) + 1
    sides = torch.zeros(2, len(objects), device=points.device)
    for sight in sights:
        own = points[sight.rows]
        sides[0].index_add_(0, own, sight.cosine.clamp(min=0.0))
        sides[1].index_add_(0, own, -sight.cosine.clamp(max=0.0))
    whole = torch.zeros(2, count, device=points.device).index_add_(1, objects, sides)
    turns = _turns(whole)[objects]
    mixed = (whole.amin(0) > _MIXED * whole.amax(0))[objects].nonzero()[:, 0]
    if len(mixed):
        numbers = mixed.cpu().numpy()
        pieces = torch.from_numpy(_pieces(surface.corners[numbers], surface.objects[numbers]))
        pieces = pieces.to(points.device)
        parts = torch.zeros(2, int(pieces.max()) + 1, device=points.device)
        parts.index_add_(1, pieces, sides[:, mixed])
        # What no view sees goes with its object.
        seen = parts.sum(0) > 0.0
        turns[mixed] = torch.where(seen[pieces], _turns(parts)[pieces], turns[mixed])
    return turns


def _turns(sides: Tensor) -> Tensor:
    """[n], of how much is seen of both sides, [2, n]."""
    return torch.where(sides[1] > _CLEARLY * sides[0], -1.0, 1.0)


def _pieces(corners: NDArray[np.float64], objects: NDArray[np.int32]) -> NDArray[np.int64]:
    """Of triangles [n, 3, 3] numbers [n] of connected pieces, each of which faces one way: two
    triangles belong together that pass an edge that they share in opposite directions."""
    x, y, z = np.rint(corners.reshape(-1, 3) * _WELD).astype(np.int64).T
    # Corners, and then edges whichever way they are passed, by one number each.
    begin = x + y * _MIX[0] + z * _MIX[1] + np.repeat(objects, 3) * _MIX[2]
    end = np.roll(begin.reshape(-1, 3), -1, 1).ravel()
    edges = np.minimum(begin, end) * _MIX[3] + np.maximum(begin, end)
    order = np.argsort(edges)
    triangles, forward = order // 3, (begin < end)[order]
    # Where several share an edge, those that pass it one way are linked through any of the others.
    first = np.diff(edges[order], prepend=~edges[order[:1]]) != 0
    group = np.cumsum(first) - 1
    ways = np.zeros((2, group[-1] + 1), bool)
    ways[forward.astype(np.intp), group] = True
    linked = np.flatnonzero((ways[0] & ways[1])[group] & ~first)
    pairs = triangles[np.flatnonzero(first)[group[linked]]], triangles[linked]
    graph = coo_array((np.ones(len(linked)), pairs), (len(corners),) * 2)
    return csgraph.connected_components(graph, directed=False)[1].astype(np.int64)
