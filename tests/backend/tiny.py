"""Tiny random checkpoints in the on-disk layouts of Stable Diffusion 2 depth, and of Stable
Diffusion XL with ControlNets, made from configurations.

They run the same code as a real model in milliseconds and paint noise: for tests of behaviour,
never of quality. Any test may use them, also from another process:

    directory = make_tiny_sd2_depth(home_models / "tiny")   # served as model "tiny"
    make_tiny_sdxl(home_models / "large")
    make_tiny_lora(home_loras / "tiny-style.safetensors", directory)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from safetensors.torch import save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

PARTS = ("scheduler", "text_encoder", "tokenizer", "unet", "vae")


def make_tiny_sd2_depth(
    directory: Path,
    *,
    seed: int = 0,
    factor: int = 8,
    latent_channels: int = 4,
    settings: dict[str, object] | None = None,
) -> Path:
    """Write a random checkpoint and return its directory.

    factor: pixels for each latent pixel and side, 2, 4 or 8. settings: content of `maquette.json`;
    no such file where it is None, as in a checkpoint that someone else made.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _vae(factor, latent_channels).save_pretrained(directory / "vae")
        _unet(latent_channels).save_pretrained(directory / "unet")
        _text_encoder(directory / "tokenizer").save_pretrained(directory / "text_encoder")
    _scheduler().save_pretrained(directory / "scheduler")
    index = {
        "_class_name": "StableDiffusionDepth2ImgPipeline",
        "_diffusers_version": "0.42.1",
        "depth_estimator": [None, None],
        "feature_extractor": [None, None],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    return _with_index(directory, index, settings)


def make_tiny_sdxl(
    directory: Path,
    *,
    seed: int = 0,
    lines: bool = True,
    settings: dict[str, object] | None = None,
) -> Path:
    """Write a random checkpoint of Stable Diffusion XL with a ControlNet for depth, and one for
    lines, and return its directory."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _vae(8, 4).save_pretrained(directory / "vae")
        unet = _sdxl_unet()
        unet.save_pretrained(directory / "unet")
        for number in ("", "_2"):
            encoder = _text_encoder(directory / f"tokenizer{number}", projected=bool(number))
            encoder.save_pretrained(directory / f"text_encoder{number}")
        for kind in ("depth", "lines")[: 2 if lines else 1]:
            make_tiny_controlnet(directory / f"controlnet_{kind}", unet)
    _scheduler().save_pretrained(directory / "scheduler")
    index = {
        "_class_name": "StableDiffusionXLPipeline",
        "_diffusers_version": "0.42.1",
        "force_zeros_for_empty_prompt": True,
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "tokenizer_2": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    return _with_index(directory, index, settings)


def make_tiny_controlnet(directory: Path, unet: UNet2DConditionModel) -> Path:
    """Write a random ControlNet for a UNet, which has a say, as a trained one does."""
    net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 4, 8, 8))
    for name, weights in net.named_parameters():
        if "controlnet_" in name and weights.ndim == 4 and not weights.any():  # as they begin
            torch.nn.init.normal_(weights, std=0.3)
    net.save_pretrained(directory)
    return directory


def make_tiny_lora(path: Path, checkpoint: Path, *, seed: int = 1, rank: int = 2) -> Path:
    """Write a random LoRA for the UNet's attention of a tiny checkpoint, in diffusers' own
    format."""
    unet = UNet2DConditionModel.from_pretrained(checkpoint / "unet")
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, module in unet.named_modules():
        if name.endswith(("to_q", "to_v")):
            rows, columns = module.weight.shape
            prefix = f"unet.{name}"
            tensors[f"{prefix}.lora_A.weight"] = torch.randn(rank, columns, generator=generator)
            tensors[f"{prefix}.lora_B.weight"] = torch.randn(rows, rank, generator=generator)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return path


def _vae(factor: int, latent_channels: int) -> AutoencoderKL:
    blocks = {2: 2, 4: 3, 8: 4}[factor]
    levels: dict[str, Any] = {  # the annotations of AutoencoderKL allow one level
        "block_out_channels": (8,) * blocks,
        "down_block_types": ("DownEncoderBlock2D",) * blocks,
        "up_block_types": ("UpDecoderBlock2D",) * blocks,
    }
    return AutoencoderKL(
        **levels,
        layers_per_block=1,
        latent_channels=latent_channels,
        norm_num_groups=4,
        sample_size=64,
    )


def _scheduler() -> DDIMScheduler:
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def _with_index(directory: Path, index: dict[str, Any], settings: dict[str, object] | None) -> Path:
    (directory / "model_index.json").write_text(json.dumps(index, indent=2), "utf-8")
    if settings is not None:
        (directory / "maquette.json").write_text(json.dumps(settings, indent=2), "utf-8")
    return directory


def _unet(latent_channels: int) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=64,
        in_channels=latent_channels + 1,
        out_channels=latent_channels,
        block_out_channels=(8, 16),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=16,
        attention_head_dim=4,
        norm_num_groups=4,
        use_linear_projection=True,
    )


def _sdxl_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=64,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=32,  # of both text encoders
        attention_head_dim=2,
        norm_num_groups=4,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + 16,
    )


def _text_encoder(tokenizer_directory: Path, projected: bool = False) -> Any:
    size = _tokenizer(tokenizer_directory)
    kind = CLIPTextModelWithProjection if projected else CLIPTextModel
    return kind(
        CLIPTextConfig(
            projection_dim=16,
            vocab_size=size,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=77,
            bos_token_id=size - 2,
            eos_token_id=size - 1,
            pad_token_id=size - 1,
        )
    )


def _tokenizer(directory: Path) -> int:
    """Write a byte-level BPE without merges in CLIP's format; returns the size of its
    vocabulary."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    characters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]
    tokens = [*characters, *(f"{character}</w>" for character in characters)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    directory.mkdir(parents=True, exist_ok=True)
    vocabulary, merges = directory / "vocab.json", directory / "merges.txt"
    vocabulary.write_text(json.dumps({token: i for i, token in enumerate(tokens)}), "utf-8")
    merges.write_text("#version: 0.2\n", "utf-8")
    CLIPTokenizer.from_pretrained(directory, model_max_length=77).save_pretrained(directory)
    return len(tokens)
