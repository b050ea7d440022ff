"""Clients: the connections of the ROUTER socket, none of which can hold up the others.

A message that a client's queue has no room for waits here; a progress message is dropped instead,
since the next one says more. A client that doesn't read for so long that too much waits for it is
forgotten: its jobs stay, and it resumes them when it says hello again.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import zmq
from maquette_wire.keys import KeyPair
from maquette_wire.messages import Codec

from .access import CLIENTS

log = logging.getLogger(__name__)

QUEUED_IN = 4
"""Messages of one client that libzmq reads ahead: a submit may be large."""
QUEUED_OUT = 16
"""Messages that libzmq holds for one client."""
WAITING = 4096
"""Messages that wait for room in a client's queue before it is forgotten."""
SILENCE = 24 * 3600.0
"""Seconds without a message after which a connection is forgotten. Blender says nothing while it
renders, and that can take all night."""

Parts = Sequence[Any]
Letter = Callable[[], Parts]
"""A message that is packed when there is room for it, so that waiting results cost no memory."""


@dataclass(eq=False)
class Connection:
    """One client's connection. ``owner`` is its CURVE public key, which jobs belong to."""

    identity: bytes
    owner: str
    codec: Codec = "raw"
    greeted: bool = False
    seen: float = 0.0
    waiting: deque[Letter] = field(default_factory=deque)


class Arrived(NamedTuple):
    """A message as it came in; ``parts`` are unchecked."""

    connection: Connection
    parts: list[memoryview]


class Clients:
    """The socket that clients connect to.

    Args:
        context: the server's ZeroMQ context.
        keys: the server's key pair.
        part_bytes: a connection that announces a larger part is dropped unread.
    """

    def __init__(self, context: zmq.Context, keys: KeyPair, part_bytes: int) -> None:
        self._connections: dict[bytes, Connection] = {}
        self.socket: zmq.Socket = context.socket(zmq.ROUTER)
        self.socket.linger = 500
        self.socket.router_mandatory = True
        self.socket.rcvhwm = QUEUED_IN
        self.socket.sndhwm = QUEUED_OUT
        self.socket.maxmsgsize = part_bytes
        # Peers that vanish without a word are noticed by TCP itself. ZeroMQ's own heartbeats would
        # mistake a large submit on a slow link for silence.
        self.socket.tcp_keepalive = 1
        self.socket.tcp_keepalive_idle = 60
        self.socket.tcp_keepalive_intvl = 20
        self.socket.tcp_keepalive_cnt = 3
        self.socket.zap_domain = CLIENTS
        self.socket.curve_server = True
        self.socket.curve_secretkey = keys.secret.encode()

    def bind(self, endpoint: str) -> str:
        """Listen; returns the endpoint with the port that was chosen. Raises zmq.ZMQError."""
        self.socket.ipv6 = "[" in endpoint
        self.socket.bind(endpoint)
        return bytes(self.socket.getsockopt(zmq.LAST_ENDPOINT)).rstrip(b"\0").decode()

    def close(self) -> None:
        """Close the socket, giving what is on its way half a second."""
        self.socket.close()

    def receive(self) -> Arrived:
        """The next message that is waiting."""
        identity, *parts = self.socket.recv_multipart(copy=False)
        key = identity.bytes
        connection = self._connections.get(key)
        if connection is None:
            # The user id is what the gate has given the connection: its authorised public key.
            connection = Connection(identity=key, owner=str(identity.get("User-Id")))
            self._connections[key] = connection
        connection.seen = time.monotonic()
        return Arrived(connection, [part.buffer for part in parts])

    def connected(self) -> list[Connection]:
        """All known connections."""
        return list(self._connections.values())

    def is_connected(self, connection: Connection) -> bool:
        """Whether a connection is still known."""
        return self._connections.get(connection.identity) is connection

    def send(self, connection: Connection, letter: Letter) -> None:
        """Send a message now, or as soon as there is room for it."""
        connection.waiting.append(letter)
        self._flush(connection)
        if len(connection.waiting) > WAITING:
            log.warning("A client doesn't read what it asked for; its connection is forgotten.")
            self._forget(connection)

    def offer(self, connection: Connection, parts: Parts) -> None:
        """Send a message if there is room for it now."""
        if not connection.waiting:
            self._try(connection, parts)

    def flush(self) -> None:
        """Send what has been waiting for room, and forget connections that are silent."""
        now = time.monotonic()
        for connection in self.connected():
            if now - connection.seen > SILENCE:
                self._forget(connection)
            else:
                self._flush(connection)

    def _flush(self, connection: Connection) -> None:
        while connection.waiting and self.is_connected(connection):
            parts = connection.waiting.popleft()()
            if not self._try(connection, parts):
                # It stays packed: packing again might write its frames to disk again.
                connection.waiting.appendleft(_packed(parts))
                return

    def _try(self, connection: Connection, parts: Parts) -> bool:
        """Send a message; false where there is no room for it."""
        try:
            self.socket.send_multipart([connection.identity, *parts], zmq.NOBLOCK, copy=False)
        except zmq.ZMQError as error:
            if error.errno == zmq.EAGAIN:
                return False
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self._forget(connection)
        return True

    def _forget(self, connection: Connection) -> None:
        connection.waiting.clear()
        if self.is_connected(connection):
            del self._connections[connection.identity]


def _packed(parts: Parts) -> Letter:
    return lambda: parts
