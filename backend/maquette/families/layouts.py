"""What a model's directory holds, by its family, checked before anything of it is loaded. No model
library is imported here.

- ``sd2-depth``: Stable Diffusion 2 depth as diffusers writes it.
- ``sdxl-controlnet``: Stable Diffusion XL as diffusers writes it, with its ControlNets as further
  folders.
"""

from __future__ import annotations

import json
from pathlib import Path

from maquette_wire.errors import MaquetteError

from .checkpoint import check_layout, check_parts, read_json

CONTROL_DEPTH, CONTROL_LINES = "controlnet_depth", "controlnet_lines"
"""Folders of ControlNets; a model may do without the second."""
ESTIMATOR = "depth_estimator"
"""Folder of what sees the depth of pictures that have none."""
SD2_PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
SDXL_PARTS = (*SD2_PARTS, "text_encoder_2", "tokenizer_2")
"""Folders of a model in diffusers' layout."""


def family_of(directory: Path) -> str:
    """The family of a model's directory; the first one where nothing says otherwise."""
    try:
        index = json.loads((directory / "model_index.json").read_bytes())
    except (OSError, ValueError):
        return "sd2-depth"  # the model is damaged, which loading it will say
    kind = str(index.get("_class_name", "")) if isinstance(index, dict) else ""
    return "sdxl-controlnet" if kind.startswith("StableDiffusionXL") else "sd2-depth"


def takes_lines(directory: Path) -> bool:
    """Whether a model's pictures can be held to lines."""
    return family_of(directory) == "sdxl-controlnet" and (directory / CONTROL_LINES).is_dir()


def check(directory: Path) -> str | None:
    """Check a model's directory; returns its weights' variant, "fp16" or None, the ControlNets'
    apart.

    Raises MaquetteError("bad-checkpoint", "missing-part" or "pickle-checkpoint") naming the file
    and the fix.
    """
    if family_of(directory) == "sd2-depth":
        variant = check_layout(directory, SD2_PARTS)
        _check_channels(directory)
        return variant
    variant = check_layout(directory, SDXL_PARTS)
    for part in (CONTROL_DEPTH, CONTROL_LINES)[: 2 if takes_lines(directory) else 1]:
        check_parts(directory, [part])
        _check_control(directory, part)
    return variant


def _check_channels(directory: Path) -> None:
    """Raise MaquetteError where the UNet takes no depth channel."""
    unet = read_json(directory / "unet" / "config.json")
    vae = read_json(directory / "vae" / "config.json")
    latent = vae.get("latent_channels", 4)
    if unet.get("in_channels") != latent + 1 or unet.get("out_channels") != latent:
        raise MaquetteError(
            "bad-checkpoint",
            f"The UNet in {directory} takes {unet.get('in_channels')} channels, "
            f"a depth model of this VAE takes {latent + 1}.",
            "Use a checkpoint of the Stable Diffusion 2 depth kind.",
        )


def _check_control(directory: Path, part: str) -> None:
    """Raise MaquetteError where a ControlNet is none for the directory's UNet."""
    unet = read_json(directory / "unet" / "config.json")
    net = read_json(directory / part / "config.json")
    if "num_control_type" in net:
        raise MaquetteError(
            "bad-checkpoint",
            f"{directory / part} holds a union ControlNet, which is not supported.",
            "Use one that was made for depth, or for lines, alone.",
        )
    if "conditioning_embedding_out_channels" not in net:
        kind = net.get("_class_name", "another model")
        raise MaquetteError(
            "bad-checkpoint",
            f"{directory / part} holds no ControlNet, but {kind}.",
            "Use a ControlNet as diffusers writes it.",
        )
    for name in ("in_channels", "cross_attention_dim", "block_out_channels"):
        if net.get(name) != unet.get(name):
            raise MaquetteError(
                "bad-checkpoint",
                f"The ControlNet in {directory / part} was made for another kind of model: its "
                f"{name} is {net.get(name)}, that of the UNet {unet.get(name)}.",
                "Use a ControlNet for Stable Diffusion XL.",
            )
