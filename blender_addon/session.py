"""The one object behind the panel: connection, jobs, and the timer that moves both on.

Everything runs on Blender's main thread except the packing of PNG files. While a job is open the
timer comes 20 times a second and does a few milliseconds of work at most; with a connection and
no job it comes every two seconds; without a connection it isn't there.
"""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import bpy
from maquette_wire import keys
from maquette_wire.capture import Capture
from maquette_wire.client import Client, Connected, Event, Received
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.packing import Packet
from maquette_wire.recipe import Recipe
from maquette_wire.submission import submission

from . import textures, thumbnails
from .backend import Backend, Choice, Status
from .commissions import Commission
from .delivery import Delivery, folder_of
from .errands import Errands
from .gallery.keeper import Keeper
from .grids import Grids
from .job_list import JobList
from .jobs import Job, Target
from .ledger import Entry, Ledger
from .left_behind import LeftBehind
from .live import Eye, Live
from .notices import Level, Notice, Notices
from .overlay import drawing, pictures
from .redrawing import redraw_panels
from .remembering import Remembering
from .waiting import Move, Pace

BUSY_SECONDS = 0.05
LIVE_SECONDS = 0.02
IDLE_SECONDS = 2.0
AFTER_FAULT = 1.0
"""Seconds, so that one that comes back doesn't hold Blender."""
WATCH_SECONDS = 0.25
"""How often the local server's start is looked at: that opens and locks a file."""
STARTED_AGAIN = "The server ended and is being started again; no job is lost."


