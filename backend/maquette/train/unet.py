"""The UNet's stage: noise on cached latents, depth as one more input channel, captions as text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.training_utils import compute_snr
from maquette_wire.errors import MaquetteError
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from .adversary import Pairs, PatchDiscriminator, contest
from .cache import CachedScene, LatentCache
from .loop import Shard
from .parts import on_device
from .recipe import Adversary, UnetStage
from .scenes import Dataset

_MIN_SNR_GAMMA = 5.0


@dataclass
class Batch:
    """latents, what noise is added to (`begin`) and noise [n, c, h, w], scaled; depth [n, 1, h, w];
    subject [n, 1, h, w], 1 where something stands on the ground; captions and timesteps [n];
    tinted [n], where `begin` is the tinted massing rather than the latents."""

    latents: Tensor
    begin: Tensor
    depth: Tensor
    subject: Tensor
    captions: list[str]
    timesteps: Tensor
    noise: Tensor
    tinted: Tensor

    def part(self, pick: list[int]) -> Batch:
        return Batch(
            self.latents[pick],
            self.begin[pick],
            self.depth[pick],
            self.subject[pick],
            [self.captions[i] for i in pick],
            self.timesteps[pick],
            self.noise[pick],
            self.tinted[pick],
        )


class _Sample(NamedTuple):
    latents: Tensor
    begin: Tensor
    depth: Tensor
    subject: Tensor
    caption: str


class UnetTraining:
    """Trains a UNet2DConditionModel with a depth channel, and the text encoder where asked."""

    name = "unet"

    def __init__(
        self,
        unet: UNet2DConditionModel,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        scheduler: Any,
        cache: LatentCache,
        dataset: Dataset,
        settings: UnetStage,
        draw_sheet: Callable[[Path], dict[str, float]],
    ) -> None:
        self.device = cache.device
        self.unet = on_device(unet, self.device).to(memory_format=torch.channels_last)
        self.mixed = settings.precision == "bf16"
        if settings.blind:
            blindfold(self.unet.conv_in, self.unet.config["out_channels"])
        else:
            keep_full(self.unet.conv_in)
        self.text_encoder = on_device(text_encoder, self.device)
        self.text_encoder.requires_grad_(settings.train_text)
        self.tokenizer, self.scheduler, self.cache = tokenizer, scheduler, cache
        self.dataset, self.settings, self.schedule = dataset, settings, settings.schedule
        self.scenes: list[CachedScene] = []
        self.draw_sheet = draw_sheet
        self.rates: dict[str, float] = {}
        if settings.tinted and self.scheduler.config.prediction_type != "v_prediction":
            raise self._needs_velocity("`tinted`")
        self.discriminator: Any = settings.adversary and self._discriminator(settings.adversary)

    def _discriminator(self, adversary: Adversary) -> Any:
        if self.scheduler.config.prediction_type != "v_prediction":
            raise self._needs_velocity("[unet.adversary]")
        self.rates["discriminator"] = adversary.rate
        made = PatchDiscriminator(
            self.unet.config.out_channels, self.text_encoder.config.hidden_size, adversary.widths
        )
        return on_device(made, self.device).to(memory_format=torch.channels_last)

    def _needs_velocity(self, setting: str) -> MaquetteError:
        return MaquetteError(
            "not-velocity",
            f"{setting} looks at the clean latents that a UNet predicts from pure noise, which a "
            f"model of {self.scheduler.config.prediction_type} does not have.",
            f"Leave {setting} out of the recipe, or train a model of velocity.",
        )

    def modules(self) -> dict[str, nn.Module]:
        trained: dict[str, nn.Module] = {"unet": self.unet}
        if self.settings.train_text:
            trained["text_encoder"] = self.text_encoder
        if self.discriminator is not None:
            trained["discriminator"] = self.discriminator
        return trained

    def refresh(self) -> None:
        self.dataset.refresh()
        known = {scene.name for scene in self.scenes}
        new = [name for name in self.dataset.names if name not in known]
        self._load(new[: self.settings.encode_at_once or len(new)])
        if not self.scenes:
            raise MaquetteError(
                "no-data",
                f"The dataset at {self.dataset.folder} has no training scene yet.",
                "Render some scenes first.",
            )

    def _load(self, names: list[str]) -> None:
        for name in names:
            if (scene := self.cache.get(self.dataset, name)) is not None:
                self.scenes.append(scene)

    def data_state(self) -> dict[str, Any]:
        return {"names": [scene.name for scene in self.scenes]}

    def restore_data(self, state: dict[str, Any]) -> None:
        self.dataset.refresh()
        self._load(state["names"])

    def work(self, step: int, generator: torch.Generator, shards: int) -> list[Shard]:
        batch = self.batch(generator)
        count = len(batch.captions)
        # Interleaved, since timesteps are in order.
        picks = [range(first, count, shards) for first in range(min(shards, count))]
        return [partial(self._loss, batch.part(list(pick)), len(pick) / count) for pick in picks]

    def _loss(self, batch: Batch, share: float) -> tuple[Tensor, dict[str, float]]:
        with torch.set_grad_enabled(self.settings.train_text):
            text = encode_captions(self.text_encoder, self.tokenizer, batch.captions)
        device, settings = self.device, self.settings
        latents, noise = batch.latents.to(device), batch.noise.to(device)
        depth, timesteps = batch.depth.to(device), batch.timesteps.to(device)
        tinted = batch.tinted.to(device)
        noisy = self.scheduler.add_noise(batch.begin.to(device), noise, timesteps)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.mixed):
            predicted = self.unet(torch.cat([noisy, depth], 1), timesteps, text).sample.float()
        if self.scheduler.config.prediction_type == "v_prediction":
            target = self.scheduler.get_velocity(latents, noise, timesteps)
        else:
            target = noise
        wrong = predicted - target
        if bool(tinted.any()):
            # The noise is not that between picture and input, so the picture itself is compared.
            clean = self._clean(noisy, predicted, timesteps)
            wrong = torch.where(tinted[:, None, None, None], clean - latents, wrong)
        emphasis = 1.0 + settings.subject * batch.subject.to(device)
        errors = _mean_square(wrong, emphasis)
        weighted = errors
        if settings.adversary is not None:
            coarse = (F.avg_pool2d(each, settings.adversary.grain) for each in (wrong, emphasis))
            weighted = _mean_square(*coarse) + settings.adversary.fine * errors
        loss = (weighted * torch.where(tinted, 1.0, self._weights(timesteps))).mean()
        late = timesteps >= settings.late_from
        kinds = {"late": late & ~tinted, "early": ~late & ~tinted, "tinted": tinted}
        figures = {"scenes": float(len(self.scenes))}
        for label, chosen in kinds.items():
            if bool(chosen.any()):
                figures[label] = float(errors.detach()[chosen].mean())
        whole = late | tinted
        if settings.adversary is not None and bool(whole.any()):
            clean = self._clean(noisy, predicted, timesteps)
            pairs = Pairs(latents[whole], clean[whole], depth[whole], text.detach()[whole])
            with torch.autocast(device.type, torch.bfloat16, enabled=self.mixed):
                verdict = contest(self.discriminator, pairs, settings.adversary)
            loss = loss + verdict.loss * whole.float().mean()
            figures.update(verdict.figures)
        return loss * share, figures

    def _clean(self, noisy: Tensor, velocity: Tensor, timesteps: Tensor) -> Tensor:
        """The clean latents that a velocity means (Salimans and Ho, ICLR 2022)."""
        kept = self.scheduler.alphas_cumprod.to(noisy.device)[timesteps][:, None, None, None]
        return kept.sqrt() * noisy - (1.0 - kept).sqrt() * velocity

    def _weights(self, timesteps: Tensor) -> Tensor:
        if self.settings.weighting == "uniform":
            return torch.ones(len(timesteps), device=timesteps.device)
        snr = compute_snr(self.scheduler, timesteps)
        divisor = snr + 1 if self.scheduler.config.prediction_type == "v_prediction" else snr
        return snr.clamp(max=_MIN_SNR_GAMMA) / divisor.clamp(min=1e-8)

    def batch(self, generator: torch.Generator) -> Batch:
        """Draw a batch; everything in it is a function of the generator and the scenes."""
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        size = self.scenes[0].latents.shape[-1]
        crop = size
        count = self.schedule.batch
        if rng.random() < self.settings.crops and self.settings.crop < size:
            crop = self.settings.crop
        else:
            count = max(1, round(count * min(1.0, (self.settings.crop / size) ** 2)))
        samples = [self._sample(rng, crop) for _ in range(count)]
        scale = self.cache.vae.config.scaling_factor
        latents = torch.stack([s.latents for s in samples]).float() * scale
        tinted = torch.from_numpy(rng.random(count) < self.settings.tinted)
        begin = torch.stack([s.begin for s in samples]).float() * scale
        begin = torch.where(tinted[:, None, None, None], begin, latents)
        timesteps = rng.integers(0, self.scheduler.config.num_train_timesteps, count)
        # Stratified, so that the share of late timesteps is the same in every batch.
        late = (np.arange(count) + rng.random()) / count < self.settings.late
        timesteps[late] = rng.integers(
            self.settings.late_from, self.scheduler.config.num_train_timesteps, int(late.sum())
        )
        if self.settings.tinted:
            any_time = rng.integers(
                self.settings.tinted_from, self.scheduler.config.num_train_timesteps, count
            )
            timesteps[tinted.numpy()] = any_time[tinted.numpy()]
        return Batch(
            latents,
            begin,
            torch.stack([s.depth for s in samples])[:, None],
            torch.stack([s.subject for s in samples])[:, None],
            [s.caption for s in samples],
            torch.from_numpy(timesteps),
            torch.randn(latents.shape, generator=generator),
            tinted,
        )

    def _sample(self, rng: np.random.Generator, crop: int) -> _Sample:
        settings = self.settings
        scene = self.scenes[int(rng.integers(len(self.scenes)))]
        finish = int(rng.integers(len(scene.latents)))
        latents, begin, standing = scene.latents[finish], scene.tinted[finish], scene.depth[1]
        depth = scene.depth[int(rng.random() < settings.ground_dropout)]
        top, left = (int(rng.integers(0, n - crop + 1)) for n in depth.shape)
        area = (..., slice(top, top + crop), slice(left, left + crop))
        cut = [each[area] for each in (latents, begin, depth, standing)]
        if settings.flips and rng.random() < 0.5:
            cut = [each.flip(-1) for each in cut]
        latents, begin, depth, standing = cut
        subject = (standing > -1.0).float()
        if rng.random() < settings.depth_jitter:
            # A view that holds only the far part of a job's range, its sky still at -1.
            depth = (depth + 1.0) * float(rng.uniform(0.6, 1.0)) - 1.0
        if rng.random() < settings.depth_dropout:
            depth = torch.full_like(depth, -1.0)
        captions = scene.captions[finish]
        caption = captions[int(rng.integers(len(captions)))]
        if rng.random() < settings.caption_dropout:
            caption = ""
        return _Sample(latents, begin, depth, subject, caption)

    def sheet(self, path: Path) -> dict[str, float]:
        return self.draw_sheet(path)


def _mean_square(wrong: Tensor, emphasis: Tensor) -> Tensor:
    """[n, c, h, w] errors and [n, 1, h, w] weights of places → the weighted mean square, [n]."""
    return (wrong.square() * emphasis).mean((1, 2, 3)) / emphasis.mean((1, 2, 3))


def blindfold(conv: nn.Conv2d, channels: int) -> None:
    """Have a UNet's first convolution see nothing of the latents, its first `channels` inputs:
    their filters are zero and stay so. What it sees it computes in float32, as in `keep_full`.

    They are left out of the product, since an optimiser of Adam's kind makes whole steps of the
    rounding errors that remain of a gradient of zero.
    """
    with torch.no_grad():
        conv.weight[:, :channels] = 0.0

    def seeing_the_rest(input: Tensor) -> Tensor:
        with torch.autocast(input.device.type, enabled=False):
            seen = input[:, channels:].float()
            return F.conv2d(seen, conv.weight[:, channels:], conv.bias, padding="same")

    conv.forward = seeing_the_rest


def keep_full(module: nn.Module) -> None:
    """Have a module compute in float32 inside of mixed precision, too."""
    forward = module.forward

    def in_full(x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return forward(x.float())

    module.forward = in_full


def encode_captions(text_encoder: Any, tokenizer: Any, captions: list[str]) -> Tensor:
    """[n, tokens, width], as the pipeline encodes prompts: padded, without a mask."""
    tokens = tokenizer(
        captions, padding="max_length", truncation=True, return_tensors="pt"
    ).input_ids
    return text_encoder(tokens.to(text_encoder.device))[0]
