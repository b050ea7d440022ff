"""Painted light is taken out of pictures, and what walls and windows are made of stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from maquette.oklab import oklab
from maquette.retouching.even_light import Lit, even_light
from scipy import ndimage, sparse

HEIGHT, WIDTH = 96, 160
PIXEL = 4.0
WALL, GLASS, ROOF = (200, 190, 170), (60, 70, 90), (120, 50, 40)


def openings(bay: int) -> np.ndarray:
    """Windows a third as wide as their bay, on the wall below the roof."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    inside = (columns % bay >= bay // 3) & (columns % bay < 2 * bay // 3)
    return ((rows % 24 >= 8) & (rows % 24 < 18) & (rows > 30) & inside).astype(np.float32)


def lit(
    holes: np.ndarray,
    blur: float,
    light: np.ndarray | None = None,
    glass: tuple[int, int, int] = GLASS,
) -> Lit:
    """What a model painted that blurs by so many of its own pixels."""
    colors = np.where(holes[..., None] > 0.5, glass, WALL).astype(float)
    colors[:24] = ROOF
    soft = ndimage.gaussian_filter(colors, (blur * PIXEL, blur * PIXEL, 0), mode="nearest")
    soft[:24] = ROOF
    soft = soft if light is None else soft * light[..., None]
    picture: Any = soft.clip(0, 255).round().astype(np.uint8)
    eaves = np.zeros((HEIGHT - 1, WIDTH), bool), np.zeros((HEIGHT, WIDTH - 1), bool)
    eaves[0][23] = True
    some = holes > 0.5
    more = eaves[0] | (some[1:] ^ some[:-1]), eaves[1] | (some[:, 1:] ^ some[:, :-1])
    return Lit.of(picture, picture, (eaves, more), holes, PIXEL, 2 * PIXEL)


def apart(picture: np.ndarray, wanted: tuple[int, int, int], where: np.ndarray) -> float:
    """How far a colour is, in Oklab, from one that is wanted; 0.02 is just seen."""
    color = oklab(picture)[where].mean(0)
    return float(np.linalg.norm(color - oklab(np.array(wanted, np.uint8))))


@pytest.mark.parametrize("blur", [0.4, 1.2])
def test_windows_are_as_dark_as_they_were_before_they_were_blurred(blur: float):
    holes = openings(32)
    before = lit(holes, blur)
    (after,) = even_light([before])
    glass, wall = holes > 0.5, (holes < 0.5) & (np.arange(HEIGHT) > 30)[:, None]
    for color, where in ((GLASS, glass), (WALL, wall)):
        assert apart(after, color, where) < max(0.6 * apart(before.picture, color, where), 0.06)
    assert apart(after, ROOF, np.arange(HEIGHT)[:, None] + np.zeros(WIDTH, int) < 20) < 0.01


def test_light_that_falls_off_along_a_wall_is_gone_and_its_grain_stays():
    holes = np.zeros((HEIGHT, WIDTH), np.float32)
    grain = np.where(np.indices((HEIGHT, WIDTH)).sum(0) % 2, 1.04, 0.96)
    before = lit(holes, 0.1, np.linspace(1.1, 0.6, WIDTH) * grain)
    (after,) = even_light([before])
    wall = (holes < 0.5) & (np.arange(HEIGHT) > 36)[:, None]

    def ends(picture: np.ndarray) -> float:
        light = oklab(picture)[..., 0]
        left, right = wall[:, 8:40], wall[:, -40:-8]
        return float(abs(light[:, 8:40][left].mean() - light[:, -40:-8][right].mean()))

    def detail(picture: np.ndarray) -> float:
        return float(np.abs(np.diff(oklab(picture)[..., 0], axis=1))[:, :-1][wall[:, 1:-1]].mean())

    assert ends(after) < 0.25 * ends(before.picture)
    assert detail(after) > 0.7 * detail(before.picture)


def test_windows_too_small_to_be_told_are_like_those_of_other_pictures():
    near, far = lit(openings(48), 0.4), lit(openings(6), 2.4)
    after = even_light([*[near] * 9, far])
    assert (
        apart(after[-1], GLASS, openings(6) > 0.5)
        < 0.06
        < apart(far.picture, GLASS, openings(6) > 0.5)
    )


