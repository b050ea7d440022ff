"""`maquette train`, from a dataset to a model directory that plain diffusers samples from."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_depth2img import (
    StableDiffusionDepth2ImgPipeline,
)
from maquette.depth import DepthEncoding, area_resize, depth_range, encode_depth, set_back
from maquette.families.sd2_depth import Sd2Depth
from maquette.families.settings import read_settings
from maquette.train import loop
from maquette.train.batches import Batches
from maquette.train.cache import LatentCache
from maquette.train.command import Training, configure, run
from maquette.train.export import export_model
from maquette.train.recipe import load_recipe
from maquette.train.scenes import Dataset, Finish
from maquette.train.unet import keep_full
from maquette.train.vae import normalize_latents
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Lora
from PIL import Image
from safetensors.torch import load_file

from tests.backend.train.recipes import ADAPTER, ADVERSARY, FINETUNE, write_small
from tests.backend.train.synthetic import write_dataset, write_scene

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data"), 8, size=64)


@pytest.fixture(scope="module")
def trained(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that ran all its stages."""
    out = tmp_path_factory.mktemp("trained")
    assert train(write_small(out / "recipe.toml"), scenes, out) == 0
    return out


def train(recipe: Path, data: Path, out: Path, *extra: str) -> int:
    parser = ArgumentParser()
    configure(parser)
    given = [str(recipe), "--data", str(data), "--out", str(out), "--device", "cpu", *extra]
    return run(parser.parse_args(given))


def give_tokenizer(source: Path, target: Path) -> None:
    """Learning a tokenizer may break ties either way; two runs are alike from there on."""
    shutil.copytree(
        source / "model" / "tokenizer", target / "model" / "tokenizer", dirs_exist_ok=True
    )


def weights(out: Path, part: str = "unet") -> dict[str, torch.Tensor]:
    name = "model" if part == "text_encoder" else "diffusion_pytorch_model"
    return load_file(out / "model" / part / f"{name}.safetensors")


def test_the_model_runs_in_plain_diffusers(trained: Path, tmp_path: Path):
    directory = export_model(load_recipe(trained / "recipe.toml"), trained, tmp_path / "exported")
    assert not list(directory.rglob("*.bin")) and not list(directory.rglob("*.pt"))
    assert not [
        path for path in directory.rglob("*.json") if str(trained) in path.read_text("utf-8")
    ]
    stored = load_file(directory / "unet" / "diffusion_pytorch_model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    pipeline = StableDiffusionDepth2ImgPipeline.from_pretrained(
        directory, depth_estimator=None, feature_extractor=None
    )
    pipeline.set_progress_bar_config(disable=True)
    result = pipeline(
        "red brick row at dusk",
        image=Image.new("RGB", (64, 64), "grey"),
        depth_map=torch.linspace(-1, 1, 256).reshape(1, 16, 16),
        num_inference_steps=3,
        generator=torch.Generator().manual_seed(0),
        output_type="np",
    )
    picture = np.asarray(result.images[0])  # type: ignore[union-attr]
    assert picture.shape == (64, 64, 3) and np.isfinite(picture).all() and picture.std() > 0


def test_the_text_encoder_learns_the_attributes(trained: Path, caplog: pytest.LogCaptureFixture):
    """It is asked for held-out captions in its last sheet; see the training's log."""
    sheets = list((trained / "text" / "sheets").glob("*.png"))
    assert sheets


def test_training_and_inference_encode_depth_alike(trained: Path, scenes: Path):
    recipe = load_recipe(trained / "recipe.toml")
    dataset = Dataset(scenes)
    dataset.refresh()
    training = Training(recipe, dataset, trained, torch.device("cpu"))
    cache = LatentCache(
        trained / "cache", training.workspace.part("vae"), recipe.depth, torch.device("cpu")
    )
    name = dataset.names[0]
    cached, scene = cache.get(dataset, name), dataset.scene(name)
    assert cached is not None
    wanted = encode_depth(
        scene.depth,
        depth_range(scene.depth, DepthEncoding(power=0.5)),
        DepthEncoding(power=0.5),
        (16, 16),
    )
    assert np.array_equal(cached.depth[0].numpy(), wanted)
    assert (cached.depth[1].numpy() <= wanted + 1e-6).all(), "without ground only sky is gained"


