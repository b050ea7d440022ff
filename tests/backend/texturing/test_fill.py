"""What no view sees takes its colour from what it is near to on the model."""

from __future__ import annotations

import numpy as np
from maquette.texturing.fill import fill
from maquette.texturing.surface import texels_of

from tests.backend.texturing.models import box, surface_of

NEIGHBOURS, SOFTNESS, TURN = 48, 0.25, 0.5


def test_every_unseen_texel_is_as_its_own_neighbours_say():
    """Against the neighbours of each texel by itself, with nothing shared between texels."""
    size = 96
    surface = surface_of(box((-4, 0, 0), (4, 8, 6)))
    texels = texels_of(surface, size)
    points = texels.positions(surface)
    normals = surface.normals()[texels.triangles]
    # A view from the front and above: the other four sides are unseen, and part of the front.
    front = (normals[:, 1] < -0.9) & (np.hypot(points[:, 0], points[:, 2] - 3) < 3.5)
    known = front | (normals[:, 2] > 0.9)
    linear = np.zeros((size * size, 3), np.float32)
    linear[texels.places] = 0.5 + 0.4 * np.sin(points * [0.5, 0.7, 0.9])
    seen = np.zeros(size * size, bool)
    seen[texels.places[known]] = True
    linear[~seen] = 0.0
    made = fill(linear, seen, surface, texels)
    scale = np.ptp(surface.corners, (0, 1)).max()
    there = np.concatenate([points, normals * (TURN / 2 * scale)], 1)
    apart = []
    for each in np.flatnonzero(~known)[::11]:
        distance = np.linalg.norm(there[known] - there[each], axis=1)
        nearest = np.argsort(distance)[:NEIGHBOURS]
        reach = distance[nearest[-1]]
        weight = (distance[nearest] + SOFTNESS * reach) ** -2.0
        colors = linear[texels.places[known][nearest]]
        wanted = (colors * weight[:, None]).sum(0) / weight.sum()
        apart.append(np.abs(made[texels.places[each]] - wanted).max())
    # Where front and roof are equally far, colours jump from one to the other.
    assert np.quantile(apart, 0.97) < 0.02 and np.median(apart) < 1e-5
    assert np.array_equal(made[seen], linear[seen])
