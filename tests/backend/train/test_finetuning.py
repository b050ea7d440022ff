"""Trainings that begin with a checkpoint: of its weights, and of adapters in their place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest
import torch
from maquette.families.sd2_depth import Sd2Depth
from maquette.families.settings import read_settings
from maquette.train.export import export_model
from maquette.train.recipe import load_recipe
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Lora
from safetensors.torch import load_file

from tests.backend.train.recipes import write_adapter, write_finetune
from tests.backend.train.runs import train, weights


def test_a_checkpoint_of_the_family_is_finetuned(scenes: Path, tiny_model: Path, tmp_path: Path):
    recipe = write_finetune(tmp_path / "recipe.toml", tiny_model)
    assert train(recipe, scenes, tmp_path / "out") == 0
    before = load_file(tiny_model / "unet" / "diffusion_pytorch_model.safetensors")
    after = weights(tmp_path / "out")
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[key], after[key]) for key in before)
    for part in ("vae", "text_encoder"):
        name = "model" if part == "text_encoder" else "diffusion_pytorch_model"
        kept = load_file(tiny_model / part / f"{name}.safetensors")
        assert all(
            torch.equal(kept[key], value) for key, value in weights(tmp_path / "out", part).items()
        )


@pytest.mark.parametrize("known", [None, ["gothic", "brick"]])
def test_a_finetune_keeps_the_words_of_its_base(
    scenes: Path, tiny_model: Path, tmp_path: Path, known: list[str] | None
):
    base = shutil.copytree(tiny_model, tmp_path / "base")
    (base / "maquette.json").write_text(json.dumps({"vocabulary": known}), "utf-8")
    recipe = write_finetune(tmp_path / "recipe.toml", base)
    assert train(recipe, scenes, tmp_path / "out") == 0
    directory = export_model(load_recipe(recipe), tmp_path / "out", tmp_path / "exported")
    words = read_settings(directory).vocabulary
    if known is None:
        assert words is None
    else:
        assert words is not None and "gothic" in words and len(words) > len(known)


def test_an_adversary_needs_a_model_of_velocity(scenes: Path, tiny_model: Path, tmp_path: Path):
    recipe = write_finetune(tmp_path / "recipe.toml", tiny_model, unet_settings="[unet.adversary]")
    with pytest.raises(MaquetteError, match="velocity"):
        train(recipe, scenes, tmp_path / "out")


def test_a_directory_that_is_no_model_is_refused(scenes: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    recipe = write_finetune(tmp_path / "recipe.toml", tmp_path / "empty")
    with pytest.raises(MaquetteError, match="has no folder"):
        train(recipe, scenes, tmp_path / "out")


def test_an_adapter_is_trained_in_place_of_the_weights(
    scenes: Path, tiny_model: Path, tmp_path: Path
):
    """It is a file that diffusers loads, which changes the picture and knows its words."""
    recipe = write_adapter(tmp_path / "recipe.toml", tiny_model)
    assert train(recipe, scenes, tmp_path / "out") == 0
    assert not (tmp_path / "out" / "model" / "unet").exists()
    file = tmp_path / "loras" / "walls.safetensors"
    assert train(recipe, scenes, tmp_path / "out", "--export", str(file)) == 0
    assert file.stat().st_size < (tiny_model / "unet").stat().st_size + 10**6
    settings = msgspec.structs.replace(read_settings(tiny_model), vocabulary=frozenset({"house"}))
    model = Sd2Depth.load(tiny_model, settings, torch.device("cpu"), torch.float32)
    given = (torch.randn(1, 5, 8, 8), 999, model.encode_prompt("brick"))

    def predicted() -> torch.Tensor:
        with torch.inference_mode():
            return model.pipeline.unet(*given).sample

    plain = predicted()
    assert model.prompt_warnings("brick", "prompt")
    model.set_loras([(Lora(name="walls"), file)])
    assert not torch.allclose(predicted(), plain, atol=1e-3)
    assert not model.prompt_warnings("brick", "prompt")
    trained = load_file(tmp_path / "out" / "model" / "lora.safetensors")
    exported = load_file(file)
    assert trained.keys() == exported.keys()
    assert all(torch.equal(exported[name], tensor) for name, tensor in trained.items())
    model.set_loras([])
    torch.testing.assert_close(predicted(), plain)


def test_an_adapter_begins_as_another_one(scenes: Path, tiny_model: Path, tmp_path: Path):
    first = write_adapter(tmp_path / "first.toml", tiny_model)
    given, made = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    train(first, scenes, tmp_path / "first")
    train(first, scenes, tmp_path / "first", "--export", str(given))
    # A rate of nothing: what comes out is what it began with.
    begin = f'begin = "{given}"'
    second = write_adapter(tmp_path / "second.toml", tiny_model, steps=2, unet_settings=begin)
    second.write_text(second.read_text("utf-8").replace("rate = 1e-2", "rate = 0.0"), "utf-8")
    train(second, scenes, tmp_path / "second")
    train(second, scenes, tmp_path / "second", "--export", str(made))
    one, other = load_file(given), load_file(made)
    assert one.keys() == other.keys() and any(value.any() for value in one.values())
    assert all(torch.equal(one[key], other[key]) for key in one)
    third = write_adapter(tmp_path / "third.toml", tiny_model, unet_settings=begin)
    third.write_text(third.read_text("utf-8").replace("lora = 4", "lora = 2"), "utf-8")
    with pytest.raises(MaquetteError, match="of another rank"):
        train(third, scenes, tmp_path / "third")


def test_an_adapters_training_goes_on_where_it_stopped(
    scenes: Path, tiny_model: Path, tmp_path: Path
):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    recipe = write_adapter(tmp_path / "recipe.toml", tiny_model)
    assert train(recipe, scenes, whole) == 0
    assert train(write_adapter(tmp_path / "short.toml", tiny_model, steps=2), scenes, halves) == 0
    assert train(recipe, scenes, halves) == 0
    first, second = (load_file(out / "model" / "lora.safetensors") for out in (whole, halves))
    assert all(torch.equal(first[name], second[name]) for name in first)
