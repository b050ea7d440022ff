"""A UNet in half precision that still sees depth exactly.

Slopes and curvatures of a depth channel are smaller than the grain of 16 bits, and gone once they
are rounded. They are found by the first convolution, which takes 1 % of the work: it runs in
float32, and what it found is rounded.
"""

from __future__ import annotations

from typing import Any

import torch


def halve_behind_input(unet: Any, dtype: torch.dtype) -> None:
    """Run a UNet in float32 in this precision, all but its first convolution; it goes on taking
    float32."""
    for name, part in unet.named_children():
        if name != "conv_in":
            part.to(dtype)
    unet.conv_in.register_forward_hook(lambda part, given, found: found.to(body_dtype(unet)))
    unet.time_embedding.register_forward_pre_hook(
        lambda part, given: tuple(each.to(body_dtype(unet)) for each in given if each is not None)
    )


def body_dtype(unet: Any) -> torch.dtype:
    """The precision of all but a UNet's first convolution, and of the prompts that it takes."""
    return unet.conv_out.weight.dtype
