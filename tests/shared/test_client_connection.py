"""Connections that fail, fall silent or find somebody else, and what a client says of them."""

from __future__ import annotations

import socket
import threading
import time

import pytest
import zmq
from maquette_wire import keys, messages
from maquette_wire.client import Client, Connected, Disconnected, Rejected
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home

from tests.shared.conftest import (
    RECIPE,
    connect,
    make_capture,
    reach,
)
from tests.shared.mock_server import MockServer


def test_a_server_that_stops_answering_counts_as_lost(client: Client, server: MockServer) -> None:
    connect(client, server)
    server.mute = True
    error = reach(client, Disconnected).error
    assert "stopped answering" in str(error)
    server.mute = False
    reach(client, Connected)


def test_an_idle_connection_stays(client: Client, server: MockServer) -> None:
    connect(client, server)
    assert client.poll(2.0) == []  # several times the silence allowed
    assert server.count(messages.Heartbeat) >= 3


def test_a_timer_that_paused_doesnt_lose_the_connection(client: Client, server: MockServer) -> None:
    connect(client, server)
    time.sleep(2.0)
    assert client.poll() == []
    assert client.poll(0.5) == []


def test_the_wrong_server_key_names_the_fix(client: Client, server: MockServer, home: Home) -> None:
    client.connect(server.endpoint, keys.client_keys(home).public)
    error = reach(client, Rejected).error
    assert "another key" in str(error)
    assert "server.pub" in str(error)


def test_a_client_that_isnt_authorised_is_told_its_own_key(
    client: Client, server: MockServer, home: Home
) -> None:
    server.authorised = frozenset()
    client.connect(server.endpoint, server.keys.public)
    error = reach(client, Rejected).error
    assert keys.client_keys(home).public in str(error)
    assert "authorised_clients" in str(error)


def test_a_port_where_something_else_answers(client: Client, server: MockServer) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            time.sleep(0.5)

    thread = threading.Thread(target=answer)
    thread.start()
    client.connect(f"tcp://127.0.0.1:{listener.getsockname()[1]}", server.keys.public)
    error = reach(client, Rejected).error
    assert "Something else than a Maquette server" in str(error)
    thread.join()
    listener.close()


def test_a_server_by_its_name(client: Client, server: MockServer) -> None:
    client.connect(f"tcp://localhost:{server.port}", server.keys.public)
    reach(client, Connected)


@pytest.mark.parametrize("endpoint", ["nonsense", "tcp://", "tcp://127.0.0.1:port", "udp://x:1"])
def test_an_address_that_is_none(client: Client, server: MockServer, endpoint: str) -> None:
    client.connect(endpoint, server.keys.public)
    error = reach(client, Rejected).error
    assert "is no address of a server" in str(error)


def test_a_key_that_is_none(client: Client) -> None:
    with pytest.raises(MaquetteError, match="Copy all 40 characters"):
        client.connect("tcp://127.0.0.1:1", "too short")


@pytest.mark.parametrize("side", ["server", "client"])
def test_another_protocol_version_is_refused(
    client: Client, server: MockServer, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if side == "server":
        server.welcome = {"protocol": 99}
    else:
        monkeypatch.setattr(
            "maquette_wire.client.Hello",
            lambda **fields: messages.Hello(**{**fields, "protocol": 99}),
        )
    client.connect(server.endpoint, server.keys.public)
    error = reach(client, Rejected).error
    assert error.code == "protocol-version"
    assert "pdate" in error.hint
    assert not client.connected


def test_random_bytes_on_the_port_leave_the_server_serving(
    client: Client, server: MockServer
) -> None:
    for junk in (b"", b"\x00" * 100, b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 40):
        with socket.create_connection(("127.0.0.1", server.port)) as stranger:
            stranger.sendall(junk)
    connect(client, server)


def test_a_poll_never_waits_when_told_not_to(client: Client, server: MockServer) -> None:
    client.connect("tcp://10.255.255.1:9", server.keys.public)  # swallows packets, or is refused
    begin = time.monotonic()
    for _ in range(20):
        client.poll()
    assert time.monotonic() - begin < 2.0


def test_close_is_bounded_also_with_a_server_that_hangs(home: Home, server: MockServer) -> None:
    client = Client(keys.client_keys(home))
    connect(client, server)
    server.mute = True
    for _ in range(20):
        client.submit(RECIPE, [make_capture(64, 64)])
    client.poll()
    begin = time.monotonic()
    client.close()
    assert time.monotonic() - begin < 2.0


def test_an_attempt_that_ctrl_c_cut_off_doesnt_hold_up_the_end(
    home: Home, server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(zmq.Socket, "get_monitor_socket", interrupted)
    client = Client(keys.client_keys(home))
    with pytest.raises(KeyboardInterrupt) as cut_off:  # whose frames hold what they had made
        client.connect(server.endpoint, server.keys.public)
        client.poll()
    closing = threading.Thread(target=client.close, daemon=True)
    closing.start()
    closing.join(10)
    assert not closing.is_alive(), cut_off
