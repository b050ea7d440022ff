"""Skies without stains: what changes with height stays, what changes along the horizon goes."""

from __future__ import annotations

import numpy as np
import pytest
from maquette.retouching.even_sky import EvenSky

HEIGHT, WIDTH = 190, 256
HORIZON, TOWER = 150, (slice(60, 150), slice(110, 150))


@pytest.fixture
def depth() -> np.ndarray:
    metres = np.full((HEIGHT, WIDTH), np.inf, np.float32)
    metres[HORIZON:] = 30.0
    metres[TOWER] = 20.0
    return metres


@pytest.fixture
def clean() -> np.ndarray:
    """A sky that changes with height alone, with grain, over ground."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    rise = np.linspace(0.0, 1.0, HEIGHT)[:, None, None]
    picture += (1.0 - rise) * np.array([80, 70, 140]) + rise * np.array([230, 140, 90])
    picture += 3.0 * np.random.default_rng(3).standard_normal((HEIGHT, WIDTH, 1))
    picture[HORIZON:] = (90, 90, 60)
    return picture.clip(0, 255).astype(np.uint8)


def _stained(clean: np.ndarray) -> np.ndarray:
    """With pale bands along the borders and a pale rim around the tower."""
    column = np.arange(WIDTH)
    side, beside = np.minimum(column, column[::-1]), np.maximum(np.abs(column - 130) - 20, 0)
    pale = np.zeros((HEIGHT, WIDTH))
    pale[:HORIZON] = 50 * np.exp(-side / 12)
    pale[TOWER[0]] += 50 * np.exp(-beside / 8)
    pale[TOWER] = 0.0
    return (clean + pale[..., None]).clip(0, 255).astype(np.uint8)


def test_stains_along_borders_and_buildings_go(depth: np.ndarray, clean: np.ndarray):
    sky = EvenSky.of(depth)
    assert sky is not None
    stained = _stained(clean)
    even = sky.evened(stained)
    above = np.isfinite(depth)
    assert (even[above] == stained[above]).all(), "what stands before the sky stays"

    def off(picture: np.ndarray) -> np.ndarray:
        return np.abs(picture.astype(float) - clean)[~above].mean(1)

    assert np.percentile(off(stained), 95) > 30
    assert np.percentile(off(even), 95) < 12 and off(even).mean() < 5
    assert (even[:60] == even[:60, :1]).all(), "a row of the sky has one colour"
    half = off(sky.evened(stained, 0.5)).mean()
    assert off(even).mean() < half < off(stained).mean()
    assert (sky.evened(stained, 0.0) == stained).all()


def test_a_narrow_strip_between_buildings_has_the_colours_of_its_own_height(clean: np.ndarray):
    metres = np.full((HEIGHT, WIDTH), 20.0, np.float32)
    metres[:HORIZON, 100:116] = np.inf
    sky = EvenSky.of(metres)
    assert sky is not None
    strip = np.s_[40:HORIZON, 100:116]
    change = np.abs(sky.evened(clean)[strip].astype(float) - clean[strip])
    assert change.mean() < 8


@pytest.mark.parametrize("distance", [np.inf, 20.0])
def test_without_a_sky_or_anything_else_there_is_nothing_to_even(distance: float):
    assert EvenSky.of(np.full((64, 64), distance)) is None
    corner = np.full((64, 64), 20.0)
    corner[0, 0] = np.inf
    assert EvenSky.of(corner) is None
