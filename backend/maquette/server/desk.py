"""Desk: what becomes of a job, on the journal and the spool together.

Every step leaves the two in a state from which :meth:`Desk.recover` goes on, whenever the process
dies: a job is accepted when its row is committed, which is after its captures are in the spool;
it is done when its result is in the spool, which is before its row says so.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from maquette_wire.errors import MaquetteError
from maquette_wire.limits import JOB
from maquette_wire.messages import Limits, Submit
from maquette_wire.packing import Packet
from maquette_wire.recipe import Recipe

from .journal import Job, Journal
from .spool import Spool, needed_bytes, result_bytes

log = logging.getLogger(__name__)

ATTEMPTS = 5
"""Workers that may die with a job before it is failed. Whether the job was the cause can't be
told: three were too few when something else killed a thousand workers and servers in a row."""
HOUR = 3600.0
DAY = 24 * HOUR
KEEP_ACKNOWLEDGED = HOUR
"""An acknowledged result stays this long for a client that asks again, unless its room is needed
sooner."""
KEEP_FINISHED = 30 * DAY
"""A result that nobody acknowledges, and the mere memory of any finished job, end after this."""

FINISHED = ("done", "failed", "cancelled")


class Desk:
    """The jobs of one server.

    Args:
        journal, spool: where jobs and their files are.
        limits: what a job may ask for.
        budget: bytes that all files of the spool together may take.
        check: raises MaquetteError for a recipe that names what this server hasn't got.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        journal: Journal,
        spool: Spool,
        limits: Limits,
        budget: int,
        check: Callable[[Recipe], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.journal = journal
        self.spool = spool
        self._limits = limits
        self._budget = budget
        self._check = check
        self._clock = clock

    # --- what clients ask for -------------------------------------------------------------------

    def look_up(self, owner: str, name: str) -> Job:
        """A client's job. Another client's job is as unknown as one that never was.

        Raises MaquetteError("unknown-job").
        """
        job = self.journal.get(name) if JOB.fullmatch(name) else None
        if job is None or job.owner != owner:
            raise MaquetteError(
                "unknown-job",
                f"This server has no job {name[:40]!r} of this client.",
                "Send the job again.",
            )
        return job

    def knows(self, owner: str, name: str) -> bool:
        """Whether this client has such a job here."""
        try:
            self.look_up(owner, name)
        except MaquetteError:
            return False
        return True

    def submit(self, owner: str, packet: Packet) -> Job:
        """Accept a job whose limits have been checked, or find that it was accepted before.

        Raises MaquetteError, for instance "unknown-model", "too-many-jobs", "spool-full" or
        "disk-full"; nothing is kept of the job then.
        """
        submit: Submit = packet.message
        known = self.journal.get(submit.job)
        if known is not None and known.owner == owner:
            return known
        if known is not None:
            raise MaquetteError(
                "job-taken",
                f"Another client of this server has a job called {submit.job}.",
                "Send the job under a new name.",
            )
        self._check(submit.recipe)
        if self.journal.unfinished() >= self._limits.queued_jobs:
            raise MaquetteError(
                "too-many-jobs",
                f"{self._limits.queued_jobs} jobs are waiting on this server already.",
                "Wait until some are done, or cancel some.",
            )
        if result_bytes(submit) > self._limits.job_bytes:
            raise MaquetteError(
                "too-large",
                f"The job's pictures take {_gib(result_bytes(submit))}, this server makes"
                f" {_gib(self._limits.job_bytes)} in one job.",
                "Lower the count or the size, or split the job.",
            )
        size = needed_bytes(submit, packet.frames)
        self._make_room(size)
        try:
            self._store(submit, packet)
            return self.journal.add(
                submit.job,
                owner=owner,
                recipe=submit.recipe.to_json(),
                previews=submit.previews,
                size=size,
            )
        except MaquetteError:
            self.spool.drop(submit.job)
            raise

    def _store(self, submit: Submit, packet: Packet) -> None:
        try:
            self.spool.write_captures(submit, packet.frames)
        except MaquetteError:
            # Other programs fill disks too: results that are no longer needed go first.
            if not self._evict_acknowledged():
                raise
            self.spool.write_captures(submit, packet.frames)

    def _make_room(self, size: int) -> None:
        if size > self._budget:
            raise MaquetteError(
                "spool-full",
                f"The job needs {_gib(size)} of disk, the server may use {_gib(self._budget)}.",
                "Split the job, or start the server with a larger --disk-budget.",
            )
        spare = self.journal.acknowledged_with_files()
        missing = self.journal.bytes() + size - self._budget
        if missing > sum(job.bytes for job in spare):
            raise MaquetteError(
                "spool-full",
                f"Jobs and results that nobody has fetched fill the server's {_gib(self._budget)}"
                " of disk.",
                "Wait for running jobs, fetch results, or start the server with a larger"
                " --disk-budget.",
            )
        for job in spare:
            if missing <= 0:
                return
            self._empty(job)
            missing -= job.bytes

    def cancel(self, owner: str, name: str) -> Job:
        """End a job; returns it as it is then (done, where it was). Raises "unknown-job"."""
        job = self.look_up(owner, name)
        if self.journal.cancel(name):
            self.spool.drop(name)
        return self.look_up(owner, name) if job.state not in FINISHED else job

    def order(self, owner: str, names: Sequence[str]) -> None:
        """Have a client's waiting jobs run in this order, in the places that they have among
        them; what isn't a waiting job of this client is passed over."""
        own = {job.job for job in self.journal.in_state("queued") if job.owner == owner}
        self.journal.order([name for name in names if name in own])

    def places(self) -> dict[str, int]:
        """How many jobs are ahead of each one that waits."""
        running = len(self.journal.in_state("running"))
        waiting = self.journal.in_state("queued")
        return {job.job: running + place for place, job in enumerate(waiting)}

    def acknowledge(self, owner: str, name: str) -> None:
        """Note that a client needs a finished job no more. Raises "unknown-job"."""
        self.look_up(owner, name)
        self.journal.acknowledge(name)

    # --- what workers report --------------------------------------------------------------------

    def take(self) -> Job | None:
        """The next job: running from now on, or failed where its captures are gone."""
        job = self.journal.next_queued()
        if job is None:
            return None
        if self.spool.captures(job.job).exists():
            self.journal.start(job.job)
        else:
            self.journal.fail(job.job, _captures_lost(job.job))
        return self.journal.get(job.job)

    def finished(self, name: str, scratch: Path) -> bool:
        """Put a result in its place; false where the job wants none (any more)."""
        job = self.journal.get(name)
        if job is None or job.state not in ("queued", "running"):
            scratch.unlink(missing_ok=True)
            return False
        try:
            size = self.spool.place_result(name, scratch)
        except FileNotFoundError:
            log.error("The result of job %s is gone before it was in its place.", name)
            return self.died(name) is not None
        self.journal.finish(name, size=size)
        self.spool.drop_captures(name)
        return True

    def broke(self, name: str, error: MaquetteError) -> bool:
        """Note why a job failed; false where it wasn't running (any more).

        A job that failed for want of disk space is queued again if some can be made.
        """
        if error.code == "disk-full" and self._evict_acknowledged():
            return self.journal.requeue(name, died=False)
        if not self.journal.fail(name, error):
            return False
        self.spool.drop(name)
        return True

    def died(self, name: str) -> Job | None:
        """Queue a job again whose worker died, or fail it when that was once too often."""
        job = self.journal.get(name)
        if job is None or job.state != "running":
            return None
        if job.attempts + 1 < ATTEMPTS:
            self.journal.requeue(name, died=True)
        else:
            self.broke(name, _worker_died())
        return self.journal.get(name)

    def fail_waiting(self, error: MaquetteError) -> list[str]:
        """Fail all queued jobs, for want of a worker that could run them; returns them."""
        waiting = [job.job for job in self.journal.in_state("queued")]
        return [name for name in waiting if self.broke(name, error)]

    def lost_result(self, name: str, error: MaquetteError) -> Job | None:
        """Note that a finished job's file is gone."""
        self.journal.fail(name, error)
        self.spool.drop(name)
        return self.journal.get(name)

    # --- housekeeping ---------------------------------------------------------------------------

    def recover(self) -> None:
        """Go on where an earlier server, however it ended, left off."""
        kept: set[str] = set()
        for job in self.journal.in_state("queued", "running"):
            if self.spool.result(job.job).exists():
                self.journal.finish(job.job, size=self.spool.result(job.job).stat().st_size)
                log.info("Job %s was done when the last server ended.", job.job)
            elif not self.spool.captures(job.job).exists():
                self.journal.fail(job.job, _captures_lost(job.job))
            else:
                self.journal.requeue(job.job, died=False)
                kept.add(job.job)
        results = {job.job for job in self.journal.in_state("done") if job.bytes}
        for name in results:
            if not self.spool.result(name).exists():
                self.lost_result(name, _result_lost(name))
        self.spool.sweep(kept, results)

    def tidy(self) -> None:
        """Drop what has been kept for long enough."""
        self.journal.keep_reserve()
        now = self._clock()
        for job in self.journal.acknowledged_with_files(now - KEEP_ACKNOWLEDGED):
            self._empty(job)
        for job in self.journal.finished_before(now - KEEP_FINISHED):
            if job.state == "done" and job.acknowledged is None:
                log.warning("Nobody fetched the result of job %s; it is dropped.", job.job)
            self.journal.forget(job.job)
            self.spool.drop(job.job)

    def _evict_acknowledged(self) -> bool:
        jobs = self.journal.acknowledged_with_files()
        for job in jobs:
            self._empty(job)
        return bool(jobs)

    def _empty(self, job: Job) -> None:
        # The row first: a result without its row's leave would be offered and then missed.
        self.journal.emptied(job.job)
        self.spool.drop(job.job)


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"


def _captures_lost(name: str) -> MaquetteError:
    return MaquetteError(
        "captures-lost",
        f"The captures of job {name} are gone from the server's disk.",
        "Start it again, as a new job.",
    )


def _result_lost(name: str) -> MaquetteError:
    return MaquetteError(
        "result-lost",
        f"The result of job {name} is gone from the server's disk.",
        "Start it again, as a new job.",
    )


def _worker_died() -> MaquetteError:
    return MaquetteError(
        "worker-died",
        f"The sampling process died {ATTEMPTS} times while it worked on this job.",
        "Try a smaller size or fewer pictures (memory is the usual cause); the server's log"
        " says more.",
    )
