"""A laptop that slept, a server that stood still, a tunnel that broke: jobs go on by themselves."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from maquette_wire.client import Connected, Disconnected
from maquette_wire.local import running
from maquette_wire.messages import Progress, Result

from tests.backend.server.harness import (
    ServerProcess,
    Talker,
    capture,
    keys,
    light_recipe,
    until,
)

HEARTBEAT = 0.3
posix = pytest.mark.skipif(os.name == "nt", reason="no signals there")


class Tunnel:
    """Forwards TCP connections, and breaks or holds them when told to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """Forward nothing, and tell nobody: as a network that is gone."""
        self._open.clear()

    def go_on(self) -> None:
        self._open.set()

    def drop(self) -> None:
        """End all connections."""
        for each in self._sockets:
            each.close()
        self._sockets.clear()

    def close(self) -> None:
        self._listener.close()
        self._open.set()
        self.drop()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                return
            self._sockets += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self._open.wait()
                target.sendall(data)
        except OSError:
            return
        finally:
            for each in (source, target):
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


@pytest.fixture
def tunnel(shared_server: ServerProcess) -> Iterator[Tunnel]:
    record = running(shared_server.home)
    assert record is not None
    made = Tunnel(int(record.endpoint.rpartition(":")[2]))
    yield made
    made.close()


def through(server: ServerProcess, tunnel: Tunnel | None) -> Talker:
    """A client of a server, perhaps through a tunnel."""
    record = running(server.home)
    assert record is not None
    if tunnel is not None:
        record = msgspec.structs.replace(record, endpoint=tunnel.address)
    client = Talker(record, keys.client_keys(server.home), HEARTBEAT)
    client.first(lambda event: isinstance(event, Connected), "the welcome")
    return client


def lost_and_found(client: Talker, lose: Callable[[], None], find: Callable[[], None]) -> None:
    """Have the connection go and come back."""
    client.heard.clear()
    lose()
    client.first(lambda event: isinstance(event, Disconnected), "the news of the outage")
    client.heard.clear()
    find()
    client.first(lambda event: isinstance(event, Connected), "the welcome back")


def begun(client: Talker, gate: Path) -> str:
    job = client.client.submit(light_recipe(f"until={gate}"), [capture()])
    client.message(job, Progress)
    return job


@posix
def test_a_server_that_stood_still_is_found_again(
    make_server: Callable[..., ServerProcess], tmp_path: Path
):
    server = make_server()
    server.start()
    assert server.process is not None
    client = through(server, None)
    job = begun(client, tmp_path / "go")
    pid = server.process.pid
    lost_and_found(
        client, lambda: os.kill(pid, signal.SIGSTOP), lambda: os.kill(pid, signal.SIGCONT)
    )
    (tmp_path / "go").touch()
    assert isinstance(client.end_of(job).message, Result)


def test_a_tunnel_that_breaks_is_gone_through_again(
    shared_server: ServerProcess, tunnel: Tunnel, tmp_path: Path
):
    client = through(shared_server, tunnel)
    job = begun(client, tmp_path / "go")
    lost_and_found(client, tunnel.drop, lambda: None)
    (tmp_path / "go").touch()
    assert isinstance(client.end_of(job).message, Result)


def test_a_network_that_says_nothing_counts_as_lost_and_is_tried_again(
    shared_server: ServerProcess, tunnel: Tunnel, tmp_path: Path
):
    client = through(shared_server, tunnel)
    job = begun(client, tmp_path / "go")
    lost_and_found(client, tunnel.hold, tunnel.go_on)
    (tmp_path / "go").touch()
    assert isinstance(client.end_of(job).message, Result)
    until(lambda: client.client.connected, "a connection that stays")
