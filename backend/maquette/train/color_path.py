"""Starts an autoencoder as a picture pyramid, so that its training has only detail left to learn.

Built from random weights, an AutoencoderKL takes thousands of steps to let colour through: its
last group normalisation takes the level and contrast of a picture away. Here the skip path of the
encoder starts as exact mean pooling of RGB into latent channels 0-2, and that of the decoder as a
smooth enlargement of them, with all residual branches silent (as in Zhang et al., "Fixup
Initialization", ICLR 2019). Two devices make the end of each half linear in colour:

- a colour c stands beside -c, since silu(c) - silu(-c) = c;
- each group of the normalisation holds constants that outweigh the picture, so that its scale
  hardly depends on the picture.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn

_ANCHOR = 3.0
"""The constant in each group, against colours in [-1, 1]."""
_COLOR_POWER = 0.3
"""About the mean square of a colour in [-1, 1], over many pictures."""
_LOG_VARIANCE = -8.0
_QUIET = 0.1
_LOUD = 8.0
"""Brings the detail channels, which start from quiet features, to about the size of a colour."""


@torch.no_grad()
def pass_color_through(vae: AutoencoderKL) -> None:
    """Set the weights in place. The last width of each half must hold four channels a group."""
    for name, module in vae.named_modules():
        if name.endswith("conv2") and isinstance(module, nn.Conv2d):
            nn.init.zeros_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    _start_encoder(vae.encoder)
    _start_decoder(vae.decoder)
    for convolution in (vae.quant_conv, vae.post_quant_conv):
        assert convolution is not None and convolution.bias is not None
        nn.init.dirac_(convolution.weight)
        nn.init.zeros_(convolution.bias)


def _start_encoder(encoder: Any) -> None:
    center = torch.zeros(3, 3)
    center[1, 1] = 1.0
    _carry(encoder.conv_in, center)
    mean = torch.zeros(3, 3)
    mean[:2, :2] = 0.25  # the encoder pads at the right and below
    blocks = list(encoder.down_blocks)
    for index, block in enumerate(blocks):
        shortcut = block.resnets[0].conv_shortcut
        if shortcut is not None and index < len(blocks) - 1:
            _carry(shortcut, torch.ones(1, 1))
        if block.downsamplers is not None:
            _carry(block.downsamplers[0].conv, mean)
    _end(blocks[-1].resnets[0].conv_shortcut, encoder.conv_norm_out, encoder.conv_out)
    half = encoder.conv_out.out_channels // 2
    encoder.conv_out.weight[3:half] *= _LOUD
    encoder.conv_out.weight[half:] = 0.0
    encoder.conv_out.bias[half:] = _LOG_VARIANCE


def _start_decoder(decoder: Any) -> None:
    center = torch.zeros(3, 3)
    center[1, 1] = 1.0
    _carry(decoder.conv_in, center)
    ramp = torch.tensor([0.25, 0.5, 0.25])
    blocks = list(decoder.up_blocks)
    for index, block in enumerate(blocks):
        shortcut = block.resnets[0].conv_shortcut
        if shortcut is not None and index < len(blocks) - 1:
            _carry(shortcut, torch.ones(1, 1))
        if block.upsamplers is not None:
            _carry(block.upsamplers[0].conv, torch.outer(ramp, ramp))
    _end(blocks[-1].resnets[0].conv_shortcut, decoder.conv_norm_out, decoder.conv_out)


def _carry(convolution: nn.Conv2d, kernel: Tensor) -> None:
    """Channels 0-2 of the output are those of the input, filtered; the others stay random."""
    for channel in range(3):
        convolution.weight[channel] = 0.0
        convolution.weight[channel, channel] = kernel
        _bias(convolution)[channel] = 0.0


def _end(shortcut: nn.Conv2d | None, norm: nn.GroupNorm, last: nn.Conv2d) -> None:
    """Lay colours and constants out in groups, and read the colours after the activation."""
    if shortcut is None:
        raise ValueError("The widths of the autoencoder must differ from level to level.")
    each = norm.num_channels // norm.num_groups
    if each < 4 or norm.num_groups < 4:
        raise ValueError(f"{norm.num_groups} groups of {each} channels cannot carry three colours.")
    shortcut.weight *= _QUIET
    variance = 2.0 * (_ANCHOR**2 + _COLOR_POWER) / each
    for color in range(3):
        first = color * each
        shortcut.weight[first : first + 4] = 0.0
        shortcut.weight[first, color] = 1.0
        shortcut.weight[first + 1, color] = -1.0
        _bias(shortcut)[first : first + 4] = torch.tensor([0.0, 0.0, _ANCHOR, -_ANCHOR])
        last.weight[color] = 0.0
        last.weight[color, first, 1, 1] = variance**0.5
        last.weight[color, first + 1, 1, 1] = -(variance**0.5)
        _bias(last)[color] = 0.0


def _bias(convolution: nn.Conv2d) -> Tensor:
    assert convolution.bias is not None
    return convolution.bias