def openings_of(finish: Finish) -> np.ndarray:
    assert finish.openings is not None
    return finish.openings.astype(np.float32) / np.float32(255)


def test_training_is_shown_openings_as_inference_shows_them(trained: Path, scenes: Path):
    """Set back by the encoding's recess in the share of samples that the recipe says."""
    recipe = load_recipe(trained / "recipe.toml")
    dataset = Dataset(scenes)
    dataset.refresh()
    encoding = DepthEncoding(power=0.5, recess=0.25)
    vae = Training(recipe, dataset, trained, torch.device("cpu")).workspace.part("vae")
    cache = LatentCache(trained / "cache", vae, encoding, torch.device("cpu"))
    assert recipe.unet is not None
    drawn = []
    for share in (0.0, 1.0):
        settings = msgspec.structs.replace(
            recipe.unet, openings=share, crops=0.0, flips=False, depth_jitter=0.0,
            depth_dropout=0.0, ground_dropout=0.0,
        )  # fmt: skip
        batches = Batches(cache, dataset, settings, 1000, {})
        batches.refresh()
        drawn.append(batches.draw(torch.Generator().manual_seed(3)).depth[:, 0].numpy())
    plain, shown = drawn
    scene = dataset.scene(dataset.names[0])
    openings = scene.finishes[0].openings
    assert openings is not None and openings.any()
    wanted = set_back(plain, (plain - shown) / 0.25, encoding)
    assert np.allclose(shown, wanted, atol=1e-6)
    assert (plain - shown).min() > -1e-6 and 0.05 < (plain - shown).max() < 0.2501
    every = [
        area_resize(openings_of(finish), plain.shape[1:])
        for name in dataset.names
        for finish in dataset.scene(name).finishes[:1]
    ]
    for step in plain - shown:
        clear = step > 0.0  # where the sky's value did not cut it off
        assert any(np.allclose(step[clear], 0.25 * each[clear], atol=2e-3) for each in every)


def test_latents_are_normalised_without_changing_the_pictures(trained: Path, scenes: Path):
    recipe = load_recipe(trained / "recipe.toml")
    dataset = Dataset(scenes)
    dataset.refresh()
    vae = Training(recipe, dataset, trained, torch.device("cpu")).workspace.part("vae")
    pictures = np.stack([f.picture for n in dataset.names for f in dataset.scene(n).finishes])
    sample = torch.from_numpy(pictures[:2].transpose(0, 3, 1, 2).copy()).float() / 127.5 - 1
    with torch.no_grad():
        before = vae.decode(vae.encode(sample).latent_dist.mean).sample
        normalize_latents(vae, pictures)
        latents = torch.cat(
            [
                vae.encode(
                    torch.from_numpy(p[None].transpose(0, 3, 1, 2).copy()).float() / 127.5 - 1
                ).latent_dist.mean
                for p in pictures
            ]
        )
        after = vae.decode(vae.encode(sample).latent_dist.mean).sample
    assert torch.allclose(before, after, atol=1e-4)
    assert torch.allclose(latents.mean((0, 2, 3)), torch.zeros(4), atol=1e-3)
    assert torch.allclose(latents.std((0, 2, 3)), torch.ones(4), atol=1e-2)


