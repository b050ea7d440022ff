"""Servers in processes of their own, and clients that talk to them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import zmq
from maquette_wire import keys
from maquette_wire.capture import Capture
from maquette_wire.client import Client, Received
from maquette_wire.home import Home
from maquette_wire.keys import KeyPair
from maquette_wire.local import ServerRecord, running
from maquette_wire.messages import Cancelled, Failed, Message, Result, Texture
from maquette_wire.packing import FROM_SERVER, Packet, pack, unpack
from maquette_wire.recipe import Recipe
from maquette_wire.surface import Surface
from maquette_wire.view import View

ROOT = Path(__file__).resolve().parents[3]
LIGHT = (sys.executable, str(Path(__file__).with_name("light_server.py")))
REAL = (sys.executable, "-m", "maquette", "serve", "--endpoint", "tcp://127.0.0.1:*")
PATIENCE = 120.0
_open: set[Any] = set()
IDENTITY = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def until(true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait for something to become true; returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = true()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what} didn't happen within {seconds:.0f} s")


@dataclass
class ServerProcess:
    """A server of one home, which can be killed and started again."""

    home: Home
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What it has printed so far, over all its starts."""
        path = self.home.root / "test.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def launch(self) -> subprocess.Popen[bytes]:
        """Start it without waiting."""
        self.home.make()
        path = os.pathsep.join(str(ROOT / room) for room in ("", "shared", "backend"))
        with (self.home.root / "test.log").open("ab") as log:
            self.process = subprocess.Popen(
                list(self.command),
                env={
                    **os.environ,
                    "PYTHONPATH": path,
                    "OMP_NUM_THREADS": "1",
                    "MAQUETTE_HOME": str(self.home.root),
                    **self.environment,
                },
                stdout=log,
                stderr=log,
            )
        return self.process

    def start(self) -> ServerRecord:
        """Start it and wait until it takes jobs; one that doesn't is ended."""
        self.launch()
        try:
            return self.wait_ready()
        except AssertionError:
            self.kill()
            raise

    def wait_ready(self) -> ServerRecord:
        """Wait until it takes jobs."""
        process = self.process
        assert process is not None

        def ready() -> ServerRecord | None:
            assert process.poll() is None, f"the server ended: {self.log}"
            record = running(self.home)
            return record if record is not None and record.pid == process.pid else None

        return until(ready, "the server's start")

    def workers(self) -> list[psutil.Process]:
        """Its worker processes."""
        assert self.process is not None
        try:
            return psutil.Process(self.process.pid).children()
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end; returns its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(20)


def light_server(folder: Path, **options: object) -> ServerProcess:
    """A server with the light worker; options as in ``light_server.py``."""
    words = [f"{name}={value}" for name, value in options.items()]
    return ServerProcess(Home(folder), [*LIGHT, str(folder), *words])


def capture(width: int = 64, height: int = 48, name: str = "Street") -> Capture:
    """A wall with a sky above it."""
    depth = np.full((height, width), 20.0, np.float32)
    depth[: height // 3] = np.inf
    depth[height // 2 :, width // 2 :] = 12.0
    color = np.full((height, width, 3), 128, np.uint8)
    view = View(
        view_matrix=IDENTITY, projection_matrix=IDENTITY, width=width, height=height, name=name
    )
    return Capture(view, color, depth)


def triangle(size: int = 32) -> Surface:
    """A surface of one triangle."""
    corners = np.array([[[0, 0, 0], [1, 0, 0], [0, 0, 1]]], np.float32)
    uvs = np.array([[[0, 0], [1, 0], [0, 1]]], np.float32)
    return Surface(Texture(size=size, objects=(1,), origin=(7.0, 8.0, 9.0)), corners, uvs)


def light_recipe(prompt: str = "steps=2", **more: Any) -> Recipe:
    """A recipe for the light worker."""
    return Recipe(prompt=prompt, model="light", **more)


class Talker:
    """A client, and what it has been told."""

    def __init__(self, record: ServerRecord, pair: KeyPair, heartbeat: float = 5.0) -> None:
        self.client = Client(pair, "test", heartbeat_seconds=heartbeat)
        self.client.connect(record.endpoint, record.public_key)
        self.heard: list[Any] = []
        _open.add(self)

    def listen(self, seconds: float = 0.01) -> list[Any]:
        """Take up what has arrived, waiting so long at most; returns the news."""
        news = self.client.poll(seconds)
        self.heard += news
        return news

    def about(self, job: str) -> list[Received]:
        """What was said about a job."""
        return [e for e in self.heard if isinstance(e, Received) and e.message.job == job]

    def first(self, true: Callable[[Any], bool], what: str, seconds: float = PATIENCE) -> Any:
        """The first event, also of those heard before, for which something is true."""

        def look() -> Any:
            self.listen()
            return next((event for event in self.heard if true(event)), None)

        return until(look, what, seconds)

    def message(self, job: str, kind: type[Message], seconds: float = PATIENCE) -> Received:
        """The first message of a kind about a job."""
        return self.first(
            lambda event: (
                isinstance(event, Received)
                and event.message.job == job
                and isinstance(event.message, kind)
            ),
            f"{kind.__name__} of job {job}",
            seconds,
        )

    def end_of(self, job: str, seconds: float = PATIENCE) -> Received:
        """How a job ended."""
        return self.first(
            lambda event: (
                isinstance(event, Received)
                and event.message.job == job
                and isinstance(event.message, Result | Failed | Cancelled)
            ),
            f"the end of job {job}",
            seconds,
        )

    def close(self) -> None:
        """Go away; as far as the server can tell, without a word."""
        if self in _open:
            _open.remove(self)
            self.client.close()


def talker(server: ServerProcess, heartbeat: float = 5.0) -> Talker:
    """A client of the server's own user."""
    record = running(server.home)
    assert record is not None
    return Talker(record, keys.client_keys(server.home), heartbeat)


class RawClient:
    """A client that sends whatever it is given."""

    def __init__(self, record: ServerRecord, pair: KeyPair) -> None:
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.curve_serverkey = record.public_key.encode()
        self.socket.curve_publickey = pair.public.encode()
        self.socket.curve_secretkey = pair.secret.encode()
        self.socket.connect(record.endpoint)
        _open.add(self)

    def send(self, message: Message, frames: Sequence[Any] = ()) -> None:
        """Send a message of the protocol."""
        self.socket.send_multipart(pack(message, frames))

    def send_bytes(self, *parts: bytes) -> None:
        """Send anything."""
        self.socket.send_multipart(parts)

    def receive(self, seconds: float = PATIENCE) -> Packet:
        """The next message."""
        assert self.socket.poll(round(seconds * 1000)), "the server says nothing"
        return unpack(self.socket.recv_multipart(), FROM_SERVER)

    def close(self) -> None:
        """Go away."""
        _open.discard(self)
        self.socket.close()


def raw_client(server: ServerProcess, pair: KeyPair | None = None) -> RawClient:
    """A raw client, by default with the key of the server's own user."""
    record = running(server.home)
    assert record is not None
    return RawClient(record, pair or keys.client_keys(server.home))


def close_clients() -> None:
    """Close the clients that a test left open: libzmq waits for them for ever at the end."""
    for client in list(_open):
        client.close()


def new_pair() -> KeyPair:
    """Keys that no server knows."""
    public, secret = zmq.curve_keypair()
    return KeyPair(public.decode(), secret.decode())


def new_job() -> str:
    """A name for a job."""
    return uuid.uuid4().hex
