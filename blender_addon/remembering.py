"""Has open jobs outlive this Blender: what was submitted is written by the thread, and then a note
of it; both go when the job's end is taken in. No bpy here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from maquette_wire.errors import MaquetteError
from maquette_wire.packing import Packet

from .errands import Errands
from .jobs import Job
from .ledger import Entry, Ledger
from .notices import Level


class Remembering:
    """What the ledger has of this Blender's jobs.

    Args:
        server: says which server's the jobs are now.
        tell: shows the user a sentence.
    """

    def __init__(
        self,
        ledger: Ledger,
        errands: Errands,
        server: Callable[[], str],
        tell: Callable[[Level, str], None],
    ) -> None:
        self._ledger = ledger
        self._errands = errands
        self._server = server
        self._tell = tell
        self._writing: set[str] = set()

    def begin(self, job: Job, packet: Packet) -> None:
        """Keep what was submitted of a job, and note the job as soon as that is on disk."""
        try:
            place = self._ledger.place_of(job.name)
        except MaquetteError as error:
            self._tell("WARNING", str(error))
            return
        self._writing.add(job.name)
        self._errands.do(partial(self._ledger.keep, place, packet), partial(self._written, job))

    def note(self, job: Job) -> None:
        """Note a job as it is now."""
        try:
            self._ledger.add(Entry.of(job, self._server()))
        except MaquetteError as error:
            self._tell("WARNING", str(error))

    def end(self, job: str) -> None:
        """A job's end is taken in."""
        self._writing.discard(job)
        self._ledger.remove(job)

    def _written(self, job: Job, writing: Future[None]) -> None:
        if job.name not in self._writing:
            self._ledger.remove(job.name)  # it was over before that was written
            return
        self._writing.remove(job.name)
        try:
            writing.result()
        except MaquetteError as error:
            self._tell("WARNING", str(error))
            return
        self.note(job)