@pytest.mark.parametrize(
    "changed",
    [{}, {"optimizer": "muon"}, {"precision": "bf16"}, {"unet_settings": ADVERSARY}],
)
def test_a_run_that_was_stopped_goes_on_bit_identically(
    scenes: Path, tmp_path: Path, changed: dict[str, str]
):
    for name, steps in (("whole", (6,)), ("parts", (2, 4, 6))):
        for until in steps:
            recipe = write_small(tmp_path / "recipe.toml", unet=until, **changed)
            assert train(recipe, scenes, tmp_path / name) == 0
        give_tokenizer(tmp_path / "whole", tmp_path / "parts")
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_bit_identically(scenes: Path, tmp_path: Path):
    recipe = write_small(tmp_path / "recipe.toml", unet=40, save_every=5)
    command = [
        sys.executable,
        "-m",
        "maquette.train",
        str(recipe),
        "--data",
        str(scenes),
        "--device",
        "cpu",
        "--threads",
        "1",
        "--out",
    ]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'backend'}{os.pathsep}{ROOT / 'shared'}"}
    subprocess.run([*command, str(tmp_path / "whole")], check=True, env=environment)

    give_tokenizer(tmp_path / "whole", tmp_path / "killed")
    killed = subprocess.Popen([*command, str(tmp_path / "killed")], env=environment)
    deadline = time.monotonic() + 240
    while not list((tmp_path / "killed" / "unet").glob("step_*")):
        assert killed.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    subprocess.run([*command, str(tmp_path / "killed")], check=True, env=environment)

    for part in ("vae", "text_encoder", "unet"):
        whole, resumed = weights(tmp_path / "whole", part), weights(tmp_path / "killed", part)
        assert all(torch.equal(whole[key], resumed[key]) for key in whole), part


def test_mixed_precision_keeps_the_first_convolution_exact():
    """Steps of depth below bf16's grain (1/128 near 1) must reach the UNet's first filters."""
    torch.manual_seed(0)
    module = torch.nn.Conv2d(5, 8, 3, padding=1)
    inputs = 0.9 + torch.rand(1, 5, 8, 8) * 1e-3
    exact = module(inputs)
    keep_full(module)
    with torch.autocast("cpu", torch.bfloat16):
        kept = module(inputs)
    assert kept.dtype == torch.float32 and torch.equal(kept, exact)


def test_mixed_precision_trains_as_full_precision_does(scenes: Path, tmp_path: Path):
    for precision in ("full", "bf16"):
        recipe = write_small(tmp_path / "recipe.toml", unet=6, precision=precision)
        give_tokenizer(tmp_path / "full", tmp_path / precision) if precision == "bf16" else None
        assert train(recipe, scenes, tmp_path / precision) == 0
    full, mixed = weights(tmp_path / "full"), weights(tmp_path / "bf16")
    assert {value.dtype for value in mixed.values()} == {torch.float32}
    assert any(not torch.equal(full[key], mixed[key]) for key in full)
    # Adam's steps are of one size, so a gradient of the wrong sign would be far off.
    apart = sum(float((full[key] - mixed[key]).square().sum()) for key in full)
    moved = sum(float((full[key]).square().sum()) for key in full)
    assert apart < 1e-3 * moved


@pytest.mark.parametrize(
    "changed", [{"optimizer": "adamw"}, {"optimizer": "muon"}, {"unet_settings": ADVERSARY}]
)
def test_shards_train_as_one_batch_does(scenes: Path, tmp_path: Path, changed: dict[str, str]):
    for shards in ("1", "2"):
        out = tmp_path / shards
        if shards == "2":
            give_tokenizer(tmp_path / "1", out)
        recipe = write_small(tmp_path / "recipe.toml", unet=8, **changed)
        assert train(recipe, scenes, out, "--shards", shards) == 0
    one, two = weights(tmp_path / "1"), weights(tmp_path / "2")
    apart = torch.cat([(one[key] - two[key]).abs().flatten() for key in one])
    assert float(apart.mean()) < 1e-7


def test_a_blind_training_does_not_depend_on_the_noise(scenes: Path, tmp_path: Path):
    recipe = write_small(tmp_path / "recipe.toml", unet=6, unet_settings="blind = true")
    assert train(recipe, scenes, tmp_path / "out", "--shards", "2") == 0
    trained = weights(tmp_path / "out")
    assert (trained["conv_in.weight"][:, :4] == 0).all()
    assert (trained["conv_in.weight"][:, 4:] != 0).any()
    unet = UNet2DConditionModel.from_pretrained(tmp_path / "out" / "model" / "unet")
    depth, text = torch.rand(1, 1, 16, 16), torch.randn(1, 24, 64)
    seen = [
        unet(torch.cat([torch.randn(1, 4, 16, 16), depth], 1), 999, text).sample for _ in range(2)
    ]
    assert torch.equal(*seen)
    assert not torch.equal(seen[0], unet(torch.rand(1, 5, 16, 16), 999, text).sample)


