"""The family's pipeline against diffusers' own, and checkpoints that can't be used."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_depth2img import (
    StableDiffusionDepth2ImgPipeline,
)
from maquette.families.family import PictureTask
from maquette.families.sd2_depth import Sd2Depth
from maquette.families.settings import ModelSettings, read_settings
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Lora
from safetensors.torch import load_file, save_file

from tests.backend.tiny import make_tiny_lora, make_tiny_sd2_depth

CPU = torch.device("cpu")


def load(directory: Path) -> Sd2Depth:
    return Sd2Depth.load(directory, read_settings(directory), CPU, torch.float32)


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Sd2Depth:
    return load(tiny_model)


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def paint(
    model: Sd2Depth, init: torch.Tensor, depth: np.ndarray, sampler: str, **options: Any
) -> torch.Tensor:
    prompt = options.pop("prompt", "red brick")
    values: dict[str, Any] = {
        "negative_prompt": "people",
        "steps": 6,
        "strength": 0.7,
        "guidance": 5.0,
        "on_step": lambda *_: None,
    }
    run = model.denoise(
        [PictureTask(init, depth, 4, prompt)], sampler=sampler, **(values | options)
    )
    with pytest.raises(StopIteration) as end:
        next(run)
    return end.value.value


@pytest.mark.parametrize("strength", [0.35, 0.7, 1.0])
@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_the_loop_is_diffusers_own(
    tiny_model: Path, model: Sd2Depth, strength: float, guidance: float
) -> None:
    """Same latents in, same latents out as the stock pipeline, where that gives any."""
    stock = StableDiffusionDepth2ImgPipeline.from_pretrained(
        tiny_model, depth_estimator=None, feature_extractor=None
    )
    stock.set_progress_bar_config(disable=True)
    init = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    depth = np.linspace(-1.0, 1.0, 64, dtype=np.float32).reshape(8, 8)
    expected = _stock(stock, init, depth, strength, guidance)
    found = paint(model, init, depth, "ddim", strength=strength, guidance=guidance)
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


def _stock(
    stock: StableDiffusionDepth2ImgPipeline,
    init: torch.Tensor,
    depth: np.ndarray,
    strength: float,
    guidance: float,
) -> torch.Tensor:
    channel = torch.from_numpy(depth)[None, None]
    # Of the stock pipeline all but its treatment of depth: given latents for a picture it would
    # resize the map to an eighth of them.

    def prepared(image: Any, depth_map: Any, batch: int, guided: bool, *_: Any) -> torch.Tensor:
        return torch.cat([channel] * 2) if guided else channel

    pipeline: Any = stock
    pipeline.prepare_depth_map = prepared
    output: Any = pipeline(
        prompt="red brick",
        negative_prompt="people",
        image=init,
        depth_map=channel[0],
        strength=strength,
        num_inference_steps=6,
        guidance_scale=guidance,
        generator=[torch.Generator().manual_seed(4)],
        output_type="latent",
    )
    return output.images


def test_depth_reaches_the_unet_as_it_was_encoded(model: Sd2Depth) -> None:
    """No stretching: a flat map gives numbers, and half the relief is not the whole again."""
    init = torch.zeros(1, 4, 8, 8)
    seen: list[torch.Tensor] = []
    hook = model.pipeline.unet.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0][:, 4:].clone())
    )
    try:
        for depth in (np.full((8, 8), 0.25, np.float32), np.eye(8, dtype=np.float32) * 0.5):
            result = paint(model, init, depth, "ddim")
            assert torch.isfinite(result).all()
            assert all(torch.equal(channel[0, 0], torch.from_numpy(depth)) for channel in seen)
            seen.clear()
    finally:
        hook.remove()


def test_depth_outside_its_range_is_a_fault(model: Sd2Depth) -> None:
    for value in (1.5, np.nan):
        with pytest.raises(ValueError, match="depth"):
            paint(model, torch.zeros(1, 4, 8, 8), np.full((8, 8), value, np.float32), "ddim")


@pytest.mark.parametrize(("factor", "channels"), [(2, 4), (4, 8), (8, 4)])
def test_other_autoencoders_of_the_layout_run(tmp_path: Path, factor: int, channels: int) -> None:
    model = load(make_tiny_sd2_depth(tmp_path / "m", factor=factor, latent_channels=channels))
    latents = model.autoencoder.encode(np.full((64, 32, 3), 90, np.uint8))
    assert latents.shape == (1, channels, 64 // factor, 32 // factor)
    depth = np.zeros(latents.shape[2:], np.float32)
    picture = model.autoencoder.decode(paint(model, latents, depth, "dpm++-2m"))
    assert picture is not None and picture.shape == (64, 32, 3)


# --- LoRAs ----------------------------------------------------------------------------------------


def test_a_lora_adds_its_product_to_the_weights(tmp_path: Path, copy: Path) -> None:
    """The same as the weights it is meant to be: W + weight * B A."""
    lora = make_tiny_lora(tmp_path / "l.safetensors", copy)
    init, depth = torch.ones(1, 4, 8, 8), np.zeros((8, 8), np.float32)
    with_lora = load(copy)
    with_lora.set_loras([(Lora(name="l", weight=0.5), lora)])
    found = paint(with_lora, init, depth, "ddim")
    unet = UNet2DConditionModel.from_pretrained(copy / "unet")
    tensors = load_file(lora)
    for name, module in unet.named_modules():
        if f"unet.{name}.lora_A.weight" in tensors:
            down, up = (tensors[f"unet.{name}.lora_{side}.weight"] for side in "AB")
            module.weight.data += 0.5 * up @ down
    unet.save_pretrained(copy / "unet")
    assert torch.allclose(paint(load(copy), init, depth, "ddim"), found, atol=1e-4)


def test_a_lora_of_another_model_is_named(tmp_path: Path, tiny_model: Path) -> None:
    model = load(tiny_model)
    wrong = tmp_path / "wrong.safetensors"
    save_file({"unet.mid_block.lora_A.weight": torch.zeros(2, 7)}, wrong)
    other = tmp_path / "other.safetensors"
    save_file({"something": torch.zeros(1)}, other)
    cut = make_tiny_lora(tmp_path / "cut.safetensors", tiny_model)
    cut.write_bytes(cut.read_bytes()[:-10])
    before = paint(model, torch.ones(1, 4, 8, 8), np.zeros((8, 8), np.float32), "ddim")
    for path in (wrong, other, cut):
        with pytest.raises(MaquetteError, match=path.name):
            model.set_loras([(Lora(name=path.stem), path)])
    after = paint(model, torch.ones(1, 4, 8, 8), np.zeros((8, 8), np.float32), "ddim")
    assert torch.equal(before, after)


# --- checkpoints that can't be used ---------------------------------------------------------------


def cut_off(folder: Path) -> None:
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def header_only(folder: Path) -> None:
    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:5])


def nonsense(folder: Path) -> None:
    (folder / "text_encoder" / "model.safetensors").write_bytes(b"PK\x03\x04" * 100)


def huge_header(folder: Path) -> None:
    file = folder / "text_encoder" / "model.safetensors"
    file.write_bytes(struct.pack("<Q", 2**60) + b"{}")


def pickled(folder: Path) -> None:
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    file.rename(file.with_suffix(".bin"))


def no_vae(folder: Path) -> None:
    shutil.rmtree(folder / "vae")


def no_weights(folder: Path) -> None:
    (folder / "text_encoder" / "model.safetensors").unlink()


def no_tokenizer(folder: Path) -> None:
    shutil.rmtree(folder / "tokenizer")


def no_index(folder: Path) -> None:
    (folder / "model_index.json").unlink()


def broken_config(folder: Path) -> None:
    (folder / "unet" / "config.json").write_text("{")


def missing_tensor(folder: Path) -> None:
    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    del tensors["decoder.conv_out.weight"]
    save_file(tensors, file, {"format": "pt"})


def other_shape(folder: Path) -> None:
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    tensors["conv_in.weight"] = tensors["conv_in.weight"][:, :2].contiguous()
    save_file(tensors, file, {"format": "pt"})


def no_depth_channel(folder: Path) -> None:
    config = json.loads((folder / "unet" / "config.json").read_text())
    (folder / "unet" / "config.json").write_text(json.dumps(config | {"in_channels": 4}))


@pytest.mark.parametrize(
    ("damage", "code", "said"),
    [
        (cut_off, "bad-checkpoint", r"unet.diffusion_pytorch_model.safetensors is damaged or cut"),
        (header_only, "bad-checkpoint", r"vae.diffusion_pytorch_model.safetensors is damaged"),
        (nonsense, "bad-checkpoint", r"text_encoder.model.safetensors is damaged"),
        (huge_header, "bad-checkpoint", r"text_encoder.model.safetensors is damaged"),
        (pickled, "pickle-checkpoint", r"unet.diffusion_pytorch_model.bin is a pickle.*convert"),
        (no_vae, "missing-part", r"lacks .*vae.config.json"),
        (no_weights, "missing-part", r"lacks .*text_encoder.model.safetensors"),
        (no_tokenizer, "missing-part", r"lacks .*tokenizer.vocab.json"),
        (no_index, "missing-part", r"lacks .*model_index.json"),
        (broken_config, "bad-checkpoint", r"unet.config.json is damaged"),
        (missing_tensor, "bad-checkpoint", r"decoder.conv_out.weight"),
        (other_shape, "bad-checkpoint", r"conv_in"),
        (no_depth_channel, "bad-checkpoint", r"takes 4 channels.*takes 5"),
    ],
)
def test_a_bad_checkpoint_names_the_file_and_the_fix(
    copy: Path, damage: Callable[[Path], None], code: str, said: str
) -> None:
    damage(copy)
    with pytest.raises(MaquetteError, match=said) as caught:
        load(copy)
    assert caught.value.code == code and caught.value.hint


def test_no_directory_at_all(tmp_path: Path) -> None:
    with pytest.raises(MaquetteError, match="nowhere"):
        Sd2Depth.load(tmp_path / "nowhere", ModelSettings(), CPU, torch.float32)


def test_half_precision_files_are_found(copy: Path, model: Sd2Depth) -> None:
    for file in copy.rglob("*.safetensors"):
        file.rename(file.with_name(f"{file.stem}.fp16.safetensors"))
    init, depth = torch.ones(1, 4, 8, 8), np.zeros((8, 8), np.float32)
    assert torch.equal(paint(load(copy), init, depth, "ddim"), paint(model, init, depth, "ddim"))


def test_tensors_by_their_names_of_2022_are_found(copy: Path, model: Sd2Depth) -> None:
    """As in the autoencoder of Stable Diffusion 2 depth itself."""
    file = copy / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    for new, old in (("q", "query"), ("k", "key"), ("v", "value"), ("out.0", "proj_attn")):
        tensors = {name.replace(f".to_{new}.", f".{old}."): t for name, t in tensors.items()}
    assert any("proj_attn" in name for name in tensors)
    save_file(tensors, file, {"format": "pt"})
    init = torch.ones(1, 4, 8, 8)
    found, wanted = load(copy).autoencoder.decode(init), model.autoencoder.decode(init)
    assert found is not None and wanted is not None and np.array_equal(found, wanted)


def test_a_checkpoint_that_names_a_removed_class_loads(copy: Path) -> None:
    """As published checkpoints do, whose feature extractor the model library no longer has."""
    index = json.loads((copy / "model_index.json").read_text())
    index["depth_estimator"] = ["transformers", "DPTForDepthEstimation"]
    index["feature_extractor"] = ["transformers", "DPTFeatureExtractor"]
    (copy / "model_index.json").write_text(json.dumps(index))
    assert load(copy).factor == 8


def test_settings_that_make_no_sense_name_their_file(copy: Path) -> None:
    for text in ("{", '{"steps": "many"}', '{"format": 99}', '{"depth": {"power": 9}}'):
        (copy / "maquette.json").write_text(text)
        with pytest.raises(MaquetteError, match=r"maquette\.json"):
            read_settings(copy)


def test_a_picture_is_encoded_once_for_all_recipes_that_follow(model: Sd2Depth) -> None:
    grey = np.full((32, 64, 3), 90, np.uint8)
    first = model.autoencoder.encode(grey)
    assert model.autoencoder.encode(grey.copy()) is first
    for other in (np.full((64, 32, 3), 90, np.uint8), np.full((32, 64, 3), 91, np.uint8)):
        assert not torch.equal(model.autoencoder.encode(other).flatten(), first.flatten())
    with model.full_precision():
        assert model.autoencoder.encode(grey) is not first
