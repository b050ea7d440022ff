"""A model's autoencoder: pictures to the latents that it paints, and back."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..materials.tiling import unwrap, wrap, wrapped

_KEPT = 64
_MARGIN = 16
"""Cells of the opposite edge that it is shown where it can't wrap: as far as it looks."""


class Autoencoder:
    """A loaded autoencoder, on one device and in one precision. Several threads may use one.

    vae: of diffusers, already on the device. factor: pixels along a side of a latent cell.
    """

    def __init__(self, vae: Any, factor: int, device: torch.device) -> None:
        self.vae = vae
        self.factor = factor
        self.device = device
        # Of each number of threads, on which rounding depends.
        self._latents: dict[tuple[bytes, int], torch.Tensor] = {}
        self._keeping = threading.Lock()
        self._margin = 0

    @torch.inference_mode()
    def encode(self, color: NDArray[np.uint8]) -> torch.Tensor:
        """uint8 sRGB [H, W, 3], sides multiples of `factor` → float32 latents [1, C, h, w].

        The mode of the distribution rather than a sample of it, so that a capture is encoded once
        for all its seeds, and kept for the recipes that follow.
        """
        shown = hashlib.sha256(color.tobytes() + repr(color.shape).encode()).digest()
        key = shown, torch.get_num_threads()
        latents = self._latents.get(key)
        if latents is None:
            pixels = torch.tensor(color, device=self.device)
            unit = pixels.permute(2, 0, 1).unsqueeze(0).float() / 127.5 - 1.0
            latents = self.encode_unit(unit)
            with self._keeping:
                if len(self._latents) >= _KEPT:
                    del self._latents[next(iter(self._latents))]
                self._latents[key] = latents
        return latents

    @torch.inference_mode()
    def encode_unit(self, pixels: torch.Tensor) -> torch.Tensor:
        """[B, 3, H, W] in [-1, 1] → float32 latents [B, C, h, w], not kept."""
        beyond = self._margin * self.factor
        seen = wrap(pixels.to(device=self.device, dtype=self._dtype), beyond, beyond)
        distribution = self.vae.encode(seen).latent_dist
        return unwrap(distribution.mode(), self._margin).float() * self.vae.config.scaling_factor

    def blank(self, size: tuple[int, int]) -> torch.Tensor:
        """Stands for the latents of a picture of this size (width, height) where they don't count:
        float32 [1, C, h, w]."""
        width, height = size
        channels = self.vae.config.latent_channels
        shape = (1, channels, height // self.factor, width // self.factor)
        return torch.zeros(shape, device=self.device)

    @torch.inference_mode()
    def decode(self, latents: torch.Tensor) -> NDArray[np.uint8] | None:
        """Latents [1, C, h, w] → uint8 sRGB [H, W, 3]; None where a value is not finite."""
        scaled = latents / self.vae.config.scaling_factor
        seen = wrap(scaled.to(device=self.device, dtype=self._dtype), self._margin, self._margin)
        decoded = self.vae.decode(seen, return_dict=False)[0]
        pixels = unwrap(decoded, self._margin * self.factor).float()
        if not bool(torch.isfinite(pixels).all()):
            return None
        levels = (pixels[0].permute(1, 2, 0) * 127.5 + 127.5).round().clamp(0, 255)
        return levels.to(torch.uint8).cpu().numpy()

    def decoding_bytes(self, height: int, width: int) -> int:
        """Memory that decoding one picture takes, estimated: the last level holds about six maps of
        its channels in and as many out, of which the former are twice as many."""
        channels = self.vae.config.block_out_channels[0]
        return 12 * height * width * channels * self._dtype.itemsize

    @contextlib.contextmanager
    def seamless(self) -> Iterator[None]:
        """Inside, pictures go on at their opposite edge."""
        # In tiles it sees a part at a time, which must not wrap about itself.
        tiled = self.vae.use_tiling
        self.forget()
        self._margin = _MARGIN if tiled else 0
        try:
            with wrapped(*([] if tiled else [self.vae])):
                yield
        finally:
            self._margin = 0
            self.forget()

    @contextlib.contextmanager
    def low_memory(self) -> Iterator[None]:
        """Inside, it runs in tiles: slower, far less memory."""
        self.vae.enable_slicing()
        self.vae.enable_tiling()
        try:
            yield
        finally:
            self.vae.disable_tiling()
            self.vae.disable_slicing()

    def forget(self) -> None:
        """What was kept of pictures."""
        self._latents.clear()

    @property
    def _dtype(self) -> torch.dtype:
        """Its only one; diffusers' own answer looks through all of it."""
        return next(self.vae.parameters()).dtype
