"""Client: what the add-on's timer and the command line both drive.

No threads and no waiting of its own: everything happens inside ``poll``. A job that was submitted
stays open through lost connections and restarted servers until its result, failure or cancelling
was handed over, and is handed over once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from . import __version__, codecs
from .capture import Capture
from .connection import LINGER_MS, Connection, Down, Up
from .errors import MaquetteError
from .events import Connected, Disconnected, Event, Received, Rejected
from .exchange import Exchange
from .jobs import OpenJobs
from .keys import KeyPair, check_key
from .limits import JOB, abilities, check_submit
from .material import Material
from .messages import PROTOCOL, Codec, Heartbeat, Hello, Message, Refused, Submit, Welcome
from .packing import FROM_SERVER, BadMessage, Packet, pack, pack_in_steps, unpack
from .recipe import Recipe
from .submission import submission
from .surface import Surface

__all__ = ["Client", "Connected", "Disconnected", "Event", "Received", "Rejected"]

HANDLING_SECONDS = 0.004
"""A poll takes no further message up after this: a frame of 60 pictures a second has 16 ms."""
HEARTBEAT_SECONDS = 5.0
SILENCE = 4
"""Heartbeats without an answer until the server counts as lost."""


class Client:
    """A client of one server at a time.

    Args:
        keys: this client's CURVE pair (``keys.client_keys``).
        name: how the server calls the client in its log, for instance ``"blender 4.5"``.
        heartbeat_seconds: how often an idle connection is checked.
        offer: the codecs to name in the hello; those that suit the address where None.
    """

    def __init__(
        self,
        keys: KeyPair,
        name: str = "",
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        offer: tuple[Codec, ...] | None = None,
    ) -> None:
        self.welcome: Welcome | None = None
        self._name = f"maquette-wire {__version__} {name}".strip()
        self._connection = Connection(keys)
        self._heartbeat = heartbeat_seconds
        self._jobs = OpenJobs()
        self._acknowledges: deque[Message] = deque()
        self._outbox: deque[Message] = deque()
        self._events: deque[Event] = deque()
        self._exchange: Exchange | None = None
        self._packing: Generator[None, None, list[Any]] | None = None
        self._wanted = offer
        self._offer: tuple[Codec, ...] = ("raw",)
        self._told: str | None = None
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
        self._told = None
        self._connection.open(endpoint.strip(), key)

    def reconnect(self) -> None:
        """Drop the connection and try again now, without waiting for the back-off."""
        self._forget_connection()
        self._told = None
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
        return self._jobs.names()

    def close(self) -> None:
        """End the connection, within half a second; jobs go on at the server."""
        stop = time.monotonic() + LINGER_MS / 1000
        while self.connected and time.monotonic() < stop and self._send_next():
            pass
        self._forget_connection()
        self._connection.close()

    # --- jobs ---------------------------------------------------------------------------------

    def submit(
        self,
        recipe: Recipe,
        captures: Sequence[Capture],
        previews: bool = False,
        job: str | None = None,
        surface: Surface | None = None,
        given: Mapping[int, Any] | None = None,
        together: bool = False,
        material: Material | None = None,
    ) -> str:
        """Submit a job, now or as soon as there is a connection; returns its name.

        The captures' memory must stay as it is until the job has ended: it isn't copied, so that
        the job can be submitted again to a server that lost it.

        Args:
            surface: what the pictures are to be carried onto, for a texture.
            given: pictures of captures that are taken as they are (uint8 [h, w, 3]); with a
                surface or together.
            together: the captures show one scene, and their pictures are to fit each other.
            material: what to make without any captures.

        Raises MaquetteError where the recipe or, with a known server, a limit says no.
        """
        packet = submission(
            recipe,
            captures,
            surface,
            given,
            together=together,
            material=material,
            previews=previews,
            job=job,
        )
        self.submit_packet(packet, captures)
        return packet.message.job

    def submit_packet(self, packet: Packet, captures: Sequence[Capture]) -> None:
        """:meth:`submit` of a job that is packed already (``submission``)."""
        submit, frames = packet
        if self.welcome is not None:
            self._check(submit, self.welcome)
        else:
            submit.recipe.check()
        self._do(self._jobs.submit(submit, frames, captures))

    def resume(self, job: str, packet: Packet | None = None) -> None:
        """Take up a job of an earlier client: its state, and in the end its result, arrive.

        Args:
            packet: what that client submitted, where it is known: a server that never got it, or
                has lost it, is sent it.

        Raises MaquetteError("bad-job") for a name that no client gave to a job.
        """
        if JOB.fullmatch(job) is None:
            raise MaquetteError("bad-job", f"{job!r} is no job.", "Use a name submit() gave.")
        self._do(self._jobs.resume(job, packet))

    def cancel(self, job: str) -> None:
        """End a job; Cancelled arrives, or its result where that was done already."""
        self._do(self._jobs.cancel(job))

    @property
    def can_order(self) -> bool:
        """Whether the server lets jobs be moved in its queue; assumed as long as there is none."""
        return self.welcome is None or "order" in self.welcome.understands

    def order(self, jobs: Sequence[str]) -> None:
        """Have jobs that wait be painted in this order, in the places that they have among them.

        Raises MaquetteError("old-server").
        """
        if not self.can_order:
            raise self._old_server("change the order of its jobs")
        self._do(self._jobs.order(jobs))

    def acknowledge(self, job: str) -> None:
        """Tell the server that the result is stored here, or the failure noted: it may drop it."""
        # Unlike the rest it isn't made again from the open jobs, so it outlives a connection.
        self._acknowledges.append(self._jobs.acknowledge(job))

    def poll(self, budget_seconds: float = 0.0) -> list[Event]:
        """What has happened since the last call.

        Args:
            budget_seconds: how long to wait for something to happen; with 0 the call never
                waits. Work takes a few milliseconds (compressing a large frame for another
                machine takes longer); what is left is done by the next calls.
        """
        now = time.monotonic()
        end = now + budget_seconds
        if now - self._last_poll > self._heartbeat:
            # Nobody looked for a while (a modal render): what came in is still to be read.
            self._last_heard = now
        while True:
            unfinished = self._work()
            self._last_poll = time.monotonic()
            if self._events or self._last_poll >= end:
                break
            if not unfinished:
                self._connection.wait(min(end - self._last_poll, self._heartbeat / 2))
        events = list(self._events)
        self._events.clear()
        return events

    # --- inside -------------------------------------------------------------------------------

    def _work(self) -> bool:
        """Do what there is to do; true where there is more."""
        stop = time.monotonic() + HANDLING_SECONDS
        while (happening := self._connection.step()) is not None:
            if isinstance(happening, Up):
                self._greet(self._wanted or codecs.suiting(self.endpoint))
            else:
                self._went_down(happening)
        while time.monotonic() < stop and (parts := self._connection.receive()) is not None:
            self._last_heard = time.monotonic()
            self._handle(parts)
        if self._connection.up:
            self._check_silence()
        while self.connected and self._send_next():
            if time.monotonic() >= stop:
                return True
        return False

    def _do(self, outcome: Message | Received | None) -> None:
        """Queue what the open jobs answered with."""
        if isinstance(outcome, Received):
            self._events.append(outcome)
        elif outcome is not None and self.connected:
            # Without a connection nothing is queued: its welcome asks the open jobs again.
            self._outbox.append(outcome)

    def _send_next(self) -> bool:
        """Send the next message or do a part of it; false where there is nothing to do now."""
        queue = self._acknowledges or self._outbox
        if not queue or not self._connection.has_room():
            return False
        message = queue[0]
        if isinstance(message, Submit):
            if not self._send_submit(message):
                return True
        elif not self._say(message):
            return False
        queue.popleft()
        return True

    def _send_submit(self, submit: Submit) -> bool:
        """Take the next step of packing and sending a job; true where it's settled."""
        job = self._jobs.get(submit.job)
        if job is None or self.welcome is None:
            self._stop_packing()
            return True
        try:
            if self._packing is None:
                self._check(submit, self.welcome)
                self._packing = pack_in_steps(
                    submit, job.frames, codec=self._codec(), exchange=self._exchange
                )
            next(self._packing)
        except StopIteration as packed:
            # There is room: nothing else was sent since that was looked at.
            job.sent = self._connection.send(packed.value)
            self._last_sent = time.monotonic()
        except MaquetteError as error:
            self._do(self._jobs.fail(submit.job, error))
        else:
            return False
        self._packing = None
        return True

    def _check(self, submit: Submit, welcome: Welcome) -> None:
        for name, ability in abilities(submit).items():
            if name not in welcome.understands:
                raise self._old_server(ability)
        check_submit(submit, welcome.limits)

    def _old_server(self, ability: str) -> MaquetteError:
        return MaquetteError(
            "old-server",
            f"The server at {self.endpoint} is older and can't {ability}.",
            "Update Maquette there.",
        )

    def _codec(self) -> Codec:
        if self._exchange is not None:
            return "file"
        known = self.welcome is not None and "zstd" in self.welcome.codecs
        return "zstd" if known and "zstd" in self._offer else "raw"

    def _say(self, message: Message) -> bool:
        if not self._connection.send(pack(message)):
            return False
        self._last_sent = time.monotonic()
        return True

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
        # The same failure of every further attempt is told once.
        if self._told != down.error.code:
            self._told = down.error.code
            self._events.append((Rejected if down.needs_user else Disconnected)(down.error))

    def _forget_connection(self) -> None:
        self.welcome = None
        self._exchange = None
        self._outbox.clear()
        self._stop_packing()

    def _stop_packing(self) -> None:
        if self._packing is not None:
            self._packing.close()
            self._packing = None

    def _handle(self, parts: list[memoryview]) -> None:
        limits = None if self.welcome is None else self.welcome.limits
        try:
            message, frames = unpack(parts, FROM_SERVER, limits, self._exchange)
        except BadMessage as error:
            if error.job:
                self._do(self._jobs.take_bad(error))
            else:
                self._went_down(self._connection.fail(error, needs_user=True))
            return
        if isinstance(message, Welcome):
            self._handle_welcome(message)
        elif isinstance(message, Refused):
            error = MaquetteError(message.code, message.sentence, message.hint)
            self._went_down(self._connection.fail(error, needs_user=True))
        elif not isinstance(message, Heartbeat):
            self._do(self._jobs.take(message, frames))

    def _handle_welcome(self, welcome: Welcome) -> None:
        if welcome.protocol != PROTOCOL:
            error = MaquetteError(
                "protocol-version",
                f"The server at {self.endpoint} speaks protocol {welcome.protocol}, "
                f"this client speaks {PROTOCOL}.",
                "Update the older of the two.",
            )
            self._went_down(self._connection.fail(error, needs_user=True))
            return
        if self.welcome is not None:
            # The server has learned something since: another device or model is ready.
            self.welcome = welcome
            self._events.append(Connected(welcome))
            return
        self._exchange = Exchange.join(welcome.exchange) if "file" in self._offer else None
        if "file" in self._offer and welcome.exchange is not None and self._exchange is None:
            # Loopback that ends elsewhere: a tunnel. The server must not send files either.
            self._greet(codecs.available())
            return
        self.welcome = welcome
        self._connection.settled()
        self._told = None
        self._events.append(Connected(welcome))
        self._outbox.clear()
        self._outbox.extend(self._jobs.on_welcome(welcome.understands))
