"""The depth estimator's stage: pictures without depth, of massings and of finished buildings.

A DPT-hybrid (Ranftl et al., "Vision Transformers for Dense Prediction", ICCV 2021), the estimator
that Stable Diffusion 2 depth has, but small: its convolutions learn from far fewer pictures than
attention alone. It predicts the depth channel plus one, since a DPT predicts nothing negative;
diffusers' own pipeline stretches what is predicted to [-1, 1] again, and so gives the UNet what it
was trained with.
"""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from transformers import DPTForDepthEstimation

from ..depth import DepthEncoding, depth_range, encode_depth, picture
from .loop import Shard
from .parts import on_device
from .recipe import EstimatorStage
from .scenes import DamagedScene, Dataset, Scene
from .vae import to_tensor

log = logging.getLogger(__name__)

_SCALES = (1, 2, 4)
"""Steps in pixels over which slopes of depth are compared."""
_SHOWN = 6

_SMALLEST = 0.5
"""Share of a side that a part of a picture has at least."""
_LEAST_SURFACE = 0.15
"""Share of a part that isn't sky."""
_BLURRED, _BLUREST = 0.3, 2.5
"""Share of pictures that are blurred, and to how many times the size of a pixel at most."""
_SATURATION = (0.0, 1.4)
_TINT, _GAMMA = 0.1, 0.25
"""Deviations of the logarithms of a channel's gain and of the exponent of all."""
_NOISE = 0.03
"""Deviation of the strongest grain; 1 is white."""


class EstimatorTraining:
    """Trains a DPTForDepthEstimation on every picture of a scene."""

    name = "depth_estimator"
    rates: dict[str, float] = {}  # noqa: RUF012

    def __init__(
        self,
        estimator: DPTForDepthEstimation,
        settings: EstimatorStage,
        encoding: DepthEncoding,
        dataset: Dataset,
        device: torch.device,
    ) -> None:
        # Its last layer cuts off what is negative, and so the gradient of what should be nearer.
        head = estimator.head.head
        head[-1] = nn.Identity()
        self.estimator = on_device(estimator, device)
        self.settings, self.schedule, self.encoding = settings, settings.schedule, encoding
        self.dataset, self.device = dataset, device
        self.mixed = settings.precision == "bf16"

    def modules(self) -> dict[str, nn.Module]:
        return {"depth_estimator": self.estimator}

    def refresh(self) -> None:
        self.dataset.refresh()
        if not self.dataset.names:
            raise self.dataset.no_scenes()

    def data_state(self) -> dict[str, Any]:
        return self.dataset.state()

    def restore_data(self, state: dict[str, Any]) -> None:
        self.dataset.restore(state)

    def work(self, step: int, generator: torch.Generator, shards: int) -> list[Shard]:
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        size = self.settings.size // (2 if step <= self.settings.halved else 1)
        self._expect(size)
        pairs = [self._pair(size, rng) for _ in range(self.schedule.batch)]
        count = len(pairs)
        picks = [pairs[first::shards] for first in range(min(shards, count))]
        return [partial(self._loss, pick, len(pick) / count) for pick in picks]

    def _expect(self, size: int) -> None:
        """Take pictures of this size, to which the places of attention's cells are stretched."""
        self.estimator.dpt.embeddings.image_size = (size, size)

    def _pair(
        self, size: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """A picture and its depth channel, varied."""
        names = self.dataset.names
        while True:
            name = names[int(rng.integers(len(names)))]
            try:
                shown = pictures_of(self.dataset.scene(name))
            except DamagedScene as error:
                log.warning("Left out: %s. Delete it and render it again.", error)
                continue
            color, depth = varied(*shown[int(rng.integers(len(shown)))], size, rng)
            if np.isfinite(depth).mean() >= _LEAST_SURFACE:
                return color, _channel(depth, self.encoding)

    def _loss(
        self, pairs: list[tuple[NDArray[np.uint8], NDArray[np.float32]]], share: float
    ) -> tuple[Tensor, dict[str, float]]:
        pictures = to_tensor(np.stack([color for color, _ in pairs])).to(self.device)
        wanted = torch.from_numpy(np.stack([depth for _, depth in pairs])).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.mixed):
            made = self.estimator(pictures).predicted_depth
        made = made.float()
        error = torch.where(wanted > -1.0, made, made.relu()) - 1.0 - wanted
        flat = error.abs().mean()
        slopes = [
            (error[:, step:] - error[:, :-step]).abs().mean()
            + (error[:, :, step:] - error[:, :, :-step]).abs().mean()
            for step in _SCALES
        ]
        loss = flat + self.settings.slopes * torch.stack(slopes).mean()
        return loss * share, {"error": float(flat.detach())}

    @torch.no_grad()
    def sheet(self, path: Path) -> dict[str, float]:
        """Held-out pictures, their depth, and what is made of them; the mean error of all shown."""
        size = self.settings.size
        self._expect(size)
        rows, errors = [], []
        for name in self.dataset.held_out[:_SHOWN]:
            color, depth = resized(*pictures_of(self.dataset.scene(name))[-1], size)
            wanted = _channel(depth, self.encoding)
            made = self.estimator(to_tensor(color[None]).to(self.device)).predicted_depth
            guess = made[0].float().relu().cpu().numpy() - 1.0
            errors.append(float(np.abs(guess - wanted).mean()))
            grey = [np.repeat(picture(each)[..., None], 3, -1) for each in (wanted, guess)]
            rows.append(np.concatenate([color, *grey], 1))
        if not rows:
            return {}
        Image.fromarray(np.concatenate(rows)).save(path)
        return {"held-out error": float(np.mean(errors))}


