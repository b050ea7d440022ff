"""What a step of the UNet's stage is given: latents and depth, captions, timesteps and noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..depth import set_back
from .cache import CachedScene, LatentCache
from .reader import UNKNOWN, Shown, labels_of
from .recipe import UnetStage
from .scenes import Dataset


@dataclass
class Batch:
    """A batch of n samples.

    Attributes:
        latents: [n, c, h, w], scaled.
        begin: [n, c, h, w], what noise is added to: the latents, or where `tinted` [n] says so
            those of the tinted massing.
        depth: [n, 1, h, w]; subject, ground: [n, 1, h, w], 1 where something stands on the ground
            and where the ground itself is seen.
        labels: [n, attributes], class numbers of what pictures show and captions may say.
        captions: n; others: another sample's caption for each.
        timesteps: [n]; noise: [n, c, h, w]; veil: [n, c, h, w], noise of a deviation between 0 and
            1, each its own.
    """

    latents: Tensor
    begin: Tensor
    depth: Tensor
    subject: Tensor
    ground: Tensor
    labels: Tensor
    captions: list[str]
    others: list[str]
    timesteps: Tensor
    noise: Tensor
    veil: Tensor
    tinted: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on a device; captions stay."""
        moved = {k: v.to(device) for k, v in vars(self).items() if isinstance(v, Tensor)}
        return replace(self, **moved)

    def part(self, pick: list[int]) -> Batch:
        """Some of the samples."""
        some: dict[str, Any] = {
            name: value[pick] if isinstance(value, Tensor) else [value[i] for i in pick]
            for name, value in vars(self).items()
        }
        return Batch(**some)

    def shown(self) -> Shown:
        """What can be seen in the pictures."""
        return Shown(self.labels, self.ground, self.subject)


class _Sample(NamedTuple):
    latents: Tensor
    begin: Tensor
    depth: Tensor
    subject: Tensor
    ground: Tensor
    labels: Tensor
    caption: str


class Batches:
    """Draws batches from a dataset's cached latents, which may grow between two saves.

    timesteps: how many the model's noise schedule has; classes: of each attribute.
    """

    def __init__(
        self,
        cache: LatentCache,
        dataset: Dataset,
        settings: UnetStage,
        timesteps: int,
        classes: Mapping[str, list[str]],
    ) -> None:
        self.cache, self.dataset, self.settings = cache, dataset, settings
        self.timesteps, self.classes = timesteps, classes
        self.scenes: list[CachedScene] = []

    def refresh(self) -> None:
        self.dataset.refresh()
        known = {scene.name for scene in self.scenes}
        new = [name for name in self.dataset.names if name not in known]
        self._load(new[: self.settings.encode_at_once or len(new)])
        if not self.scenes:
            raise self.dataset.no_scenes()

    def _load(self, names: list[str]) -> None:
        for name in names:
            if (scene := self.cache.get(self.dataset, name)) is not None:
                self.scenes.append(scene)

    def data_state(self) -> dict[str, Any]:
        return {"names": [scene.name for scene in self.scenes]}

    def restore_data(self, state: dict[str, Any]) -> None:
        self.dataset.refresh()
        self._load(state["names"])

    def draw(self, generator: torch.Generator) -> Batch:
        """Draw a batch; everything in it is a function of the generator and the scenes."""
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        size = self.scenes[0].latents.shape[-1]
        crop = size
        count = self.settings.schedule.batch
        if rng.random() < self.settings.crops and self.settings.crop < size:
            crop = self.settings.crop
        else:
            count = max(1, round(count * min(1.0, (self.settings.crop / size) ** 2)))
        samples = [self._sample(rng, crop) for _ in range(count)]
        tinted = rng.random(count) < self.settings.tinted
        mute = tinted & (rng.random(count) < self.settings.tinted_dropout)
        captions = ["" if m else s.caption for s, m in zip(samples, mute, strict=True)]
        labels = torch.stack([s.labels for s in samples])
        # What nobody asked for need not be seen.
        labels[torch.tensor([not caption for caption in captions])] = UNKNOWN
        scale = self.cache.vae.config.scaling_factor
        latents = torch.stack([s.latents for s in samples]).float() * scale
        begin = torch.stack([s.begin for s in samples]).float() * scale
        begin = torch.where(torch.from_numpy(tinted)[:, None, None, None], begin, latents)
        timesteps = rng.integers(0, self.timesteps, count)
        # Stratified, so that the share of late timesteps is the same in every batch.
        late = (np.arange(count) + rng.random()) / count < self.settings.late
        timesteps[late] = rng.integers(self.settings.late_from, self.timesteps, int(late.sum()))
        if self.settings.tinted:
            any_time = rng.integers(self.settings.tinted_from, self.timesteps, count)
            timesteps[tinted] = any_time[tinted]
        return Batch(
            latents,
            begin,
            torch.stack([s.depth for s in samples])[:, None],
            torch.stack([s.subject for s in samples])[:, None],
            torch.stack([s.ground for s in samples])[:, None],
            labels,
            captions,
            [captions[i - 1] for i in range(count)],
            torch.from_numpy(timesteps),
            torch.randn(latents.shape, generator=generator),
            torch.rand((count, 1, 1, 1), generator=generator)
            * torch.randn(latents.shape, generator=generator),
            torch.from_numpy(tinted),
        )

    def _sample(self, rng: np.random.Generator, crop: int) -> _Sample:
        settings = self.settings
        scene = self.scenes[int(rng.integers(len(self.scenes)))]
        finish = int(rng.integers(len(scene.latents)))
        latents, begin, standing = scene.latents[finish], scene.tinted[finish], scene.depth[1]
        depth = scene.depth[int(rng.random() < settings.ground_dropout)]
        top, left = (int(rng.integers(0, n - crop + 1)) for n in depth.shape)
        area = (..., slice(top, top + crop), slice(left, left + crop))
        openings = torch.zeros_like(depth) if scene.openings is None else scene.openings[finish]
        hit = scene.depth[0]
        cut = [each[area] for each in (latents, begin, depth, standing, hit, openings)]
        if settings.flips and rng.random() < 0.5:
            cut = [each.flip(-1) for each in cut]
        latents, begin, depth, standing, hit, openings = cut
        subject = (standing > -1.0).float()
        ground = (hit > -1.0).float() - subject
        if rng.random() < settings.depth_jitter:
            # A view that holds only the far part of a job's range, its sky still at -1.
            depth = (depth + 1.0) * float(rng.uniform(0.6, 1.0)) - 1.0
        if rng.random() < settings.openings:
            encoding = self.cache.encoding
            depth = torch.from_numpy(set_back(depth.numpy(), openings.float().numpy(), encoding))
        if rng.random() < settings.depth_dropout:
            depth = torch.full_like(depth, -1.0)
        captions = scene.captions[finish]
        caption = captions[int(rng.integers(len(captions)))]
        if rng.random() < settings.caption_dropout:
            caption = ""
        labels = labels_of(scene.attributes[finish], self.classes)
        return _Sample(latents, begin, depth, subject, ground, labels, caption)
