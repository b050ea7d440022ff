"""Painting: the pictures of one job, batch after batch on one device, or all batches step by step
where their views are to agree.

Cancelling, previews and what is done when memory or half precision don't suffice are here; which
pictures there are, with which model and in which batches, is decided in `sampling`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray

from . import devices
from .agreement import agree
from .even_light import even_light
from .families.family import Family, PictureTask
from .families.loop import Denoising
from .frames import Frame
from .plan import Plan
from .together import SHARE, SurfaceAverage
from .workers import Workers

log = logging.getLogger(__name__)

ProgressCallback = Callable[[str, int, int, dict[int, NDArray[np.uint8]]], None]
"""(stage, step, steps, previews): stage "loading", "sampling" or "decoding"; step counts denoising
steps of single pictures over the whole job; previews are uint8 [h, w, 3] by picture number."""


class JobCancelled(Exception):
    """The job's `cancelled` said so; nothing of it is kept."""


@dataclass(frozen=True)
class Picture:
    """One picture to paint, by its number in the plan."""

    number: int
    plan: Plan

    @property
    def frame(self) -> Frame:
        """Its capture's, once that is made."""
        return self.plan.frame(self.number)

    @property
    def padded(self) -> tuple[int, int]:
        """(width, height) that the model works on."""
        return self.plan.padded[self.number // self.plan.recipe.count]

    @property
    def seed(self) -> int:
        return self.plan.recipe.seed + self.number % self.plan.recipe.count


Batch = Sequence[Picture]
"""Pictures of one size, painted at once."""


@dataclass
class Job:
    """The state of a running job.

    `pictures` begins with those that are `given`. With `captures` the others agree on what these
    share, and there is one picture of each; frames whose picture is given show it as their colour.
    With `average` they are synchronised as well. With
    `anchor` they also attend to the picture of that number, which is the first of the first batch;
    where it is given, what is painted of it is dropped. With `even` the light that is painted is
    taken out of all pictures at the end, from what was `decoded`.
    `measured` is told the seconds that sampling a batch took; None where memory did not suffice.
    `at_once` pictures are painted at the same time, by threads of their own.
    """

    plan: Plan
    model: Family[Any]
    progress: ProgressCallback
    cancelled: Callable[[], bool]
    previews: bool
    seconds: dict[str, float]
    warnings: list[str]
    given: frozenset[int] = frozenset()
    captures: Sequence[Capture] = ()
    average: SurfaceAverage | None = None
    anchor: int | None = None
    latents: dict[int, torch.Tensor] = field(default_factory=dict)
    pictures: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    even: bool = False
    decoded: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    frugal: bool = False
    measured: Callable[[Batch, float | None], None] = lambda batch, seconds: None
    at_once: int = 1
    _at_work: int = 1
    _steps: dict[int, int] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def count(self) -> int:
        return len(self.plan.padded) * self.plan.recipe.count

    def check_cancelled(self) -> None:
        with self._lock:
            if self.cancelled():
                raise JobCancelled

    def begun(self, group: Sequence[Batch]) -> None:
        """The pictures of a group are at their beginning, maybe again."""
        with self._lock:
            self._steps |= {picture.number: 0 for batch in group for picture in batch}

    def stepped(
        self,
        batch: Batch,
        stage: str,
        step: int,
        steps: int,
        previews: dict[int, NDArray[np.uint8]],
    ) -> None:
        """Tell how far the job is, where a batch has done `step` of its `steps`."""
        with self._lock:
            self._steps |= {picture.number: step for picture in batch}
            done = sum(self._steps.get(n, steps) for n in self._steps | self.pictures)
            self.progress(stage, done, self.count * steps, previews)

    @contextlib.contextmanager
    def shared_by(self, threads: int) -> Iterator[None]:
        """Inside, so many are at work, and the time of each counts for a part of a stage's."""
        self._at_work = threads
        try:
            yield
        finally:
            self._at_work = 1

    @contextlib.contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Count the time inside as a stage's."""
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = (time.perf_counter() - start) / self._at_work
            with self._lock:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + elapsed


def paint(job: Job, batches: Sequence[Batch]) -> None:
    """Make the pictures of all batches, in that order, into `job.pictures`.

    Where the device runs out of memory the rest is made one at a time, at the lowest cost, with a
    warning; an error that says so a second time is raised, as is JobCancelled, and MaquetteError
    ("bad-numbers") where full precision overflows too.
    """
    waiting = _groups(job, batches)
    if min(job.at_once, len(waiting)) > 1:
        waiting = deque(_left_by_threads(job, waiting))
    while waiting:
        group = waiting.popleft()
        job.check_cancelled()
        try:
            with contextlib.ExitStack() as inside:
                if job.frugal:
                    inside.enter_context(job.model.low_memory())
                if job.plan.seamless:
                    inside.enter_context(job.model.seamless())
                _paint(job, group)
        except (RuntimeError, MemoryError) as error:
            if not devices.is_out_of_memory(error) or job.frugal:
                raise
            log.warning("Out of memory in batches of %s pictures: %s", [*map(len, group)], error)
            if len(group) == 1:
                job.measured(group[0], None)
            job.frugal = True
            job.warnings.append(
                "The device ran out of memory, so the pictures were made one at a time, with "
                "attention in slices and decoding in tiles; use fewer or smaller pictures to "
                "be faster."
            )
            rest = [batch for other in (group, *waiting) for batch in other]
            waiting = _groups(job, [[picture] for batch in rest for picture in batch])
        # Outside the except clause, where the exception no longer holds the batch's tensors.
        if job.frugal:
            devices.release_memory(job.model.device)
    if job.decoded:
        _finish(job)


def _finish(job: Job) -> None:
    """Make the pictures of what was decoded: agreed, and without the light that was painted."""
    every, painted = [job.plan.frame(number) for number in job.decoded], [*job.decoded.values()]
    numbers, given, shared = [*job.decoded], frozenset[int](), None
    if job.captures:
        with job.timed("aligning"):
            every, given = [*job.plan.frames], job.given
            painted = [job.decoded.get(frame.index, frame.color) for frame in every]
            painted, shared = agree(job.captures, every, painted, given)
            numbers = [frame.index for frame in every if frame.index not in given]
    with job.timed("decoding"):
        if not job.even:
            for number in numbers:
                job.check_cancelled()
                job.pictures[number] = every[number].cropped(painted[number])
            return
        scale = job.model.settings.light_scale
        lit = []
        for frame, whole in zip(every, painted, strict=True):
            job.check_cancelled()
            lit.append(frame.lit(whole, scale))
        ties = None
        if shared is not None:
            faces = [f.as_painted(each.faces, -1) for f, each in zip(every, lit, strict=True)]
            ties = shared.ties(faces, [len(each.walls) for each in lit])
        shown = [frame for place, frame in enumerate(every) if place not in given]
        pictures = even_light(lit, ties, given)
        for number, frame, picture in zip(numbers, shown, pictures, strict=True):
            job.pictures[number] = frame.colored(picture)


def _left_by_threads(job: Job, groups: Sequence[Sequence[Batch]]) -> list[Sequence[Batch]]:
    """Have each group painted by one of several threads; returns those that need more care."""

    def is_painted(group: Sequence[Batch]) -> bool:
        job.check_cancelled()
        try:
            return _try_paint(job, group)
        except (RuntimeError, MemoryError) as error:
            if not devices.is_out_of_memory(error):
                raise
            log.warning("Out of memory with %s pictures at a time: %s", count, error)
            return False

    threads, count = torch.get_num_threads(), min(job.at_once, len(groups))
    with Workers.hired(count, threads) as workers, job.shared_by(count):
        painted = list(workers.each(is_painted, groups))
    return [group for group, is_done in zip(groups, painted, strict=True) if not is_done]


def _groups(job: Job, batches: Sequence[Batch]) -> deque[Sequence[Batch]]:
    """The batches that run step by step together: all of them, or each by itself."""
    if job.average is None:
        return deque([batch] for batch in batches)
    return deque([batches])


def _paint(job: Job, group: Sequence[Batch]) -> None:
    """Make the pictures of one group, again in float32 where numbers overflow."""
    before = job.seconds.get("sampling", 0.0)
    if _try_paint(job, group):
        if len(group) == 1 and not job.frugal:
            job.measured(group[0], job.seconds["sampling"] - before)
        return
    if job.model.dtype != torch.float32:
        log.warning("Values that are not finite; making the pictures again in float32.")
        job.latents.clear()
        with job.model.full_precision():
            done = _try_paint(job, group)
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


def _try_paint(job: Job, group: Sequence[Batch]) -> bool:
    """Make the pictures of one group; False where a value isn't finite."""
    model = job.model
    with job.timed("encoding"):
        plan = job.plan
        unseen = model.begins_in_noise(plan.sampler, plan.steps, plan.strength)
        for frame in _shown(job, group):
            if frame.index in job.latents:
                continue
            given = job.average is not None and frame.index in job.given
            job.latents[frame.index] = (
                model.autoencoder.blank(frame.padded)
                if unseen and not given
                else model.autoencoder.encode(frame.color)
            )
    with job.timed("sampling"):
        painted = _denoise(job, group)
        devices.finish(model.device)
    if not all(bool(torch.isfinite(latents).all()) for latents in painted):
        return False
    with job.timed("decoding"):
        for batch, latents in zip(group, painted, strict=True):
            for position, picture in enumerate(batch):
                if picture.number in job.given:
                    continue
                job.check_cancelled()
                whole = model.autoencoder.decode(latents[position : position + 1])
                if whole is None:
                    return False
                if job.even or job.captures:
                    job.decoded[picture.number] = whole
                else:
                    job.pictures[picture.number] = picture.frame.cropped(whole)
    return True


def _shown(job: Job, group: Sequence[Batch]) -> list[Frame]:
    """The frames whose colour is needed: also of given pictures, where others follow them."""
    if job.average is not None:
        return list(job.plan.frames)
    return [picture.frame for batch in group for picture in batch]


def _denoise(job: Job, group: Sequence[Batch]) -> list[torch.Tensor]:
    """Run the batches of a group step by step; finished latents [B, C, h, w] of each."""
    plan = job.plan
    job.begun(group)
    runs: list[Denoising] = [
        job.model.denoise(
            [
                PictureTask(
                    job.latents[p.frame.index],
                    p.frame.depth,
                    p.seed,
                    plan.reading(p.number).prompt,
                    p.frame.lines,
                    plan.recipe.depth_influence or 0.0,
                    plan.recipe.lines_influence or 0.0,
                )
                for p in batch
            ],
            negative_prompt=plan.recipe.negative_prompt,
            sampler=plan.sampler,
            steps=plan.steps,
            strength=plan.strength,
            guidance=plan.guidance,
            on_step=_step_callback(job, batch),
            shared=0.0 if job.average is None else SHARE,
        )
        for batch in group
    ]
    clean: list[torch.Tensor] = []
    painted: list[torch.Tensor] = []
    with contextlib.ExitStack() as inside:
        shared = None
        if job.anchor is not None:
            shared = inside.enter_context(job.model.shared_attention(plan.guided))
        while not painted:
            agreed = _agreed(job, group, clean) if clean else [None] * len(runs)
            clean = []
            for batch, run, sent in zip(group, runs, agreed, strict=True):
                job.check_cancelled()
                if shared is not None:
                    shared.leads = batch is group[0]
                # All runs yield at the same steps, and so end in the same round.
                try:
                    expected = run.send(sent)
                except StopIteration as end:
                    painted.append(end.value)
                    continue
                if expected is None:
                    continue
                clean.append(expected)
    return painted


def _agreed(job: Job, group: Sequence[Batch], clean: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """The clean latents [B, C, h, w] of each batch, averaged over the surface with those of given
    pictures."""
    assert job.average is not None
    views = {index: latents[0] for index, latents in job.latents.items()}
    for batch, latents in zip(group, clean, strict=True):
        own = {p.number: each for p, each in zip(batch, latents, strict=True)}
        views |= {number: each for number, each in own.items() if number not in job.given}
    agreed = job.average.apply([views[index] for index in range(len(job.plan.padded))])
    return [
        torch.stack([agreed[p.number] for p in batch]).to(latents)
        for batch, latents in zip(group, clean, strict=True)
    ]


def _step_callback(job: Job, batch: Batch) -> Callable[[int, int, torch.Tensor], None]:
    def on_step(step: int, steps: int, clean: torch.Tensor) -> None:
        job.check_cancelled()
        shown = {}
        if job.previews:
            for picture, latents in zip(batch, clean, strict=True):
                if picture.number in job.given:
                    continue
                cells = latents[:, *picture.frame.cells(job.model.factor)]
                shown[picture.number] = job.model.preview.picture(cells)
        job.stepped(batch, "decoding" if step == steps else "sampling", step, steps, shown)

    return on_step
