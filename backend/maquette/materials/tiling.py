"""Convolutions that go on at the opposite edge, so that what they paint repeats without a seam.

A convolution pads what lies beyond the border with zeros, and so a picture knows where it ends.
With circular padding there is no border: normalisation takes all pixels alike and attention knows
no places, so a picture whose noise is shifted comes out shifted, by whole cells of the model's
coarsest level.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

import torch
from diffusers.models.downsampling import Downsample2D
from torch import nn


@contextlib.contextmanager
def wrapped(*parts: nn.Module) -> Iterator[None]:
    """Inside, every convolution of these parts, adapters included, pads with the opposite edge."""
    modules = [module for part in parts for module in part.modules()]
    padded = [each for each in modules if isinstance(each, nn.Conv2d) and any(_padding(each))]
    before = [_padding(each) for each in padded]
    # The VAE's encoder pads these itself, on the right and below alone.
    halving = [each.conv for each in modules if isinstance(each, Downsample2D) and not each.padding]
    # Not by PyTorch's padding_mode, whose copy loses the memory format and so takes as long as
    # the convolution.
    hooks = [
        conv.register_forward_pre_hook(functools.partial(_wrap_around, *padding))
        for conv, padding in zip(padded, before, strict=True)
    ] + [
        conv.register_forward_pre_hook(_wrap_last)
        for conv in halving
        if isinstance(conv, nn.Conv2d)
    ]
    try:
        for each in padded:
            each.padding = (0, 0)
        yield
    finally:
        for each, padding in zip(padded, before, strict=True):
            each.padding = padding
        for hook in hooks:
            hook.remove()


def wrap(maps: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """[B, C, h, w] with so many rows and columns of the opposite edge beside each edge, in the
    same memory format."""
    if not rows and not columns:
        return maps
    batch, channels, height, width = maps.shape
    last = maps.is_contiguous(memory_format=torch.channels_last)
    whole = torch.empty(
        (batch, channels, height + 2 * rows, width + 2 * columns),
        dtype=maps.dtype,
        device=maps.device,
        memory_format=torch.channels_last if last else torch.contiguous_format,
    )
    inside = whole[..., columns : columns + width]
    inside[..., rows : rows + height, :] = maps
    inside[..., :rows, :] = maps[..., height - rows :, :]
    inside[..., rows + height :, :] = maps[..., :rows, :]
    whole[..., :columns] = inside[..., width - columns :]
    whole[..., columns + width :] = inside[..., :columns]
    return whole


def unwrap(maps: torch.Tensor, cells: int) -> torch.Tensor:
    """[B, C, h, w] without so many cells along each edge."""
    return maps[..., cells:-cells, cells:-cells] if cells else maps


def _padding(conv: nn.Conv2d) -> tuple[int, int]:
    return (0, 0) if isinstance(conv.padding, str) else (conv.padding[0], conv.padding[1])


def _wrap_around(
    rows: int, columns: int, _: nn.Module, given: tuple[torch.Tensor, ...]
) -> torch.Tensor:
    return wrap(given[0], rows, columns)


def _wrap_last(_: nn.Module, given: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """The first column and row in place of the zeros behind the last ones."""
    maps = given[0].clone()
    maps[..., -1, :] = maps[..., 0, :]
    maps[..., -1] = maps[..., 0]
    return maps
