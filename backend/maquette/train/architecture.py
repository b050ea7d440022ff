"""Builds the pocket model's parts from nothing, in the classes of Stable Diffusion 2 depth."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    BitConfig,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    DPTConfig,
    DPTForDepthEstimation,
    DPTImageProcessor,
)

from .color_path import pass_color_through
from .recipe import Architecture

_GROUPS = 8
_VAE_GROUPS = 4
_CELL = 16
"""Pixels to a cell of the estimator's attention."""
_HEAD = 32
_START, _END = "<|startoftext|>", "<|endoftext|>"
_DEPTH_GAIN = 8.0
_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
"""How CLIP's tokenizer cuts a caption into words."""


def make_vae(architecture: Architecture, size: int) -> AutoencoderKL:
    """Four latent channels; without the attention of the middle block, which costs more than it
    gives at the few steps such a model is trained for."""
    levels = len(architecture.vae)
    settings: dict[str, Any] = {
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
        "block_out_channels": tuple(architecture.vae),
        "layers_per_block": 1,
        "latent_channels": 4,
        "norm_num_groups": _VAE_GROUPS,
        "sample_size": size,
        "mid_block_add_attention": False,
        "scaling_factor": 1.0,
    }
    vae = AutoencoderKL(**settings)
    pass_color_through(vae)
    return vae


def make_scheduler() -> DDIMScheduler:
    """Velocity prediction with zero terminal SNR and trailing timesteps (Lin et al., "Common
    Diffusion Noise Schedules and Sample Steps are Flawed", WACV 2024)."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        rescale_betas_zero_snr=True,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
    )


def make_unet(architecture: Architecture, latent_size: int) -> UNet2DConditionModel:
    """Text attention at the two coarse levels, and everywhere through the time embedding."""
    widths = architecture.unet
    heads: Any = tuple(width // _HEAD for width in widths)
    attends = [index >= len(widths) - 2 for index in range(len(widths))]
    unet = UNet2DConditionModel(
        sample_size=latent_size,
        in_channels=5,
        out_channels=4,
        down_block_types=tuple("CrossAttnDownBlock2D" if a else "DownBlock2D" for a in attends),
        up_block_types=tuple("CrossAttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attends)),
        block_out_channels=tuple(widths),
        layers_per_block=architecture.unet_layers,
        cross_attention_dim=architecture.text,
        attention_head_dim=heads,
        norm_num_groups=_GROUPS,
        addition_embed_type="text",
        addition_embed_type_num_heads=architecture.text // 64,
        resnet_time_scale_shift="scale_shift",
        use_linear_projection=True,
    )
    _seed_depth_filters(unet)
    return unet


@torch.no_grad()
def _seed_depth_filters(unet: UNet2DConditionModel) -> None:
    """Start some of the first filters as slopes and curvatures of depth.

    Faces of one building differ by the slope of depth alone, which is small against depth itself;
    a filter found by descent from random weights takes long to see it.
    """
    dx = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 4
    xx = torch.tensor([[1.0, -2.0, 1.0], [2.0, -4.0, 2.0], [1.0, -2.0, 1.0]]) / 2
    cross = torch.tensor([[1.0, 0.0, -1.0], [0.0, 0.0, 0.0], [-1.0, 0.0, 1.0]])
    filters = [dx, dx.T, xx, xx.T, cross, dx * 4, dx.T * 4, (xx + xx.T) * 2]
    weight = unet.conv_in.weight
    for channel, kernel in enumerate(filters[: weight.shape[0] // 2]):
        weight[channel, 4] = kernel * _DEPTH_GAIN


def make_estimator(width: int, size: int) -> DPTForDepthEstimation:
    """A small DPT-hybrid, for pictures of `size`: three levels of a ResNet (Kolesnikov et al.,
    "Big Transfer", ECCV 2020) and four layers of attention over cells of 16 x 16 pixels."""
    widths = [2 * width, 4 * width, 6 * width]
    cells = size // _CELL
    outputs: dict[str, Any] = {"out_features": ["stage1", "stage2", "stage3"]}
    convolutions = BitConfig(
        embedding_size=width,
        hidden_sizes=widths,
        depths=[2, 2, 2],
        layer_type="bottleneck",
        global_padding="same",
        embedding_dynamic_padding=True,
        num_groups=_GROUPS,
        **outputs,
    )
    return DPTForDepthEstimation(
        DPTConfig(
            is_hybrid=True,
            backbone_config=convolutions,
            backbone_featmap_shape=[1, widths[-1], cells, cells],
            image_size=size,
            patch_size=_CELL,
            hidden_size=widths[-1],
            num_hidden_layers=4,
            num_attention_heads=4,
            intermediate_size=2 * widths[-1],
            # Of the convolutions the first two levels, and of the attention a middle and the end.
            backbone_out_indices=[0, 1, 1, 3],
            neck_hidden_sizes=[*widths, widths[-1]],
            reassemble_factors=[1, 1, 1, 0.5],
            fusion_hidden_size=2 * width,
        )
    )


def make_image_processor(size: int) -> DPTImageProcessor:
    """Pictures for `make_estimator`: brought to its size, in [-1, 1]."""
    return DPTImageProcessor(
        size={"height": size, "width": size},
        keep_aspect_ratio=False,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    )


def make_text_encoder(architecture: Architecture, tokenizer: Any) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=architecture.text,
            intermediate_size=architecture.text * 3,
            num_hidden_layers=architecture.text_layers,
            num_attention_heads=architecture.text // 64,
            max_position_embeddings=architecture.tokens,
            projection_dim=architecture.text,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def make_tokenizer(captions: Iterable[str], architecture: Architecture) -> CLIPTokenizer:
    """A byte-pair tokenizer in CLIP's format, learned from captions.

    Every letter is a token of its own, so that a word outside the captions becomes letters rather
    than an unknown mark.
    """
    raw = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token=_END))
    raw.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(r"\s+", " "), normalizers.Lowercase()]
    )
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=architecture.vocabulary,
        end_of_word_suffix="</w>",
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=[],
        show_progress=False,
    )
    raw.train_from_iterator(captions, trainer)
    trained = json.loads(raw.to_str())["model"]
    merges = [pair.split(" ") if isinstance(pair, str) else pair for pair in trained["merges"]]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    # The trainer numbers its first tokens in another order each time.
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), *map("".join, merges)]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys([*pieces, _START, _END]))}
    with TemporaryDirectory() as folder:
        files = Path(folder)
        (files / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
        (files / "merges.txt").write_text(
            "#version: 0.2\n" + "\n".join(map(" ".join, merges)) + "\n", encoding="utf-8"
        )
        return CLIPTokenizer.from_pretrained(folder, model_max_length=architecture.tokens)
