"""What is painted in a view lies on the model where the view saw it, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from maquette.texturing.bake import PaintedView, bake
from maquette.texturing.surface import Surface
from maquette_wire.errors import MaquetteError
from maquette_wire.view import View

from tests.backend.texturing.models import Paint, box, camera, painted, quad, surface_of, trace

PERIOD = 64.0
"""Pixels; a place in the picture is read back from the phase of stripes of this width."""
FACADE = quad((-10, 0, 0), (20, 0, 0), (0, 0, 10))
SHEARED = np.array([[-1.1, 0.0, 0.35], [0.2, 0.9, 0.0], [0.0, 0.15, 1.2]])
"""What a parent with a negative, uneven scale and a turned child make of a mesh."""
RED, GREEN, BLUE = (0.9, 0.1, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.9)

# 75 degrees off the facade's normal, through a 24 mm lens.
OBLIQUE = camera((-8.6, -2.0, 4.0), (-1.1, 0.0, 4.6), 1024, 1024)
VIEWS = {
    "perspective": OBLIQUE,
    "orthographic": camera((-30, -8.04, 5), (0, 0, 5), 1024, 1024, across=12.0),
    "lens shift": camera((-8.6, -3.0, 1.6), (-1.1, 0.0, 1.6), 1024, 768, shift=(0.05, 0.2)),
}


def stripes(pixels: np.ndarray, axis: int) -> np.ndarray:
    """A place along an axis as the phase of two stripe patterns a quarter apart."""
    phase = 2 * np.pi * pixels[:, axis] / PERIOD
    wave = np.stack([np.cos(phase), np.sin(phase), np.zeros(len(phase))], 1)
    return 0.5 + 0.4 * wave


def sample(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Bilinear, as a renderer samples it; [n, 3]."""
    size = texture.shape[0]
    x, y = uv[:, 0] * size - 0.5, (1 - uv[:, 1]) * size - 0.5
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    result = np.zeros((len(uv), 3))
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        share = (x - left if dx else 1 - x + left) * (y - top if dy else 1 - y + top)
        taken = texture[(top + dy).clip(0, size - 1), (left + dx).clip(0, size - 1)]
        result += share[:, None] * taken
    return result


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shape", ["plain", "sheared"])
@pytest.mark.parametrize("view", list(VIEWS.values()), ids=list(VIEWS))
def test_a_picture_comes_back_to_its_own_pixels(view: View, shape: str, axis: int):
    facade = FACADE @ SHEARED.T * [1, 0, 1] if shape == "sheared" else FACADE
    capture = painted(view, [facade], lambda pixels, _: stripes(pixels, axis))
    surface = surface_of([facade])
    made = bake(surface, [capture], 2048, match=False)
    # The texture, rendered from the same view: each pixel reads where it came from.
    _, number, place = trace(view, [facade])
    shown = number == 0
    assert shown.sum() > 50_000
    uv = place[shown] * 0.96 + 0.02
    wave = sample(made.picture, uv) - 0.5
    read = np.arctan2(wave[:, 1], wave[:, 0]) / (2 * np.pi) * PERIOD
    rows, columns = np.nonzero(shown)
    apart = (read - (columns, rows)[axis] + PERIOD / 2) % PERIOD - PERIOD / 2
    assert np.abs(apart).max() < 0.5


def towers() -> tuple[list[np.ndarray], list[int]]:
    front, rear = box((-4, 10, 0), (4, 18, 30)), box((-10, 40, 0), (6, 50, 60))
    return [*front, *rear], [0] * 6 + [1] * 6


@pytest.mark.parametrize("eye", [(0, -30, 2), (14, -30, 2), (-20, -20, 50)])
def test_no_texel_takes_the_colour_of_what_stands_before_it(eye: tuple[float, float, float]):
    quads, objects = towers()
    capture = painted(
        camera(eye, (0, 30, 22), 640, 640),
        quads,
        lambda pixels, n: np.tile(RED if n < 6 else GREEN, (len(pixels), 1)),
    )
    assert {tuple(c) for c in capture.picture.reshape(-1, 3)[::7]} >= {(230, 26, 26), (26, 204, 26)}
    made = bake(surface_of(quads, objects), [capture], 512)
    rear = np.zeros((512, 512), bool)
    cells = 512 // 4
    for number in range(6, 12):
        row, column = number // 4, number % 4
        rear[512 - (row + 1) * cells : 512 - row * cells, column * cells : (column + 1) * cells] = 1
    assert made.seen[rear].any() and not made.seen[rear].all()
    assert (made.picture[rear][:, 1] > 0.7).all() and (made.picture[rear][:, 0] < 0.2).all()
    front = made.seen & ~rear
    assert (made.picture[front][:, 0] > 0.8).all() and (made.picture[front][:, 1] < 0.2).all()


