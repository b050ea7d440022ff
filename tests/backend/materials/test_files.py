"""A material's folder, read back as other programs read it."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from maquette import cli, outputs
from maquette.materials.files import folder_bytes, write_material
from maquette.sampling import Sampler
from maquette.server.results import material_result
from maquette_wire import metadata, png
from maquette_wire.errors import MaquetteError
from maquette_wire.material import MAPS, Material
from maquette_wire.messages import Result
from maquette_wire.recipe import Recipe
from PIL import Image

from tests.backend.texturing.test_glb import read, values

Made = tuple[Result, list[memoryview]]


@pytest.fixture(scope="module")
def made(sampler: Sampler) -> Made:
    recipe = Recipe(prompt="pale brick, secret garden", model="tiny", steps=2, strength=1.0, seed=4)
    tile = sampler.material(recipe, Material(size=1.2, pixels=128))
    message, frames = material_result("a" * 32, tile)
    return message, [frame.data.cast("B") for frame in frames]


def test_every_map_opens_elsewhere_and_says_what_it_is(made: Made, tmp_path: Path) -> None:
    result, frames = made
    paths = write_material(tmp_path, "brick", result, frames)
    assert [path.name for path in paths] == [
        *(f"{name}.png" for name in MAPS), "brick.glb", "preview.png",
    ]  # fmt: skip
    assert {path.parent for path in paths} == {tmp_path / "brick"}
    maps = dict(zip(MAPS, frames, strict=True))
    for name in ("albedo", "normal", "roughness", "occlusion"):
        with Image.open(tmp_path / "brick" / f"{name}.png") as image:
            assert image.tobytes() == bytes(maps[name])
            # Only a colour is marked as one: what is a number must not be converted.
            assert ("srgb" in image.info) == (name == "albedo")
        said = metadata.read(tmp_path / "brick" / f"{name}.png")
        assert said.recipe == result.recipe and said.view is None
        assert said.of_material is not None and said.of_material.name == name
        assert said.of_material.material == result.material
    said = metadata.read(tmp_path / "brick" / "height.png")
    assert said.of_material is not None and said.of_material.range is not None
    low, high = said.of_material.range
    with Image.open(tmp_path / "brick" / "height.png") as image:
        assert image.mode in ("I;16", "I")
        metres = low + np.asarray(image).astype(float) / 65535.0 * (high - low)
    height = np.frombuffer(maps["height"], np.float32).reshape(128, 128)
    assert np.abs(metres - height).max() < 1e-6  # a micrometre


def test_the_plate_carries_the_maps_at_true_size(made: Made, tmp_path: Path) -> None:
    result, frames = made
    paths = write_material(tmp_path, "brick", result, frames)
    document, binary = read(paths[-2].read_bytes())
    (part,) = document["meshes"][0]["primitives"]
    position = values(document, binary, part["attributes"]["POSITION"])
    assert np.allclose(np.ptp(position, axis=0), [1.2, 1.2, 0.0])
    # Upright: the picture's top, where v is 0, is the plate's top.
    uv = values(document, binary, part["attributes"]["TEXCOORD_0"])
    assert np.allclose(uv[:, 1], 1.0 - position[:, 1] / 1.2, atol=1e-6)
    across = np.cross(position[1] - position[0], position[2] - position[0])
    assert across[2] > 0.0  # it faces the viewer
    tangent = values(document, binary, part["attributes"]["TANGENT"])
    assert (tangent == [1.0, 0.0, 0.0, 1.0]).all()
    (material,) = document["materials"]
    pbr = material["pbrMetallicRoughness"]
    assert document["samplers"][0]["wrapS"] == 10497

    def image(number: int) -> bytes:
        texture = document["textures"][number]
        view = document["bufferViews"][document["images"][texture["source"]]["bufferView"]]
        return binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]

    assert image(pbr["baseColorTexture"]["index"]) == (tmp_path / "brick/albedo.png").read_bytes()
    assert image(material["normalTexture"]["index"]) == (tmp_path / "brick/normal.png").read_bytes()
    assert material["occlusionTexture"]["index"] == pbr["metallicRoughnessTexture"]["index"]
    with Image.open(io.BytesIO(image(pbr["metallicRoughnessTexture"]["index"]))) as packed:
        red, green, blue = (np.asarray(channel) for channel in packed.split())
    assert red.tobytes() == bytes(frames[4]) and green.tobytes() == bytes(frames[3])
    assert not blue.any()


def test_no_material_replaces_another_and_a_prompt_can_be_left_out(
    made: Made, tmp_path: Path
) -> None:
    first = write_material(tmp_path, "material", *made, prompt=False)
    second = write_material(tmp_path, "material", *made, prompt=False)
    assert not set(first) & set(second) and second[0].parent.name == "material-2"
    for path in first:
        assert b"secret" not in path.read_bytes()
    assert metadata.read(first[0]).prompt_left_out


def test_a_full_disk_leaves_nothing_and_says_what_to_do(
    made: Made, tmp_path: Path, small_disk: Path
) -> None:
    (small_disk / "ballast").write_bytes(bytes(1_900_000))
    with pytest.raises(MaquetteError, match=r"can't be written: No space.*--output") as caught:
        write_material(small_disk, "brick", *made)
    assert caught.value.code == "output-unusable"
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]
    with pytest.raises(MaquetteError, match="--output"):
        outputs.check_space(small_disk, folder_bytes(128))
    files = sum(path.stat().st_size for path in write_material(tmp_path, "brick", *made))
    assert files < folder_bytes(512)  # the preview is no smaller for a small tile


def test_show_tells_of_a_material(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAQUETTE_HOME", str(tmp_path / "home"))
    paths = write_material(tmp_path, "brick", *made)
    assert cli.main(["show", str(paths[2])]) == 0
    told = capsys.readouterr().out
    for words in ("material, by Maquette", "height", "1.2 x 1.2 m, 128 pixels", "running-bond",
                  "0.22 x 0.075 m", "black to white"):  # fmt: skip
        assert words in told
    assert cli.main(["show", "--json", str(paths[0])]) == 0
    assert json.loads(capsys.readouterr().out)["material"]["material"]["pattern"] == "running-bond"
    assert cli.main(["replay", str(paths[0])]) == 1
    assert "maquette material --recipe" in capsys.readouterr().err


def test_grey_of_16_bits_is_read_by_others(tmp_path: Path) -> None:
    levels = np.arange(65536, dtype=">u2").reshape(256, 256)
    path = tmp_path / "ramp.png"
    png.write(path, levels.data, 256, 256, bits=16, linear=True)
    with Image.open(path) as image:
        assert (np.asarray(image).astype(int) == levels).all()
    data = path.read_bytes()
    assert struct.unpack_from(">IIBB", data, 16) == (256, 256, 16, 0) and b"sRGB" not in data[:64]
    with pytest.raises(ValueError, match="no 256 x 256"):
        png.encode(bytes(256 * 256), 256, 256, bits=16)
