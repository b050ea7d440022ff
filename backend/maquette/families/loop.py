"""The denoising loop, which is the same for all families: it noises latents and takes them to the
picture, step by step or in a single one, with whatever predicts.

It runs on float32 latents whatever the UNet's precision, because the sum of many small steps is
lost in 8 bits of mantissa, and it is a generator, so that views which are painted together can
agree on their clean latents between two steps.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Generator, Sequence
from typing import Any

import torch

StepCallback = Callable[[int, int, torch.Tensor], None]
"""Called after each denoising step with its number (from 1), the number of steps, and the clean
latents that the model expects at the end (float32 [B, C, h, w])."""

Predictor = Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor]
"""What the UNet says of latents (as the scheduler scales them) at a timestep, guidance included,
float32 [B, C, h, w]. The number is the share of the steps that are done before this one, 0 to
below 1."""

Denoising = Generator[torch.Tensor | None, torch.Tensor | None, torch.Tensor]
"""A denoising under way: yields at each step, after the UNet's pass, the clean latents that the
model expects (float32 [B, C, h, w]), and goes on with those that it is sent in their place; None
where there is nothing to agree on. Returns the finished ones."""


class DenoisingLoop:
    """The loop with one scheduler of diffusers, for one device batch: schedulers count steps."""

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler

    @torch.inference_mode()
    def denoise(
        self,
        init_latents: torch.Tensor,
        predict: Predictor,
        generators: Sequence[torch.Generator],
        *,
        steps: int,
        strength: float,
        on_step: StepCallback,
        shared: float = 0.0,
    ) -> Denoising:
        """Noise the init latents by `strength` and denoise them; returns float32 [B, C, h, w].

        init_latents: float32 [B, C, h, w], scaled as the UNet wants them, on its device.
        generators: one for each picture; a picture's noise depends on its own alone, so neither its
        neighbours in the batch nor the UNet's precision change it. steps, strength: as in
        diffusers, `int(steps * strength)` steps run; a single one begins where the strength says
        and ends in the picture, whatever the scheduler. What `on_step` raises ends the loop.
        shared: the share of the steps, from the first on, at which the clean latents are yielded;
        the scheduler steps with the output that means those sent. Where there are such steps, the
        others yield None, so that several runs stay in step. A single step is none of them.
        """
        device, latents = init_latents.device, init_latents
        noise = torch.cat(
            [
                torch.randn(init_latents.shape[1:], generator=generator).unsqueeze(0)
                for generator in generators
            ]
        ).to(device)
        if steps == 1:
            every = self.scheduler.config.num_train_timesteps
            timestep = torch.tensor(max(0, round(strength * every) - 1), device=device)
            latents = self._at_once(latents, noise, timestep, predict)
            on_step(1, 1, latents)
            return latents
        self.scheduler.set_timesteps(steps, device=device)
        timesteps = self._timesteps(steps, strength)
        latents = self.scheduler.add_noise(latents, noise, timesteps[:1].repeat(len(latents)))
        takes_noise = "generator" in inspect.signature(self.scheduler.step).parameters
        options = {"generator": list(generators)} if takes_noise else {}
        return (yield from self._in_steps(latents, timesteps, predict, on_step, shared, options))

    def _timesteps(self, steps: int, strength: float) -> torch.Tensor:
        """Those of a schedule of `steps` that are left when it begins at the strength."""
        skipped = max(0, steps - int(steps * strength)) * self.scheduler.order
        if hasattr(self.scheduler, "set_begin_index"):
            self.scheduler.set_begin_index(skipped)
        return self.scheduler.timesteps[skipped:]

    def _at_once(
        self,
        latents: torch.Tensor,
        noise: torch.Tensor,
        timestep: torch.Tensor,
        predict: Predictor,
    ) -> torch.Tensor:
        """Noise the latents to a timestep and go from there to the picture in one step."""
        kept = self.scheduler.alphas_cumprod.to(timestep.device)[timestep]
        latents = kept.sqrt() * latents + (1.0 - kept).sqrt() * noise
        return self._clean(latents, predict(latents, timestep, 0.0), kept)

    def _in_steps(
        self,
        latents: torch.Tensor,
        timesteps: torch.Tensor,
        predict: Predictor,
        on_step: StepCallback,
        shared: float,
        options: dict[str, Any],
    ) -> Denoising:
        """Go from noised latents to the picture as the scheduler does; `options` are its own."""
        scheduler = self.scheduler
        for index, timestep in enumerate(timesteps):
            scaled = scheduler.scale_model_input(latents, timestep)
            output = predict(scaled, timestep, index / len(timesteps))
            if index < math.ceil(shared * len(timesteps)):
                kept = _kept(scheduler, timestep, index - len(timesteps))
                output = yield from self._agreed(scaled, output, kept)
            elif shared:
                yield None
            step: Any = scheduler.step(output, timestep, latents, **options)
            latents = step.prev_sample
            on_step(index + 1, len(timesteps), _expected(scheduler, step))
        return latents

    def _agreed(self, latents: torch.Tensor, output: torch.Tensor, kept: torch.Tensor) -> Denoising:
        """Yield the clean latents that the UNet's output means; returns the output that means
        those sent."""
        clean = self._clean(latents, output, kept)
        sent = yield clean
        assert sent is not None
        return output + self._turn(kept) * (sent - clean)

    def _clean(
        self, latents: torch.Tensor, output: torch.Tensor, kept: torch.Tensor
    ) -> torch.Tensor:
        """The clean latents that the UNet's output means (Salimans and Ho, ICLR 2022).

        kept: the share of the latents' variance that is signal, where signal and noise together
        have one.
        """
        kind = self.scheduler.config.prediction_type
        if kind == "v_prediction":
            return kept.sqrt() * latents - (1.0 - kept).sqrt() * output
        if kind == "epsilon":
            return (latents - (1.0 - kept).sqrt() * output) / kept.sqrt()
        return output

    def _turn(self, kept: torch.Tensor) -> torch.Tensor:
        """What the UNet's output changes by where the clean latents that it means change by one:
        `_clean` solved for the output."""
        kind = self.scheduler.config.prediction_type
        if kind == "v_prediction":
            return -1.0 / (1.0 - kept).sqrt()
        if kind == "epsilon":
            return -(kept / (1.0 - kept)).sqrt()
        return torch.ones_like(kept)


def _kept(scheduler: Any, timestep: torch.Tensor, place: int) -> torch.Tensor:
    """The share of signal in the variance of what the UNet is shown at a step.

    place: of the timestep in the scheduler's own, from their end. Schedulers that count in sigma,
    noise against signal, may have moved it from the timestep's own.
    """
    sigmas = getattr(scheduler, "sigmas", None)
    if sigmas is None:
        return scheduler.alphas_cumprod.to(timestep.device)[timestep]
    sigma = sigmas[len(scheduler.timesteps) + place].to(timestep.device)
    return 1.0 / (1.0 + sigma**2)


def _expected(scheduler: Any, step: Any) -> torch.Tensor:
    """What the model expects the finished latents to be, after one scheduler step.

    One-step schedulers return it, the multistep ones keep it; `pndm` does neither, and the
    noisy latents themselves stand in.
    """
    for name in ("pred_original_sample", "denoised"):
        clean = getattr(step, name, None)
        if clean is not None:
            return clean
    outputs = getattr(scheduler, "model_outputs", None)
    return outputs[-1] if outputs and outputs[-1] is not None else step.prev_sample


def guide(output: torch.Tensor, guidance: float) -> torch.Tensor:
    """Classifier-free guidance (Ho and Salimans, 2022): what a UNet says without and with the
    prompt, [2 B, C, h, w], as one [B, C, h, w]."""
    without, with_prompt = output.chunk(2)
    return without + guidance * (with_prompt - without)