def test_a_wall_seen_from_behind_is_not_painted_through():
    """The far sides of a box face away from the camera, and a thin slab's too."""
    slab = box((-5, 0, 0), (5, 0.02, 8))
    capture = painted(
        camera((2, -14, 3), (0, 0, 4)), slab, lambda pixels, n: np.tile(BLUE, (len(pixels), 1))
    )
    made = bake(surface_of(slab), [capture], 256)
    back = 2  # BOX's face of greatest y
    row, column = back // 3, back % 3
    area = made.seen[
        256 - round((row + 1) * 256 / 3) + 3 : 256 - round(row * 256 / 3) - 3,
        round(column * 256 / 3) + 3 : round((column + 1) * 256 / 3) - 3,
    ]
    assert made.seen.any() and not area.any()


def test_faces_turned_inside_out_are_painted_all_the_same():
    house = [each[::-1] for each in box((-4, 0, 0), (4, 8, 6))]
    capture = painted(
        camera((10, -12, 9), (0, 4, 3)), house, lambda pixels, n: np.tile(GREEN, (len(pixels), 1))
    )
    made = bake(surface_of(house), [capture], 256)
    right = bake(surface_of(box((-4, 0, 0), (4, 8, 6))), [capture], 256)
    assert made.seen.mean() == pytest.approx(right.seen.mean(), abs=0.02)
    assert made.seen.mean() > 0.3


def test_some_faces_turned_inside_out_among_others_are_painted_all_the_same():
    """As models of other programs have them that show both sides of a face."""
    right = box((-4, 0, 0), (4, 8, 6))
    mixed = [each[::-1] if number % 2 else each for number, each in enumerate(right)]
    view = camera((10, -12, 9), (0, 4, 3))
    capture = painted(view, right, lambda pixels, n: np.tile(GREEN, (len(pixels), 1)))
    made, wanted = (bake(surface_of(each), [capture], 256) for each in (mixed, right))
    assert made.seen.sum() == pytest.approx(wanted.seen.sum(), rel=0.02)


def test_nothing_is_left_black_or_without_a_colour():
    quads, objects = towers()
    capture = painted(
        camera((30, -30, 20), (0, 30, 22)),
        quads,
        lambda pixels, n: np.tile(GREEN, (len(pixels), 1)),
    )
    made = bake(surface_of(quads, objects, gap=0.1), [capture], 256)
    assert not made.covered.all() and not made.seen[made.covered].all()
    assert (made.picture[..., 1] > 0.7).all()


def test_a_texture_for_each_object_is_the_same_surface():
    """One texture or one for each of two towers: every point of them has the same colour."""
    quads, objects = towers()
    capture = painted(
        camera((30, -30, 20), (0, 30, 22)),
        quads,
        lambda pixels, n: np.stack([pixels[:, 0] / 512, pixels[:, 1] / 512, pixels[:, 0] * 0], 1),
    )
    shared = surface_of(quads, objects)
    apart = replace(
        shared, uvs=shared.uvs + np.outer(shared.objects, (1, 0))[:, None], tiles=(1001, 1002)
    )
    one, both = bake(shared, [capture], 256), bake(apart, [capture], 256)
    assert both.picture.shape == (512, 256, 3) and both.share_seen == pytest.approx(one.share_seen)
    first, second = both.covered[:256], both.covered[256:]
    assert not (first & second).any() and np.array_equal(first | second, one.covered)
    for tile, own in ((both.picture[:256], first), (both.picture[256:], second)):
        assert np.allclose(tile[own], one.picture[own], atol=1e-3)
        assert (tile.max(-1) > 0.05).all(), "and nothing around is black"


