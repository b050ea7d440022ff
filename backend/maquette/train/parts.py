"""The parts of a model as a type checker may see them.

diffusers and transformers wrap `to` and return configurations and outputs in ways that hide their
types, so that a part is `Any` where its outputs are used.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def on_device(part: nn.Module, device: torch.device) -> Any:
    """The part itself, moved."""
    return nn.Module.to(part, device)
