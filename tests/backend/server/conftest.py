"""Fixtures of the server's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.backend.server.harness import ServerProcess, Talker, close_clients, light_server, talker


@pytest.fixture(autouse=True)
def no_client_is_left() -> Iterator[None]:
    """Close what a test, perhaps a failing one, has left open."""
    yield
    close_clients()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A light server for all tests of a module; it must survive them."""
    server = light_server(tmp_path_factory.mktemp("home"))
    server.start()
    first = server.process
    yield server
    assert server.process is first and first is not None
    assert first.poll() is None, f"the server ended: {server.log}"
    assert server.stop() == 0


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Makes light servers, not started yet; they are ended after the test."""
    made: list[ServerProcess] = []

    def make(name: str = "home", **options: object) -> ServerProcess:
        made.append(light_server(tmp_path / name, **options))
        return made[-1]

    yield make
    for server in made:
        if server.process is not None and server.process.poll() is None:
            server.stop()


@pytest.fixture
def client(shared_server: ServerProcess) -> Iterator[Talker]:
    """A client of the shared server."""
    made = talker(shared_server)
    yield made
    made.close()
