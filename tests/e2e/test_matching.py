"""How the window tests find a word: by likeness, whatever its brightness, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from .in_blender.matching import correlation


@pytest.fixture
def template() -> np.ndarray:
    return np.random.default_rng(1).uniform(0, 255, (12, 40)).astype(np.float32)


def test_a_faint_one_is_found_to_the_pixel(template):
    picture = np.random.default_rng(2).uniform(0, 255, (200, 300)).astype(np.float32)
    picture[50:62, 70:110] = 30 + template * 0.3
    likeness = correlation(picture, template)
    assert likeness.shape == (189, 261)
    assert np.unravel_index(likeness.argmax(), likeness.shape) == (50, 70)
    assert likeness.max() == pytest.approx(1, abs=1e-4)
    likeness[50, 70] = 0
    assert likeness.max() < 0.5


def test_a_flat_picture_is_like_nothing(template):
    assert not correlation(np.full((40, 80), 61, np.float32), template).any()


def test_a_picture_smaller_than_the_template_has_no_place(template):
    assert correlation(np.zeros((5, 80), np.float32), template).size == 0
