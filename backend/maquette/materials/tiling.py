"""Convolutions that go on at the opposite edge, so that what they paint repeats without a seam.

A convolution pads what lies beyond the border with zeros, and so a picture knows where it ends.
With circular padding there is no border: normalisation takes all pixels alike and attention knows
no places, so a picture whose noise is shifted comes out shifted, by whole cells of the model's
coarsest level.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from diffusers.models.downsampling import Downsample2D
from torch import nn
from torch.nn import functional


@contextlib.contextmanager
def wrapped(*parts: nn.Module) -> Iterator[None]:
    """Inside, every convolution of these parts, adapters included, pads with the opposite edge."""
    modules = [module for part in parts for module in part.modules()]
    padded = [each for each in modules if isinstance(each, nn.Conv2d) and any(_padding(each))]
    before = [each.padding_mode for each in padded]
    # The VAE's encoder pads these itself, on the right and below alone.
    halving = [each.conv for each in modules if isinstance(each, Downsample2D) and not each.padding]
    hooks = [
        conv.register_forward_pre_hook(_wrap_last)
        for conv in halving
        if isinstance(conv, nn.Conv2d)
    ]
    try:
        for each in padded:
            each.padding_mode = "circular"  # type: ignore[assignment]
        yield
    finally:
        for each, mode in zip(padded, before, strict=True):
            each.padding_mode = mode
        for hook in hooks:
            hook.remove()


def wrap(maps: torch.Tensor, cells: int) -> torch.Tensor:
    """[B, C, h, w] with so many cells of the opposite edge beside each edge."""
    return functional.pad(maps, (cells,) * 4, mode="circular") if cells else maps


def unwrap(maps: torch.Tensor, cells: int) -> torch.Tensor:
    """The reverse of `wrap`."""
    return maps[..., cells:-cells, cells:-cells] if cells else maps


def _padding(conv: nn.Conv2d) -> tuple[int, ...]:
    return (0,) if isinstance(conv.padding, str) else tuple(conv.padding)


def _wrap_last(_: nn.Module, given: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """The first column and row in place of the zeros behind the last ones."""
    return functional.pad(given[0][..., :-1, :-1], (0, 1, 0, 1), mode="circular")
