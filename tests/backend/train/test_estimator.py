"""The depth estimator: trained, exported, and used where a picture has no depth."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_depth2img import (
    StableDiffusionDepth2ImgPipeline,
)
from maquette.catalogue import POCKET_VARIABLE, Catalogue
from maquette.depth import DepthEncoding, decode_depth, depth_range, encode_depth
from maquette.estimate import estimate_depth, has_estimator
from maquette.sources import Sources
from maquette.train.estimator import pictures_of
from maquette.train.export import export_model
from maquette.train.recipe import load_recipe
from maquette.train.scenes import read_scene
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from PIL import Image

from tests.backend.train.recipes import write_small
from tests.backend.train.runs import train
from tests.backend.train.synthetic import write_dataset

STAGE = """
[depth_estimator]
width = 16
size = 64
halved = 120
[depth_estimator.schedule]
steps = {steps}
batch = 4
rate = 2e-3
save_every = 20
sheet_every = 1000
"""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data"), 12, size=64)


def recipe_with(path: Path, steps: int) -> Path:
    text = write_small(path, vae=2, text=2, unet=2).read_text("utf-8")
    text = text.replace('"unet"]', '"unet", "depth_estimator"]') + STAGE.format(steps=steps)
    path.write_text(text, "utf-8")
    return path


@pytest.fixture(scope="module")
def exported(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    recipe = recipe_with(out / "recipe.toml", 240)
    assert train(recipe, scenes, out) == 0
    return export_model(load_recipe(recipe), out, out / "exported")


def test_plain_diffusers_paints_a_picture_without_depth(exported: Path):
    index = json.loads((exported / "model_index.json").read_text("utf-8"))
    assert index["feature_extractor"] == ["transformers", "DPTImageProcessor"]
    pipeline = StableDiffusionDepth2ImgPipeline.from_pretrained(exported)
    pipeline.set_progress_bar_config(disable=True)
    result = pipeline(
        "red brick row",
        image=Image.new("RGB", (64, 64), "grey"),
        num_inference_steps=2,
        generator=torch.Generator().manual_seed(0),
        output_type="np",
    )
    assert np.isfinite(result.images[0]).all()  # type: ignore[union-attr]


def test_it_learns_depth_from_pictures(exported: Path, scenes: Path):
    scene = read_scene(scenes / "scene_000000.npz")  # held out
    color, depth = pictures_of(scene)[-1]
    encoding = DepthEncoding(power=0.5)
    exact = encode_depth(depth, depth_range(depth, encoding), encoding, depth.shape)
    found = estimate_depth(exported, color)
    assert found.shape == depth.shape and found.dtype == np.float32
    guess = encode_depth(found, depth_range(found, encoding), encoding, found.shape)
    assert np.corrcoef(exact.ravel(), guess.ravel())[0, 1] > 0.6


def test_a_run_that_was_stopped_goes_on_bit_identically(scenes: Path, tmp_path: Path):
    states = []
    for name, steps in (("whole", (6,)), ("parts", (2, 6))):
        for until in steps:
            recipe = recipe_with(tmp_path / "recipe.toml", until)
            out = tmp_path / name
            assert train(recipe, scenes, out, "--stage", "depth_estimator") == 0
        model = tmp_path / name / "model" / "depth_estimator" / "model.safetensors"
        states.append(model.read_bytes())
    assert states[0] == states[1]


def test_a_look_without_ground_has_no_depth_there(scenes: Path, tmp_path: Path):
    scene = read_scene(scenes / "scene_000001.npz")
    bare = type(scene)(**{**vars(scene), "grounds": [False] * len(scene.massing)})
    ground = scene.parts == 1
    assert np.isfinite(pictures_of(scene)[0][1][ground]).all()
    assert np.isposinf(pictures_of(bare)[0][1][ground]).all()
    assert np.isfinite(pictures_of(bare)[-1][1][ground]).all()


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_a_channel_decoded_and_encoded_again_is_the_same(power: float):
    encoding = DepthEncoding(power=power, near_percentile=100.0, far_percentile=0.0)
    channel = np.linspace(encoding.sky_gap - 1.0, 1.0, 64).reshape(8, 8)
    channel[0, :3] = -1.0
    metres = decode_depth(channel, encoding)
    assert np.isposinf(metres[0, :3]).all() and np.isfinite(metres[1:]).all()
    again = encode_depth(metres, depth_range(metres, encoding), encoding, (8, 8))
    # The farthest surface that is left has become the end of the range.
    first = channel[0, 3]
    share = (channel - first) / (1.0 - first)
    wanted = encoding.sky_gap - 1.0 + (2.0 - encoding.sky_gap) * share
    assert np.allclose(again[1:], wanted[1:], atol=1e-3) and (again[0, :3] == -1.0).all()


def test_a_picture_alone_without_any_estimator_says_what_to_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "model_index.json").write_text("{}")
    monkeypatch.setenv(POCKET_VARIABLE, str(tmp_path / "bare"))
    Image.new("RGB", (64, 64), "grey").save(tmp_path / "render.png")
    with pytest.raises(MaquetteError, match="no estimator for it") as raised:
        Sources(Home(tmp_path), print).of_picture(tmp_path / "render.png", estimator="pocket")
    assert "--depth" in raised.value.hint


def test_an_estimator_is_no_part_of_what_paints(exported: Path, tmp_path: Path):
    catalogue = Catalogue(Home(tmp_path))
    for name in ("whole", "without"):
        shutil.copytree(exported, catalogue.home.models / name)
    shutil.rmtree(catalogue.home.models / "without" / "depth_estimator")
    whole, without = (catalogue.hash_of(catalogue.present(name)) for name in ("whole", "without"))
    assert whole == without


def test_a_damaged_estimator_is_named(exported: Path, tmp_path: Path):
    assert has_estimator(exported)
    assert not has_estimator(tmp_path)
    (tmp_path / "depth_estimator").mkdir()
    (tmp_path / "depth_estimator" / "config.json").write_text("{")
    with pytest.raises(MaquetteError, match="depth estimator"):
        estimate_depth(tmp_path, np.zeros((8, 8, 3), np.uint8))
