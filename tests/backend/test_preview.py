"""A preview shows the colours that the decoder would."""

from __future__ import annotations

import numpy as np
import torch
from maquette.preview import LatentPreview, color_chart
from torch.nn.functional import avg_pool2d


def encode(pixels: torch.Tensor) -> torch.Tensor:
    """An encoder as VAEs are: mixed, shifted mean colours, and channels of something else."""
    mean = avg_pool2d(pixels, 8)
    mixed = torch.einsum(
        "ck,bkhw->bchw", torch.tensor([[2.0, 0.1, -1], [0, 1, 1], [1, -1, 0.5]]), mean
    )
    texture = avg_pool2d((pixels - pixels.roll(1, -1)).abs().sum(1, keepdim=True), 8)
    return torch.cat([mixed + 0.3, texture], dim=1)


def test_colours_come_back() -> None:
    preview = LatentPreview.fit(encode, 8)
    picture = np.zeros((32, 64, 3), np.uint8)
    picture[:, :32], picture[:16, 32:], picture[16:, 32:] = (
        (200, 40, 40),
        (30, 60, 190),
        (240, 240, 230),
    )
    latents = encode(torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 127.5 - 1.0)[0]
    shown = preview.picture(latents).astype(int)
    assert shown.shape == (4, 8, 3)
    assert np.abs(shown - picture[::8, ::8]).max() <= 6


def test_values_that_are_no_numbers_do_not_stop_a_preview() -> None:
    preview = LatentPreview.fit(encode, 8)
    latents = torch.full((4, 2, 3), float("nan"))
    assert preview.picture(latents).shape == (2, 3, 3)


def test_the_chart_has_all_its_colours() -> None:
    chart = color_chart(2)
    assert len(np.unique(chart.reshape(-1, 3), axis=0)) == 125