def pictures_of(scene: Scene) -> list[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Every look and every finish with the depth that it shows: a look without a ground has none
    there."""
    bare = scene.depth_without_ground()
    looks = [
        (look, scene.depth if ground else bare)
        for look, ground in zip(scene.massing, scene.grounds, strict=True)
    ]
    return [*looks, *((finish.picture, scene.depth) for finish in scene.finishes)]


def varied(
    color: NDArray[np.uint8], depth: NDArray[np.float32], size: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A part of a picture [h, w, 3] and of its depth [h, w], brought to [size, size], perhaps
    mirrored, and in other colours: as another camera, renderer and screen would show it.

    The part may have other proportions, since a DPTImageProcessor squeezes all pictures into its
    square.
    """
    height, width = depth.shape
    rows, columns = (int(each) for each in rng.uniform(_SMALLEST, 1.0, 2) * (height, width))
    top, left = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
    blur = float(rng.uniform(1.0, _BLUREST)) if rng.random() < _BLURRED else 1.0
    picture = Image.fromarray(color).crop((left, top, left + columns, top + rows))
    blurred = picture.resize((round(size / blur), round(size / blur)), Image.Resampling.BILINEAR)
    color, depth = resized(
        np.asarray(blurred), depth[top : top + rows, left : left + columns], size
    )
    values = color.astype(np.float32) / 255.0
    grey = values.mean(2, keepdims=True)
    values = grey + rng.uniform(*_SATURATION) * (values - grey)
    values = np.clip(values * np.exp(rng.normal(0.0, _TINT, 3)), 0.0, 1.0)
    values = values ** np.exp(rng.normal(0.0, _GAMMA))
    values = values + rng.normal(0.0, rng.uniform(0.0, _NOISE), depth.shape)[..., None]
    color = np.rint(np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)
    if rng.random() < 0.5:
        color, depth = color[:, ::-1], depth[:, ::-1]
    return color, depth


def resized(
    color: NDArray[np.uint8], depth: NDArray[np.float32], size: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A picture and its depth as [size, size, 3] and [size, size]; depth isn't averaged across
    silhouettes."""
    picture = Image.fromarray(color).resize((size, size), Image.Resampling.BILINEAR)
    height, width = depth.shape
    places = (np.arange(size) + 0.5) / size
    nearest = np.ix_((places * height).astype(int), (places * width).astype(int))
    return np.asarray(picture), depth[nearest]


def _channel(depth: NDArray[np.float32], encoding: DepthEncoding) -> NDArray[np.float32]:
    return encode_depth(depth, depth_range(depth, encoding), encoding, depth.shape)
