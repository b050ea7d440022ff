"""Loop: the server's one thread, which answers every socket and waits for none.

Sampling happens in worker processes, decisions about jobs at the desk; what is here is who is told
what, and when.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import zmq
from maquette_wire import messages
from maquette_wire.errors import MaquetteError
from maquette_wire.packing import FROM_CLIENT, BadMessage, Packet, pack, unpack

from . import worker_messages as wm
from .access import Gate
from .clients import Clients, Connection
from .desk import Desk
from .journal import Job
from .pool import Pool, Said
from .replies import Facts, Replies, failed, plain, refused
from .spool import file_error

log = logging.getLogger(__name__)

TICK_MS = 50
"""How long the loop sleeps at most: dead workers and full queues are looked at as often."""
TURN = 32
"""Messages of one socket that are handled before the others get their turn."""
RETRY_SECONDS = 1.0
PLACES_SECONDS = 0.2
"""How often those who wait are told of their new places at most."""
TIDY_SECONDS = 60.0
GREETING_BYTES = 64 * 1024
PASSING = ("disk-full", "journal-unusable", "spool-unusable")
"""Troubles of the disk that may pass: what they prevented is tried again."""


class _Greeting(msgspec.Struct):
    """What a hello of any protocol version has."""

    type: str = ""
    protocol: int = messages.PROTOCOL


class Loop:
    """The conversation with clients and workers.

    Args:
        clients, pool, gate: the sockets; the loop doesn't own them.
        desk: decides about jobs.
        facts: what clients are told about the server.
        on_ready: called with the devices whenever another worker has become ready.
    """

    def __init__(
        self,
        clients: Clients,
        pool: Pool,
        gate: Gate,
        desk: Desk,
        facts: Facts,
        on_ready: Callable[[tuple[str, ...]], None],
    ) -> None:
        self._clients = clients
        self._pool = pool
        self._gate = gate
        self._desk = desk
        self._facts = facts
        self._replies = Replies(desk, facts)
        self._on_ready = on_ready
        self._watchers: dict[str, Connection] = {}
        self._samplers: tuple[str, ...] = ()
        self._again: list[Callable[[], None]] = []
        self._next_retry = self._next_tidy = self._next_places = 0.0
        self._moved = False
        self._stopping = False
        self._poller = zmq.Poller()
        for socket in (gate.socket, pool.socket, clients.socket):
            self._poller.register(socket, zmq.POLLIN)

    def stop(self) -> None:
        """End :meth:`run` soon; safe in a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Serve until :meth:`stop`.

        Raises MaquetteError where no worker can start at all, or the journal can't be used.
        """
        while not self._stopping:
            waiting = dict(self._poller.poll(TICK_MS))
            if self._gate.socket in waiting:
                self._gate.answer()
            if self._pool.socket in waiting:
                self._some(self._pool.socket, self._hear_worker)
            if self._clients.socket in waiting:
                self._some(self._clients.socket, self._hear_client)
            self._tend()

    def _some(self, socket: zmq.Socket, hear: Callable[[], None]) -> None:
        for _ in range(TURN):
            hear()
            if not socket.poll(0):
                return

    def _tend(self) -> None:
        """Whatever isn't an answer to a message."""
        now = time.monotonic()
        for name in self._pool.reap():
            self._surely(partial(self._worker_died, name))
        self._pool.start_missing()
        if now >= self._next_retry:
            self._next_retry = now + RETRY_SECONDS
            again, self._again = self._again, []
            for action in again:
                self._surely(action)
            self._give_up_without_workers()
        self._surely(self._assign)
        if self._moved and now >= self._next_places:
            self._next_places = now + PLACES_SECONDS
            self._surely(self._tell_places)
        self._clients.flush()
        if now >= self._next_tidy:
            self._next_tidy = now + TIDY_SECONDS
            self._tidy()

    def _surely(self, action: Callable[[], None]) -> None:
        """Do something now, or, where the disk prevents it, again in a while until it works."""
        try:
            action()
        except (MaquetteError, OSError) as error:
            if isinstance(error, MaquetteError) and error.code not in PASSING:
                raise
            if action not in self._again:
                log.error("%s It is tried again.", error)
                self._again.append(action)

    # --- workers --------------------------------------------------------------------------------

    def _hear_worker(self) -> None:
        said = self._pool.receive()
        note = said.note
        if isinstance(note, wm.Step):
            watcher = self._watchers.get(note.job)
            if watcher is not None:
                self._clients.offer(watcher, [part.buffer for part in said.parts])
        elif isinstance(note, wm.Ready):
            self._samplers = note.samplers
            log.info("The worker for %s is ready.", note.device)
            self._on_ready(self._pool.devices())
            # Whoever was welcomed before knows less.
            for connection in self._clients.connected():
                if connection.greeted:
                    self._welcome(connection)
        elif isinstance(note, wm.Unusable):
            log.error("A worker can't start. %s %s", note.sentence, note.hint)
        else:
            self._surely(lambda: self._job_ended(said, note))

    def _job_ended(self, said: Said, note: wm.Finished | wm.Broke | wm.Stopped) -> None:
        if isinstance(note, wm.Finished):
            news = self._desk.finished(note.job, Path(note.result))
        elif isinstance(note, wm.Broke):
            error = MaquetteError(note.code, note.sentence, note.hint)
            news = self._desk.broke(note.job, error)
            if news:
                log.warning("Job %s failed: %s", note.job, error)
        else:
            news = False
        self._pool.release(said.worker, note.job)
        self._moved = True
        if news:
            self._tell(note.job)

    def _worker_died(self, name: str) -> None:
        job = self._desk.died(name)
        if job is None:
            return
        if job.state == "queued":
            log.warning("Job %s is queued again.", name)
        self._tell(name)

    def _assign(self) -> None:
        while (worker := self._pool.idle()) is not None:
            job = self._desk.take()
            if job is None:
                return
            if job.state == "failed":
                log.error("Job %s failed: %s", job.job, job.sentence)
                self._tell(job.job)
                continue
            captures = self._desk.spool.captures(job.job)
            result = self._desk.spool.scratch(job.job)
            self._pool.assign(
                worker, wm.Assign(job=job.job, captures=str(captures), result=str(result))
            )

    def _give_up_without_workers(self) -> None:
        reason = self._pool.hopeless()
        if reason is None:
            return
        error = MaquetteError(reason.code, reason.sentence, reason.hint)
        if not self._samplers:
            # None ever worked: whoever started this server is there to read why.
            raise error
        for name in self._desk.fail_waiting(error):
            self._tell(name)

    def _tidy(self) -> None:
        try:
            self._desk.tidy()
            if self._facts.exchange is not None:
                self._facts.exchange.sweep()
        except (MaquetteError, OSError) as error:
            log.error("Cleaning up failed: %s", error)

    # --- clients --------------------------------------------------------------------------------

    def _tell(self, name: str) -> None:
        """Tell whoever watches a job how it ended, or that it waits again."""
        watcher = self._watchers.get(name)
        job = self._desk.journal.get(name)
        if watcher is None or job is None:
            return
        if job.state == "queued":
            letter = plain(messages.Progress(job=name, stage="queued"))
        else:
            letter = self._replies.state(watcher, job)
            del self._watchers[name]
        self._clients.send(watcher, letter)

    def _tell_places(self) -> None:
        """Tell those who wait how many are ahead of them now."""
        self._moved = False
        for name, ahead in self._desk.places().items():
            watcher = self._watchers.get(name)
            if watcher is not None:
                news = messages.Progress(job=name, stage="queued", ahead=ahead)
                self._clients.offer(watcher, pack(news))

    def _hear_client(self) -> None:
        connection, parts = self._clients.receive()
        try:
            self._check_protocol(parts)
            packet = unpack(parts, FROM_CLIENT, self._facts.limits, self._facts.exchange)
        except BadMessage as error:
            log.warning("A client's message can't be used: %s", error)
            self._clients.send(
                connection, failed(error.job, error) if error.job else refused(error)
            )
            return
        try:
            self._answer(connection, packet)
        except (MaquetteError, OSError) as problem:
            job = getattr(packet.message, "job", "")
            error = problem if isinstance(problem, MaquetteError) else file_error(problem)
            self._clients.send(connection, failed(job, error) if job else refused(error))

    def _check_protocol(self, parts: list[memoryview]) -> None:
        """Refuse a hello of another version, even one whose other fields have changed."""
        try:
            greeting = msgspec.msgpack.decode(parts[0][:GREETING_BYTES], type=_Greeting)
        except (msgspec.MsgspecError, IndexError):
            return
        if greeting.type == "hello" and greeting.protocol != messages.PROTOCOL:
            older, newer = "the client", "this server"
            if greeting.protocol > messages.PROTOCOL:
                older, newer = newer, older
            raise BadMessage(
                "protocol-version",
                f"The client speaks protocol version {greeting.protocol}, this server"
                f" {messages.PROTOCOL}.",
                f"Update {older}, so that it fits {newer}.",
            )

    def _answer(self, connection: Connection, packet: Packet) -> None:
        message = packet.message
        if isinstance(message, messages.Hello):
            connection.codec = self._replies.codec_for(message.codecs)
            connection.greeted = True
            log.info("%r says hello.", message.client[:80])
            self._welcome(connection)
        elif not connection.greeted:
            error = MaquetteError("hello-first", "The client said no hello.", "Connect again.")
            self._clients.send(connection, refused(error))
        elif isinstance(message, messages.Heartbeat):
            self._clients.send(connection, plain(messages.Heartbeat()))
        elif isinstance(message, messages.Submit):
            self._accept(connection, packet)
        elif isinstance(message, messages.Resume):
            self._report(connection, self._desk.look_up(connection.owner, message.job))
        elif isinstance(message, messages.Cancel):
            self._desk.look_up(connection.owner, message.job)
            self._surely(lambda: self._cancel(connection, message.job))
        elif isinstance(message, messages.Order):
            self._surely(lambda: self._order(connection, message.jobs))
        elif self._desk.knows(connection.owner, message.job):
            # Of an unknown job nothing is said: the client has what it wants.
            self._surely(lambda: self._desk.acknowledge(connection.owner, message.job))

    def _welcome(self, connection: Connection) -> None:
        letter = self._replies.welcome(self._pool.devices(), self._samplers)
        self._clients.send(connection, letter)

    def _accept(self, connection: Connection, packet: Packet) -> None:
        job = self._desk.submit(connection.owner, packet)
        self._report(connection, job)

    def _report(self, connection: Connection, job: Job) -> None:
        """Tell where a job is now, and from now on."""
        if job.state in ("queued", "running"):
            self._watchers[job.job] = connection
        self._clients.send(connection, self._replies.state(connection, job))

    def _order(self, connection: Connection, names: tuple[str, ...]) -> None:
        self._desk.order(connection.owner, names)
        self._moved = True

    def _cancel(self, connection: Connection, name: str) -> None:
        job = self._desk.cancel(connection.owner, name)
        self._pool.stop(name)
        self._watchers.pop(name, None)
        self._moved = True
        self._clients.send(connection, self._replies.state(connection, job))