def test_unseen_faces_take_the_colour_of_their_own_object():
    quads, objects = towers()
    capture = painted(
        camera((30, -30, 20), (0, 30, 22)),
        quads,
        lambda pixels, n: np.tile(RED if n < 6 else GREEN, (len(pixels), 1)),
    )
    made = bake(surface_of(quads, objects), [capture], 256)
    flat = made.picture.reshape(4, 64, 4, 64, 3)[:, 8:-8, :, 8:-8]
    for number in range(12):
        cell = flat[3 - number // 4, :, number % 4]
        wanted = RED if number < 6 else GREEN
        assert np.allclose(cell, wanted, atol=0.02), number


def two_views(second: tuple[float, float, float]) -> tuple[Surface, list[PaintedView]]:
    house = box((-4, 0, 0), (4, 8, 6))
    eyes = ((12, -12, 5), (-12, -12, 5))
    return surface_of(house), [
        painted(camera(eye, (0, 4, 3)), house, lambda p, n, c=c: np.tile(c, (len(p), 1)))
        for eye, c in zip(eyes, ((0.6, 0.5, 0.4), second), strict=True)
    ]


def test_views_of_another_exposure_are_brought_together():
    surface, views = two_views((0.45, 0.375, 0.3))
    apart = bake(surface, views, 128, match=False).picture
    together = bake(surface, views, 128).picture
    assert np.ptp(apart[..., 0]) > 0.13
    assert np.ptp(together[..., 0]) < 0.02


def test_no_side_is_darker_than_another_where_light_is_taken_out():
    """Two views paint a box, the first one all darker, each with one side in half light."""
    house = box((-4, 0, 0), (4, 8, 6))
    corners = ((-16.0, -12.0, 8.0), (16.0, -12.0, 8.0))

    def paint(light: list[float]) -> Paint:
        return lambda pixels, number: np.full((len(pixels), 3), 0.6) * light[number]

    lights = [1.0] * 6, [0.8] * 6
    lights[0][3], lights[1][1] = 0.7, 0.5
    views = [
        painted(camera(eye, (0, 4, 2)), house, paint(light))
        for eye, light in zip(corners, lights, strict=True)
    ]
    surface = surface_of(house[:4])
    spreads = []
    for even in (False, True):
        made = bake(surface, views, 192, even=even)
        low, high = np.percentile(made.picture[made.seen][:, 0], (10, 90))
        spreads.append(high - low)
    assert spreads[0] > 0.2 and spreads[1] < 0.07


def test_a_red_and_a_blue_side_stay_so_where_light_is_taken_out():
    house = box((-4, 0, 0), (4, 8, 6))
    eye = camera((-16.0, -12.0, 8.0), (0, 4, 2))
    views = [painted(eye, house, lambda xy, n: np.tile(RED if n % 2 else BLUE, (len(xy), 1)))]
    made = bake(surface_of(house), views, 128, even=True)
    red, _, blue = made.picture[made.seen].T
    assert ((red > 2 * blue) | (blue > 2 * red)).mean() > 0.95


def test_two_views_mix_in_a_narrow_band_alone():
    surface, views = two_views((0.1, 0.1, 0.9))
    made = bake(surface, views, 256, match=False)
    red = made.picture[..., 0][made.seen]
    clear = (np.abs(red - 0.6) < 0.02) | (np.abs(red - 0.1) < 0.02)
    assert clear.mean() > 0.8


def test_the_share_that_is_well_seen():
    house = box((-4, 0, 0), (4, 8, 6))
    capture = painted(
        camera((12, -12, 18), (0, 4, 3)), house, lambda p, n: np.tile(BLUE, (len(p), 1))
    )
    made = bake(surface_of(house), [capture], 128)
    assert made.share_seen == pytest.approx(0.5, abs=0.02)


def test_a_model_that_no_view_sees_is_an_error():
    house = box((-4, 0, 0), (4, 8, 6))
    capture = painted(camera((0, -12, 3), (0, -30, 3)), house, lambda p, n: np.zeros((len(p), 3)))
    for even in (False, True):
        with pytest.raises(MaquetteError, match="None of the views"):
            bake(surface_of(house), [capture], 64, even=even)


def test_a_model_far_from_the_origin_is_textured_as_well():
    away = np.array([121_000.0, 487_000.0, 0.0])
    facade = FACADE + away
    near = camera((-2, -12, 4), (0, 0, 5), 512, 512)
    matrix = np.array(near.view_matrix).reshape(4, 4)
    matrix[:3, 3] -= matrix[:3, :3] @ away
    far = View(
        view_matrix=tuple(matrix.ravel().tolist()),
        projection_matrix=near.projection_matrix,
        width=512,
        height=512,
    )
    capture = painted(near, [FACADE], lambda pixels, _: stripes(pixels, 0))
    here = bake(surface_of([FACADE]), [capture], 256).picture
    there = bake(
        surface_of([facade]), [PaintedView(far, capture.depth, capture.picture)], 256
    ).picture
    assert (np.abs(here - there) < 0.02).all(-1).mean() > 0.999
