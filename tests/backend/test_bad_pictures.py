"""Pictures of every kind, whole and broken: colour, or one clear sentence that names the file."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from maquette.images import read_capture, read_color, read_depth, read_picture
from maquette_wire.errors import MaquetteError
from PIL import Image

COLOR = (200, 40, 90)
SAVED: dict[str, dict[str, Any]] = {
    "a.png": {},
    "a.jpg": {"quality": 95},
    "b.jpg": {"quality": 95, "progressive": True},
    "a.webp": {"lossless": True},
    "b.webp": {"quality": 95},
    "a.tif": {},
    "b.tif": {"compression": "tiff_lzw"},
    "c.TIFF": {"compression": "tiff_deflate"},
}
"""Names and how Pillow saves them."""


def picture(width: int = 24, height: int = 16) -> Image.Image:
    """One colour in its left half, and noise that doesn't compress in the right."""
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    pixels[:, : width // 2] = COLOR
    return Image.fromarray(pixels)


def deep_png(path: Path, levels: np.ndarray) -> Path:
    """A PNG of 16 bits: [h, w] grey or [h, w, 3] colour."""
    height, width = levels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    kind = 2 if levels.ndim == 3 else 0
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


def deep_tiff(path: Path, levels: np.ndarray) -> Path:
    """A TIFF of 16-bit colour [h, w, 3], uncompressed."""
    height, width, _ = levels.shape
    pixels = levels.astype("<u2").tobytes()
    bits = 8 + 2 + 9 * 12 + 4
    entries = [
        (256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, bits), (259, 3, 1, 1),
        (262, 3, 1, 2), (273, 4, 1, bits + 6), (277, 3, 1, 3), (278, 3, 1, height),
        (279, 4, 1, len(pixels)),
    ]  # fmt: skip
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4)
    path.write_bytes(head + struct.pack("<3H", 16, 16, 16) + pixels)
    return path


@pytest.mark.parametrize("name", SAVED)
def test_every_format_gives_its_colour(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"Straße Süd, {name}"
    picture().save(path, **SAVED[name])
    color, depth = read_picture(path)
    assert depth is None and color.shape == (16, 24, 3) and color.dtype == np.uint8
    assert np.abs(color[4, 4].astype(int) - COLOR).max() <= 6


@pytest.mark.parametrize("name", SAVED)
def test_a_file_cut_anywhere_is_one_sentence(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    picture(48, 40).save(tmp_path / name, **SAVED[name])
    data = (tmp_path / name).read_bytes()
    path = tmp_path / f"cut {name}"
    for share in (0.02, 0.1, 0.3, 0.6, 0.9):
        path.write_bytes(data[: int(share * len(data))])
        with pytest.raises(MaquetteError, match=rf"cut {name}.*Export it again") as said:
            read_picture(path)
        assert said.value.code == "bad-picture"
    assert "Warning" not in capfd.readouterr().err


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".exr"])
def test_what_is_no_picture_file_is_one_sentence(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"folder{suffix}").mkdir()
    (tmp_path / f"empty{suffix}").touch()
    (tmp_path / f"words{suffix}").write_text("no picture at all, but enough of it\n" * 40)
    for name, wanted in {
        "folder": "is a folder. Name a file in it",
        "empty": "is empty. Export it again",
        "words": "Export it again",
        "missing": "There is no file",
    }.items():
        with pytest.raises(MaquetteError, match=f"{name}{suffix}") as said:
            read_picture(tmp_path / f"{name}{suffix}")
        assert wanted in str(said.value) and said.value.code == "bad-picture"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    picture().save(tmp_path / "a.png")
    (tmp_path / "a.png").chmod(0)
    with pytest.raises(MaquetteError, match=r"a\.png can't be opened.*Check that you may"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("write", [deep_png, deep_tiff])
def test_sixteen_bit_colour_becomes_eight(
    tmp_path: Path, write: Callable[[Path, np.ndarray], Path]
) -> None:
    levels = np.array([[[0, 32896, 65535], [65535, 0, 257]]], np.uint16)
    color = read_color(write(tmp_path / "a", levels))
    assert color.tolist() == [[[0, 128, 255], [255, 0, 1]]]


def test_grey_palette_and_cmyk(tmp_path: Path) -> None:
    plain = Image.new("RGB", (4, 3), COLOR)
    plain.convert("L").save(tmp_path / "grey.png")
    grey = read_color(tmp_path / "grey.png")[0, 0]
    assert len(set(grey.tolist())) == 1 and abs(int(grey[0]) - 94) <= 1
    plain.convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "palette.png")
    assert read_color(tmp_path / "palette.png")[0, 0].tolist() == list(COLOR)
    for name in ("cmyk.jpg", "cmyk.tif"):
        plain.convert("CMYK").save(tmp_path / name)
        assert np.abs(read_color(tmp_path / name)[0, 0].astype(int) - COLOR).max() <= 8
    Image.new("1", (4, 3), 1).save(tmp_path / "bits.tif")
    assert read_color(tmp_path / "bits.tif")[0, 0].tolist() == [255] * 3
    deep_png(tmp_path / "deep.png", np.array([[0, 32896, 65535]], np.uint16))
    assert read_color(tmp_path / "deep.png")[0, :, 2].tolist() == [0, 128, 255]


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
def test_transparency_lies_over_white(tmp_path: Path, name: str) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, 4:, 3] = 255
    Image.fromarray(pixels).save(tmp_path / name, **SAVED[name])
    color = read_color(tmp_path / name)
    assert (color[:, :4] == 255).all() and (color[:, 4:] == 0).all()


