"""Colours are put on their own side of exact edges, and nothing else changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from maquette.retouching.outlines import Outlines
from maquette_wire.view import View
from scipy import ndimage

WIDTH, HEIGHT = 64, 48
RED, BLUE, GREEN = (200, 40, 30), (60, 110, 220), (40, 150, 60)


def view() -> View:
    far, near = 100.0, 0.1
    depth, offset = -(far + near) / (far - near), -2 * far * near / (far - near)
    projection = (2.0, 0, 0, 0, 0, 2.0 * WIDTH / HEIGHT, 0, 0, 0, 0, depth, offset, 0, 0, -1.0, 0)
    identity: Any = tuple(np.eye(4).ravel().tolist())
    return View(view_matrix=identity, projection_matrix=projection, width=WIDTH, height=HEIGHT)


def tower() -> np.ndarray:
    """A wall 10 m away before the sky."""
    depth = np.full((HEIGHT, WIDTH), np.inf, np.float32)
    depth[12:, 20:44] = 10.0
    return depth


def flat_colors(depth: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(depth)[..., None], RED, BLUE).astype(np.uint8)


def blurred(picture: np.ndarray) -> np.ndarray:
    soft = ndimage.gaussian_filter(picture.astype(float), (1.5, 1.5, 0), mode="nearest")
    return soft.round().astype(np.uint8)


def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.abs(first.astype(int) - second.astype(int)).max(-1)


def test_a_blurred_silhouette_is_exact_again():
    depth = tower()
    wanted = flat_colors(depth)
    before = blurred(wanted)
    after = Outlines.of(depth, view(), 6).sharpened(before)
    at_edge = Outlines.of(depth, view(), 1).edge
    beside = np.ones(depth.size, bool)
    beside[at_edge] = False
    assert difference(before, wanted).max() > 60
    assert difference(after, wanted).ravel()[beside].max() <= 8
    # The edge itself is as soft as a render's: half of the pixels' own colour at least.
    assert difference(after, wanted).max() < difference(before, wanted).max() / 2


def test_edges_that_are_found_anew_for_each_picture_are_the_same():
    before = blurred(flat_colors(tower()))
    kept, anew = (Outlines.of(tower(), view(), 6, kept=kept) for kept in (True, False))
    assert np.array_equal(kept.sharpened(before), anew.sharpened(before))
    assert anew.rings is None


def test_creases_between_two_walls_count_too():
    columns = np.arange(WIDTH)
    depth = np.tile(10.0 + 0.1 * np.abs(columns - 31.5), (HEIGHT, 1)).astype(np.float32)
    wanted = np.tile(np.where((columns < 32)[:, None], RED, GREEN).astype(np.uint8), (HEIGHT, 1, 1))
    after = Outlines.of(depth, view(), 6).sharpened(blurred(wanted))
    assert difference(after, wanted)[:, :31].max() <= 8
    assert difference(after, wanted)[:, 33:].max() <= 8


def test_a_blurred_opening_is_exact_again():
    depth = tower()
    holes = np.zeros(depth.shape, np.float32)
    holes[18:28, 26:38] = 1.0
    wanted = flat_colors(depth)
    wanted[holes > 0.5] = (250, 240, 150)
    before = blurred(wanted)
    plain = Outlines.of(depth, view(), 4).sharpened(before)
    after = Outlines.of(depth, view(), 4).with_openings(holes, 4).sharpened(before)
    # A row of pixels on either side of its edge is as soft as a render's.
    inside, around = np.s_[19:27, 27:37], np.s_[15:31, 23:41]
    assert difference(plain, wanted)[inside].max() > 50
    assert difference(after, wanted)[inside].max() <= 8
    assert difference(after, wanted)[around].mean() < 0.4 * difference(plain, wanted)[around].mean()


def test_what_is_painted_on_a_surface_stays():
    depth = tower()
    picture = flat_colors(depth)
    picture[20:26, 28:34] = (250, 240, 150)
    after = Outlines.of(depth, view(), 6).sharpened(picture)
    assert (after[20:26, 28:34] == picture[20:26, 28:34]).all()
    assert (after[:4] == picture[:4]).all()


def test_a_share_of_nothing_changes_nothing():
    picture = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    outlines = Outlines.of(tower(), view(), 6)
    assert (outlines.sharpened(picture, 0.0) == picture).all()
    half = outlines.sharpened(picture, 0.5).astype(float)
    whole = outlines.sharpened(picture, 1.0).astype(float)
    assert np.abs(half - (picture + whole) / 2).max() <= 1.0


@pytest.mark.parametrize("value", [np.inf, 7.0])
def test_without_an_edge_the_picture_stays(value: float):
    picture = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    depth = np.full((HEIGHT, WIDTH), value, np.float32)
    assert (Outlines.of(depth, view(), 6).sharpened(picture) == picture).all()


def test_an_edge_that_hardly_shows_becomes_visible():
    depth = tower()
    wall = np.isfinite(depth)
    night = np.where(wall[..., None], (30, 34, 70), (27, 31, 66)).astype(np.uint8)
    after = Outlines.of(depth, view(), 6).parted(night).astype(int)
    assert (after[30, 20] - after[30, 19]).min() >= 8
    assert (np.diff(after[30, 20:27], axis=0) <= 0).all(), "it fades inwards"
    assert difference(after, night)[30, 30] == difference(after, night)[4, 30] == 0


def test_an_edge_that_shows_or_has_no_contrast_stays():
    outlines = Outlines.of(tower(), view(), 6)
    bright = flat_colors(tower())
    assert (outlines.parted(bright) == bright).all()
    dark = np.full_like(bright, 20)
    assert (outlines.parted(dark) == dark).all()


def test_a_thing_too_thin_to_have_an_inside_keeps_its_colour():
    depth = np.full((HEIGHT, WIDTH), np.inf, np.float32)
    depth[:, 30:32] = 5.0
    picture = flat_colors(depth)
    after = Outlines.of(depth, view(), 6).sharpened(picture)
    assert (after[:, 30:32].astype(int)[..., 0] > 120).all()
