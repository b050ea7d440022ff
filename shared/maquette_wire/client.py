"""Client: what the add-on's timer and the command line both drive.

No threads and no waiting of its own: everything happens inside ``poll``. A job that was submitted
stays open through lost connections and restarted servers until its result, failure or cancelling
was handed over, and is handed over once.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import __version__, codecs
from .capture import Capture, frames_of
from .connection import Connection, Down, Up
from .errors import MaquetteError
from .exchange import Exchange
from .keys import KeyPair, check_key
from .limits import JOB, check_submit
from .messages import (
    PROTOCOL,
    Accepted,
    Acknowledge,
    Cancel,
    Cancelled,
    Codec,
    Failed,
    Heartbeat,
    Hello,
    Message,
    Progress,
    Refused,
    Result,
    Resume,
    Submit,
    Welcome,
)
from .packing import FROM_SERVER, BadMessage, pack, unpack
from .recipe import Recipe

HANDLING_SECONDS = 0.004
"""A poll takes no further message up after this: a frame of 60 pictures a second has 16 ms."""
HEARTBEAT_SECONDS = 5.0
SILENCE = 4
"""Heartbeats without an answer until the server counts as lost."""


@dataclass(frozen=True)
class Connected:
    """The server can be used."""

    welcome: Welcome


@dataclass(frozen=True)
class Disconnected:
    """There is no connection (any more); the client goes on trying, and open jobs stay open."""

    error: MaquetteError


@dataclass(frozen=True)
class Rejected:
    """There is a server, and it or its answers can't be used before somebody changes something
    (keys, versions, address). The client tries again every few seconds."""

    error: MaquetteError


@dataclass(frozen=True)
class Received:
    """A message of the server about a job, with its frames in the order of ``message.frames``."""

    message: Accepted | Progress | Result | Failed | Cancelled
    frames: list[memoryview] = field(default_factory=list, repr=False)


Event = Connected | Disconnected | Rejected | Received


@dataclass
class _Job:
    """An open job. ``submit`` is None for one of an earlier client, which can only be resumed."""

    submit: Submit | None = None
    frames: list[memoryview] = field(default_factory=list)
    captures: Sequence[Capture] = ()  # keeps alive what the frames are views of
    sent: bool = False
    cancelled: bool = False
    lost_frames: int = 0


class Client:
    """A client of one server at a time.

    Args:
        keys: this client's CURVE pair (``keys.client_keys``).
        name: how the server calls the client in its log, for instance ``"blender 4.5"``.
        heartbeat_seconds: how often an idle connection is checked.
    """

    def __init__(
        self, keys: KeyPair, name: str = "", heartbeat_seconds: float = HEARTBEAT_SECONDS
    ) -> None:
        self.welcome: Welcome | None = None
        self._name = f"maquette-wire {__version__} {name}".strip()
        self._connection = Connection(keys)
        self._heartbeat = heartbeat_seconds
        self._jobs: dict[str, _Job] = {}
        self._acknowledged: set[str] = set()
        self._unsent_acknowledges: list[str] = []
        self._outbox: deque[Message] = deque()
        self._events: deque[Event] = deque()
        self._exchange: Exchange | None = None
        self._offer: tuple[Codec, ...] = ("raw",)
        self._said: str | None = None
        self._last_poll = self._last_sent = self._last_heard = time.monotonic()

    # --- the connection -----------------------------------------------------------------------

    def connect(self, endpoint: str, server_key: str) -> None:
        """Aim at a server, now or instead of the one before; open jobs are taken along.

        Args:
            endpoint: ``tcp://host:port``.
            server_key: the server's public key in Z85.

        Raises MaquetteError("bad-key"); whatever else goes wrong arrives as an event.
        """
        key = check_key(server_key, "server's key")
        self._forget_connection()
        self._said = None
        self._connection.open(endpoint.strip(), key)

    def reconnect(self) -> None:
        """Drop the connection and try again now, without waiting for the back-off."""
        self._forget_connection()
        self._said = None
        self._connection.retry_now()

    @property
    def connected(self) -> bool:
        """Whether the server has said welcome and nothing has gone wrong since."""
        return self.welcome is not None

    @property
    def endpoint(self) -> str:
        """The address that ``connect`` was given."""
        return self._connection.endpoint

    @property
    def open_jobs(self) -> tuple[str, ...]:
        """Jobs whose end hasn't been handed over yet, in the order they were submitted."""
        return tuple(self._jobs)

    def close(self) -> None:
        """End the connection, within a quarter of a second; jobs go on at the server."""
        self._connection.close()

    # --- jobs ---------------------------------------------------------------------------------

    def submit(
        self,
        recipe: Recipe,
        captures: Sequence[Capture],
        previews: bool = False,
        job: str | None = None,
    ) -> str:
        """Submit a job, now or as soon as there is a connection; returns its name.

        The captures' memory must stay as it is until the job is accepted: it isn't copied, so
        that the job can be submitted again to a server that lost it.

        Raises MaquetteError where the recipe or, with a known server, a limit says no.
        """
        headers, frames = frames_of(captures)
        submit = Submit(
            job=job or uuid.uuid4().hex,
            recipe=recipe,
            views=tuple(capture.view for capture in captures),
            previews=previews,
            frames=headers,
        )
        if self.welcome is not None:
            check_submit(submit, self.welcome.limits)
        else:
            recipe.check()
        self._jobs[submit.job] = _Job(submit, frames, captures)
        self._say_later(submit)
        return submit.job

    def resume(self, job: str) -> None:
        """Take up a job of an earlier client: its state, and in the end its result, arrive.

        Raises MaquetteError("bad-message") for a name that no client gave to a job.
        """
        if JOB.fullmatch(job) is None:
            raise MaquetteError("bad-message", f"{job!r} is no job.", "Use a name submit() gave.")
        self._jobs.setdefault(job, _Job()).sent = True
        self._say_later(Resume(job=job))

    def cancel(self, job: str) -> None:
        """End a job; Cancelled arrives, or its result where that was done already."""
        entry = self._jobs.get(job)
        if entry is None:
            return
        entry.cancelled = True
        if entry.sent:
            self._say_later(Cancel(job=job))
        else:
            self._finish(job)
            self._events.append(Received(Cancelled(job=job)))

    def acknowledge(self, job: str) -> None:
        """Tell the server that the result is stored here, or the failure noted: it may drop it."""
        self._acknowledged.add(job)
        self._unsent_acknowledges.append(job)

    def poll(self, budget_seconds: float = 0.0) -> list[Event]:
        """What has happened since the last call.

        Args:
            budget_seconds: how long to wait for something to happen; with 0 the call never
                waits. Handling takes a few milliseconds at most (and the time to write or
                compress one job's frames where one is to be sent); what is left comes next time.
        """
        end = time.monotonic() + budget_seconds
        if time.monotonic() - self._last_poll > self._heartbeat:
            # Nobody looked for a while (a modal render): what came in is still to be read.
            self._last_heard = time.monotonic()
        while True:
            self._work()
            self._last_poll = time.monotonic()
            if self._events or self._last_poll >= end:
                break
            self._connection.wait(min(end - self._last_poll, self._heartbeat / 2))
        events = list(self._events)
        self._events.clear()
        return events

    # --- inside -------------------------------------------------------------------------------

    def _work(self) -> None:
        stop = time.monotonic() + HANDLING_SECONDS
        while (happening := self._connection.step()) is not None:
            if isinstance(happening, Up):
                self._greet(loopback_codecs(self.endpoint))
            else:
                self._went_down(happening)
        while time.monotonic() < stop and (parts := self._connection.receive()) is not None:
            self._last_heard = time.monotonic()
            self._handle(parts)
        if self._connection.up:
            self._check_silence()
        while self.connected and time.monotonic() < stop and self._send_next():
            pass

    def _send_next(self) -> bool:
        """Send the next message; false where there is none or no room for it now."""
        if not self._connection.has_room():
            return False
        if self._unsent_acknowledges:
            if self._say(Acknowledge(job=self._unsent_acknowledges[0])):
                self._unsent_acknowledges.pop(0)
                return True
            return False
        if not self._outbox:
            return False
        message = self._outbox[0]
        if isinstance(message, Submit):
            sent = self._send_submit(message)
        else:
            sent = getattr(message, "job", "") not in self._jobs or self._say(message)
        if sent:
            self._outbox.popleft()
        return sent

    def _send_submit(self, submit: Submit) -> bool:
        """Send a job unless it ended in the meantime; true where it's settled either way."""
        entry = self._jobs.get(submit.job)
        if entry is None or self.welcome is None:
            return True
        try:
            check_submit(submit, self.welcome.limits)
            if self._exchange is not None:
                codec: Codec = "file"
            else:
                codec = "zstd" if "zstd" in self._offer and self._knows("zstd") else "raw"
            parts = pack(submit, entry.frames, codec=codec, exchange=self._exchange)
        except MaquetteError as error:
            self._fail(submit.job, error)
            return True
        entry.sent = self._connection.send(parts) or entry.sent
        if entry.sent:
            self._last_sent = time.monotonic()
        return entry.sent

    def _knows(self, codec: Codec) -> bool:
        return self.welcome is not None and codec in self.welcome.codecs

    def _say(self, message: Message) -> bool:
        if not self._connection.send(pack(message)):
            return False
        self._last_sent = time.monotonic()
        return True

    def _say_later(self, message: Message) -> None:
        # Without a connection nothing is queued: welcome makes the queue from the open jobs.
        if self.connected:
            self._outbox.append(message)

    def _greet(self, offer: tuple[Codec, ...]) -> None:
        self._offer = offer
        self._last_heard = time.monotonic()
        self._say(Hello(client=self._name, codecs=offer))

    def _check_silence(self) -> None:
        now = time.monotonic()
        if now - self._last_heard > SILENCE * self._heartbeat:
            error = MaquetteError(
                "server-lost",
                f"The server at {self.endpoint} has stopped answering.",
                "Restart it if it doesn't come back: its jobs are kept.",
            )
            self._went_down(self._connection.fail(error))
        elif self.connected and now - self._last_sent > self._heartbeat:
            self._say(Heartbeat())

    def _went_down(self, down: Down) -> None:
        self._forget_connection()
        # The same failure of every attempt is told once.
        if self._said != down.error.code:
            self._said = down.error.code
            self._events.append((Rejected if down.needs_user else Disconnected)(down.error))

    def _forget_connection(self) -> None:
        self.welcome = None
        self._exchange = None
        self._outbox.clear()

    def _handle(self, parts: list[memoryview]) -> None:
        limits = None if self.welcome is None else self.welcome.limits
        try:
            message, frames = unpack(parts, FROM_SERVER, limits, self._exchange)
        except BadMessage as error:
            self._handle_bad(error)
            return
        if isinstance(message, Welcome):
            self._handle_welcome(message)
        elif isinstance(message, Refused):
            error = MaquetteError(message.code, message.sentence, message.hint)
            self._went_down(self._connection.fail(error, needs_user=True))
        elif not isinstance(message, Heartbeat):
            self._handle_job(message, frames)

    def _handle_welcome(self, welcome: Welcome) -> None:
        if welcome.protocol != PROTOCOL:
            error = MaquetteError(
                "other-version",
                f"The server at {self.endpoint} speaks protocol {welcome.protocol}, "
                f"this client speaks {PROTOCOL}.",
                "Update the older of the two.",
            )
            self._went_down(self._connection.fail(error, needs_user=True))
            return
        self._exchange = Exchange.join(welcome.exchange) if "file" in self._offer else None
        if "file" in self._offer and welcome.exchange is not None and self._exchange is None:
            # Loopback that ends elsewhere: a tunnel. The server must not send files either.
            self._greet(codecs.available())
            return
        self.welcome = welcome
        self._connection.settled()
        self._said = None
        self._events.append(Connected(welcome))
        self._outbox.clear()
        for job, entry in self._jobs.items():
            if entry.cancelled:
                self._outbox.append(Cancel(job=job))
            elif entry.submit is not None and not entry.sent:
                self._outbox.append(entry.submit)
            else:
                self._outbox.append(Resume(job=job))

    def _handle_job(
        self, message: Accepted | Progress | Result | Failed | Cancelled, frames: list[memoryview]
    ) -> None:
        job = message.job
        entry = self._jobs.get(job)
        if entry is None:
            if job in self._acknowledged and isinstance(message, Result | Failed):
                self._unsent_acknowledges.append(job)  # it didn't hear us the first time
            return
        if isinstance(message, Failed) and message.code == "unknown-job":
            if entry.cancelled:
                message = Cancelled(job=job)
            elif entry.submit is not None:
                self._say_later(entry.submit)
                return
        if isinstance(message, Result | Failed | Cancelled):
            self._finish(job)
        self._events.append(Received(message, frames))

    def _handle_bad(self, error: BadMessage) -> None:
        entry = self._jobs.get(error.job)
        if entry is None:
            if not error.job:
                self._went_down(self._connection.fail(error, needs_user=True))
            return
        entry.lost_frames += 1
        if error.code == "frame-lost" and entry.lost_frames < 3:
            self._say_later(Resume(job=error.job))
        else:
            self._fail(error.job, error)

    def _fail(self, job: str, error: MaquetteError) -> None:
        self._finish(job)
        failed = Failed(job=job, code=error.code, sentence=error.sentence, hint=error.hint)
        self._events.append(Received(failed))

    def _finish(self, job: str) -> None:
        self._jobs.pop(job, None)


def loopback_codecs(endpoint: str) -> tuple[Codec, ...]:
    """The codecs to offer: files on this machine, zstd on a way that is longer."""
    host = endpoint.removeprefix("tcp://").rpartition(":")[0].strip("[]").lower()
    if host == "localhost" or host == "::1" or host.startswith("127."):
        return ("raw", "file")
    return codecs.available()
