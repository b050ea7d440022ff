"""Asking only the views that may matter, and only where they may, changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from maquette.srgb import linear_of_srgb
from maquette.texturing.bake import bake
from maquette.texturing.jumps import away_from_jumps
from maquette.texturing.projection import Camera, look
from maquette.texturing.pyramid import Pyramid
from maquette.texturing.raster import texels_of

from tests.backend.texturing.models import box, camera, painted, surface_of

CPU = torch.device("cpu")
HOUSE = [*box((-4, 0, 0), (4, 8, 6)), *box((-1, -2, 0), (1.5, 0, 3)), *box((5, -3, 0), (8, 1, 9))]
EYES = ((12, -12, 5), (-12, -12, 5), (2, -14, 12), (-6, 16, 8), (14, 9, 3))


def waves(pixels: np.ndarray, number: int) -> np.ndarray:
    x, y = pixels.T / 40
    return 0.5 + 0.3 * np.stack([np.sin(x + number), np.cos(y), np.sin(x + 2 * y)], 1)


@pytest.mark.parametrize("across", [None, 26.0], ids=["perspective", "orthographic"])
def test_texels_are_as_if_every_view_were_asked_at_each(across: float | None):
    views = [painted(camera(e, (0, 3, 3), 400, 320, across=across), HOUSE, waves) for e in EYES]
    surface, size = surface_of(HOUSE), 256
    made = bake(surface, views, size, match=False)

    texels = texels_of(surface, size)
    corners = np.moveaxis(surface.corners, 0, 2).astype(np.float32)
    points = torch.from_numpy(texels.positions(corners))
    normals = torch.from_numpy(surface.normals().T[:, texels.triangles].astype(np.float32))
    mixed, total = torch.zeros(len(texels), 3).double(), torch.zeros(len(texels)).double()
    for each in views:
        eye = Camera.of(each.view, np.zeros(3), CPU)
        sight = look(eye, torch.from_numpy(each.depth).flatten(), points, normals, 0.03)
        trust = torch.from_numpy(away_from_jumps(each.depth, each.view) / 3).clamp(0.01, 1.0)
        picture = torch.from_numpy(linear_of_srgb(each.picture)).reshape(-1, 3)
        quality = sight.cosine * sight.density.sqrt() * sight.gather(trust.reshape(-1, 1))[:, 0]
        weight = quality.double() ** 32
        mixed[sight.rows] += weight[:, None] * sight.gather(picture)
        total[sight.rows] += weight
    seen = (total > 0).numpy()
    assert seen.mean() > 0.4
    assert (made.seen.ravel()[texels.places] == seen).mean() > 0.999
    wanted = (mixed / total[:, None]).numpy()[seen]
    colors = linear_of_srgb(np.rint(made.picture * 255).astype(np.uint8))
    apart = np.abs(colors.reshape(-1, 3)[texels.places][seen] - wanted).max(1)
    assert np.quantile(apart, 0.995) < 0.01 and (apart > 0.1).mean() < 1e-3


def test_the_farthest_depth_around_a_pixel_is_never_taken_for_nearer():
    rng = np.random.default_rng(5)
    depth = rng.uniform(1.0, 9.0, (37, 53)).astype(np.float32)
    depth[3:9, 40:44] = np.inf
    middles, reach = rng.uniform((-9, -9), (60, 45), (300, 2)), rng.uniform(0.0, 20.0, (300, 2))
    found = Pyramid.of(torch.from_numpy(depth)).farthest(
        torch.from_numpy(middles.T.astype(np.float32)), torch.from_numpy(reach.T.astype(np.float32))
    )
    for (x, y), (wide, tall), value in zip(middles, reach, found.tolist(), strict=True):
        first = np.floor([y - tall, x - wide]).clip(0, (36, 52)).astype(int)
        last = np.floor([y + tall, x + wide]).clip(0, (36, 52)).astype(int)
        assert value >= depth[first[0] : last[0] + 1, first[1] : last[1] + 1].max()
    assert (
        float(Pyramid.of(torch.from_numpy(depth[:3])).farthest(torch.zeros(2, 1), torch.ones(2, 1)))
        < 9.0
    )


def test_distances_from_jumps_are_the_same_within_reach():
    for across in (None, 30.0):
        view = camera((12, -12, 5), (0, 3, 3), 200, 160, across=across)
        depth = painted(view, HOUSE, waves).depth
        whole, near = away_from_jumps(depth, view), away_from_jumps(depth, view, 3)
        assert (whole == 0).any() and (whole > 3).any()
        assert np.array_equal(near, np.minimum(whole, 3))
