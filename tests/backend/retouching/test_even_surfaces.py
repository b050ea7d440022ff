"""Surfaces without blots: walls keep their colour and light, windows their places, ground lies."""

from __future__ import annotations

import numpy as np
import pytest
from maquette.retouching.even_surfaces import EvenSurfaces
from maquette.retouching.outlines import Outlines
from scipy import ndimage

from tests.backend.scenes import massing

WIDTH, HEIGHT = 256, 192
SLAB = [(-8.0, 8.0, 12.0, 22.0, 0.0, 9.0)]
WALL, GLASS, LIT, GROUND, SKY = (
    np.array(each, np.float32)
    for each in ((180, 120, 90), (60, 70, 90), (250, 220, 120), (110, 120, 90), (150, 180, 220))
)
RADIUS = 6


class Scene:
    """A slab on the ground, seen squarely, with windows; one of them is lit."""

    def __init__(self, windows: bool = True, small: bool = False) -> None:
        self.capture = massing(WIDTH, HEIGHT, SLAB, pitch=4.0, turn=0.0)
        self.depth = np.asarray(self.capture.depth)
        bare = np.asarray(massing(WIDTH, HEIGHT, [], pitch=4.0, turn=0.0).depth)
        self.sky = np.isinf(self.depth)
        self.wall = ~self.sky & (self.depth < bare - 1e-3)
        self.ground = ~self.sky & ~self.wall
        rows, columns = np.mgrid[:HEIGHT, :WIDTH]
        inside = np.asarray(ndimage.binary_erosion(self.wall, iterations=6), bool)
        high, wide = (4, 3) if small else (10, 8)
        grid = (rows % (2 * high) < high) & (columns % (2 * wide) < wide)
        labels, count = ndimage.label(grid & inside)  # type: ignore[misc]
        sizes = np.bincount(labels.ravel())
        whole = [n for n in range(1, count + 1) if sizes[n] == high * wide]
        self.holes = np.isin(labels, whole) if windows else np.zeros(grid.shape, bool)
        self.lit = labels == whole[len(whole) // 2]
        outlines = Outlines.of(self.depth, self.capture.view, RADIUS)
        openings = self.holes.astype(np.float32)
        both = (outlines, outlines.with_openings(openings, 0)) if windows else (outlines,)
        self.surfaces = EvenSurfaces.of(
            self.depth, self.capture.view, both, openings if windows else None, 1.0
        )

    def clean(self) -> np.ndarray:
        """Every surface in its colour, a wall that is lighter to the right."""
        picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
        picture[self.sky], picture[self.ground] = SKY, GROUND
        light = np.linspace(0.85, 1.15, WIDTH)[None, :, None] * np.ones((HEIGHT, 1, 1))
        picture[self.wall] = (WALL * light)[self.wall]
        picture[self.holes], picture[self.lit & self.holes] = GLASS, LIT
        return picture


def painted(clean: np.ndarray) -> np.ndarray:
    """As a small model paints: blurred into what is beside, and in blots as large as its cells."""
    soft = ndimage.gaussian_filter(clean, (1.2, 1.2, 0.0))
    blots = np.random.default_rng(5).normal(0.0, 14.0, (HEIGHT // 4, WIDTH // 4, 3))
    return (soft + blots.repeat(4, 0).repeat(4, 1)).round().clip(0, 255).astype(np.uint8)


def off(picture: np.ndarray, clean: np.ndarray, where: np.ndarray) -> float:
    return float(np.abs(picture - clean)[where].mean())


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_walls_and_windows_are_what_was_meant_by_what_was_painted(scene: Scene):
    clean = scene.clean()
    before = painted(clean)
    after = scene.surfaces.evened(before)
    wall, dark = scene.wall & ~scene.holes, scene.holes & ~scene.lit
    for where, share in ((wall, 0.5), (dark, 0.6)):
        assert off(after, clean, where) < share * off(before, clean, where)
    # Also in the ring of pixels along an edge, where it is blurred.
    rim = wall & ~np.asarray(ndimage.binary_erosion(wall), bool)
    assert off(after, clean, rim) < 0.6 * off(before, clean, rim)
    assert (after[scene.sky] == before[scene.sky]).all(), "the sky is not a surface"
    lights = [
        each[wall & (np.arange(WIDTH) // 64 == n)].mean() for each in (after,) for n in (1, 2)
    ]
    assert lights[1] - lights[0] > 5, "light that varies slowly stays"


def test_a_window_that_is_lit_stays_so_among_dark_ones(scene: Scene):
    after = scene.surfaces.evened(painted(scene.clean())).astype(float)
    lit, dark = after[scene.lit].mean(0), after[scene.holes & ~scene.lit].mean(0)
    assert np.abs(lit - LIT).mean() < 40 and np.abs(dark - GLASS).mean() < 12


def test_windows_of_a_few_pixels_are_as_dark_as_before_they_were_blurred():
    scene = Scene(small=True)
    clean = scene.clean()
    clean[scene.lit & scene.holes] = GLASS
    soft = ndimage.gaussian_filter(clean, (1.2, 1.2, 0.0)).round().astype(np.uint8)
    after = scene.surfaces.evened(soft)
    wall = scene.wall & ~scene.holes
    before, now = (
        np.abs(each[wall].mean(0) - each[scene.holes].mean(0)).mean() for each in (soft, after)
    )
    meant = np.abs(clean[wall].mean(0) - clean[scene.holes].mean(0)).mean()
    assert before < 0.6 * meant and 0.75 * meant < now < 1.2 * meant, (before, now, meant)


def test_a_wall_without_windows_keeps_one_colour():
    scene = Scene(windows=False)
    clean = scene.clean()
    before = painted(clean)
    after = scene.surfaces.evened(before)
    assert off(after, clean, scene.wall) < 0.5 * off(before, clean, scene.wall)


def test_upright_streaks_on_the_ground_go_and_bands_along_the_horizon_stay(scene: Scene):
    clean = scene.clean()
    bands = 25.0 * np.sin(np.arange(HEIGHT) / 8.0)[:, None, None]
    streaks = np.random.default_rng(2).normal(0.0, 25.0, (1, WIDTH, 1))
    clean[scene.ground] += (bands + np.zeros_like(clean))[scene.ground]
    before = clean + np.where(scene.ground[..., None], streaks, 0.0)
    before = before.round().clip(0, 255).astype(np.uint8)
    after = scene.surfaces.evened(before)
    near = scene.ground & (np.arange(HEIGHT) > 140)[:, None]
    along = [
        np.abs(np.diff(each.astype(float), axis=1))[near[:, 1:]].mean() for each in (before, after)
    ]
    assert along[1] < 0.1 * along[0]
    assert off(after, clean, near) < 0.4 * off(before, clean, near)


def test_level_surfaces_beside_each_other_are_not_mixed():
    """A roof from above, over ground of another colour."""
    capture = massing(
        WIDTH, HEIGHT, [(-6.0, 6.0, 14.0, 24.0, 0.0, 6.0)], eye=(0.0, -6.0, 24.0), pitch=-45.0
    )
    depth = np.asarray(capture.depth)
    outlines = Outlines.of(depth, capture.view, RADIUS)
    surfaces = EvenSurfaces.of(depth, capture.view, (outlines,), None, 1.0)
    roof = surfaces.faces == surfaces.faces[HEIGHT // 2 - 10, WIDTH // 2]
    assert 0.02 < roof.mean() < 0.5 and len(surfaces.levels) >= 2
    picture = np.where(roof[..., None], np.uint8(200), np.uint8(60)) + np.zeros(3, np.uint8)
    even = surfaces.evened(picture)
    assert np.abs(even.astype(int) - picture).max() <= 2


def test_a_surface_of_a_pixel_is_no_dot_at_an_outline():
    """Where a roof's far side just shows, a pixel has the halo of the edge."""
    scene = Scene(windows=False)
    top = np.flatnonzero(scene.wall[:, WIDTH // 2])[0]
    scene.depth = scene.depth.copy()
    scene.depth[top - 1, WIDTH // 2] = scene.depth[top, WIDTH // 2] + 20.0
    outlines = Outlines.of(scene.depth, scene.capture.view, RADIUS)
    surfaces = EvenSurfaces.of(scene.depth, scene.capture.view, (outlines,), None, 1.0)
    picture = scene.clean().round().clip(0, 255).astype(np.uint8)
    picture[top - 1, WIDTH // 2] = 255
    below = picture[top + 4, WIDTH // 2].astype(float)
    even = surfaces.evened(picture)[top - 1, WIDTH // 2]
    assert (np.abs(even - below) < 0.3 * (255.0 - below)).all()


def test_as_much_is_evened_as_is_asked_for(scene: Scene):
    before = painted(scene.clean())
    whole, half = scene.surfaces.evened(before), scene.surfaces.evened(before, 0.5)
    assert (scene.surfaces.evened(before, 0.0) == before).all()
    middle = (before.astype(float) + whole) / 2
    assert np.abs(half - middle).max() <= 1.0


@pytest.mark.parametrize("size", [(8, 8), (16, 9), (9, 64), (300, 12)])
@pytest.mark.parametrize("pixel", [1.0, 2.5])
def test_pictures_of_a_few_pixels(size: tuple[int, int], pixel: float):
    capture = massing(*size)
    depth = np.asarray(capture.depth)
    openings = np.random.default_rng(4).random(depth.shape).astype(np.float32)
    outlines = Outlines.of(depth, capture.view, RADIUS)
    both = outlines, outlines.with_openings(openings, 0)
    surfaces = EvenSurfaces.of(depth, capture.view, both, openings, pixel)
    picture = np.random.default_rng(1).integers(0, 256, (*depth.shape, 3)).astype(np.uint8)
    assert surfaces.evened(picture).shape == picture.shape


def test_a_picture_with_nothing_but_sky_stays():
    capture = massing(64, 48, [], ground=False, pitch=30.0)
    depth = np.asarray(capture.depth)
    outlines = Outlines.of(depth, capture.view, RADIUS)
    surfaces = EvenSurfaces.of(depth, capture.view, (outlines,), None, 1.0)
    picture = np.random.default_rng(1).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    assert (surfaces.evened(picture) == picture).all()
