"""Sampler: runs jobs on one device. A recipe and captures in, pictures out.

What decides a picture is its capture, the recipe and the job's one depth range, never the other
pictures of the job: each has its own generator on the CPU, and device batches are made up by size
and by the device's whole memory, never by what happens to be free. The same job is bit-identical
on the same machine; pictures packed into other batches differ by rounding alone.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray

from . import devices
from .catalogue import Catalogue, Entry
from .families.sd2_depth import PictureTask, Sd2Depth, is_out_of_memory
from .families.settings import read_settings
from .plan import Frame, Plan, make_plan

log = logging.getLogger(__name__)

ProgressCallback = Callable[[str, int, int, dict[int, NDArray[np.uint8]]], None]
"""(stage, step, steps, previews): stage "loading", "sampling" or "decoding"; step counts denoising
steps of single pictures over the whole job; previews are uint8 [h, w, 3] by picture number."""

_BATCH_MAX = 16
# The most that one batch may hold, in pixels: a cancel takes effect within one step of a batch.
_BATCH_PIXELS = 16 * 512 * 512
_BATCH_SHARE = 0.5  # of the memory that the weights leave


class JobCancelled(Exception):
    """The job's `cancelled` said so; nothing of it is kept."""


@dataclass(frozen=True)
class SamplingResult:
    """A finished job.

    Attributes:
        recipe: with the model's hash and every default filled in.
        pictures: (number of the capture, seed, uint8 sRGB [H, W, 3]), by capture, then by seed.
        encoded_depth: for each capture what the model saw, uint8 [h, w] at latent size, near white.
        warnings: sentences for the user.
        seconds: time spent loading, encoding, sampling and decoding.
    """

    recipe: Recipe
    pictures: list[tuple[int, int, NDArray[np.uint8]]]
    encoded_depth: list[NDArray[np.uint8]]
    warnings: list[str]
    seconds: dict[str, float]


@dataclass(frozen=True)
class _Picture:
    """One picture to paint: its place in the result, its frame and its seed."""

    number: int
    frame: Frame
    seed: int


@dataclass
class _Job:
    """The state of a running job."""

    plan: Plan
    model: Sd2Depth
    progress: ProgressCallback
    cancelled: Callable[[], bool]
    previews: bool
    seconds: dict[str, float]
    warnings: list[str]
    latents: dict[int, torch.Tensor] = field(default_factory=dict)
    pictures: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    frugal: bool = False

    @property
    def count(self) -> int:
        return len(self.plan.frames) * self.plan.recipe.count

    def check_cancelled(self) -> None:
        if self.cancelled():
            raise JobCancelled

    @contextlib.contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            self.seconds[stage] = self.seconds.get(stage, 0.0) + elapsed