def test_an_adversary_changes_what_the_unet_learns_and_stays_out_of_the_model(
    scenes: Path, tmp_path: Path
):
    for name, settings in (("alone", ""), ("against", ADVERSARY)):
        recipe = write_small(tmp_path / "recipe.toml", unet=4, unet_settings=settings)
        give_tokenizer(tmp_path / "alone", tmp_path / name) if settings else None
        assert train(recipe, scenes, tmp_path / name) == 0
    alone, against = weights(tmp_path / "alone"), weights(tmp_path / "against")
    assert alone.keys() == against.keys()
    assert any(not torch.equal(alone[key], against[key]) for key in alone)
    parts = {path.name for path in (tmp_path / "against" / "model").iterdir() if path.is_dir()}
    assert parts == {"vae", "text_encoder", "tokenizer", "unet", "scheduler"}


def test_what_is_not_to_be_trained_stays_to_the_bit(scenes: Path, tmp_path: Path):
    """Beside a reader that begins alone, in a training that is resumed."""
    chosen = 'only = ["up_blocks.1.*", "*.attn2.*"]\n'
    train(write_small(tmp_path / "recipe.toml", unet=1), scenes, tmp_path / "out")
    before = weights(tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "unet")
    for steps in (2, 4):
        recipe = write_small(
            tmp_path / "recipe.toml",
            unet=steps,
            unet_settings=chosen + ADVERSARY + "[unet.reading]\nalone = 2\n",
        )
        assert train(recipe, scenes, tmp_path / "out") == 0
    after = weights(tmp_path / "out")
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed == {k for k in before if k.startswith("up_blocks.1.") or ".attn2." in k}
    export_model(load_recipe(tmp_path / "recipe.toml"), tmp_path / "out", tmp_path / "model")
    exported = UNet2DConditionModel.from_pretrained(tmp_path / "model" / "unet").state_dict()
    assert all(torch.equal(exported[key], after[key].half()) for key in after)


def test_an_unknown_parameter_is_named(scenes: Path, tmp_path: Path):
    recipe = write_small(tmp_path / "recipe.toml", unet=1, unet_settings='only = ["upblocks.*"]\n')
    with pytest.raises(MaquetteError, match="upblocks"):
        train(recipe, scenes, tmp_path / "out")


