"""A running job: its pictures, what is done of them, and how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from maquette_wire.capture import Capture
from numpy.typing import NDArray

from .families.family import Family
from .frames import Frame
from .plan import Plan
from .stopwatch import Stopwatch
from .together import SurfaceAverage

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
    watch: Stopwatch
    warnings: list[str] = field(default_factory=list)
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
