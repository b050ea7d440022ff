"""The UNet's stage: noise on cached latents, depth as one more input channel, captions as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.training_utils import compute_snr
from maquette_wire.errors import MaquetteError
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from .adversary import Pairs, PatchDiscriminator, contest
from .batches import Batch, Batches
from .cache import LatentCache
from .loop import Shard
from .lora import add_lora
from .parts import on_device, train_only
from .reader import REGIONS, AttributeReader, read
from .recipe import Adversary, Attribute, Reading, UnetStage
from .scenes import Dataset

_MIN_SNR_GAMMA = 5.0


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
        classes: Mapping[str, list[str]],
        draw_sheet: Callable[[Path], dict[str, float]],
    ) -> None:
        self.device = cache.device
        if settings.lora:
            add_lora(unet, settings.lora, settings.begin)
        self.unet = on_device(unet, self.device).to(memory_format=torch.channels_last)
        self.mixed = settings.precision == "bf16"
        if settings.blind:
            blindfold(self.unet.conv_in, self.unet.config["out_channels"])
        else:
            keep_full(self.unet.conv_in)
        self.text_encoder = on_device(text_encoder, self.device)
        self.text_encoder.requires_grad_(settings.train_text)
        self.tokenizer, self.scheduler = tokenizer, scheduler
        self.settings, self.schedule = settings, settings.schedule
        self.classes = classes
        self.batches = Batches(
            cache, dataset, settings, scheduler.config.num_train_timesteps, classes
        )
        self.draw_sheet = draw_sheet
        self.rates: dict[str, float] = {}
        if settings.tinted and self.scheduler.config.prediction_type != "v_prediction":
            raise self._needs_velocity("`tinted`")
        train_only(self.unet, settings.only)
        self.discriminator: Any = settings.adversary and self._discriminator(settings.adversary)
        self.reader: Any = settings.reading and self._reader(settings.reading)

    def _discriminator(self, adversary: Adversary) -> Any:
        if self.scheduler.config.prediction_type != "v_prediction":
            raise self._needs_velocity("[unet.adversary]")
        self.rates["discriminator"] = adversary.rate
        made = PatchDiscriminator(
            self.unet.config.out_channels,
            self.text_encoder.config.hidden_size,
            adversary.widths,
        )
        return on_device(made, self.device).to(memory_format=torch.channels_last)

    def _reader(self, reading: Reading) -> Any:
        if self.scheduler.config.prediction_type != "v_prediction":
            raise self._needs_velocity("[unet.reading]")
        self.rates["reader"] = reading.rate
        self.asked: dict[Attribute, float] = {
            name: reading.weights.get(name, reading.weight) for name in REGIONS
        }
        made = AttributeReader(self.unet.config.out_channels, self.classes, reading.widths)
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
        if self.reader is not None:
            trained["reader"] = self.reader
        return trained

    def refresh(self) -> None:
        self.batches.refresh()

    def data_state(self) -> dict[str, Any]:
        return self.batches.data_state()

    def restore_data(self, state: dict[str, Any]) -> None:
        self.batches.restore_data(state)

    def work(self, step: int, generator: torch.Generator, shards: int) -> list[Shard]:
        batch = self.batches.draw(generator)
        count = len(batch.captions)
        # Interleaved, since timesteps are in order.
        picks = [range(first, count, shards) for first in range(min(shards, count))]
        reading = self.settings.reading
        loss = self._reader_alone if reading and step < reading.alone else self._loss
        return [partial(loss, batch.part(list(pick)), len(pick) / count) for pick in picks]

    def _reader_alone(self, batch: Batch, share: float) -> tuple[Tensor, dict[str, float]]:
        assert self.settings.reading is not None
        batch = batch.to(self.device)
        veiled = batch.latents + self.settings.reading.noise * batch.veil
        with self._precision():
            loss, right = self.reader.loss(veiled, batch.shown())
        return loss * share, {"read": right}

    def _loss(self, batch: Batch, share: float) -> tuple[Tensor, dict[str, float]]:
        with torch.set_grad_enabled(self.settings.train_text):
            text = encode_captions(self.text_encoder, self.tokenizer, batch.captions)
        batch = batch.to(self.device)
        timesteps, tinted = batch.timesteps, batch.tinted
        noisy = self.scheduler.add_noise(batch.begin, batch.noise, timesteps)
        with self._precision():
            predicted = self.unet(torch.cat([noisy, batch.depth], 1), timesteps, text).sample
        predicted = predicted.float()
        errors, weighted = self._errors(batch, noisy, predicted)
        loss = (weighted * torch.where(tinted, 1.0, self._weights(timesteps))).mean()
        late = timesteps >= self.settings.late_from
        kinds = {"late": late & ~tinted, "early": ~late & ~tinted, "tinted": tinted}
        figures = {"scenes": float(len(self.batches.scenes))}
        for label, chosen in kinds.items():
            if bool(chosen.any()):
                figures[label] = float(errors.detach()[chosen].mean())
        # Pictures made in one step, from noise or from a tinted massing.
        whole = (late | tinted).nonzero()[:, 0]
        if len(whole) and (self.settings.adversary or self.settings.reading):
            clean = self._clean(noisy, predicted, timesteps)[whole]
            some = batch.part(whole.tolist())
            criticism, said = self._criticised(some, clean, text.detach()[whole])
            loss = loss + criticism * len(whole) / len(timesteps)
            figures.update(said)
        return loss * share, figures

    def _criticised(
        self, batch: Batch, clean: Tensor, text: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        """What discriminator and reader make of clean latents, and figures of it."""
        loss, figures = torch.zeros((), device=clean.device), {}
        if (adversary := self.settings.adversary) is not None:
            with torch.no_grad():
                other = encode_captions(self.text_encoder, self.tokenizer, batch.others)
            pairs = Pairs(batch.latents, clean, batch.depth, text, other)
            with self._precision():
                verdict = contest(self.discriminator, pairs, adversary)
            loss = loss + verdict.loss
            figures.update(verdict.figures)
        if (reading := self.settings.reading) is not None:
            veil, shown = reading.noise * batch.veil, batch.shown()
            with self._precision():
                missed, shares = read(self.reader, batch.latents, clean, veil, shown, self.asked)
            loss = loss + missed
            figures.update(shares)
        return loss, figures

    def _errors(self, batch: Batch, noisy: Tensor, predicted: Tensor) -> tuple[Tensor, Tensor]:
        """Each sample's squared error, to log and to descend, both [n]."""
        if self.scheduler.config.prediction_type == "v_prediction":
            target = self.scheduler.get_velocity(batch.latents, batch.noise, batch.timesteps)
        else:
            target = batch.noise
        wrong = predicted - target
        if bool(batch.tinted.any()):
            # The noise is not that between picture and input, so the picture itself is compared.
            clean = self._clean(noisy, predicted, batch.timesteps)
            wrong = torch.where(batch.tinted[:, None, None, None], clean - batch.latents, wrong)
        emphasis = 1.0 + self.settings.subject * batch.subject
        errors = _mean_square(wrong, emphasis)
        adversary = self.settings.adversary
        if adversary is None:
            return errors, errors
        coarse = (F.avg_pool2d(each, adversary.grain) for each in (wrong, emphasis))
        return errors, _mean_square(*coarse) + adversary.fine * errors

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.mixed)

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
