"""A family: what the ways of running a kind of checkpoint have in common, which is all but what
they are made of, how they read a prompt and how they are shown depth.

`PictureTask` in, latents and pictures out; `painting` makes them run. Each family is a module
beside this one (`sd2_depth`, `sdxl_control`), which `registry` chooses by a model's directory.
"""

from __future__ import annotations

import contextlib
import copy
import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Lora
from numpy.typing import NDArray

from .. import devices, schedulers
from ..materials.tiling import wrapped
from ..preview import LatentPreview
from . import checkpoint, prompts
from .autoencoder import Autoencoder
from .doubling import double_at_once
from .libraries import quiet
from .loop import Denoising, DenoisingLoop, Predictor, StepCallback
from .lora_words import words_of_lora
from .mixed import body_dtype
from .openings import completed
from .settings import ModelSettings
from .shared_attention import SharedAttention, shared_attention

Words = TypeVar("Words")
"""An encoded prompt, as a family has it."""

_EMBEDS_KEPT = 64


@dataclass(frozen=True)
class PictureTask:
    """What one picture of a batch is made from.

    init: float32 [1, C, h, w], the capture's latents. depth: float32 [h, w], as `depth_channel`
    gives it. prompt: as the model reads it. lines: uint8 [H, W] at the padded size, white on black,
    where the picture is held to any. depth_influence, lines_influence: what they count, 0 to 1,
    where a model's channel doesn't say it already.
    """

    init: torch.Tensor
    depth: NDArray[np.float32]
    seed: int
    prompt: str
    lines: NDArray[np.uint8] | None = None
    depth_influence: float = 1.0
    lines_influence: float = 1.0


