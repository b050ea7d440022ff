"""`maquette train`, from a dataset to a model directory that plain diffusers samples from."""

from __future__ import annotations

import shutil
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
from maquette.train import loop
from maquette.train.batches import Batches
from maquette.train.cache import LatentCache
from maquette.train.command import Training
from maquette.train.export import export_model
from maquette.train.recipe import load_recipe
from maquette.train.scenes import Dataset, Finish
from maquette.train.unet import keep_full
from maquette.train.vae import normalize_latents
from PIL import Image
from safetensors.torch import load_file

from tests.backend.train.recipes import ADVERSARY, write_small
from tests.backend.train.runs import give_tokenizer, train, weights


@pytest.fixture(scope="module")
def trained(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that ran all its stages."""
    out = tmp_path_factory.mktemp("trained")
    assert train(write_small(out / "recipe.toml"), scenes, out) == 0
    return out


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


def test_the_rate_rises_stays_and_falls():
    schedule = loop.Schedule(steps=100, rate=1.0, warmup=10, decay=20)
    assert loop.rate_at(schedule, 0) == pytest.approx(0.1)
    assert loop.rate_at(schedule, 50) == 1.0
    assert loop.rate_at(schedule, 90) == pytest.approx(0.5)
    assert loop.rate_at(schedule, 99) == pytest.approx(0.05)
