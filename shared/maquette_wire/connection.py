"""One encrypted connection to a server that comes back by itself: a DEALER socket with CURVE, its
monitor and a back-off. Nothing here waits unless told to, and nothing runs in another thread.

libzmq's own reconnecting is switched off: it gives up silently after some kinds of failure and
tells nobody why after others. A new socket for each attempt has neither fault.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import zmq
from zmq.utils.monitor import recv_monitor_message

from .errors import MaquetteError
from .keys import KeyPair

if TYPE_CHECKING:
    from typing_extensions import Buffer

ATTEMPT_SECONDS = 6.0
"""After this an attempt that neither failed nor succeeded is given up (a host that is down)."""
BACK_OFF = (0.1, 5.0)
"""Seconds until the next attempt after the first failure, and at most; doubled in between."""
USER_SECONDS = 10.0
"""Seconds until the next attempt where a user has to change something first."""
LINGER_MS = 250
"""How long close() may wait for the last messages (a cancel, an acknowledge) to leave."""
PART_BYTES = 2**30
_EVENTS = (
    zmq.EVENT_CLOSED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)


@dataclass(frozen=True)
class Up:
    """The server is there and has shown its key."""


@dataclass(frozen=True)
class Down:
    """The connection failed or ended; another attempt follows by itself.

    ``needs_user`` where it will go on failing until somebody changes something.
    """

    error: MaquetteError
    needs_user: bool


class Connection:
    """A connection to one endpoint; ``step`` is to be called often."""

    def __init__(self, keys: KeyPair) -> None:
        self.endpoint = ""
        self.up = False
        self._keys = keys
        self._server_key = ""
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None
        self._monitor: zmq.Socket[bytes] | None = None
        self._deadline = 0.0
        self._attempts = 0
        self._retry_at: float | None = None
        self._delay = BACK_OFF[0]

    def open(self, endpoint: str, server_key: str) -> None:
        """Aim at an endpoint (``tcp://host:port``) whose server has this public key (Z85)."""
        self.endpoint, self._server_key = endpoint, server_key
        self.retry_now()

    def retry_now(self) -> None:
        """Drop what there is of a connection and try at the next step."""
        self._drop()
        self._attempts = 0
        self._delay, self._retry_at = BACK_OFF[0], 0.0

    def settled(self) -> None:
        """The peer has proved useful: the next failure starts at the shortest delay again."""
        self._delay = BACK_OFF[0]

    def fail(self, error: MaquetteError, needs_user: bool = False) -> Down:
        """End the connection for a reason that only the caller can know."""
        self._drop()
        self._retry_at = time.monotonic() + (USER_SECONDS if needs_user else self._delay)
        self._delay = min(2 * self._delay, BACK_OFF[1])
        return Down(error, needs_user)

    def step(self) -> Up | Down | None:
        """Take one event of the socket up, or start an attempt that is due."""
        now = time.monotonic()
        if self._monitor is None:
            if self._retry_at is not None and now >= self._retry_at:
                return self._attempt(now)
            return None
        if self._monitor.poll(0):
            event = recv_monitor_message(self._monitor)
            return self._take(int(event["event"]), int(event["value"]))
        if not self.up and now > self._deadline:
            return self.fail(self._silent())
        return None

    def has_room(self) -> bool:
        """Whether ``send`` would take a message now."""
        return self._socket is not None and bool(
            int(self._socket.getsockopt(zmq.EVENTS)) & zmq.POLLOUT
        )

    def send(self, parts: Sequence[Buffer]) -> bool:
        """Queue a message without waiting; false where there is no room for it now."""
        if self._socket is None or not self.up:
            return False
        try:
            self._socket.send_multipart(parts, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def receive(self) -> list[memoryview] | None:
        """The parts of the next message, without waiting; None where there is none."""
        if self._socket is None:
            return None
        try:
            frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return None
        return [frame.buffer for frame in frames]

    def wait(self, seconds: float) -> None:
        """Return when something arrived, or an attempt is due, or after so many seconds."""
        now = time.monotonic()
        due = self._deadline if self._monitor is not None else self._retry_at
        if due is not None and not self.up:
            seconds = min(seconds, due - now)
        poller = zmq.Poller()
        for socket in (self._socket, self._monitor):
            if socket is not None:
                poller.register(socket, zmq.POLLIN)
        # With no socket this sleeps, as it should.
        poller.poll(max(0, round(seconds * 1000)))

    def close(self) -> None:
        """Let the last messages leave, for LINGER_MS at most, and end."""
        self._drop(LINGER_MS)
        self._retry_at = None
        # Of an attempt that Ctrl-C cut off, too: the end would wait for its socket for ever.
        self._context.destroy()

    def _attempt(self, now: float) -> Down | None:
        self._retry_at = None
        self._deadline = now + ATTEMPT_SECONDS
        socket = self._context.socket(zmq.DEALER)
        socket.linger = 0
        socket.immediate = True  # nothing is queued for a server that isn't there
        socket.reconnect_ivl = -1
        socket.connect_timeout = round(ATTEMPT_SECONDS * 1000)
        socket.handshake_ivl = round(ATTEMPT_SECONDS * 1000)
        socket.maxmsgsize = PART_BYTES
        # A name may mean either kind of address, and libzmq tries only the first it finds.
        socket.ipv6 = "[" in self.endpoint or self._attempts % 2 == 1
        self._attempts += 1
        socket.curve_publickey = self._keys.public.encode()
        socket.curve_secretkey = self._keys.secret.encode()
        socket.curve_serverkey = self._server_key.encode()
        self._socket, self._monitor = socket, socket.get_monitor_socket(_EVENTS)
        try:
            socket.connect(self.endpoint)
        except zmq.ZMQError as error:
            return self.fail(
                MaquetteError(
                    "bad-endpoint",
                    f"{self.endpoint!r} is no address of a server: {error.strerror}.",
                    "Give an address like tcp://127.0.0.1:47820.",
                ),
                needs_user=True,
            )
        return None

    def _take(self, event: int, value: int) -> Up | Down | None:
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self.up = True
            return Up()
        if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            return self.fail(
                MaquetteError(
                    "not-authorised",
                    f"The server at {self.endpoint} doesn't know this client.",
                    f"Add the line {self._keys.public} to keys/authorised_clients in the "
                    "server's Maquette folder.",
                ),
                needs_user=True,
            )
        if event == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            if value == errno.EAGAIN:
                return self.fail(self._silent())
            return self.fail(
                MaquetteError(
                    "wrong-server-key",
                    f"The server at {self.endpoint} has another key than the one given here.",
                    "Copy the key again from keys/server.pub in the server's Maquette folder.",
                ),
                needs_user=True,
            )
        if event == zmq.EVENT_CLOSED or self.up:
            return self.fail(
                MaquetteError(
                    "server-lost" if self.up else "no-server",
                    f"The connection to {self.endpoint} was lost."
                    if self.up
                    else f"No server answers at {self.endpoint}.",
                    "Maquette connects again as soon as the server is back."
                    if self.up
                    else "Start the server there (maquette serve), or correct the address.",
                )
            )
        return self.fail(
            MaquetteError(
                "not-maquette",
                f"Something else than a Maquette server answers at {self.endpoint}.",
                "Correct the address or its port.",
            ),
            needs_user=True,
        )

    def _silent(self) -> MaquetteError:
        return MaquetteError(
            "no-answer",
            f"The server at {self.endpoint} doesn't answer.",
            "Check that it runs, and that a firewall lets its port through.",
        )

    def _drop(self, linger_ms: int = 0) -> None:
        self.up = False
        if self._socket is None:
            return
        self._socket.disable_monitor()
        if self._monitor is not None:
            self._monitor.close(linger=0)
        self._socket.close(linger=linger_ms)
        self._socket = self._monitor = None
