"""Pictures and depth maps of other programs become captures, or one clear sentence."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from maquette.images import read_capture, read_color, read_depth
from maquette_wire.errors import MaquetteError
from PIL import Image, ImageCms

METRES = np.linspace(2.0, 40.0, 12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "render.png"
    Image.fromarray(np.arange(36, dtype=np.uint8).reshape(3, 4, 3)).save(path)
    return path


def write_exr(path: Path, channels: dict[str, np.ndarray]) -> Path:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, channels) as file:
        file.write(str(path))
    return path


def test_npy_holds_metres(picture: Path, tmp_path: Path) -> None:
    metres = METRES.copy()
    metres[0, 0] = np.inf
    np.save(tmp_path / "d.npy", metres.astype(np.float64))
    capture = read_capture(picture, tmp_path / "d.npy")
    assert np.array_equal(np.asarray(capture.depth), metres)
    assert np.asarray(capture.color)[2, 3].tolist() == [33, 34, 35]
    assert (capture.view.width, capture.view.height, capture.view.name) == (4, 3, "render")


@pytest.mark.parametrize("name", ["Z", "ViewLayer.Depth.Z", "Scene.depth.V", "R"])
def test_exr_holds_metres_in_its_depth_channel(tmp_path: Path, name: str) -> None:
    far = METRES.copy()
    far[1, 1], far[2, 2] = np.inf, 1e10
    channels = {name: far}
    if name != "R":
        channels |= {f"ViewLayer.Combined.{c}": METRES * 0 for c in "RGB"}
    metres = read_depth(write_exr(tmp_path / "d.exr", channels))
    assert np.isposinf(metres[1, 1]) and np.isposinf(metres[2, 2])
    finite = np.isfinite(metres)
    assert np.count_nonzero(finite) == 10 and np.array_equal(metres[finite], METRES[finite])


def test_half_float_exr_has_sky_at_its_largest_number(tmp_path: Path) -> None:
    half = METRES.astype(np.float16)
    half[0, 0] = 65504.0
    metres = read_depth(write_exr(tmp_path / "d.exr", {"Z": half}))
    assert np.isposinf(metres[0, 0]) and np.isfinite(metres).sum() == 11


def test_exr_without_depth_names_its_channels(tmp_path: Path) -> None:
    path = write_exr(tmp_path / "d.exr", {"A.R": METRES, "A.G": METRES})
    with pytest.raises(MaquetteError, match=r"A\.G, A\.R"):
        read_depth(path)


def test_png_is_inverse_depth_with_near_in_white(tmp_path: Path) -> None:
    levels = np.array([[65535, 32768, 0]], np.uint16)
    Image.fromarray(levels).save(tmp_path / "d.png")
    metres = read_depth(tmp_path / "d.png")
    assert metres[0, 1] == pytest.approx(2.0 * metres[0, 0], rel=1e-4)
    assert np.isposinf(metres[0, 2])
    # The same as 8 bits in three equal channels, as depth tools write it.
    Image.fromarray(np.repeat((levels // 257).astype(np.uint8)[..., None], 3, 2)).save(
        tmp_path / "rgb.png"
    )
    assert read_depth(tmp_path / "rgb.png")[0, 1] == pytest.approx(metres[0, 1], rel=0.02)


def test_png_in_millimetres(tmp_path: Path) -> None:
    Image.fromarray(np.array([[1500, 0]], np.uint16)).save(tmp_path / "d.png")
    metres = read_depth(tmp_path / "d.png", metres_per_level=0.001)
    assert metres[0, 0] == pytest.approx(1.5) and np.isposinf(metres[0, 1])


def test_png_with_near_in_black_is_the_same_the_other_way_round(tmp_path: Path) -> None:
    levels = np.array([[65535, 40000, 300, 0]], np.uint16)
    Image.fromarray(levels).save(tmp_path / "white.png")
    Image.fromarray(65535 - levels).save(tmp_path / "black.png")
    white = read_depth(tmp_path / "white.png")
    assert np.array_equal(read_depth(tmp_path / "black.png", near_is_black=True), white)


def test_npy_of_whole_numbers_needs_their_unit(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.array([[1500, 0]], np.uint16))
    with pytest.raises(MaquetteError, match=r"d\.npy .*uint16.*--metres-per-level"):
        read_depth(tmp_path / "d.npy")
    metres = read_depth(tmp_path / "d.npy", metres_per_level=0.001)
    assert metres[0, 0] == pytest.approx(1.5) and np.isposinf(metres[0, 1])


@pytest.mark.filterwarnings("error")
def test_what_is_far_too_large_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 10_000, 10_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    begun = b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 4) + b"IDAT"  # and no pixels
    (tmp_path / "big.png").write_bytes(begun)
    np.lib.format.open_memmap(tmp_path / "big.npy", "w+", np.float32, (10_000, 10_000)).flush()
    for read, name in ((read_color, "big.png"), (read_depth, "big.png"), (read_depth, "big.npy")):
        with pytest.raises(MaquetteError, match=r"10000 x 10000.*8192") as caught:
            read(tmp_path / name)
        assert caught.value.code == "capture-too-large"


def test_a_coloured_depth_map_is_refused(picture: Path) -> None:
    with pytest.raises(MaquetteError, match="colour picture"):
        read_depth(picture)


def test_sizes_must_agree(picture: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", METRES.T)
    with pytest.raises(MaquetteError, match=r"4 x 3 .* 3 x 4") as caught:
        read_capture(picture, tmp_path / "d.npy")
    assert caught.value.code == "size-mismatch"


@pytest.mark.parametrize(
    ("value", "said"), [(np.nan, "not a number"), (-1.0, "zero or negative"), (0.0, "zero")]
)
def test_impossible_depth_is_refused_with_its_place(
    tmp_path: Path, value: float, said: str
) -> None:
    metres = METRES.copy()
    metres[1, 2] = value
    np.save(tmp_path / "bad.npy", metres)
    with pytest.raises(MaquetteError, match=rf"bad\.npy .*{said}.*row 1, column 2"):
        read_depth(tmp_path / "bad.npy")


@pytest.mark.parametrize("name", ["no.npy", "no.exr", "no.png", "what.txt", "cut.npy", "cut.exr"])
def test_unreadable_depth_names_the_file(tmp_path: Path, name: str) -> None:
    if not name.startswith("no."):
        (tmp_path / name).write_bytes(b"\x93NUMPY\x01\x00garbage")
    with pytest.raises(MaquetteError, match=name.split(".")[0]):
        read_depth(tmp_path / name)


def test_an_archive_with_pickles_is_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(MaquetteError, match=r"o\.npy"):
        read_depth(tmp_path / "o.npy")


def test_transparency_lies_over_white(tmp_path: Path) -> None:
    pixels = np.zeros((1, 2, 4), np.uint8)
    pixels[0, 1, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert read_color(tmp_path / "a.png").tolist() == [[[255] * 3, [0] * 3]]


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 32896, 65535]], np.uint16)).save(tmp_path / "g.png")
    assert read_color(tmp_path / "g.png")[0, :, 0].tolist() == [0, 128, 255]


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    image = Image.fromarray(np.zeros((2, 5, 3), np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6  # turn by 90 degrees
    image.save(tmp_path / "r.jpg", exif=exif)
    assert read_color(tmp_path / "r.jpg").shape == (5, 2, 3)


def test_a_colour_profile_is_converted(tmp_path: Path) -> None:
    image = Image.fromarray(np.full((2, 2, 3), 128, np.uint8))
    image.save(tmp_path / "same.png", icc_profile=_profile(ImageCms.createProfile("sRGB")))
    image.save(tmp_path / "broken.png", icc_profile=b"nonsense")
    assert abs(int(read_color(tmp_path / "same.png")[0, 0, 0]) - 128) <= 1
    assert read_color(tmp_path / "broken.png")[0, 0, 0] == 128


def _profile(profile: object) -> bytes:
    return ImageCms.ImageCmsProfile(profile).tobytes()  # type: ignore[arg-type]


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"not a picture")
    with pytest.raises(MaquetteError, match=r"x\.png") as caught:
        read_color(tmp_path / "x.png")
    assert caught.value.code == "bad-picture"
