"""Multi-layer files of renderers: the picture, its depth, or one clear sentence."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from maquette.images import read_color, read_depth, read_picture
from maquette_wire.errors import MaquetteError

from tests.backend.exrs import HEIGHT, METRES, SHADES, WIDTH, box, flat, rgb, write, write_parts

RED = [255, 0, 0]
WRONG = (0.0, 1.0, 0.0)


def first_pixel(path: Path) -> list[int]:
    color, _ = read_picture(path)
    assert color.shape == (HEIGHT, WIDTH, 3) and color.dtype == np.uint8
    return color[0, 0].tolist()


@pytest.mark.parametrize(
    "layer",
    ["", "ViewLayer.Combined.", "viewlayer.COMBINED.", "Beauty.", "effectsResult.", "Only."],
)
def test_the_picture_is_the_beauty_among_other_layers(tmp_path: Path, layer: str) -> None:
    others = {**rgb("Albedo.", *WRONG), **rgb("ViewLayer.Normal.", *WRONG)}
    others |= {**rgb("CryptoObject00.", *WRONG), **rgb("VRayZDepth.", 9, 9, 9)}
    others["ViewLayer.Depth.Z"] = METRES
    assert first_pixel(write(tmp_path / "a.exr", {**others, **rgb(layer, 1, 0, 0)})) == RED


def test_what_the_compositor_made_goes_before_the_layers(tmp_path: Path) -> None:
    channels = {**rgb("A.Combined.", *WRONG), **rgb("Composite.Combined.", 1, 0, 0)}
    assert first_pixel(write(tmp_path / "a.exr", channels)) == RED


def test_lower_case_channels_and_grey(tmp_path: Path) -> None:
    made = {name.lower(): values for name, values in rgb("", 1, 0, 0).items()}
    assert first_pixel(write(tmp_path / "a.exr", made)) == RED
    assert first_pixel(write(tmp_path / "y.exr", {"Y": flat(1.0)})) == [255] * 3


def test_linear_becomes_srgb_and_alpha_lies_over_white(tmp_path: Path) -> None:
    assert first_pixel(write(tmp_path / "a.exr", rgb("", 0.2140, 0.0, 7.0))) == [127, 0, 255]
    # Colours are multiplied with alpha already: half a red over white.
    assert first_pixel(write(tmp_path / "b.exr", rgb("", 0.5, 0, 0, 0.5))) == [255, 188, 188]
    broken = rgb("", np.nan, np.inf, -1.0)
    assert first_pixel(write(tmp_path / "c.exr", broken)) == [0, 255, 0]


@pytest.mark.parametrize(
    "name",
    [
        "ViewLayer.Depth.Z",
        "ViewLayer.Depth.V",
        "Depth.Z",
        "Z",
        "z",
        "VRayZDepth",
        "VRayZDepth.R",
        "zDepth.Z",
        "zdepth",
        "CGeometry_ZDepth.R",
    ],
)
def test_depth_comes_from_the_same_file(tmp_path: Path, name: str) -> None:
    metres = METRES.copy()
    metres[0, 0] = 1e10
    others = {**rgb("", 1, 0, 0), "ViewLayer.Normal.Z": SHADES, "Denoising Depth.Z": SHADES}
    color, depth = read_picture(write(tmp_path / "a.exr", {**others, name: metres}))
    assert color[0, 0].tolist() == RED and depth is not None
    assert np.isposinf(depth[0, 0]) and np.array_equal(depth.flat[1:], METRES.flat[1:])


def test_a_picture_without_depth_has_none(tmp_path: Path) -> None:
    channels = {**rgb("", 1, 0, 0), **{f"Normal.{axis}": SHADES for axis in "XYZ"}}
    path = write(tmp_path / "a.exr", channels)
    assert read_picture(path)[1] is None
    with pytest.raises(MaquetteError, match=r"a\.exr has no depth channel among B, G, Normal\.X"):
        read_depth(path)


def test_a_grey_file_of_its_own_is_depth(tmp_path: Path) -> None:
    grey = dict.fromkeys("RGB", METRES)
    assert np.array_equal(read_depth(write(tmp_path / "z.exr", grey)), METRES)


@pytest.mark.parametrize("name", ["CGeometry_ZDepth.R", "Lights.CESSENTIAL_ZDepth.Y"])
def test_coronas_shades_are_near_in_white(tmp_path: Path, name: str) -> None:
    _, depth = read_picture(write(tmp_path / "a.exr", {**rgb("", 1, 0, 0), name: SHADES}))
    assert depth is not None and np.isposinf(depth.flat[0])
    assert depth.flat[-1] == 1.0 and (np.diff(depth.flat[1:]) < 0).all()


def test_other_shades_are_refused_until_their_near_end_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "v ray.exr", {**rgb("", 1, 0, 0), "VRayZDepth.R": SHADES})
    with pytest.raises(MaquetteError, match=r"v ray\.exr .*VRayZDepth\.R.*--near-is-white") as said:
        read_picture(path)
    assert said.value.code == "bad-depth"
    _, white = read_picture(path, near_is_white=True)
    _, black = read_picture(path, near_is_black=True)
    assert white is not None and black is not None
    assert np.isposinf(white.flat[0]) and np.isposinf(black.flat[-1])
    assert black.flat[0] == white.flat[-1] == 1.0
    shades = SHADES.copy()
    shades[0, 0] = 0.001  # metres of a model of a hand's size, and no sky
    path = write(tmp_path / "small.exr", {"Z": shades})
    assert np.array_equal(read_depth(path, metres_per_level=1.0), shades)


def test_a_small_model_before_sky_is_metres_all_the_same(tmp_path: Path) -> None:
    metres = SHADES + 0.01
    metres[0] = np.inf
    assert np.array_equal(read_depth(write(tmp_path / "a.exr", {"Z": metres})), metres)
    with pytest.raises(MaquetteError, match=r"a\.exr holds metres.*Leave --near-is-black out"):
        read_depth(tmp_path / "a.exr", near_is_black=True)


def test_centimetres_become_metres(tmp_path: Path) -> None:
    path = write(tmp_path / "a.exr", {"Z": METRES * 100})
    assert read_depth(path, metres_per_level=0.01) == pytest.approx(METRES)


@pytest.mark.parametrize("half", [False, True])
def test_pixels_of_a_part_of_the_picture_lie_where_they_belong(tmp_path: Path, half: bool) -> None:
    kind = np.float16 if half else np.float32
    channels = {**rgb("", 1, 0, 0, 1), "Depth.Z": METRES}
    cropped = {name: values.astype(kind) for name, values in channels.items()}
    windows = {"displayWindow": box(10, 20, 12, 9), "dataWindow": box(12, 21, WIDTH, HEIGHT)}
    color, depth = read_picture(write(tmp_path / "a.exr", cropped, **windows))
    assert color.shape == (9, 12, 3) and depth is not None
    assert color[0, 0].tolist() == [255] * 3 and color[1, 2].tolist() == RED
    assert np.isposinf(depth[0, 0]) and depth[1:7, 2:10] == pytest.approx(METRES, rel=1e-3)
    # And more pixels than the picture has, as overscan is saved.
    windows = {"displayWindow": box(2, 1, 3, 4), "dataWindow": box(0, 0, WIDTH, HEIGHT)}
    color, depth = read_picture(write(tmp_path / "b.exr", cropped, **windows))
    assert depth is not None and color.shape == (4, 3, 3)
    assert depth == pytest.approx(METRES[1:5, 2:5], rel=1e-3)


def test_tiles_and_parts_are_read(tmp_path: Path) -> None:
    tiles = {"type": OpenEXR.tiledimage, "tiles": OpenEXR.TileDescription()}
    assert first_pixel(write(tmp_path / "tiled.exr", rgb("", 1, 0, 0), **tiles)) == RED
    parts = {"rgba": rgb("", 1, 0, 0, 1), "Normals": rgb("", *WRONG), "VRayZDepth": {"Z": METRES}}
    color, depth = read_picture(write_parts(tmp_path / "parts.exr", parts))
    assert depth is not None
    assert color[0, 0].tolist() == RED and np.array_equal(depth, METRES)


def test_deep_pixels_are_refused(tmp_path: Path) -> None:
    deep = np.empty((HEIGHT, WIDTH), object)
    for place in np.ndindex(deep.shape):
        deep[place] = np.array([1.0, 2.0], np.float32)
    header = {"type": OpenEXR.deepscanline, "compression": OpenEXR.ZIPS_COMPRESSION}
    path = write(tmp_path / "deep.exr", {"Z": deep}, **header)
    for read in (read_color, read_depth):
        with pytest.raises(MaquetteError, match=r"deep\.exr holds deep pixels.*flattened"):
            read(path)


def test_a_file_without_colour_names_its_channels(tmp_path: Path) -> None:
    with pytest.raises(MaquetteError, match=r"z\.exr holds no colour.*Depth\.Z") as said:
        read_picture(write(tmp_path / "z.exr", {"Depth.Z": METRES, "Mist.Z": SHADES}))
    assert said.value.code == "bad-picture"


def test_a_window_over_the_limits_is_refused_from_the_header(tmp_path: Path) -> None:
    path = write(tmp_path / "big.exr", rgb("", 1, 0, 0))
    data = path.read_bytes()
    last = struct.pack("<2i", WIDTH - 1, HEIGHT - 1)
    assert data.count(last) == 2  # of the data window and the display window
    path.write_bytes(data.replace(last, struct.pack("<2i", 29_999, 29_999)))
    for read in (read_color, read_depth):
        with pytest.raises(MaquetteError, match=r"big\.exr is 30000 x 30000 pixels.*8192") as said:
            read(path)
        assert said.value.code == "capture-too-large"


def test_a_file_cut_anywhere_is_said_to_be(tmp_path: Path, capsys) -> None:
    data = write(tmp_path / "a.exr", {**rgb("", 1, 0, 0), "Z": METRES}).read_bytes()
    path = tmp_path / "Entwürfe, 2.exr"
    for length in range(0, len(data) - 1, 7):
        path.write_bytes(data[:length])
        with pytest.raises(MaquetteError, match=r"Entwürfe, 2\.exr.*Export it again"):
            read_picture(path)
    assert capsys.readouterr().out == ""
