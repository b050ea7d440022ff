"""Which pictures of a job one device paints at once: by its whole memory, never by what happens to
be free, and by what was measured once (`packs`)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from . import devices
from .packs import Packs
from .running import Job, Picture

_BATCH_MAX = 16
# The most that one batch may hold, in pixels: a cancel takes effect within one step of a batch.
_BATCH_PIXELS = 16 * 512 * 512
_BATCH_SHARE = 0.5  # of the memory that the weights leave


class Batches:
    """Makes up the device batches of jobs.

    packs: what was measured, and is to be; None where nothing is. batch_size: pictures in a batch,
    whatever is known; None for the fastest that suits the memory.
    """

    def __init__(self, device: torch.device, packs: Packs | None, batch_size: int | None) -> None:
        self._device, self._packs, self._batch_size = device, packs, batch_size

    def of(self, job: Job) -> list[list[Picture]]:
        """Pictures of one size together, the anchor first and the others in their order, as many
        as the device takes at once; without those that are given, but for the anchor."""
        groups: dict[tuple[int, int], list[Picture]] = {}
        for number in sorted(range(job.count), key=lambda number: number != job.anchor):
            if number in job.given and number != job.anchor:
                continue
            picture = Picture(number, job.plan)
            groups.setdefault(picture.padded, []).append(picture)
        batches = []
        for size, group in groups.items():
            step = self.size(job, size)
            batches += [group[start : start + step] for start in range(0, len(group), step)]
        return batches

    def size(self, job: Job, size: tuple[int, int]) -> int:
        """Pictures of a padded size (width, height) in one device batch.

        On a processor it is one: its cores are busy with one picture, the first one is there
        sooner, and no picture depends on how many others there are, not even by rounding. Two to
        eight at once would take 2 to 6 % less of a processor's time, by the pocket model.
        """
        if self._batch_size is not None:
            return self._batch_size
        if self._packs is None:
            return 1
        return self._packs.at_once(self._pack_key(job, size), self._fitting(job, size))

    def _fitting(self, job: Job, size: tuple[int, int]) -> int:
        """The most pictures of a padded size that one device batch may have."""
        width, height = size
        room = self._room(job, job.model.picture_bytes(height, width, job.plan.guided))
        return max(1, min(_BATCH_MAX, room, _BATCH_PIXELS // (width * height)))

    def beside(self, job: Job) -> int:
        """The most pictures that may be painted at the same time, each from its first step to its
        pixels."""
        model, guided = job.model, job.plan.guided
        decoding = model.autoencoder.decoding_bytes
        taken = [
            max(model.picture_bytes(height, width, guided), decoding(height, width))
            for width, height in job.plan.padded
        ]
        return max(1, self._room(job, max(taken)))

    def _room(self, job: Job, taken: int) -> int:
        """How many times a device has so many bytes beside the weights."""
        spare = devices.memory_bytes(self._device) * 0.9 - job.model.weight_bytes()
        return int(_BATCH_SHARE * spare / taken)

    def note(self, job: Job, batch: Sequence[Picture], seconds: float | None) -> None:
        """Note the time of a batch, for the next ones; None where memory did not suffice."""
        if self._packs is None:
            return
        size = batch[0].padded
        each = None if seconds is None else seconds / (len(batch) * job.plan.steps_run)
        self._packs.note(self._pack_key(job, size), len(batch), each, self._fitting(job, size))

    def _pack_key(self, job: Job, size: tuple[int, int]) -> str:
        width, height = size
        return (
            f"{devices.name(self._device)}, torch {torch.__version__}, {job.model.dtype}, "
            f"{job.plan.recipe.model} {job.plan.recipe.model_hash}, {width} x {height}"
            f"{', guided' if job.plan.guided else ''}"
        )
