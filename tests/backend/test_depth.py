"""The depth contract: what a model is shown of a capture's depth, whatever the capture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from maquette.depth import (
    DepthEncoding,
    DepthRange,
    area_resize,
    depth_range,
    encode_depth,
    is_all_sky,
    picture,
    set_back,
)

SQRT = DepthEncoding(power=0.5)
INVERSE = DepthEncoding(power=1.0)
metres = st.floats(2**-6, 2**20, width=32)
depth_maps = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 24), st.integers(1, 24)),
    elements=st.one_of(metres, st.just(np.float32(np.inf))),
)
encodings = st.builds(
    DepthEncoding,
    power=st.sampled_from([0.25, 0.5, 1.0]),
    near_percentile=st.sampled_from([90.0, 98.0, 100.0]),
    sky_gap=st.sampled_from([0.0, 0.1, 0.3]),
)
sizes = st.tuples(st.integers(1, 32), st.integers(1, 32))


def encode(depth, encoding=SQRT, size=None):
    return encode_depth(depth, depth_range(depth, encoding), encoding, size or depth.shape)


@settings(deadline=None)
@given(depth_maps, encodings, sizes)
def test_any_depth_gives_a_finite_map_within_bounds(depth, encoding, size):
    encoded = encode(depth, encoding, size)
    assert encoded.shape == size and encoded.dtype == np.float32
    assert np.isfinite(encoded).all()
    assert encoded.min() >= -1.0 and encoded.max() <= 1.0


@settings(deadline=None)
@given(depth_maps, encodings)
def test_nearer_is_never_darker_and_sky_is_darkest(depth, encoding):
    encoded = encode(depth, encoding)
    order = np.argsort(depth, axis=None)
    assert (np.diff(encoded.ravel()[order]) <= 1e-6).all()
    sky = np.isinf(depth)
    assert (encoded[sky] == -1.0).all()
    assert (encoded[~sky] >= encoding.sky_gap - 1.0 - 1e-6).all()


@settings(deadline=None)
@given(depth_maps, encodings, st.sampled_from([0.25, 4.0, 8.0]))
def test_the_scene_s_unit_does_not_matter(depth, encoding, scale):
    assert np.allclose(
        encode(depth, encoding), encode(depth * np.float32(scale), encoding), atol=2e-3
    )


@settings(deadline=None)
@given(metres, sizes, encodings)
def test_a_flat_wall_is_one_constant(distance, size, encoding):
    encoded = encode(np.full((9, 7), distance, np.float32), encoding, size)
    assert np.allclose(encoded, 1.0, atol=1e-5)


def test_a_flat_wall_s_rounding_errors_are_not_stretched():
    noise = np.random.default_rng(0).normal(size=(64, 64))
    wall = (50.0 * (1.0 + 1e-6 * noise)).astype(np.float32)
    assert np.ptp(encode(wall)) < 0.01


def test_relief_on_a_facade_seen_from_afar_is_kept():
    wall = np.full((64, 64), 50.0, np.float32)
    wall[16:48, 16:48] = 52.0
    encoded = encode(wall)
    assert encoded[0, 0] - encoded[32, 32] > 1.5


@settings(deadline=None)
@given(sizes)
def test_an_empty_view_is_sky_everywhere(size):
    sky = np.full((5, 8), np.inf, np.float32)
    assert is_all_sky(sky)
    assert (encode(sky, SQRT, size) == -1.0).all()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, "is not a number"),
        (0.0, "zero or negative"),
        (-3.0, "zero or negative"),
        (-np.inf, "zero or negative"),
        (1e10, r"\+inf"),
        (1e-7, "unit scale"),
    ],
)
def test_bad_depth_is_refused_by_name(value, words):
    depth = np.full((4, 6), 10.0, np.float32)
    depth[2, 3] = value
    with pytest.raises(ValueError, match=words) as caught:
        depth_range(depth, SQRT, "Bird's eye")
    assert "Bird's eye" in str(caught.value) and "row 2, column 3" in str(caught.value)
    with pytest.raises(ValueError, match="Tower"):
        encode_depth(depth, DepthRange(1.0, 2.0), SQRT, (4, 6), "Tower")


@pytest.mark.parametrize(
    "depth",
    [np.ones((2, 2, 1), np.float32), np.ones((0, 4), np.float32), np.ones((2, 2), np.uint8)],
)
def test_a_depth_of_the_wrong_form_is_refused(depth):
    with pytest.raises(ValueError, match="The depth of the capture"):
        depth_range(depth, SQRT)


def street() -> np.ndarray:
    """Ground from 5 m, a tower's faces at 40 to 60 m, context to 400 m, and sky."""
    depth = np.full((200, 200), np.inf, np.float32)
    rows = np.arange(120, 200)
    depth[120:] = (400.0 / (1.0 + 79.0 * (rows - 120) / 79.0))[:, None].astype(np.float32)
    depth[80:122, :] = 400.0
    depth[20:150, 60:140] = np.linspace(40.0, 60.0, 80, dtype=np.float32)
    return depth


