"""A client's open jobs, without sockets: what to say about them, and what their answers mean.

A job is open from its submit (or resume) until its result, failure or cancelling was handed over,
whatever happens to connections and servers in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .capture import Capture
from .errors import MaquetteError
from .events import JobMessage, Received
from .messages import (
    Acknowledge,
    Cancel,
    Cancelled,
    Failed,
    Message,
    Order,
    Result,
    Resume,
    Submit,
)
from .packing import BadMessage, Packet

FRAME_TRIALS = 3
"""How often a result is asked for whose frames were gone from the exchange folder."""


@dataclass
class Job:
    """An open job. ``submit`` is None for one of an earlier client of which no more is known than
    its name: it can only be resumed."""

    submit: Submit | None = None
    frames: list[memoryview] = field(default_factory=list)
    captures: Sequence[Capture] = ()  # keeps alive what the frames are views of
    sent: bool = False
    cancelled: bool = False
    frames_lost: int = 0


class OpenJobs:
    """The open jobs of a client, in the order they were submitted.

    Methods answer with a message to send, with an event to hand over, or with None.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._acknowledged: set[str] = set()
        self._ordered = False

    def __contains__(self, job: str) -> bool:
        return job in self._jobs

    def names(self) -> tuple[str, ...]:
        """The open jobs."""
        return tuple(self._jobs)

    def get(self, job: str) -> Job | None:
        """An open job; None where it has ended or never was."""
        return self._jobs.get(job)

    def submit(
        self, submit: Submit, frames: list[memoryview], captures: Sequence[Capture]
    ) -> Message:
        """Open a job."""
        self._jobs[submit.job] = Job(submit, frames, captures)
        return submit

    def resume(self, job: str, packet: Packet | None = None) -> Message:
        """Open a job that an earlier client submitted, or was about to."""
        if job not in self._jobs:
            self._jobs[job] = Job() if packet is None else Job(packet.message, packet.frames)
        self._jobs[job].sent = True
        return Resume(job=job)

    def cancel(self, job: str) -> Message | Received | None:
        """End a job; one that no server has seen ends at once."""
        entry = self._jobs.get(job)
        if entry is None:
            return None
        entry.cancelled = True
        if entry.sent:
            return Cancel(job=job)
        return self._end(Cancelled(job=job))

    def acknowledge(self, job: str) -> Message:
        """Note that a job's end was taken in."""
        self._acknowledged.add(job)
        return Acknowledge(job=job)

    def order(self, jobs: Sequence[str]) -> Message:
        """Have jobs wait in this order."""
        self._ordered = True
        self._jobs = {job: self._jobs[job] for job in in_order(list(self._jobs), jobs)}
        return Order(jobs=tuple(self._jobs))

    def on_welcome(self, understands: Sequence[str] = ()) -> list[Message]:
        """What a new connection has to hear."""
        messages: list[Message] = []
        for job, entry in self._jobs.items():
            if entry.cancelled:
                messages.append(Cancel(job=job))
            elif entry.submit is not None and not entry.sent:
                messages.append(entry.submit)
            else:
                messages.append(Resume(job=job))
        if self._ordered and "order" in understands:
            messages.append(Order(jobs=tuple(self._jobs)))
        return messages

    def take(self, message: JobMessage, frames: list[memoryview]) -> Message | Received | None:
        """Take a message of the server up; what concerns no open job is not handed over."""
        job = message.job
        entry = self._jobs.get(job)
        if entry is None:
            # It didn't hear the first acknowledge: the connection broke behind it.
            again = job in self._acknowledged and isinstance(message, Result | Failed)
            return Acknowledge(job=job) if again else None
        if isinstance(message, Failed) and message.code == "unknown-job":
            if entry.cancelled:
                return self._end(Cancelled(job=job))
            if entry.submit is not None:
                return entry.submit
        if isinstance(message, Result | Failed | Cancelled):
            return self._end(message, frames)
        return Received(message, frames)

    def take_bad(self, error: BadMessage) -> Message | Received | None:
        """Take a message up that names a job and can't be read."""
        entry = self._jobs.get(error.job)
        if entry is None:
            return None
        entry.frames_lost += 1
        if error.code == "frame-lost" and entry.frames_lost < FRAME_TRIALS:
            return Resume(job=error.job)
        return self.fail(error.job, error)

    def fail(self, job: str, error: MaquetteError) -> Received:
        """End a job for a reason on this side."""
        return self._end(Failed(job=job, code=error.code, sentence=error.sentence, hint=error.hint))

    def _end(
        self, message: Result | Failed | Cancelled, frames: list[memoryview] | None = None
    ) -> Received:
        self._jobs.pop(message.job, None)
        return Received(message, frames or [])


def in_order(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """``names`` with those that are ``wanted`` in that order, in the places that they have among
    them; the others stay where they are."""
    known = set(names)
    chosen = [name for name in dict.fromkeys(wanted) if name in known]
    following = iter(chosen)
    moved = set(chosen)
    return [next(following) if name in moved else name for name in names]
