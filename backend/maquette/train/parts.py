"""The parts of a model: where they are, which of them is trained, and how a type checker sees them.

diffusers and transformers wrap `to` and return configurations and outputs in ways that hide their
types, so that a part is `Any` where its outputs are used.
"""

from __future__ import annotations

import fnmatch
from typing import Any

import torch
from maquette_wire.errors import MaquetteError
from torch import nn


def on_device(part: nn.Module, device: torch.device) -> Any:
    """The part itself, moved."""
    return nn.Module.to(part, device)


def train_only(module: nn.Module, patterns: tuple[str, ...]) -> None:
    """Leave all parameters as they are whose names match none of the patterns, if there are any.

    Raises MaquetteError("no-such-parameters").
    """
    names = [name for name, _ in module.named_parameters()]
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise MaquetteError(
                "no-such-parameters",
                f"No parameter of the UNet has a name like {pattern!r}.",
                "Correct `only` in the recipe's [unet].",
            )
    if patterns:
        for name, parameter in module.named_parameters():
            parameter.requires_grad_(any(fnmatch.fnmatchcase(name, each) for each in patterns))
