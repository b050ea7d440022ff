"""Latents → a small RGB picture, by one matrix fitted to the model's own VAE.

A latent diffusion VAE's channels are close to an affine function of the mean colour of the pixels
they stand for, so three rows of numbers show a running picture at latent size for the price of a
multiplication, thousands of times less than a decoder. The matrix is not tabulated for known
models but fitted at load: a chart of known colours is encoded, and the colours are regressed on
the latents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

_LEVELS = 5  # for each of red, green and blue
_CELLS = 4  # latent pixels on a side of one colour's square
_RIDGE = 1e-4


@dataclass(frozen=True)
class LatentPreview:
    """An affine map from latent channels to linear combinations that are sRGB in [0, 1].

    weights: float64 [C + 1, 3], the last row being the offset.
    """

    weights: NDArray[np.float64]

    @classmethod
    def fit(cls, encode: Callable[[torch.Tensor], torch.Tensor], factor: int) -> LatentPreview:
        """Fit to an encoder: pixels [1, 3, H, W] in [-1, 1] → latents [1, C, H / factor, W /
        factor]."""
        chart = color_chart(_CELLS * factor)
        pixels = torch.from_numpy(chart).permute(2, 0, 1).unsqueeze(0) * 2.0 - 1.0
        latents = encode(pixels)[0].double().cpu().numpy()
        channels, height, width = latents.shape
        colors = chart.reshape(height, factor, width, factor, 3).mean((1, 3), dtype=np.float64)
        entries = _with_offset(latents.reshape(channels, -1).T)
        # The ridge keeps a channel that carries no colour from being used for rounding errors.
        gram = entries.T @ entries + _RIDGE * len(entries) * np.eye(channels + 1)
        return cls(np.linalg.solve(gram, entries.T @ colors.reshape(-1, 3)))

    def picture(self, latents: torch.Tensor) -> NDArray[np.uint8]:
        """Latents [C, h, w] → uint8 sRGB [h, w, 3]; values that are not finite become black."""
        array = latents.detach().double().cpu().numpy()
        channels, height, width = array.shape
        colors = _with_offset(array.reshape(channels, -1).T) @ self.weights
        levels = np.rint(np.clip(np.nan_to_num(colors, posinf=1.0, neginf=0.0), 0.0, 1.0) * 255.0)
        return levels.astype(np.uint8).reshape(height, width, 3)


def color_chart(square: int) -> NDArray[np.float32]:
    """A chart of 5 × 5 × 5 colours in squares of `square` pixels, float32 sRGB [H, W, 3] in [0, 1].

    Neighbouring squares differ strongly in brightness, so that the fit sees edges too.
    """
    ramp = np.linspace(0.0, 1.0, _LEVELS, dtype=np.float32)
    grid = np.stack(np.meshgrid(ramp, ramp, ramp, indexing="ij"), axis=-1).reshape(-1, 3)
    rows, columns = 10, 13  # 130 squares for 125 colours; the last ones repeat the first
    order = np.arange(rows * columns) * 37 % len(grid)
    squares = grid[order].reshape(rows, columns, 3)
    return np.ascontiguousarray(squares.repeat(square, axis=0).repeat(square, axis=1))


def _with_offset(entries: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([entries, np.ones((len(entries), 1))], axis=1)