def test_an_adversary_needs_a_model_of_velocity(scenes: Path, tiny_model: Path, tmp_path: Path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(FINETUNE.format(base=tiny_model) + "[unet.adversary]\n", "utf-8")
    with pytest.raises(MaquetteError, match="velocity"):
        train(recipe, scenes, tmp_path / "out")


def test_a_diverging_loss_stops_with_the_last_good_state_kept(scenes: Path, tmp_path: Path):
    recipe = write_small(tmp_path / "recipe.toml", unet=2)
    train(recipe, scenes, tmp_path / "out")
    before = sorted(path.name for path in (tmp_path / "out" / "unet").glob("step_*"))
    recipe = write_small(tmp_path / "recipe.toml", unet=60, rate=1e30, save_every=1000)
    with pytest.raises(MaquetteError, match="became") as caught:
        train(recipe, scenes, tmp_path / "out")
    assert "rate" in caught.value.hint
    assert sorted(path.name for path in (tmp_path / "out" / "unet").glob("step_*")) == before


def test_a_checkpoint_of_the_family_is_finetuned(scenes: Path, tiny_model: Path, tmp_path: Path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(FINETUNE.format(base=tiny_model), "utf-8")
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


def adapter(path: Path, base: Path, steps: int = 4, unet_settings: str = "") -> Path:
    path.write_text(ADAPTER.format(base=base, steps=steps, unet_settings=unet_settings), "utf-8")
    return path


def test_an_adapter_is_trained_in_place_of_the_weights(
    scenes: Path, tiny_model: Path, tmp_path: Path
):
    """It is a file that diffusers loads, which changes the picture and knows its words."""
    recipe = adapter(tmp_path / "recipe.toml", tiny_model)
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
    first = adapter(tmp_path / "first.toml", tiny_model)
    given, made = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    train(first, scenes, tmp_path / "first")
    train(first, scenes, tmp_path / "first", "--export", str(given))
    # A rate of nothing: what comes out is what it began with.
    begin = f'begin = "{given}"'
    second = adapter(tmp_path / "second.toml", tiny_model, steps=2, unet_settings=begin)
    second.write_text(second.read_text("utf-8").replace("rate = 1e-2", "rate = 0.0"), "utf-8")
    train(second, scenes, tmp_path / "second")
    train(second, scenes, tmp_path / "second", "--export", str(made))
    one, other = load_file(given), load_file(made)
    assert one.keys() == other.keys() and any(value.any() for value in one.values())
    assert all(torch.equal(one[key], other[key]) for key in one)
    third = adapter(tmp_path / "third.toml", tiny_model, unet_settings=begin)
    third.write_text(third.read_text("utf-8").replace("lora = 4", "lora = 2"), "utf-8")
    with pytest.raises(MaquetteError, match="of another rank"):
        train(third, scenes, tmp_path / "third")


def test_an_adapters_training_goes_on_where_it_stopped(
    scenes: Path, tiny_model: Path, tmp_path: Path
):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    recipe = adapter(tmp_path / "recipe.toml", tiny_model)
    assert train(recipe, scenes, whole) == 0
    assert train(adapter(tmp_path / "short.toml", tiny_model, steps=2), scenes, halves) == 0
    assert train(recipe, scenes, halves) == 0
    first, second = (load_file(out / "model" / "lora.safetensors") for out in (whole, halves))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("known", [None, ["gothic", "brick"]])
def test_a_finetune_keeps_the_words_of_its_base(
    scenes: Path, tiny_model: Path, tmp_path: Path, known: list[str] | None
):
    base = shutil.copytree(tiny_model, tmp_path / "base")
    (base / "maquette.json").write_text(json.dumps({"vocabulary": known}), "utf-8")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(FINETUNE.format(base=base), "utf-8")
    assert train(recipe, scenes, tmp_path / "out") == 0
    directory = export_model(load_recipe(recipe), tmp_path / "out", tmp_path / "exported")
    words = read_settings(directory).vocabulary
    if known is None:
        assert words is None
    else:
        assert words is not None and "gothic" in words and len(words) > len(known)


def test_a_directory_that_is_no_model_is_refused(scenes: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(FINETUNE.format(base=tmp_path / "empty"), "utf-8")
    with pytest.raises(MaquetteError, match="has no folder"):
        train(recipe, scenes, tmp_path / "out")


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


def test_a_deadline_stops_with_the_state_saved(scenes: Path, tmp_path: Path):
    recipe = write_small(tmp_path / "recipe.toml", vae=10_000)
    assert train(recipe, scenes, tmp_path / "out", "--minutes", "0.02") == 0
    assert list((tmp_path / "out" / "vae").glob("step_*"))
    assert not (tmp_path / "out" / "unet").exists()


def test_an_unknown_device_is_refused(scenes: Path, tmp_path: Path):
    recipe = write_small(tmp_path / "recipe.toml")
    with pytest.raises(MaquetteError, match="cannot be used"):
        train(recipe, scenes, tmp_path / "out", "--device", "quantum")


def test_the_rate_rises_stays_and_falls():
    schedule = loop.Schedule(steps=100, rate=1.0, warmup=10, decay=20)
    assert loop.rate_at(schedule, 0) == pytest.approx(0.1)
    assert loop.rate_at(schedule, 50) == 1.0
    assert loop.rate_at(schedule, 90) == pytest.approx(0.5)
    assert loop.rate_at(schedule, 99) == pytest.approx(0.05)
