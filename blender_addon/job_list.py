"""This Blender's jobs in their order, each from where it is handed over until its end is taken in.

What a server says of a job changes it here; its pictures are on their way into the file then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from maquette_wire.capture import Capture
from maquette_wire.client import Client, Event, Received
from maquette_wire.home import Home
from maquette_wire.messages import Accepted, Cancelled, Failed, Progress, Result
from maquette_wire.packing import Packet

from . import textures, thumbnails
from .delivery import Delivery, where_now
from .errands import Errands
from .jobs import Job, State
from .notices import Notices
from .overlay import drawing, pictures
from .remembering import Remembering
from .waiting import RECENT, Move, Pace, moved, sorted_jobs


class JobList:
    """The jobs, and what becomes of their pictures.

    Args:
        home: keeps the pictures of scenes that were never saved, or whose folder refuses them.
        arrived: called when a job's pictures are in the file.

    Attributes:
        jobs: open jobs, and failed ones until they are dismissed, in the order of the queue.
        recent: ended jobs, the newest last.
        pace: how long jobs take.
        delivery: the results that are on their way into the file.
    """

    def __init__(
        self,
        home: Home,
        errands: Errands,
        remembering: Remembering,
        notices: Notices,
        arrived: Callable[[], None],
    ) -> None:
        self.jobs: dict[str, Job] = {}
        self.recent: deque[Job] = deque(maxlen=RECENT)
        self.pace = Pace()
        self.delivery = Delivery(home, errands.begin, notices.tell, self._settle, self._drop)
        self._home = home
        self._errands = errands
        self._remembering = remembering
        self._notices = notices
        self._arrived = arrived
        self._client: Client | None = None

    @property
    def open(self) -> list[Job]:
        """Jobs that something is still to come of."""
        return [job for job in self.jobs.values() if job.state.open]

    def use(self, client: Client) -> None:
        """Jobs are handed to this one from now on."""
        self._client = client

    # --- what a user does ---------------------------------------------------------------------

    def hand_over(self, job: Job, packet: Packet, captures: Sequence[Capture]) -> None:
        """Begin a job; it is sent as soon as there is a connection.

        Raises MaquetteError where the recipe or the server's limits say no.
        """
        assert self._client is not None, "use comes first"
        drawing.prepare()  # for its pictures, over the 3D view
        self._client.submit_packet(packet, captures)
        self.jobs[job.name] = job
        self._remembering.begin(job, packet)

    def cancel(self, name: str) -> None:
        """End a job; one that is already done arrives all the same."""
        job = self.jobs.get(name)
        if job is None or self._client is None or not job.state.open or job.state is State.SAVING:
            return
        job.state = State.CANCELLING
        self._client.cancel(name)

    def move(self, name: str, to: Move) -> None:
        """Have a waiting job painted earlier or later. Raises MaquetteError("old-server")."""
        assert self._client is not None
        names = moved(self.jobs.values(), name, to)
        self._client.order(names)
        self.jobs = sorted_jobs(self.jobs, names)

    def drop_failed(self) -> None:
        """Failed jobs were looked at."""
        for job in [job for job in self.jobs.values() if job.state is State.FAILED]:
            self._drop(job)

    def save_again(self, name: str) -> None:
        """Save a picture that couldn't be saved."""
        if (job := self._unsaved(name)) is not None:
            self._notices.clear()
            self.delivery.again(job)

    def discard(self, name: str) -> None:
        """Do without a picture that couldn't be saved; the server drops it as well."""
        if (job := self._unsaved(name)) is not None:
            self._notices.clear()
            self.delivery.forget(job)
            self._settle(job)
            self._drop(job)

    def forget_recent(self, job: Job) -> None:
        """Take an ended job out of the recent ones: it is run again."""
        if job in self.recent:
            self.recent.remove(job)

    def follow_file(self) -> None:
        """The file was saved: jobs of its scenes belong to where and what it is now."""
        for job in self.jobs.values():
            target = where_now(job.target, self._home)
            if target != job.target:
                job.target = target
                self._remembering.note(job)

    # --- what a server says -------------------------------------------------------------------

    def interrupt(self) -> bool:
        """The connection is lost; whether that interrupts any job."""
        for job in self.open:
            job.interrupt()
        return bool(self.open)

    def take(self, received: Received, now: float) -> None:
        """Take a message about one of the jobs in."""
        message = received.message
        job = self.jobs[message.job]
        job.take(message, now)
        self.pace.learn(job)
        if isinstance(message, Accepted):
            self._remembering.note(job)
        elif isinstance(message, Result):
            thumbnails.drop_preview(job.name)
            for warning in message.warnings:
                self._notices.tell("WARNING", warning)
            # First, as there is one thread: what is shown doesn't wait for what is saved.
            wanted = partial(self.jobs.__contains__, job.name)
            pictures.take_result(job, message, received.frames, self._errands.do, wanted)
            self.delivery.take(job, message, received.frames)
        elif isinstance(message, Failed):
            self._take_failure(job, message)
        elif isinstance(message, Cancelled):
            self._settle(job)
            self._drop(job)

    def show_previews(self, events: Sequence[Event]) -> None:
        """Show the newest preview of each job: of those that piled up one is enough."""
        newest: dict[str, tuple[Progress, Sequence[memoryview]]] = {}
        for event in events:
            if isinstance(event, Received) and isinstance(event.message, Progress) and event.frames:
                newest[event.message.job] = event.message, event.frames
        for name, (progress, frames) in newest.items():
            job = self.jobs.get(name)
            if job is not None and job.state.open and job.state is not State.SAVING:
                thumbnails.keep_preview(name, progress, frames)
                pictures.take_preview(job, progress, frames)

    def note_open(self) -> None:
        """Note the open jobs as they are now: they are for the next session."""
        for job in self.open:
            self._remembering.note(job)

    # --- inside -------------------------------------------------------------------------------

    def _take_failure(self, job: Job, message: Failed) -> None:
        pictures.drop(job.name)
        self._settle(job)
        if job.recovered and message.code == "unknown-job":
            self._drop(job)
            self._notices.tell("WARNING", f"The server has dropped the unfinished job {job.title}.")
        else:
            self._notices.tell("ERROR", str(job.error))

    def _settle(self, job: Job) -> None:
        """The job's end is taken in: neither server nor ledger need to keep it."""
        thumbnails.drop_preview(job.name)
        job.captures = ()  # what is run again is captured again
        self._remembering.end(job.name)
        if job.texture is not None:
            textures.discard(job.texture)
        if self._client is not None:
            self._client.acknowledge(job.name)

    def _drop(self, job: Job) -> None:
        if self.jobs.pop(job.name, None) is not None and job.is_concept:
            self.recent.append(job)
        pictures.drop(job.name, done=job.state is State.DONE)
        if job.state is State.DONE:
            self._arrived()

    def _unsaved(self, name: str) -> Job | None:
        job = self.jobs.get(name)
        return job if job is not None and job.state is State.UNSAVED else None