def test_a_tower_between_near_ground_and_far_context_gets_its_share_of_the_range():
    """Plain min-max gives its faces 13 grey levels in linear depth and 11 in inverse depth."""
    encoded = picture(encode(street(), SQRT))
    tower = encoded[30:140, 60:140].astype(int)
    assert np.ptp(tower) >= 17
    assert encoded[100, 10] > 8, "far context must stand out from the sky"


def test_a_railing_before_the_lens_does_not_squeeze_the_building():
    depth = np.full((100, 100), 30.0, np.float32)
    depth[:, 50:] = 40.0
    depth[50, :] = 0.3
    encoded = encode(depth)
    assert encoded[0, 0] - encoded[0, 99] > 1.0
    assert encoded[50, 0] == 1.0


def test_silhouettes_are_antialiased():
    depth = np.full((8, 8), np.inf, np.float32)
    depth[:, 3:] = 20.0
    encoded = encode(depth, SQRT, (4, 4))
    assert encoded[0].tolist() == pytest.approx([-1.0, 0.0, 1.0, 1.0])


@settings(deadline=None)
@given(arrays.arrays(np.float32, (12, 18), elements=st.floats(-1, 1, width=32)))
def test_area_averages_keep_the_mean_and_agree_with_blocks(image):
    assert np.allclose(
        area_resize(image, (4, 6)), image.reshape(4, 3, 6, 3).mean((1, 3)), atol=1e-5
    )
    assert area_resize(image, (5, 7)).mean() == pytest.approx(image.mean(), abs=1e-4)
    assert np.array_equal(area_resize(image, (24, 36)), image.repeat(2, 0).repeat(2, 1))


def test_what_the_model_saw_is_white_near_and_black_in_the_sky():
    assert picture(np.array([[-1.0, 0.0, 1.0]], np.float32)).tolist() == [[0, 128, 255]]


@pytest.mark.parametrize(
    "settings_",
    [{"power": 0.0}, {"near_percentile": 0.1}, {"sky_gap": 2.0}, {"min_span": 0.0}],
)
def test_an_encoding_out_of_bounds_is_refused(settings_):
    with pytest.raises(ValueError, match="depth encoding"):
        DepthEncoding(**settings_)


def test_openings_are_set_back_alike_near_and_far():
    encoding = DepthEncoding(power=0.5, recess=0.25)
    depth = np.tile(np.linspace(5.0, 80.0, 32, dtype=np.float32), (16, 1))
    encoded = encode(depth, encoding)
    openings = np.zeros_like(encoded)
    openings[4:8] = 1.0
    openings[8:10] = 0.5
    shown = set_back(encoded, openings, encoding)
    assert np.array_equal(shown[:4], encoded[:4])
    inside = encoded > -0.7
    assert np.allclose((encoded - shown)[4:8][inside[4:8]], 0.25, atol=1e-6)
    assert np.allclose((encoded - shown)[8:10][inside[8:10]], 0.125, atol=1e-6)
    assert shown.min() >= -1.0
    blind = DepthEncoding(power=0.5)
    assert np.array_equal(set_back(encoded, openings, blind), encoded)
