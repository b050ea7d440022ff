"""Painting: the pictures of one job, batch after batch on one device.

Cancelling, previews and what is done when memory or half precision don't suffice are here; which
pictures there are, with which model and in which batches, is decided in `sampling`.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray

from . import devices
from .families.sd2_depth import PictureTask, Sd2Depth, is_out_of_memory
from .plan import Frame, Plan

log = logging.getLogger(__name__)

ProgressCallback = Callable[[str, int, int, dict[int, NDArray[np.uint8]]], None]
"""(stage, step, steps, previews): stage "loading", "sampling" or "decoding"; step counts denoising
steps of single pictures over the whole job; previews are uint8 [h, w, 3] by picture number."""


class JobCancelled(Exception):
    """The job's `cancelled` said so; nothing of it is kept."""


@dataclass(frozen=True)
class Picture:
    """One picture to paint: its place in the result, its frame and its seed."""

    number: int
    frame: Frame
    seed: int


@dataclass
class Job:
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


def paint(job: Job, batches: Sequence[Sequence[Picture]]) -> None:
    """Make the pictures of all batches, in that order, into `job.pictures`.

    Where the device runs out of memory the rest is made one at a time, at the lowest cost, with a
    warning; an error that says so a second time is raised, as is JobCancelled, and MaquetteError
    ("bad-numbers") where full precision overflows too.
    """
    waiting: deque[Sequence[Picture]] = deque(batches)
    while waiting:
        batch = waiting.popleft()
        job.check_cancelled()
        try:
            with job.model.low_memory() if job.frugal else contextlib.nullcontext():
                _paint(job, batch)
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
            rest = [picture for other in waiting for picture in other]
            waiting = deque([picture] for picture in (*batch, *rest))
        # Outside the except clause, where the exception no longer holds the batch's tensors.
        if job.frugal:
            devices.release_memory(job.model.device)


def _paint(job: Job, batch: Sequence[Picture]) -> None:
    """Make the pictures of one batch, again in float32 where numbers overflow."""
    if _try_paint(job, batch):
        return
    if job.model.dtype != torch.float32:
        log.warning("Values that are not finite; making the batch again in float32.")
        job.latents.clear()
        with job.model.full_precision():
            done = _try_paint(job, batch)
        job.latents.clear()
        if done:
            warning = "Half precision overflowed, so pictures were made again in full precision."
            if warning not in job.warnings:
                job.warnings.append(warning)
            return
    raise MaquetteError(
        "bad-numbers",
        f"The model {job.plan.recipe.model!r} gives values that are not numbers for this job.",
        "Lower the guidance and the weights of LoRAs, try another sampler, or fetch the "
        "model again.",
    )


def _try_paint(job: Job, batch: Sequence[Picture]) -> bool:
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
            on_step=_step_callback(job, batch),
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


def _step_callback(job: Job, batch: Sequence[Picture]) -> Callable[[int, int, torch.Tensor], None]:
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
