"""Views of one job that look at one of them: self-attention shared with an anchor.

Averaging on the surface makes views agree on what several of them see; what only one sees, the
other side of a building, and what a view paints in its last steps follow nothing but the prompt.
So each self-attention of a UNet also attends to what it is given in the pass of one view, the
anchor, at the same step (Khachatryan et al., "Text2Video-Zero", ICCV 2023, section 3.3.3; together
with a view's own keys and values as in Tewel et al., "Training-Free Consistent Text-to-Image
Generation", SIGGRAPH 2024, and Liu et al., "Text-Guided Texturing by Synchronized Multi-View
Diffusion", SIGGRAPH Asia 2024). The anchor itself paints what it would alone: softmax gives keys
that are there twice the same say.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from diffusers.models.attention import BasicTransformerBlock
from torch import nn


class SharedAttention:
    """What the anchor's last pass gave to each self-attention.

    Attributes:
        leads: whether the passes that follow have the anchor as the first of their batch; a step
            begins with such a pass, and the others of it read what that one gave.
    """

    def __init__(self, halves: int) -> None:
        self.leads = True
        self._halves = halves
        self._given: dict[nn.Module, torch.Tensor] = {}

    def extend(
        self, attention: nn.Module, given: tuple[torch.Tensor, ...], options: dict[str, Any]
    ) -> tuple[tuple[torch.Tensor, ...], dict[str, Any]]:
        """A forward pre-hook: keys and values are made of the tokens [B, n, C] and the anchor's."""
        tokens = given[0]
        each = tokens.unflatten(0, (self._halves, -1))
        if self.leads:
            self._given[attention] = each[:, :1].clone()
        anchor = self._given[attention].expand(-1, each.shape[1], -1, -1).flatten(0, 1)
        return given, {**options, "encoder_hidden_states": torch.cat([tokens, anchor], 1)}


@contextlib.contextmanager
def shared_attention(unet: nn.Module, guided: bool) -> Iterator[SharedAttention]:
    """Inside, every self-attention of the UNet also attends to the anchor.

    guided: a batch has two halves, without and with the prompt; each attends to its own.
    """
    shared = SharedAttention(2 if guided else 1)
    # Before the attention's processor, whichever that is: sliced ones and adapters do as ever.
    hooks = [
        module.attn1.register_forward_pre_hook(shared.extend, with_kwargs=True)
        for module in unet.modules()
        if isinstance(module, BasicTransformerBlock) and not module.only_cross_attention
    ]
    try:
        yield shared
    finally:
        for hook in hooks:
            hook.remove()