class Family(ABC, Generic[Words]):
    """A loaded model, on one device and in one precision.

    pipeline: of diffusers; its parts and those that a subclass has beside it are moved to the
    device. Several threads may paint with one, each a batch of its own.
    """

    def __init__(self, pipeline: Any, settings: ModelSettings, device: torch.device) -> None:
        self.pipeline = pipeline
        self.settings = settings
        self.device = device
        self.dtype: torch.dtype = body_dtype(pipeline.unet)
        self.scheduler_config = dict(pipeline.scheduler.config)
        self._schedulers: dict[str, Any] = {}
        self.factor: int = pipeline.vae_scale_factor
        self._loras: tuple[tuple[Path, float], ...] = ()
        self._lora_words: frozenset[str] = frozenset()
        # Of each number of threads, on which rounding depends.
        self._embeds: dict[tuple[str, int], Words] = {}
        self._keeping = threading.Lock()
        pipeline.set_progress_bar_config(disable=True)
        for part in self.parts:
            self.settled(part)
        if device.type == "cpu":
            double_at_once(pipeline.unet, pipeline.vae)
        self.autoencoder = Autoencoder(pipeline.vae, self.factor, device)
        self.preview = LatentPreview.fit(self.autoencoder.encode_unit, self.factor)

    def settled(self, part: Any) -> Any:
        """A part on the device, to be run and not trained."""
        part.requires_grad_(False).eval().to(self.device)
        if self.device.type != "mps":  # where convolutions gain nothing from it
            part.to(memory_format=torch.channels_last)
        return part

    # --- what a family is -----------------------------------------------------------------------

    @classmethod
    @abstractmethod
    def load(
        cls, directory: Path, settings: ModelSettings, device: torch.device, dtype: torch.dtype
    ) -> Family[Any]:
        """Load a directory. Raises MaquetteError naming the file for everything wrong with it."""

    @property
    @abstractmethod
    def encoders(self) -> Sequence[Any]:
        """The text encoders."""

    @property
    def takes_lines(self) -> bool:
        """Whether its pictures can be held to lines."""
        return False

    def prepare(self, lines: bool) -> None:
        """Load what the next pictures need besides. lines: whether they are held to any."""

    @property
    def painters(self) -> Sequence[Any]:
        """What runs at each step: convolutions that may have to wrap, and attention."""
        return (self.pipeline.unet,)

    @abstractmethod
    def depth_channel(self, encoded: NDArray[np.float32], influence: float) -> NDArray[np.float32]:
        """What the model is given of encoded depth [H, W] at the padded size, [h, w] in [-1, 1] at
        the resolution that it wants. influence: of the depth, 0 to 1."""

    @abstractmethod
    def _encode(self, text: str) -> Words:
        """A prompt; kept by `encode_prompt`."""

    @abstractmethod
    def _predictor(
        self, tasks: Sequence[PictureTask], negative_prompt: str, guidance: float
    ) -> Predictor:
        """What predicts for a device batch of pictures of one size."""

    @property
    def parts(self) -> Sequence[Any]:
        """Everything with weights."""
        return (*self.painters, self.pipeline.vae, *self.encoders)

    @property
    def multiple(self) -> int:
        """Pixels that both sides of a picture are padded to a multiple of, so that every level of
        the UNet halves evenly and nothing is rescaled on the way."""
        levels = len(self.pipeline.unet.config.block_out_channels)
        return self.factor * 2 ** (levels - 1)

    # --- what a recipe chooses ------------------------------------------------------------------

    def set_loras(self, loras: Sequence[tuple[Lora, Path]]) -> None:
        """Apply these adapters and no others. Raises MaquetteError("bad-lora") naming the file."""
        wanted = tuple((path, lora.weight) for lora, path in loras)
        if wanted == self._loras:
            return
        self._embeds.clear()  # an adapter may change the text encoder too
        self.pipeline.unload_lora_weights()
        self._loras, self._lora_words = (), frozenset()
        names = [f"adapter_{index}" for index in range(len(wanted))]
        for name, (path, _) in zip(names, wanted, strict=True):
            self._load_lora(name, path)
        if names:
            self.pipeline.set_adapters(names, [weight for _, weight in wanted])
        self._loras = wanted
        self._lora_words = frozenset().union(*(words_of_lora(path) for path, _ in wanted))

    def _load_lora(self, name: str, path: Path) -> None:
        checkpoint.check_safetensors(path)
        try:
            with quiet():
                self.pipeline.load_lora_weights(str(path), adapter_name=name, local_files_only=True)
            adapters = self.pipeline.get_list_adapters()
        except (OSError, ValueError, RuntimeError, LookupError, TypeError) as error:
            if devices.is_out_of_memory(error):
                raise
            self.pipeline.unload_lora_weights()
            raise _bad_lora(path) from error
        if not any(name in used for used in adapters.values()):
            self.pipeline.unload_lora_weights()
            raise _bad_lora(path)

    def encode_prompt(self, text: str) -> Words:
        """A prompt in the text encoders' precision; kept for the next picture."""
        key = text, torch.get_num_threads()
        with self._keeping:
            if key not in self._embeds:
                if len(self._embeds) >= _EMBEDS_KEPT:
                    self._embeds.clear()
                with quiet(), torch.inference_mode():
                    self._embeds[key] = self._encode(text)
            return self._embeds[key]

    def completed(self, prompt: str, seed: int) -> str:
        """The prompt as this seed reads it."""
        return completed(prompt, seed, self.settings.openings)

    def prompt_warnings(self, text: str, label: str) -> list[str]:
        """Sentences on words of a prompt that this model, with the LoRAs that are set, can't use;
        `label` names the prompt."""
        known = self.settings.vocabulary
        window = min(
            self.pipeline.tokenizer.model_max_length,
            self.pipeline.text_encoder.config.max_position_embeddings,
        )
        return prompts.warnings(
            text,
            label,
            self.pipeline.tokenizer,
            window,
            None if known is None else known | self._lora_words,
        )

    # --- sampling -------------------------------------------------------------------------------

    def begins_in_noise(self, sampler: str, steps: int, strength: float) -> bool:
        """Whether nothing of a capture's colours is left where painting begins: in a single step
        from the end of a schedule that ends in pure noise."""
        if steps != 1 or strength != 1.0:
            return False
        scheduler = self._scheduler(sampler, steps)
        return float(scheduler.alphas_cumprod[-1]) == 0.0

    def denoise(
        self,
        tasks: Sequence[PictureTask],
        *,
        negative_prompt: str,
        sampler: str,
        steps: int,
        strength: float,
        guidance: float,
        on_step: StepCallback,
        shared: float = 0.0,
    ) -> Denoising:
        """One device batch of pictures of one size; returns float32 latents [B, C, h, w].

        For the first `shared` of the steps it yields the clean latents, and goes on with those
        that it is sent, then None; others may run meanwhile.
        """
        with torch.inference_mode():
            predict = self._predictor(tasks, negative_prompt, guidance)
        return (
            yield from DenoisingLoop(self._scheduler(sampler, steps)).denoise(
                torch.cat([task.init for task in tasks]),
                predict,
                [torch.Generator().manual_seed(task.seed) for task in tasks],
                steps=steps,
                strength=strength,
                on_step=on_step,
                shared=shared,
            )
        )

    def _scheduler(self, sampler: str, steps: int) -> Any:
        """A fresh one for each batch, which counts its steps; a single one isn't counted.

        diffusers takes far longer to make one than to copy it.
        """
        if sampler not in self._schedulers:
            self._schedulers[sampler] = schedulers.make(sampler, self.scheduler_config)
        made = self._schedulers[sampler]
        return made if steps == 1 else copy.deepcopy(made)

    @contextlib.contextmanager
    def seamless(self) -> Iterator[None]:
        """Inside, what is painted goes on at the opposite edge."""
        with wrapped(*self.painters), self.autoencoder.seamless():
            yield

    def shared_attention(self, guided: bool) -> contextlib.AbstractContextManager[SharedAttention]:
        """Inside, all that is painted also attends to the anchor's pass."""
        return shared_attention(self.pipeline.unet, guided)

    # --- cost -----------------------------------------------------------------------------------

    def weight_bytes(self) -> int:
        """Memory of the weights."""
        return sum(p.numel() * p.element_size() for part in self.parts for p in part.parameters())

    def picture_bytes(self, height: int, width: int, guided: bool) -> int:
        """Memory that one more picture of a batch takes in a UNet pass, estimated.

        The first level holds its skip connections, its working copies and the attention's queries,
        keys and values: about 24 maps of its channels; each further level a quarter of the pixels
        with at most twice the channels, together less than as much again.
        """
        channels = self.pipeline.unet.config.block_out_channels[0]
        cells = math.ceil(height / self.factor) * math.ceil(width / self.factor)
        return 48 * cells * channels * self.dtype.itemsize * (2 if guided else 1)

    @contextlib.contextmanager
    def low_memory(self) -> Iterator[None]:
        """Inside, attention runs in slices and the VAE in tiles: slower, far less memory."""
        processors = [part.attn_processors for part in self.painters]
        for part in self.painters:
            part.set_attention_slice("max")
        try:
            with self.autoencoder.low_memory():
                yield
        finally:
            for part, used in zip(self.painters, processors, strict=True):
                part.set_attention_slice(None)
                part.set_attn_processor(used)

    @contextlib.contextmanager
    def full_precision(self) -> Iterator[None]:
        """Inside, everything runs in float32."""
        tensors = [
            (tensor, tensor.dtype)
            for part in self.parts
            for tensor in (*part.parameters(), *part.buffers())
            if tensor.is_floating_point()
        ]
        self._forget()
        for tensor, _ in tensors:
            tensor.data = tensor.data.float()
        try:
            yield
        finally:
            for tensor, dtype in tensors:
                tensor.data = tensor.data.to(dtype)
            self._forget()

    def _forget(self) -> None:
        """What was kept of prompts and pictures."""
        self._embeds.clear()
        self.autoencoder.forget()


def _bad_lora(path: Path) -> MaquetteError:
    return MaquetteError(
        "bad-lora",
        f"The LoRA {path} does not fit this model.",
        "Use one that was trained for this checkpoint, or remove it from the recipe.",
    )
