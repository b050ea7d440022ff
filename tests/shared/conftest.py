"""Fixtures of the wire's tests: a throw-away home, a mock server, clients, captures."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from maquette_wire import keys, messages
from maquette_wire.capture import Capture
from maquette_wire.client import Client, Connected, Event, Received
from maquette_wire.home import Home
from maquette_wire.recipe import Recipe
from maquette_wire.view import Matrix, View

from tests.shared.mock_server import MockServer

RECIPE = Recipe(prompt="red brick library at dusk", seed=3)
E = TypeVar("E")
M = TypeVar("M")
IDENTITY: Matrix = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def make_view(width: int = 32, height: int = 24, name: str = "") -> View:
    """A view with identity matrices."""
    return View(
        view_matrix=IDENTITY, projection_matrix=IDENTITY, width=width, height=height, name=name
    )


def make_capture(width: int = 32, height: int = 24) -> Capture:
    """A capture whose pixels all differ and whose depth has a slope and a sky."""
    color = bytes(index * 7 % 251 for index in range(width * height * 3))
    depths = [5.0 + index / 3 for index in range(width * height - width)] + [float("inf")] * width
    return Capture(make_view(width, height), color, struct.pack(f"<{width * height}f", *depths))


def poll_until(
    client: Client, wanted: Callable[[Event], bool], seconds: float = 15.0
) -> list[Event]:
    """Poll until an event is the wanted one; returns all events up to and with it."""
    end = time.monotonic() + seconds
    seen: list[Event] = []
    while time.monotonic() < end:
        for event in client.poll(0.2):
            seen.append(event)
        if any(map(wanted, seen)):
            return seen
    raise AssertionError(f"waited in vain; saw {seen}")


def reach(client: Client, kind: type[E]) -> E:
    """Poll until there is an event of this kind."""
    return next(
        event
        for event in poll_until(client, lambda event: isinstance(event, kind))
        if isinstance(event, kind)
    )


def hear(client: Client, kind: type[M]) -> M:
    """Poll until the server has sent a message of this kind."""

    def wanted(event: Event) -> bool:
        return isinstance(event, Received) and isinstance(event.message, kind)

    received = next(filter(wanted, poll_until(client, wanted)))
    assert isinstance(received, Received)
    assert isinstance(received.message, kind)
    return received.message


def is_message(kind: type) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, Received) and isinstance(event.message, kind)


def results(events: list[Event]) -> list[Received]:
    return [e for e in events if isinstance(e, Received) and isinstance(e.message, messages.Result)]


def connect(client: Client, server: MockServer) -> None:
    client.connect(server.endpoint, server.keys.public)
    reach(client, Connected)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def server(home: Home) -> Iterator[MockServer]:
    server = MockServer(home).start()
    yield server
    server.die()


@pytest.fixture
def client(home: Home) -> Iterator[Client]:
    client = Client(keys.client_keys(home), "test", heartbeat_seconds=0.3)
    yield client
    client.close()
