"""What no view sees takes its colour from what it is near to on the model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from maquette.texturing.fill import continue_islands, fill
from maquette.texturing.raster import texels_of
from maquette.texturing.surface import Surface
from maquette.texturing.texels import Patches

from tests.backend.texturing.models import box, surface_of

SIZE = 192
CPU = torch.device("cpu")
RED, GREEN, BLUE = np.eye(3)
HOUSE = surface_of(box((-4, 0, 0), (4, 8, 6)))


def filled(surface: Surface, paint, known) -> tuple[np.ndarray, ...]:
    """Points and normals of the texels, which are known, and their colours after a fill; paint
    and known take points and normals, all [m, 3]."""
    texels = texels_of(surface, SIZE)
    corners = np.moveaxis(surface.corners, 0, 2).astype(np.float32)
    points, normals = texels.positions(corners).T, surface.normals()[texels.triangles]
    seen = known(points, normals)
    linear = np.zeros((SIZE * SIZE, 3), np.float32)
    linear[texels.places[seen]] = paint(points, normals)[seen]
    fill(linear, seen, surface.objects, Patches(surface, texels, CPU))
    return points, normals, seen, linear[texels.places]


def test_a_gradient_on_a_wall_goes_on_where_it_is_not_seen():
    """A disk in the middle of the front is unseen."""

    def ramp(points, normals):
        return np.repeat(0.5 + 0.1 * points[:, :1], 3, 1)

    def around(points, normals):
        return (normals[:, 1] < -0.9) & (np.hypot(points[:, 0], points[:, 2] - 3) > 1.0)

    points, normals, seen, colors = filled(HOUSE, ramp, around)
    inner = ~seen & (normals[:, 1] < -0.9)
    assert inner.sum() > 100
    assert np.abs(colors - ramp(points, normals))[inner].max() < 0.08
    assert np.allclose(colors[seen], ramp(points, normals)[seen], atol=1e-6), "seen ones stay"


def test_a_wall_takes_its_own_colour_rather_than_that_of_the_roof():
    def paint(points, normals):
        return np.where(normals[:, 2:] > 0.9, GREEN, RED)

    def known(points, normals):
        return (normals[:, 2] > 0.9) | ((normals[:, 1] < -0.9) & (points[:, 2] < 4.0))

    _, normals, seen, colors = filled(HOUSE, paint, known)
    front = ~seen & (normals[:, 1] < -0.9)
    assert front.any() and (colors[front][:, 0] > 0.8).all()


def test_a_face_of_a_direction_that_none_is_seen_of_takes_what_is_near():
    """The floor is never seen; the front is red to the left, blue to the right."""

    def paint(points, normals):
        return np.where(points[:, :1] < 0, RED, BLUE)

    def known(points, normals):
        return normals[:, 1] < -0.9

    points, normals, _, colors = filled(HOUSE, paint, known)
    floor = normals[:, 2] < -0.9
    left, right = floor & (points[:, 0] < -1.5), floor & (points[:, 0] > 1.5)
    assert (colors[left][:, 0] > 0.7).all() and (colors[right][:, 2] > 0.7).all()
    assert np.allclose(colors.sum(1), 1.0, atol=1e-4), "mixtures, and nothing darker"


def test_an_object_takes_its_own_colours_and_an_unseen_one_those_beside_it():
    quads = [*box((0, 0, 0), (4, 4, 4)), *box((4.5, 0, 0), (8, 4, 4)), *box((30, 0, 0), (34, 4, 4))]
    houses = surface_of(quads, [0] * 6 + [1] * 6 + [2] * 6)

    def paint(points, normals):
        return np.where(points[:, :1] < 4.2, RED, np.where(points[:, :1] < 20, GREEN, BLUE))

    def known(points, normals):
        return (normals[:, 1] < -0.9) & ((points[:, 0] < 4.2) | (points[:, 0] > 20))

    points, _, _, colors = filled(houses, paint, known)
    assert np.allclose(colors[points[:, 0] < 4.2], RED, atol=0.01)
    assert np.allclose(colors[points[:, 0] > 20], BLUE, atol=0.01)
    middle = colors[(points[:, 0] > 4.2) & (points[:, 0] < 8.1)]
    assert (middle[:, 0] > 0.8).all(), "the nearer of the two"


@pytest.mark.parametrize("shape", [(16, 16), (13, 9), (1, 5)])
def test_islands_are_continued_to_the_whole_texture(shape: tuple[int, int]):
    covered = np.zeros(shape, bool)
    covered[0, 1:3] = True
    picture = np.zeros((*shape, 3), np.float32)
    picture[0, 1], picture[0, 2] = RED, BLUE
    continue_islands(picture, covered)
    assert np.allclose(picture.sum(-1), 1.0), "nothing is left black"
    assert np.array_equal(picture[0, 0], RED) and np.array_equal(picture[0, 3], BLUE)
    assert np.array_equal(picture[0, 1], RED), "what is covered stays"


def test_the_texels_beside_an_island_are_as_its_border():
    covered = np.zeros((64, 64), bool)
    covered[16:48, 16:48] = True
    picture = np.zeros((64, 64, 3), np.float32)
    picture[16:32, 16:48], picture[32:48, 16:48] = RED, GREEN
    continue_islands(picture, covered)
    assert np.array_equal(picture[8:16, 16:48], np.broadcast_to(RED, (8, 32, 3)))
    assert np.array_equal(picture[48:56, 16:48], np.broadcast_to(GREEN, (8, 32, 3)))