class Sampler:
    """Runs jobs on one device, one after the other, and keeps the last model loaded.

    Args:
        device: "cuda:0", "mps", "cpu", or "auto" for the best one there is.
        catalogue: where models are looked up; the user's own where None.
        dtype: precision of the models that allow it; what suits the device where None.
        batch_size: pictures in a device batch; what suits the memory where None.
    """

    def __init__(
        self,
        device: str = "auto",
        *,
        catalogue: Catalogue | None = None,
        dtype: torch.dtype | None = None,
        batch_size: int | None = None,
    ) -> None:
        self.device = devices.find(device)
        self.dtype = dtype or devices.precision(self.device)
        self.catalogue = catalogue or Catalogue()
        self._batch_size = batch_size
        self._loaded: tuple[str, str, Sd2Depth] | None = None
        devices.make_deterministic()

    def run(
        self,
        recipe: Recipe,
        captures: Sequence[Capture],
        *,
        progress: ProgressCallback | None = None,
        cancelled: Callable[[], bool] | None = None,
        previews: bool = False,
    ) -> SamplingResult:
        """Make `recipe.count` pictures of each capture.

        progress is called, and cancelled asked, at least once for each denoising step. Raises
        JobCancelled where cancelled says true, and MaquetteError for everything a user can mend.
        """
        progress = progress or _no_progress
        cancelled = cancelled or _never
        recipe.check()
        entry = self.catalogue.present(recipe.model)
        loras = [(lora, self.catalogue.lora(lora.name)) for lora in recipe.loras]
        seconds: dict[str, float] = {}
        try:
            start = time.perf_counter()
            model, model_hash = self._model(entry, progress)
            model.set_loras(loras)
            seconds["loading"] = time.perf_counter() - start
            plan = make_plan(recipe, captures, model, model_hash)
            job = _Job(plan, model, progress, cancelled, previews, seconds, list(plan.warnings))
            job.check_cancelled()
            self._paint_all(job)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            self._release()
            raise self._out_of_memory(entry) from error
        return SamplingResult(
            recipe=plan.recipe,
            pictures=[
                (number // recipe.count, recipe.seed + number % recipe.count, job.pictures[number])
                for number in range(job.count)
            ],
            encoded_depth=[frame.seen for frame in plan.frames],
            warnings=job.warnings,
            seconds={stage: round(spent, 4) for stage, spent in seconds.items()},
        )

    # --- models ---------------------------------------------------------------------------------

    def _model(self, entry: Entry, progress: ProgressCallback) -> tuple[Sd2Depth, str]:
        """The loaded model and its hash; a model whose files have changed is loaded again."""
        model_hash = self.catalogue.hash_of(entry)
        key = str(entry.directory.absolute())
        if self._loaded is not None and self._loaded[:2] == (key, model_hash):
            return self._loaded[2], model_hash
        progress("loading", 0, 0, {})
        self._release()
        settings = read_settings(entry.directory)
        dtype = torch.float32 if settings.precision == "full" else self.dtype
        model = Sd2Depth.load(entry.directory, settings, self.device, dtype)
        self._loaded = (key, model_hash, model)
        return model, model_hash

    def _release(self) -> None:
        self._loaded = None
        devices.release_memory(self.device)

    # --- a job ----------------------------------------------------------------------------------

    def _paint_all(self, job: _Job) -> None:
        batches = deque(self._batches(job))
        while batches:
            batch = batches.popleft()
            job.check_cancelled()
            try:
                with job.model.low_memory() if job.frugal else contextlib.nullcontext():
                    self._paint(job, batch)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or job.frugal:
                    raise
                log.warning("Out of memory in a batch of %d pictures: %s", len(batch), error)
                job.frugal = True
                job.warnings.append(
                    "The device ran out of memory, so the pictures were made one at a time, with "
                    "attention in slices and decoding in tiles; use fewer or smaller pictures to "
                    "be faster."
                )
                rest = [picture for other in batches for picture in other]
                batches = deque([picture] for picture in (*batch, *rest))
            # Outside the except clause, where the exception no longer holds the batch's tensors.
            if job.frugal:
                devices.release_memory(self.device)

    def _batches(self, job: _Job) -> list[list[_Picture]]:
        """Pictures of one size together, in their order, as many as the device takes at once."""
        count = job.plan.recipe.count
        groups: dict[tuple[int, int], list[_Picture]] = {}
        for number in range(job.count):
            frame = job.plan.frames[number // count]
            picture = _Picture(number, frame, job.plan.recipe.seed + number % count)
            groups.setdefault(frame.padded, []).append(picture)
        batches = []
        for size, group in groups.items():
            step = self.batch_size(job.model, size, job.plan.guided)
            batches += [group[start : start + step] for start in range(0, len(group), step)]
        return batches

    def batch_size(self, model: Sd2Depth, size: tuple[int, int], guided: bool) -> int:
        """Pictures of a padded size (width, height) in one device batch.

        On a processor it is one: its cores are busy with one picture, the first one is there
        sooner, and no picture depends on how many others there are, not even by rounding.
        """
        if self._batch_size is not None:
            return self._batch_size
        if self.device.type == "cpu":
            return 1
        width, height = size
        spare = devices.memory_bytes(self.device) * 0.9 - model.weight_bytes()
        fitting = _BATCH_SHARE * spare / model.picture_bytes(height, width, guided)
        return max(1, min(_BATCH_MAX, int(fitting), _BATCH_PIXELS // (width * height)))

    def _paint(self, job: _Job, batch: Sequence[_Picture]) -> None:
        """Make the pictures of one batch, again in float32 where numbers overflow."""
        if self._try_paint(job, batch):
            return
        if job.model.dtype != torch.float32:
            log.warning("Values that are not finite; making the batch again in float32.")
            job.latents.clear()
            with job.model.full_precision():
                done = self._try_paint(job, batch)
            job.latents.clear()
            if done:
                warning = (
                    "Half precision overflowed, so pictures were made again in full precision."
                )
                if warning not in job.warnings:
                    job.warnings.append(warning)
                return
        raise MaquetteError(
            "bad-numbers",
            f"The model {job.plan.recipe.model!r} gives values that are not numbers for this job.",
            "Lower the guidance and the weights of LoRAs, try another sampler, or fetch the "
            "model again.",
        )

    def _try_paint(self, job: _Job, batch: Sequence[_Picture]) -> bool:
        """Make the pictures of one batch; False where a value isn't finite."""
        plan, model = job.plan, job.model
        with job.timed("encoding"):
            for picture in batch:
                frame = picture.frame
                if frame.index not in job.latents:
                    job.latents[frame.index] = model.encode_picture(frame.color)
        tasks = [PictureTask(job.latents[p.frame.index], p.frame.depth, p.seed) for p in batch]
        with job.timed("sampling"):
            latents = model.denoise(
                tasks,
                prompt=plan.recipe.prompt,
                negative_prompt=plan.recipe.negative_prompt,
                sampler=plan.sampler,
                steps=plan.steps,
                strength=plan.strength,
                guidance=plan.guidance,
                on_step=self._step_callback(job, batch),
            )
        if not bool(torch.isfinite(latents).all()):
            return False
        with job.timed("decoding"):
            for position, picture in enumerate(batch):
                job.check_cancelled()
                whole = model.decode(latents[position : position + 1])
                if whole is None:
                    return False
                width, height = picture.frame.size
                job.pictures[picture.number] = np.ascontiguousarray(whole[:height, :width])
        return True

    def _step_callback(
        self, job: _Job, batch: Sequence[_Picture]
    ) -> Callable[[int, int, torch.Tensor], None]:
        done = len(job.pictures)

        def on_step(step: int, steps: int, clean: torch.Tensor) -> None:
            job.check_cancelled()
            shown = {}
            if job.previews:
                for picture, latents in zip(batch, clean, strict=True):
                    width, height = (-(-side // job.model.factor) for side in picture.frame.size)
                    shown[picture.number] = job.model.preview.picture(latents[:, :height, :width])
            at = done * steps + len(batch) * step
            stage = "decoding" if step == steps else "sampling"
            job.progress(stage, at, job.count * steps, shown)

        return on_step

    def _out_of_memory(self, entry: Entry) -> MaquetteError:
        return MaquetteError(
            "out-of-memory",
            f"{devices.describe(self.device)} has not enough memory for this job with the model "
            f"{entry.name!r}, also one picture at a time.",
            "Use a smaller size, a smaller model, or close other programs that use the device.",
        )


def _no_progress(stage: str, step: int, steps: int, previews: dict[int, Any]) -> None:
    """Nobody watches."""


def _never() -> bool:
    return False
