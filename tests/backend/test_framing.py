"""Sizes: padding adds at the right and lower edge alone, a wanted size keeps the proportions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maquette import framing
from maquette_wire.errors import MaquetteError

SIDES = st.integers(1, 300)


@given(SIDES, SIDES, st.sampled_from([8, 16, 32, 64]))
def test_padding_is_the_least_and_keeps_every_pixel(width: int, height: int, multiple: int) -> None:
    size = framing.padded_size((width, height), multiple)
    assert all(side % multiple == 0 for side in size)
    assert 0 <= size[0] - width < multiple and 0 <= size[1] - height < multiple
    array = np.random.default_rng(0).random((height, width))
    padded = framing.pad(array, size)
    assert padded.shape == size[::-1]
    assert np.array_equal(padded[:height, :width], array)
    assert (padded[height:, :width] == array[-1]).all()
    assert (padded[:height, width:] == array[:, -1:]).all()


@given(st.integers(16, 4000), st.integers(16, 4000), st.integers(16, 4000))
def test_a_size_that_follows_from_one_side_is_accepted(
    width: int, height: int, wanted: int
) -> None:
    other = max(1, round(height * wanted / width))
    assert framing.result_size((width, height), (wanted, other), "v") == (wanted, other)


def test_other_proportions_are_refused_with_a_size_that_works() -> None:
    with pytest.raises(MaquetteError, match="Use 512 x 288"):
        framing.result_size((1920, 1080), (512, 512), "view 'a'")
    assert framing.result_size((1920, 1080), (512, 288), "view 'a'") == (512, 288)


def test_reducing_averages_areas() -> None:
    color = np.zeros((4, 6, 3), np.uint8)
    color[:, 1::2] = 200
    assert (framing.resample(color, (3, 2)) == 100).all()


def test_enlarging_keeps_edges_where_they_are() -> None:
    color = np.zeros((4, 8, 3), np.uint8)
    color[:, 4:] = 255
    large = framing.resample(color, (32, 16))
    assert (large[:, :14] == 0).all() and (large[:, 18:] == 255).all()