def test_windows_that_no_picture_can_tell_are_grey_and_darker_than_their_walls():
    """What is painted there varies, and not with windows: they would be of any colour."""
    holes = openings(6)
    blotches = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(HEIGHT, WIDTH)), 12)
    (after,) = even_light([lit(holes, 2.4, 1.0 + 0.3 * blotches / np.abs(blotches).max())])
    wall = (holes < 0.5) & (np.arange(HEIGHT) > 36)[:, None]
    glass, walls = (oklab(after)[where].mean(0) for where in (holes > 0.5, wall))
    assert 0.5 < glass[0] / walls[0] < 0.8
    assert np.linalg.norm(glass[1:]) < 0.03


def test_a_few_windows_on_the_ground_say_nothing_of_glass():
    """Far off, the foot of a wall is one surface with the ground before it; a shadow is there."""
    holes = np.zeros((HEIGHT, WIDTH), np.float32)
    holes[60:62, 40:120] = 1.0
    shade = np.ones((HEIGHT, WIDTH))
    shade[56:66, 36:124] = 0.4
    before = lit(holes, 2.4, shade)
    (after,) = even_light([before])
    assert np.abs(oklab(after)[holes > 0.5] - oklab(before.picture)[holes > 0.5]).mean() < 0.12
    assert oklab(after)[holes > 0.5][:, 0].min() > 0.3


@pytest.mark.parametrize(
    ("glass", "stays"), [((205, 210, 220), False), ((250, 200, 90), True)], ids=["sky", "lamps"]
)
def test_windows_that_mirror_the_sky_are_dark_and_lit_ones_stay(
    glass: tuple[int, int, int], stays: bool
):
    holes = openings(32)
    (after,) = even_light([lit(holes, 0.4, glass=glass)])
    wall = (holes < 0.5) & (np.arange(HEIGHT) > 36)[:, None]
    panes, walls = (oklab(after)[where].mean(0) for where in (holes > 0.5, wall))
    assert (panes[0] > 0.9 * walls[0]) if stays else (panes[0] < 0.75 * walls[0])
    assert (panes[2] > walls[2] + 0.03) if stays else True


def tied(first: Lit, second: Lit, pair: tuple[int, int]) -> Any:
    """A face of one picture and one of another share as many pixels as the first has."""
    places = [pair[0], len(first.walls) + pair[1]]
    amount = [first.sizes[pair[0]]] * 2
    count = len(first.walls) + len(second.walls)
    return sparse.csr_array((amount, (places, places[::-1])), (count, count))


def test_faces_that_two_pictures_share_have_one_colour_and_others_keep_theirs():
    holes = openings(32)
    bright, dim = lit(holes, 0.4), lit(holes, 0.4, np.full((HEIGHT, WIDTH), 0.9))
    roof, wall = bright.faces[0, 0], bright.faces[-1, 0]
    plain = (holes < 0.5) & (np.arange(HEIGHT) > 36)[:, None]
    above = (np.arange(HEIGHT) < 20)[:, None] & np.ones(WIDTH, bool)
    alone = even_light([bright, dim])
    same = even_light([bright, dim], tied(bright, dim, (wall, wall)))
    follows = even_light([bright, dim], tied(bright, dim, (wall, wall)), given=[0])
    crossed = even_light([bright, dim], tied(bright, dim, (wall, roof)))

    def differ(pictures: list[np.ndarray], where: np.ndarray) -> float:
        first, second = (oklab(each)[where].mean(0) for each in pictures)
        return float(np.linalg.norm(first - second))

    for where in (plain, holes > 0.5):
        assert differ(same, where) < 0.25 * differ(alone, where)
    assert differ(same, above) == pytest.approx(differ(alone, above), abs=1e-3)
    # A given picture stays, and so doesn't come back.
    assert len(follows) == 1 and differ([alone[0], follows[0]], plain) < 0.01
    # A wall and a roof that share pixels are no one surface.
    assert differ([alone[0], crossed[0]], plain) < 0.03
