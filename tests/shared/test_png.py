"""PNG files against another reader and writer, and damaged ones."""

from __future__ import annotations

import io
import random
import struct
import sys
import zlib
from array import array
from pathlib import Path

import pytest
from maquette_wire import png
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Lora, Recipe

Image = pytest.importorskip("PIL.Image")
PngImagePlugin = pytest.importorskip("PIL.PngImagePlugin")

RECIPE = Recipe(prompt="Ziegel – 煉瓦\nsecond line", loras=(Lora(name="x", weight=0.5),), seed=7)


def gradient(width: int, height: int, channels: int) -> bytes:
    return bytes(
        (row * 3 + column * 2 + channel * 40) % 256
        for row in range(height)
        for column in range(width)
        for channel in range(channels)
    )


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (5, 7), (64, 64), (257, 130)])
@pytest.mark.parametrize("content", ["gradient", "noise", "flat", "rows"])
def test_another_reader_sees_the_same_pixels(
    size: tuple[int, int], channels: int, content: str
) -> None:
    width, height = size
    pixels = {
        "gradient": gradient(width, height, channels),
        "noise": random.Random(1).randbytes(width * height * channels),
        "flat": b"\xff" * (width * height * channels),
        "rows": random.Random(2).randbytes(width * channels) * height,
    }[content]
    data = png.encode(pixels, width, height, {"maquette": RECIPE.to_json()})
    image = Image.open(io.BytesIO(data))
    image.load()
    assert (image.mode, image.size) == ("RGB" if channels == 3 else "L", size)
    assert image.tobytes() == pixels
    assert Recipe.from_json(str(image.text["maquette"])) == RECIPE


def big_endian(values: array) -> array:
    swapped = values[:]
    if sys.byteorder == "little":
        swapped.byteswap()
    return swapped


@pytest.mark.parametrize("size", [(1, 1), (33, 18)])
def test_another_reader_sees_the_same_16_bits(size: tuple[int, int]) -> None:
    width, height = size
    grey = array(
        "H", [(row * 700 + column * 31) % 65536 for row in range(height) for column in range(width)]
    )
    image = Image.open(io.BytesIO(png.encode(big_endian(grey), width, height, bits=16)))
    assert image.mode == "I;16" and image.tobytes() == grey.tobytes()
    # Of colours it keeps the upper byte of each.
    rgb = array("H", random.Random(3).choices(range(65536), k=width * height * 3))
    image = Image.open(io.BytesIO(png.encode(big_endian(rgb), width, height, bits=16)))
    assert image.tobytes() == bytes(value >> 8 for value in rgb)
    with pytest.raises(ValueError, match="no 33 x 18 picture"):
        png.encode(bytes(33 * 18 * 3), 33, 18, bits=16)


def test_smooth_pictures_get_small() -> None:
    pixels = gradient(256, 256, 3)
    assert len(png.encode(pixels, 256, 256)) < len(pixels) / 20


def test_text_that_another_writer_wrote(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("plain", "latin é")
    info.add_text("packed", "latin " * 50, zip=True)
    info.add_itxt("maquette", RECIPE.to_json(), zip=True)
    path = tmp_path / "other.png"
    Image.new("RGBA", (4, 4)).save(path, pnginfo=info)
    text = png.read_text(path)
    assert (text["plain"], text["packed"]) == ("latin é", "latin " * 50)
    assert png.read_recipe(path) == RECIPE


def test_texts_are_written_as_most_programs_read_them() -> None:
    data = png.encode(bytes(16), 4, 4, {"a": "plain", "b": "ä", png.XMP_KEY: "<x/>"})
    assert b"tEXta\0plain" in data
    assert b"iTXtb\0\0\0\0\0\xc3\xa4" in data
    assert b"iTXtXML:com.adobe.xmp\0\0\0\0\0<x/>" in data  # whatever is in it
    assert png.decode_text(data) == {"a": "plain", "b": "ä", png.XMP_KEY: "<x/>"}


def test_a_recipe_goes_into_a_file_and_comes_out(tmp_path: Path) -> None:
    path = tmp_path / "concept.png"
    png.write(path, bytes(48), 4, 4, {png.RECIPE_KEY: RECIPE.to_json()})
    assert png.read_recipe(path) == RECIPE
    assert [entry.name for entry in tmp_path.iterdir()] == ["concept.png"]


def test_a_picture_without_a_recipe(tmp_path: Path) -> None:
    path = tmp_path / "plain.png"
    png.write(path, bytes(16), 4, 4)
    with pytest.raises(MaquetteError, match=r"no recipe in .*plain\.png"):
        png.read_recipe(path)


def test_damaged_pictures_are_named(tmp_path: Path) -> None:
    path = tmp_path / "concept.png"
    png.write(path, bytes(48), 4, 4, {png.RECIPE_KEY: RECIPE.to_json()})
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(MaquetteError, match=r"concept\.png") as caught:
            png.read_recipe(path)
        assert caught.value.code == "bad-picture"
    for position in range(8, len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        with pytest.raises(MaquetteError, match=r"concept\.png"):
            png.read_text(path)
    path.write_bytes(b"\xff\xd8\xff\xe0 JFIF")
    with pytest.raises(MaquetteError, match="is not a PNG file"):
        png.read_text(path)


def test_a_text_that_inflates_without_end(tmp_path: Path) -> None:
    body = b"bomb\0\0" + zlib.compress(bytes(64 * 2**20), 9)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body
    data = png.SIGNATURE + chunk + struct.pack(">I", zlib.crc32(chunk[4:]))
    with pytest.raises(MaquetteError, match="too long"):
        png.decode_text(data)


def test_pixels_of_another_size() -> None:
    with pytest.raises(ValueError, match="are no 4 x 4 picture"):
        png.encode(bytes(4 * 4 * 2), 4, 4)
    with pytest.raises(ValueError, match="no keyword"):
        png.encode(bytes(16), 4, 4, {"": "x"})
