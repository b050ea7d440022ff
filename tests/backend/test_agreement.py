"""Painted views take over what the one that sees best paints of the surface that they share."""

from __future__ import annotations

import numpy as np
from maquette.agreement import agree
from maquette_wire.capture import Capture
from numpy.typing import NDArray

from tests.backend.test_surface_average import FACTOR, HOUSE, frame, seen
from tests.backend.texturing.models import camera

VIEWS = [camera(eye, (0, -4, 4), 256, 192) for eye in ((0, -24, 4), (-22, -9, 4))]
"""One that faces a wall, and one that sees it aslant."""
SHOWN = [seen(view, HOUSE) for view in VIEWS]
CAPTURES: list[Capture] = [capture for capture, _, _ in SHOWN]
FRAMES = [frame(n, view, extra=2 * n, margin=n) for n, view in enumerate(VIEWS)]
WALL = int(SHOWN[0][1][96, 128])


def padded(values: NDArray[np.generic], number: int) -> NDArray[np.generic]:
    """Of the captures' size, in the middle of what the model paints."""
    rim = FACTOR * number
    return np.pad(values, [(rim, rim), (rim, rim), *[(0, 0)] * (values.ndim - 2)])


def picture(number: int, color: NDArray[np.floating]) -> NDArray[np.uint8]:
    return padded(color.round().astype(np.uint8), number)  # type: ignore[return-value]


def bays(points: NDArray[np.float64]) -> NDArray[np.floating]:
    """Dark and light bays of a metre along the wall, sRGB [h, w, 3]."""
    dark = np.floor(points[..., :1]) % 2
    return np.repeat(60.0 + 120.0 * dark, 3, 2)


def test_a_view_shows_what_another_sees_better_as_sharp_as_that_one_does() -> None:
    flat = np.full((192, 256, 3), (200.0, 120.0, 40.0))
    painted = [picture(0, bays(SHOWN[0][2])), picture(1, flat)]
    first, second = agree(CAPTURES, FRAMES, painted)[0]
    inner = np.zeros((192, 256), bool)
    inner[24:-24, 24:-24] = SHOWN[1][1][24:-24, 24:-24] == WALL
    taken = second[4:-4, 4:-4][inner]
    wanted = bays(SHOWN[1][2])[inner]
    near = np.abs(taken - wanted).max(1) < 12
    assert near.mean() > 0.8
    assert taken.std() > 0.9 * wanted.std()
    # What faces away from the first view, and the whole of the first's wall, are as painted.
    alone = (SHOWN[1][1] >= 0) & ~np.isin(SHOWN[1][1], SHOWN[0][1])
    assert alone.sum() > 500 and (second[4:-4, 4:-4][alone] == painted[1][4:-4, 4:-4][alone]).all()
    assert (first == painted[0])[SHOWN[0][1] == WALL].mean() > 0.95


def test_a_given_picture_stays_and_is_followed_though_it_sees_worse() -> None:
    painted = [picture(n, np.full((192, 256, 3), 60.0 + 100.0 * n)) for n in (0, 1)]
    first, second = agree(CAPTURES, FRAMES, painted, given=[1])[0]
    assert np.array_equal(second, painted[1])
    near = (SHOWN[0][1] == WALL) & (SHOWN[0][2][..., 0] < -5.0)
    assert np.median(first[near]) > 150
    assert np.median(agree(CAPTURES, FRAMES, painted)[0][0][near]) == 60


def test_only_the_same_surfaces_are_tied() -> None:
    painted = [picture(n, np.zeros((192, 256, 3))) for n in (0, 1)]
    shared = agree(CAPTURES, FRAMES, painted)[1]
    quads = len(HOUSE)
    regions = [padded(number + 1, n).astype(int) - 1 for n, (_, number, _) in enumerate(SHOWN)]
    ties = shared.ties(regions, [quads, quads]).toarray()
    assert (ties == ties.T).all() and ties[WALL, quads + WALL] > 1000
    across = ties[:quads, quads:]
    assert across.trace() > 0.99 * across.sum() and not ties[:quads, :quads].any()
