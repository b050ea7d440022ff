"""Painting: the pictures of one job, batch after batch on one device, or all batches step by step
where their views are to agree.

Previews and what is done when memory or half precision don't suffice are here; which pictures
there are, with which model and in which batches, is decided in `runner`, and how far they are is
kept in `running`.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence

import torch
from maquette_wire.errors import MaquetteError

from . import devices
from .agreement import agree
from .families.family import PictureTask
from .families.loop import Denoising
from .frames import Frame
from .retouching.even_light import even_light
from .running import Batch, Job
from .together import SHARE
from .workers import Workers

log = logging.getLogger(__name__)


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
        with job.watch.timed("aligning"):
            every, given = [*job.plan.frames], job.given
            painted = [job.decoded.get(frame.index, frame.color) for frame in every]
            painted, shared = agree(job.captures, every, painted, given)
            numbers = [frame.index for frame in every if frame.index not in given]
    with job.watch.timed("decoding"):
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
    with Workers.hired(count, threads) as workers, job.watch.shared_by(count):
        painted = list(workers.each(is_painted, groups))
    return [group for group, is_done in zip(groups, painted, strict=True) if not is_done]


def _groups(job: Job, batches: Sequence[Batch]) -> deque[Sequence[Batch]]:
    """The batches that run step by step together: all of them, or each by itself."""
    if job.average is None:
        return deque([batch] for batch in batches)
    return deque([batches])


def _paint(job: Job, group: Sequence[Batch]) -> None:
    """Make the pictures of one group, again in float32 where numbers overflow."""
    before = job.watch.seconds.get("sampling", 0.0)
    if _try_paint(job, group):
        if len(group) == 1 and not job.frugal:
            job.measured(group[0], job.watch.seconds["sampling"] - before)
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
    with job.watch.timed("encoding"):
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
    with job.watch.timed("sampling"):
        painted = _denoise(job, group)
        devices.finish(model.device)
    if not all(bool(torch.isfinite(latents).all()) for latents in painted):
        return False
    with job.watch.timed("decoding"):
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
