"""The autoencoder's stage.

Latent channels 0-2 are tied to mean RGB over a latent pixel: without it, losses on brightness take
every channel and the pictures come out grey. What is left of them, and the fourth channel, carry
detail. The log-variance is held low, so that encoding is close to its mean.
"""

from __future__ import annotations

import logging
import math
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from .leaves import leaves_picture
from .loop import Shard
from .parts import on_device
from .recipe import VaeStage
from .scenes import DamagedScene, Dataset

log = logging.getLogger(__name__)

POOL = 6000
"""Pictures held in memory; about 1.2 GB at 256 x 256."""
_LOG_VARIANCE = -8.0


class VaeTraining:
    """Trains an AutoencoderKL on the finished pictures and the plain look of the massing."""

    name = "vae"
    rates: dict[str, float] = {}  # noqa: RUF012

    def __init__(
        self, vae: AutoencoderKL, settings: VaeStage, dataset: Dataset, device: torch.device
    ) -> None:
        self.vae = on_device(vae, device).to(memory_format=torch.channels_last)
        self.settings, self.schedule = settings, settings.schedule
        self.dataset, self.device = dataset, device
        self.pool: list[NDArray[np.uint8]] = []
        self._loaded = 0
        if settings.decoder_only:
            for part in (vae.encoder, vae.quant_conv):
                if part is not None:
                    part.requires_grad_(False)

    def modules(self) -> dict[str, nn.Module]:
        return {"vae": self.vae}

    def refresh(self) -> None:
        self.dataset.refresh()
        self._load()

    def data_state(self) -> dict[str, Any]:
        return self.dataset.state()

    def restore_data(self, state: dict[str, Any]) -> None:
        self.dataset.restore(state)
        self._load()

    def _load(self) -> None:
        for name in self.dataset.names[self._loaded :]:
            self._loaded += 1
            if len(self.pool) >= POOL:
                continue
            try:
                scene = self.dataset.scene(name)
            except DamagedScene as error:
                log.warning("Left out: %s. Delete it and render it again.", error)
                continue
            self.pool.extend(finish.picture for finish in scene.finishes)
            self.pool.append(scene.massing[0])

    def work(self, step: int, generator: torch.Generator, shards: int) -> list[Shard]:
        return [partial(self._loss, step, generator)]

    def _loss(self, step: int, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        if step < self.settings.leaves_until:
            seeds = rng.integers(0, self.settings.leaves, self.schedule.batch)
            chosen = [cached_leaves(int(seed)) for seed in seeds]
        elif self.pool:
            chosen = [self.pool[i] for i in rng.integers(0, len(self.pool), self.schedule.batch)]
        else:
            raise self.dataset.no_scenes()
        pictures = self._crops(chosen, rng).to(self.device, memory_format=torch.channels_last)
        noise = torch.randn(
            (len(pictures), self.vae.config.latent_channels, *self._latent_size(pictures)),
            generator=generator,
        )
        return autoencoder_loss(self.vae, pictures, noise.to(self.device), self.settings)

    def _latent_size(self, pictures: Tensor) -> tuple[int, int]:
        factor = 2 ** (len(self.vae.config.block_out_channels) - 1)
        return pictures.shape[2] // factor, pictures.shape[3] // factor

    def _crops(self, pictures: list[NDArray[np.uint8]], rng: np.random.Generator) -> Tensor:
        crops = []
        for picture in pictures:
            side = min(self.settings.crop, *picture.shape[:2])
            top, left = (int(rng.integers(0, n - side + 1)) for n in picture.shape[:2])
            crop = picture[top : top + side, left : left + side]
            crops.append(crop[:, ::-1] if rng.random() < 0.5 else crop)
        return to_tensor(np.stack(crops))

    @torch.no_grad()
    def sheet(self, path: Path) -> dict[str, float]:
        """Held-out pictures over their reconstructions, and their PSNR over all that is shown."""
        pictures: list[NDArray[np.uint8]] = []
        for name in self.dataset.held_out[:8]:
            scene = self.dataset.scene(name)
            pictures.extend(finish.picture for finish in scene.finishes[:2])
        if not pictures:
            pictures = [leaves_picture(2**40 + i) for i in range(8)]
        rebuilt = [to_pictures(self._rebuild(to_tensor(p[None])))[0] for p in pictures]
        errors = [
            np.mean((a.astype(float) - b) ** 2) for a, b in zip(pictures, rebuilt, strict=True)
        ]
        rows = [np.concatenate(r[:8], 1) for r in (pictures, rebuilt)]
        Image.fromarray(np.concatenate(rows)).save(path)
        return {"held-out PSNR dB": 10 * math.log10(255**2 / float(np.mean(errors)))}

    def _rebuild(self, picture: Tensor) -> Tensor:
        latents = self.vae.encode(picture.to(self.device)).latent_dist.mean
        return self.vae.decode(latents).sample


@cache
def cached_leaves(seed: int) -> NDArray[np.uint8]:
    return leaves_picture(seed)


def autoencoder_loss(
    vae: Any, pictures: Tensor, noise: Tensor, settings: VaeStage
) -> tuple[Tensor, dict[str, float]]:
    """pictures [n, 3, h, w] in [-1, 1]; noise [n, c, h/f, w/f], standard normal."""
    distribution = vae.encode(pictures).latent_dist
    latents = distribution.mean
    factor = pictures.shape[2] // latents.shape[2]
    tie = F.mse_loss(latents[:, :3], F.avg_pool2d(pictures, factor))
    detail = latents[:, 3:].square().mean().sqrt()
    # Half of the latents are decoded mirrored, so that a UNet may train on mirrored latents.
    half = len(pictures) // 2
    noisy = latents + settings.noise * noise
    noisy = torch.cat([noisy[:half], noisy[half:].flip(3)])
    target = torch.cat([pictures[:half], pictures[half:].flip(3)])
    error = vae.decode(noisy).sample - target
    light = error.mean(1)
    chroma = torch.stack([error[:, 0] - error[:, 1], error[:, 2] - error[:, :2].mean(1)], 1)
    edges = (light.diff(dim=1)).abs().mean() + (light.diff(dim=2)).abs().mean()
    square = error.square().mean()
    loss = (
        error.abs().mean()
        + 2.0 * square
        + 0.5 * chroma.abs().mean()
        + settings.sharpness * edges
        + settings.latent * tie
        + 0.05 * F.relu(detail - 0.6).square()
        + 1e-3 * (distribution.logvar - _LOG_VARIANCE).square().mean()
    )
    psnr = -10 * math.log10(max(float(square.detach()) / 4, 1e-12))
    return loss, {"PSNR dB": psnr, "tie": float(tie.detach()), "detail rms": float(detail.detach())}


@torch.no_grad()
def normalize_latents(vae: Any, pictures: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
    """Give each latent channel zero mean and unit variance over `pictures` [n, h, w, 3].

    The change is folded into the 1x1 convolutions on both sides of the latents, so the layout has
    no need of per-channel factors. Returns the mean and deviation [c] that were taken out, which
    lead from a latent back to RGB.
    """
    device = next(vae.parameters()).device
    latents = torch.cat(
        [vae.encode(to_tensor(p[None]).to(device)).latent_dist.mean for p in pictures]
    )
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3)).clamp(min=1e-4)
    channels = len(mean)
    before, after = vae.quant_conv, vae.post_quant_conv
    assert before is not None and after is not None and before.bias is not None
    before.weight[:channels] /= deviation[:, None, None, None]
    before.bias[:channels] = (before.bias[:channels] - mean) / deviation
    before.bias[channels:] -= 2.0 * deviation.log()
    assert after.bias is not None
    after.bias += after.weight[:, :, 0, 0] @ mean
    after.weight *= deviation[None, :, None, None]
    return mean.cpu(), deviation.cpu()


def to_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """uint8 [n, h, w, 3] → float32 [n, 3, h, w] in [-1, 1]."""
    return torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy()).float() / 127.5 - 1.0


def to_pictures(tensor: Tensor) -> NDArray[np.uint8]:
    """float [n, 3, h, w] in [-1, 1] → uint8 [n, h, w, 3]."""
    scaled = (tensor.float().clamp(-1, 1) + 1.0) * 127.5
    return scaled.round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
