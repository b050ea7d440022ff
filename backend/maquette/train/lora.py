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
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file
from torch import nn

from ..families.lora_words import METADATA


def add_lora(unet: UNet2DConditionModel, rank: int) -> None:
    """Add an adapter that changes nothing yet, and that alone is trained from here on."""
    layers = [n for n, m in unet.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    unet.requires_grad_(False)
    unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=layers))


def write_lora(unet: UNet2DConditionModel, words: list[str], path: Path) -> None:
    """Write the adapter in half precision; a reader never sees half of it. Raises OSError."""
    found: dict[str, Any] = get_peft_model_state_dict(unet)
    tensors = {
        f"unet.{n}": t.detach().to("cpu", torch.float16).contiguous() for n, t in found.items()
    }
    temporary = path.with_suffix(".tmp")
    save_file(tensors, temporary, {"format": "pt", METADATA: json.dumps(words)})
    temporary.replace(path)
