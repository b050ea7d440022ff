"""Jobs in their order: which wait, how long everything takes, which ended lately. No bpy here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from maquette_wire.jobs import in_order

from .jobs import Job, State

WAITING = (State.WAITING, State.QUEUED)
RECENT = 8
"""Ended jobs that can be run again from the panel."""

Move = Literal["UP", "DOWN", "FIRST"]


def waiting(jobs: Iterable[Job]) -> list[Job]:
    """The jobs that nobody works on yet, the next one first."""
    return [job for job in jobs if job.state in WAITING]


def moved(jobs: Iterable[Job], name: str, to: Move) -> list[str]:
    """The names of the waiting jobs with one of them moved; as they are where it can't be."""
    names = [job.name for job in waiting(jobs)]
    if name not in names:
        return names
    place = names.index(name)
    names.remove(name)
    new = {"UP": max(place - 1, 0), "DOWN": place + 1, "FIRST": 0}[to]
    names.insert(new, name)
    return names


def sorted_jobs(jobs: dict[str, Job], names: Sequence[str]) -> dict[str, Job]:
    """The jobs with those of ``names`` in that order, in the places that they have among them."""
    return {name: jobs[name] for name in in_order(list(jobs), names)}


class Pace:
    """How long painting takes, from what was painted so far: seconds for a pixel, by model and
    steps, the geometry that shortens a job left aside; and by itself for materials, whose maps have
    more pixels than are painted."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[tuple[str, bool], int | None], float] = {}

    def learn(self, job: Job) -> None:
        """Take up how fast a job is being painted."""
        if job.remaining.rate is not None and job.steps:
            key = _painting(job), job.recipe.steps
            self._seconds[key] = job.remaining.rate * job.steps / job.pixels

    def seconds(self, job: Job) -> float | None:
        """How long a job that wasn't begun will take; None where nothing is known."""
        painting, steps = _painting(job), job.recipe.steps
        if (painting, steps) in self._seconds:
            return self._seconds[painting, steps] * job.pixels
        for (known, others), each in self._seconds.items():
            if known == painting and steps and others:
                return each * job.pixels * steps / others
        return None


def _painting(job: Job) -> tuple[str, bool]:
    return job.recipe.model, job.commission is not None


def times_left(jobs: Iterable[Job], pace: Pace) -> dict[str, float | None]:
    """Seconds until each open job is done, as those before it are; None where that isn't known.

    A job behind another program's jobs has none, as only that program knows how long those take;
    nor has one that waits for a server which isn't there.
    """
    opened = [job for job in jobs if job.state.open]
    begun = [job for job in opened if job.state not in WAITING]
    found: dict[str, float | None] = {}
    before: float | None = 0.0
    for place, job in enumerate([*begun, *waiting(opened)]):
        own = pace.seconds(job)
        if job.state not in WAITING:
            known = job.remaining.seconds
            own = 0.0 if job.fraction >= 1 or job.state is State.CANCELLING else known or own
        if before is None or own is None or job.ahead > place or job.state is State.WAITING:
            before = None
        else:
            before += own
        found[job.name] = before
    return found