class Session:
    """What this Blender does with Maquette at the moment.

    Attributes:
        notices: what the user should know.
        live: the pictures that follow the 3D view; none of them is one of the jobs.
        grids: the labelled posters that some of the jobs belong to.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.notices = Notices()
        self.backend: Backend | None = None
        self.ledger = Ledger(home)
        self._left_behind = LeftBehind(self.ledger)
        self._errands = Errands()
        remembering = Remembering(
            self.ledger,
            self._errands,
            lambda: self.backend.server if self.backend else "",
            self.notices.tell,
        )
        self._job_list = JobList(
            home, self._errands, remembering, self.notices, lambda: self.gallery.arrived()
        )
        self.live = Live()
        self.gallery = Keeper(
            self._errands.begin,
            self.notices.tell,
            self.delivery.concepts.drop,
            lambda: folder_of(bpy.data.filepath, home),
        )
        self.grids = Grids(self.errand, self.notices.tell)
        self._client: Client | None = None
        self._watched = 0.0

    # --- what operators call ------------------------------------------------------------------

    @property
    def status(self) -> Status:
        """The state of the connection."""
        return self.backend.status if self.backend else Status.IDLE

    @property
    def jobs(self) -> dict[str, Job]:
        """Open jobs, and failed ones until they are dismissed, in the order of the queue."""
        return self._job_list.jobs

    @property
    def open_jobs(self) -> list[Job]:
        """Jobs that something is still to come of."""
        return self._job_list.open

    @property
    def recent(self) -> deque[Job]:
        """Ended jobs, the newest last."""
        return self._job_list.recent

    @property
    def pace(self) -> Pace:
        """How long jobs take."""
        return self._job_list.pace

    @property
    def delivery(self) -> Delivery:
        """The results that are on their way into the file."""
        return self._job_list.delivery

    @property
    def left_behind(self) -> list[Entry]:
        """Finished or running jobs that ended Blenders left at their servers."""
        return self._left_behind.entries

    def want_server(self, choice: Choice) -> None:
        """Have a connection to this server soon. Raises MaquetteError where that can't be."""
        self._begin().want(choice)
        wake()

    def want_nothing(self, error: MaquetteError) -> None:
        """A server is wanted that can't even be tried: the panel says why, and how to go on."""
        self._begin().not_even_asked(error)

    def restyle(self, recipe: Recipe, capture: Capture, target: Target) -> Job:
        """Hand a job over; it is sent as soon as there is a connection.

        Raises MaquetteError where the recipe or the server's limits say no.
        """
        packet = submission(recipe, [capture], previews=True)
        name, views = packet.message.job, packet.message.views
        job = Job(name, recipe, views, target, captures=(capture,))
        return self._hand_over(job, packet, [capture])

    def texture(
        self, packet: Packet, captures: Sequence[Capture], target: Target, folder: Path
    ) -> Job:
        """Hand a texture's job over, whose files are in ``folder``, as :meth:`restyle` does."""
        submit = packet.message
        job = Job(submit.job, submit.recipe, submit.views, target, texture=folder)
        return self._hand_over(job, packet, captures)

    def material(self, recipe: Recipe, commission: Commission, target: Target) -> Job:
        """Hand a material's job over, as :meth:`restyle` does."""
        packet = submission(recipe, [], material=commission.material, previews=True)
        job = Job(packet.message.job, recipe, (), target, commission=commission)
        return self._hand_over(job, packet, ())

    def cancel(self, name: str) -> None:
        """End a job; one that is already done arrives all the same."""
        self._job_list.cancel(name)
        wake()

    @property
    def can_move(self) -> bool:
        """Whether the server lets waiting jobs be moved."""
        return self._client is not None and self._client.can_order

    def move(self, name: str, to: Move) -> None:
        """Have a waiting job painted earlier or later. Raises MaquetteError("old-server")."""
        self._job_list.move(name, to)
        wake()

    def dismiss(self) -> None:
        """Drop notices and failed jobs from the panel."""
        self.notices.clear()
        self._job_list.drop_failed()

    def save_again(self, name: str) -> None:
        """Save a picture that couldn't be saved."""
        self._job_list.save_again(name)
        wake()

    def discard(self, name: str) -> None:
        """Do without a picture that couldn't be saved; the server drops it as well."""
        self._job_list.discard(name)
        wake()

    def forget_recent(self, job: Job) -> None:
        """Take an ended job out of the recent ones: it is run again."""
        self._job_list.forget_recent(job)

    def discard_left(self) -> None:
        """Do without what ended Blenders left behind; their servers hear of it as soon as they
        are reached. Raises MaquetteError("home-unusable")."""
        for entry in self._left_behind.discard():
            if entry.texture:
                textures.discard(Path(entry.texture))
        if self.status is Status.READY and self.backend and self._client:
            self._left_behind.tell(self.backend.server, self._client)
        wake()

    def follow_file(self) -> None:
        """The file was saved: jobs of its scenes belong to where and what it is now."""
        self._job_list.follow_file()

    def note(self, level: Level, text: str) -> None:
        """Show a sentence in the panel."""
        self.notices.append(Notice(level, text))
        redraw_panels()

    def follow(self, eye: Eye) -> None:
        """Have Live paint what an eye sees, with the server that was wanted."""
        assert self._client is not None, "want_server comes first"
        drawing.prepare()
        self.live.begin(eye, self._client, time.monotonic())
        wake()

    def errand(self, work: Callable[[], Any], done: Callable[[Future[Any]], None]) -> None:
        """Do something slow without bpy in the thread; ``done`` follows on the main thread."""
        self._errands.do(work, done)
        wake()

    # --- the timer ----------------------------------------------------------------------------

    def tick(self) -> float | None:
        """Move everything on a little; returns seconds until the next call, None for never."""
        working = bool(self.jobs)
        changed = self._poll()
        working |= bool(self.jobs)
        changed |= self._errands.collect()
        changed |= self.delivery.step()
        changed |= self.gallery.step()
        changed |= self.grids.step()
        changed |= self._follow()
        if changed:
            redraw_panels()
        pictures.refresh(changed and working, not self.open_jobs, time.monotonic())
        if self.live.busy:
            return LIVE_SECONDS
        asked = self._client is not None and self._client.connected and self._client.open_jobs
        busy = self.delivery.busy or self.gallery.busy or self._errands
        starting = self.status in (Status.STARTING, Status.CONNECTING)
        if self.open_jobs or asked or busy or starting:
            return BUSY_SECONDS
        return IDLE_SECONDS if self.status in (Status.LOST, Status.READY) else None

    def close(self) -> None:
        """End, with what has arrived delivered; open jobs are for the next session."""
        self.live.end()
        self._errands.finish()
        self.delivery.finish()
        if self._client is not None:
            self._job_list.note_open()
            self._client.close()
        self.ledger.close()

    # --- inside -------------------------------------------------------------------------------

    def _begin(self) -> Backend:
        if self._client is None or self.backend is None:
            version = ".".join(map(str, bpy.app.version))
            self._client = Client(keys.client_keys(self.home), f"Blender {version}")
            self.backend = Backend(self.home, self._client)
            self._job_list.use(self._client)
        return self.backend

    def _poll(self) -> bool:
        if self._client is None or self.backend is None:
            return False
        before = self.backend.status
        now = time.monotonic()
        busy = bool(self.open_jobs) or self.live.on or self.backend.status is Status.STARTING
        if busy and now - self._watched > WATCH_SECONDS:
            self._watched = now
            self.backend.watch()
            if self.backend.status is Status.TROUBLE and before is not Status.TROUBLE:
                self.notices.tell_outage("ERROR", str(self.backend.error))
        events = self._client.poll()
        for event in events:
            self._take(event, now)
        self._job_list.show_previews(events)
        return bool(events) or self.backend.status is not before

    def _follow(self) -> bool:
        """Have Live go on; whether the panel has to say something else of it."""
        before = self.live.on, self.live.text
        trouble = self.backend.error if self.status is Status.TROUBLE and self.backend else None
        self.live.step(time.monotonic(), trouble)
        return before != (self.live.on, self.live.text)

    def _take(self, event: Event, now: float) -> None:
        assert self.backend is not None
        if isinstance(event, Received):
            self._take_message(event, now)
            return
        self.backend.take(event)
        if isinstance(event, Connected):
            self.notices.end_outage()
            self._adopt()
            return
        self.backend.watch()  # an ended local server is started again at once
        if self._job_list.interrupt():
            again = self.backend.status is Status.STARTING
            self.notices.tell_outage("WARNING", STARTED_AGAIN if again else str(event.error))

    def _take_message(self, received: Received, now: float) -> None:
        message = received.message
        if self.live.take(message, received.frames, now):
            return
        if message.job in self.jobs:
            self._job_list.take(received, now)
        elif self._client is not None:
            self._left_behind.take(message.job, message, self._client)

    def _hand_over(self, job: Job, packet: Packet, captures: Sequence[Capture]) -> Job:
        self.dismiss()
        self._job_list.hand_over(job, packet, captures)
        wake()
        return job

    def _adopt(self) -> None:
        assert self.backend is not None and self._client is not None
        try:
            adopted = self._left_behind.adopt(self.backend.server, self._client)
        except MaquetteError as error:
            self.notices.tell("WARNING", str(error))
            return
        self.jobs.update((job.name, job) for job in adopted)


# --- the session of this Blender ------------------------------------------------------------------

_session: Session | None = None


def current() -> Session:
    """The session; there is one as long as the add-on is enabled."""
    assert _session is not None, "the add-on isn't registered"
    return _session


def wake() -> None:
    """Have the timer come at once."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    bpy.app.timers.register(_tick, first_interval=0.0, persistent=True)


def _tick() -> float | None:
    if _session is None:
        return None
    try:
        return _session.tick()
    except Exception as error:  # noqa: BLE001  Blender would never call again, and jobs stand still
        traceback.print_exc()
        _session.notices.tell(
            "ERROR",
            f"Something in Maquette failed ({type(error).__name__}: {error}). What was made is "
            "saved; the console says where it failed: please report that.",
        )
        return AFTER_FAULT


def register() -> None:
    global _session
    thumbnails.register()
    _session = Session(Home.default())
    wake()  # the gallery takes in what the open file has


def unregister() -> None:
    global _session
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    if _session is not None:
        _session.close()
        _session = None
    thumbnails.unregister()
