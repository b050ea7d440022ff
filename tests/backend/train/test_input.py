"""What a training is given: scenes, recipes and devices, and which of them it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from maquette.train.recipe import load_recipe
from maquette.train.scenes import Dataset
from maquette_wire.errors import MaquetteError

from tests.backend.train.recipes import write_small
from tests.backend.train.runs import train
from tests.backend.train.synthetic import write_dataset, write_scene


def test_a_damaged_scene_is_named_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    data = write_dataset(tmp_path / "data", 5, size=64)
    os.truncate(data / "scene_000002.npz", 700)
    assert train(write_small(tmp_path / "recipe.toml"), data, tmp_path / "out") == 0
    assert "scene_000002" in caplog.text and "damaged or cut off" in caplog.text


def test_scenes_that_appear_while_it_trains_are_used(tmp_path: Path):
    data = write_dataset(tmp_path / "data", 3, size=64)
    dataset = Dataset(data)
    assert dataset.refresh() == ["scene_000001", "scene_000002"]
    write_scene(data, 7, 64)
    assert dataset.refresh() == ["scene_000007"]
    assert dataset.names == ["scene_000001", "scene_000002", "scene_000007"]
    assert dataset.held_out == ["scene_000000"]


def test_held_out_splits_are_never_trained_on(tmp_path: Path):
    data = write_dataset(tmp_path / "data", 2, size=64)
    for seed, split in ((20, "scene"), (21, "type"), (22, "style")):
        write_scene(data, seed, 64, split)
    dataset = Dataset(data)
    dataset.refresh()
    assert dataset.names == ["scene_000001"]


def test_no_data_is_a_clear_error(tmp_path: Path):
    recipe = write_small(tmp_path / "recipe.toml")
    with pytest.raises(MaquetteError, match="There is no dataset"):
        train(recipe, tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MaquetteError, match="no training scene"):
        train(recipe, tmp_path / "empty", tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "Invalid value|cannot be used"),
        ('name = "a"\nspeed = 3\n[architecture]', "speed"),
        ('name = "a"\nstages = ["unet"]\n[architecture]', r"\[unet\] table"),
        ('name = "a"\nstages = []', "base"),
        ('name = "a"\n[architecture]\n[unet]\nlora = 4\n[unet.schedule]\nsteps = 1', "base"),
        ('name = "a"\nstages = []\n[architecture]\n[depth]\npower = 9.0', "power"),
    ],
)
def test_a_wrong_recipe_is_refused_with_its_field(tmp_path: Path, text: str, words: str):
    path = tmp_path / "recipe.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(MaquetteError, match=words):
        load_recipe(path)


def test_an_unknown_parameter_is_named(scenes: Path, tmp_path: Path):
    recipe = write_small(tmp_path / "recipe.toml", unet=1, unet_settings='only = ["upblocks.*"]\n')
    with pytest.raises(MaquetteError, match="upblocks"):
        train(recipe, scenes, tmp_path / "out")


def test_an_unknown_device_is_refused(scenes: Path, tmp_path: Path):
    recipe = write_small(tmp_path / "recipe.toml")
    with pytest.raises(MaquetteError, match="cannot be used"):
        train(recipe, scenes, tmp_path / "out", "--device", "quantum")
