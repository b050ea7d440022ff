"""Low-rank adapters: a small file beside a model in place of other weights (Hu et al., "LoRA:
Low-Rank Adaptation of Large Language Models", ICLR 2022).

Every convolution and every linear layer of the UNet gets one, so that it learns shapes as well as
words. The file is one that diffusers loads; its metadata holds the words of the captions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from maquette_wire.errors import MaquetteError
from peft import LoraConfig, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from ..families.lora_words import METADATA


def add_lora(unet: UNet2DConditionModel, rank: int, begin: str | None = None) -> None:
    """Add an adapter that alone is trained from here on. It changes nothing yet, or what the file
    `begin` does, that `write_lora` wrote for this rank. Raises MaquetteError("bad-lora")."""
    layers = [n for n, m in unet.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    unet.requires_grad_(False)
    unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=layers))
    if begin is not None:
        _load(unet, Path(begin))


def _load(unet: UNet2DConditionModel, path: Path) -> None:
    try:
        found = {n.removeprefix("unet."): t.float() for n, t in load_file(path).items()}
        own: dict[str, Any] = get_peft_model_state_dict(unet)
        if {n: t.shape for n, t in found.items()} != {n: t.shape for n, t in own.items()}:
            raise ValueError("it is for other layers or of another rank")
    except (OSError, SafetensorError, ValueError) as error:
        raise MaquetteError(
            "bad-lora",
            f"A training can't begin with the LoRA {path}: {error}.",
            "Give one that `maquette train` wrote for this base and rank, or leave `begin` out.",
        ) from error
    set_peft_model_state_dict(unet, found)


def write_lora(unet: UNet2DConditionModel, words: list[str], path: Path) -> None:
    """Write the adapter in half precision; a reader never sees half of it. Raises OSError."""
    found: dict[str, Any] = get_peft_model_state_dict(unet)
    tensors = {
        f"unet.{n}": t.detach().to("cpu", torch.float16).contiguous() for n, t in found.items()
    }
    temporary = path.with_suffix(".tmp")
    save_file(tensors, temporary, {"format": "pt", METADATA: json.dumps(words)})
    temporary.replace(path)
