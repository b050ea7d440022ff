"""Who may connect: a ZAP handler (ZeroMQ RFC 27) for the sockets of one context.

It answers in the loop's own thread, so that the list of authorised clients and the keys of the
living workers are plain attributes. The user id of an accepted connection is its public key.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Collection

import zmq
from maquette_wire.errors import MaquetteError
from zmq.utils import z85

log = logging.getLogger(__name__)

CLIENTS = b"clients"
WORKERS = b"workers"

Keys = Callable[[], Collection[str]]


class Gate:
    """Answers libzmq's questions whether a CURVE key may connect.

    Args:
        context: the context whose sockets it guards; one gate for each.
        allowed: for each ZAP domain the function that returns the public keys (Z85) that may
            connect now.
    """

    def __init__(self, context: zmq.Context, allowed: dict[bytes, Keys]) -> None:
        self._allowed = allowed
        self.socket: zmq.Socket = context.socket(zmq.REP)
        self.socket.linger = 0
        self.socket.bind("inproc://zeromq.zap.01")

    def close(self) -> None:
        """Close the socket; connections that are being made then fail."""
        self.socket.close()

    def answer(self) -> None:
        """Answer one question that is waiting."""
        version, request, domain, address, _identity, mechanism, *credentials = (
            self.socket.recv_multipart()
        )
        key = ""
        if mechanism == b"CURVE" and len(credentials) == 1 and len(credentials[0]) == 32:
            key = z85.encode(credentials[0]).decode()
        known = self._allowed.get(domain, tuple)()
        if key and key in known:
            verdict = (b"200", b"OK", key.encode())
        else:
            log.warning("Refused a connection from %s: key %s is not authorised.",
                        address.decode(errors="replace"), key or "(none)")  # fmt: skip
            verdict = (b"400", b"Not authorised", b"")
        self.socket.send_multipart([version, request, *verdict, b""])


def split_endpoint(endpoint: str) -> tuple[str, str]:
    """Host and port of ``tcp://host:port``; the port may be ``*``, any that is free.

    Raises MaquetteError("bad-endpoint").
    """
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    numbered = port.isdecimal() and int(port) <= 65535
    if not endpoint.startswith("tcp://") or not host or not (numbered or port == "*"):
        raise MaquetteError(
            "bad-endpoint",
            f"The server can't listen on {endpoint!r}.",
            "Give an endpoint like tcp://127.0.0.1:47820.",
        )
    return host.strip("[]"), port


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
