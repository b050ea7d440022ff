"""A material's folder: what one program writes another one reads, Pillow among them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from maquette_wire import material_files, metadata, png
from maquette_wire.errors import MaquetteError
from maquette_wire.material import Material
from maquette_wire.recipe import Recipe

Image = pytest.importorskip("PIL.Image")

SIDE = 128
RECIPE = Recipe(prompt="red brick", seed=7)
MATERIAL = Material(size=2.4, pixels=SIDE).filled(RECIPE.prompt)
HEIGHTS = (-0.004, 0.002)


def write(folder: Path, **options: bool) -> material_files.MaterialFiles:
    levels = [min(row * 512, 65535) for row in range(SIDE) for _column in range(SIDE)]
    maps = {
        "albedo": bytes([200, 60, 20]) * SIDE**2,
        "normal": bytes([128, 128, 255]) * SIDE**2,
        "height": struct.pack(f">{SIDE**2}H", *levels),
        "roughness": bytes([180]) * SIDE**2,
        "occlusion": bytes([255]) * SIDE**2,
    }
    files = material_files.encode(maps, RECIPE, MATERIAL, HEIGHTS, software="Maquette", **options)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return material_files.MaterialFiles(folder, RECIPE, MATERIAL, HEIGHTS)


def test_what_is_written_is_read(tmp_path: Path):
    written = write(tmp_path)
    assert material_files.read(tmp_path) == written
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "albedo.png",
        "height.png",
        "normal.png",
        "occlusion.png",
        "roughness.png",
    ]
    assert metadata.read(written.path("normal")).of_material == metadata.MaterialMap(
        name="normal", material=MATERIAL
    )
    with Image.open(written.path("albedo")) as albedo:
        assert (albedo.mode, albedo.size, albedo.getpixel((5, 5))) == (
            "RGB",
            (SIDE, SIDE),
            (200, 60, 20),
        )


def test_the_height_map_keeps_sixteen_bits(tmp_path: Path):
    with Image.open(write(tmp_path).path("height")) as height:
        assert height.mode == "I;16" and "srgb" not in height.info
        assert [height.getpixel((3, row)) for row in (0, 1, 127)] == [0, 512, 127 * 512]


def test_a_prompt_that_is_left_out(tmp_path: Path):
    write(tmp_path, prompt=False)
    assert not any(b"red brick" in path.read_bytes() for path in tmp_path.iterdir())
    assert material_files.read(tmp_path).material == MATERIAL


def test_a_folder_that_is_none_is_named_with_what_is_missing(tmp_path: Path):
    write(tmp_path)
    (tmp_path / "height.png").unlink()
    with pytest.raises(MaquetteError, match=r"height\.png is missing"):
        material_files.read(tmp_path)
    text = metadata.texts(RECIPE, software="Maquette")
    png.write(tmp_path / "height.png", bytes(SIDE**2), SIDE, SIDE, text)
    with pytest.raises(MaquetteError, match="which material it is of"):
        material_files.read(tmp_path)
