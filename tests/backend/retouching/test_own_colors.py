"""A massing's own colours in what was painted over it."""

from __future__ import annotations

import numpy as np
import pytest
from maquette.oklab import oklab
from maquette.retouching.own_colors import OwnColors
from numpy.typing import NDArray

RED, GREY = (190, 60, 50), (107, 107, 107)


def halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A picture whose left and right halves are of one colour each."""
    picture = np.empty((24, 40, 3), np.uint8)
    picture[:, :20], picture[:, 20:] = left, right
    return picture


def painted() -> NDArray[np.uint8]:
    """Blue, with a pattern."""
    picture = halves((90, 110, 180), (90, 110, 180))
    picture[::3] = (70, 88, 150)
    return picture


def ends(at: int | None = 20) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """One surface, or two that meet at a column."""
    across = np.zeros((24, 39), bool)
    if at is not None:
        across[:, at - 1] = True
    return np.zeros((23, 40), bool), across


def hue(picture: NDArray[np.uint8]) -> float:
    """Degrees, of the mean colour."""
    _, a, b = oklab(picture).reshape(-1, 3).mean(0)
    return float(np.degrees(np.arctan2(b, a)))


NOWHERE = np.zeros((24, 40), np.float32)


def test_a_coloured_surface_gets_its_colour_and_keeps_what_is_painted_on_it() -> None:
    before = painted()
    after = OwnColors.of(halves(RED, GREY), ends(), NOWHERE, 1.0).given_to(before)
    assert hue(after[:, :20]) == pytest.approx(hue(halves(RED, RED)), abs=3.0)
    # As light between its rows, and on the whole, as it was painted.
    light = [oklab(each)[:, :20, 0].mean(1) for each in (before, after)]
    assert np.allclose(np.diff(light[0]), np.diff(light[1]), atol=0.01)
    assert light[1].mean() == pytest.approx(light[0].mean(), abs=0.01)
    assert (after[:, 20:] == before[:, 20:]).all(), "grey is no colour"


def test_as_much_of_it_as_is_asked_for() -> None:
    wanted = hue(halves(RED, RED))
    after = [
        OwnColors.of(halves(RED, RED), ends(), NOWHERE, share).given_to(painted())
        for share in (0.0, 0.2, 0.4, 2 / 3)
    ]
    off = [abs(hue(picture) - wanted) for picture in after]
    assert off == sorted(off, reverse=True) and off[-1] < 3.0 < off[-2]
    assert (after[0] == painted()).all()


def test_what_has_no_colour_of_its_own_stays() -> None:
    """Sky and windows."""
    covered = NOWHERE.copy()
    covered[8:14, 5:12] = 1.0
    windows = covered > 0.0
    after = OwnColors.of(halves(RED, RED), ends(None), covered, 1.0).given_to(painted())
    assert (after[windows] == painted()[windows]).all()
    assert (after[~windows] != painted()[~windows]).any(1).all()


def test_two_colours_of_one_surface_are_two() -> None:
    green = (60, 160, 70)
    after = OwnColors.of(halves(RED, green), ends(None), NOWHERE, 1.0).given_to(painted())
    assert hue(after[:, :20]) == pytest.approx(hue(halves(RED, RED)), abs=3.0)
    assert hue(after[:, 20:]) == pytest.approx(hue(halves(green, green)), abs=3.0)