def test_a_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1]], np.uint8))
    image.putpalette([0, 0, 0, *COLOR])
    image.save(tmp_path / "a.png", transparency=0)
    assert read_color(tmp_path / "a.png").tolist() == [[[255] * 3, list(COLOR)]]


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
def test_a_turned_picture_stands_upright(tmp_path: Path, name: str) -> None:
    image = picture(32, 8)
    exif = image.getexif()
    exif[0x0112] = 8  # turn by 90 degrees against the clock
    image.save(tmp_path / name, exif=exif, **SAVED[name])
    color = read_color(tmp_path / name)
    assert color.shape == (32, 8, 3)
    assert np.abs(color[28, 4].astype(int) - COLOR).max() <= 6  # the left half is below


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp", "a.tif"])
def test_of_several_pictures_the_first_is_used_and_that_is_said(tmp_path: Path, name: str) -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in (COLOR, (0, 0, 0), (9, 9, 9))]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    said: list[str] = []
    color, _ = read_picture(tmp_path / name, say=said.append)
    assert np.abs(color[0, 0].astype(int) - COLOR).max() <= 12
    assert said == [f"{name} holds 3 pictures; the first is used."]
    said.clear()
    picture().save(tmp_path / name)
    read_picture(tmp_path / name, say=said.append)
    assert not said


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("side", [16_000, 30_000, 60_000])
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_a_huge_picture_is_refused_from_its_header(tmp_path: Path, name: str, side: int) -> None:
    picture(24, 16).save(tmp_path / name)
    data = (tmp_path / name).read_bytes()
    if name == "a.png":
        header = b"IHDR" + struct.pack(">II", side, side) + data[24:29]
        data = data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]
    elif name == "a.jpg":
        place = data.index(b"\xff\xc0") + 5  # the start of the frame: height, width
        data = data[:place] + struct.pack(">HH", side, side) + data[place + 4 :]
    else:
        for tag, value in ((256, 24), (257, 16)):
            old = struct.pack("<HHII", tag, 3, 1, value), struct.pack("<HHII", tag, 4, 1, value)
            new = struct.pack("<HHII", tag, 4, 1, side)
            data = data.replace(old[0], new).replace(old[1], new)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(MaquetteError, match=rf"{name} is.*at most 8192 pixels") as said:
        read_picture(tmp_path / name)
    assert said.value.code == "capture-too-large"


def test_depth_of_another_size_names_both(tmp_path: Path) -> None:
    picture(24, 16).save(tmp_path / "house.png")
    np.save(tmp_path / "house_depth.npy", np.ones((16, 20), np.float32))
    with pytest.raises(MaquetteError, match=r"house\.png is 24 x 16.*house_depth\.npy is 20 x 16"):
        read_capture(tmp_path / "house.png", tmp_path / "house_depth.npy")


def test_other_languages_of_pictures_start_no_program(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\nshowpage\n")
    with pytest.raises(MaquetteError, match="no picture of a kind that is understood"):
        read_picture(tmp_path / "a.png")


def test_metres_of_any_unit_in_floats(tmp_path: Path) -> None:
    np.save(tmp_path / "cm.npy", np.full((2, 2), 250.0))
    assert read_depth(tmp_path / "cm.npy", metres_per_level=0.01) == pytest.approx(2.5)
