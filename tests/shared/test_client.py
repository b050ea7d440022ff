"""Jobs of a client against a real server on loopback, over real encrypted sockets."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from maquette_wire import keys, messages
from maquette_wire.capture import Capture
from maquette_wire.client import Client, Connected, Disconnected, Event, Received, Rejected
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.messages import Texture
from maquette_wire.submission import submission
from maquette_wire.surface import Surface

from tests.shared.conftest import (
    RECIPE,
    connect,
    hear,
    is_message,
    make_capture,
    make_view,
    poll_until,
    reach,
    results,
)
from tests.shared.mock_server import MockServer


@pytest.mark.parametrize("side", [32, 256])  # in the message, and through the exchange folder
def test_a_job_runs_from_submit_to_acknowledge(
    client: Client, server: MockServer, side: int
) -> None:
    connect(client, server)
    capture = make_capture(side, side)
    job = client.submit(RECIPE, [capture])
    events = poll_until(client, is_message(messages.Result))
    kinds = [type(event.message) for event in events if isinstance(event, Received)]
    assert kinds == [messages.Accepted, messages.Progress, messages.Result]
    (result,) = results(events)
    assert bytes(result.frames[0]) == bytes([100]) * (side * side * 3)
    arrived = next(p for p in server.packets if isinstance(p.message, messages.Submit))
    assert arrived.message.recipe == RECIPE
    assert bytes(arrived.frames[0]) == bytes(memoryview(capture.color).cast("B"))
    assert bytes(arrived.frames[1]) == bytes(memoryview(capture.depth).cast("B"))
    codec = arrived.message.frames[0].codec
    assert codec == ("file" if side == 256 else "raw")
    client.acknowledge(job)
    assert client.open_jobs == ()
    deadline = time.monotonic() + 5
    while job in server.jobs and time.monotonic() < deadline:
        client.poll(0.05)
    assert job not in server.jobs
    left = [path for path in server.home.exchange.iterdir() if path.suffix != ".token"]
    assert left == []


def test_a_job_submitted_before_there_is_a_server_runs_when_it_comes(
    client: Client, home: Home
) -> None:
    server = MockServer(home).start()
    server.die()
    client.connect(server.endpoint, server.keys.public)
    client.submit(RECIPE, [make_capture()])
    error = reach(client, Disconnected).error
    assert "No server answers at" in str(error)
    server.start()
    hear(client, messages.Result)
    server.die()


def test_a_server_that_dies_and_comes_back_is_asked_for_the_job(
    client: Client, server: MockServer
) -> None:
    server.hold = True
    connect(client, server)
    job = client.submit(RECIPE, [make_capture()])
    hear(client, messages.Accepted)
    server.die()
    error = reach(client, Disconnected).error
    assert error.code == "server-lost"
    assert client.open_jobs == (job,)
    server.hold = False
    server.start()
    events = poll_until(client, is_message(messages.Result))
    assert any(isinstance(event, Connected) for event in events)
    assert server.count(messages.Resume) == 1
    assert server.count(messages.Submit) == 1  # the captures didn't travel again
    assert len(results(events)) == 1


def test_a_server_that_lost_its_disk_gets_the_job_again(client: Client, server: MockServer) -> None:
    server.hold = True
    connect(client, server)
    client.submit(RECIPE, [make_capture()])
    hear(client, messages.Accepted)
    server.die()
    server.forget()
    server.hold = False
    server.start()
    hear(client, messages.Result)
    assert server.count(messages.Submit) == 2


def test_ten_deaths_and_every_job_still_arrives_once(client: Client, server: MockServer) -> None:
    client.connect(server.endpoint, server.keys.public)
    jobs = [client.submit(RECIPE, [make_capture()]) for _ in range(5)]
    seen: list[Event] = []
    for _ in range(10):
        seen += client.poll(0.05)
        server.die()
        seen += client.poll(0.02)
        server.start()
    deadline = time.monotonic() + 20
    while client.open_jobs and time.monotonic() < deadline:
        seen += client.poll(0.2)
    assert sorted(event.message.job for event in results(seen)) == sorted(jobs)


def test_a_result_is_handed_over_once_even_if_the_server_sends_it_again(
    client: Client, server: MockServer
) -> None:
    connect(client, server)
    job = client.submit(RECIPE, [make_capture()])
    hear(client, messages.Result)
    server.finish(job)
    assert results(client.poll(0.3)) == []


def test_a_new_client_resumes_a_job_of_an_earlier_one(
    client: Client, server: MockServer, home: Home
) -> None:
    server.hold = True
    connect(client, server)
    job = client.submit(RECIPE, [make_capture()])
    hear(client, messages.Accepted)
    client.close()
    server.hold = False
    second = Client(keys.client_keys(home))
    connect(second, server)
    second.resume(job)
    assert len(results(poll_until(second, is_message(messages.Result)))) == 1
    second.close()


def test_resuming_a_job_nobody_knows_fails_with_its_code(
    client: Client, server: MockServer
) -> None:
    connect(client, server)
    client.resume("0" * 32)
    assert hear(client, messages.Failed).code == "unknown-job"
    with pytest.raises(MaquetteError, match="is no job"):
        client.resume("../../etc/passwd")


def test_resuming_a_job_that_the_server_never_got_sends_what_is_known_of_it(
    client: Client, server: MockServer
) -> None:
    packet = submission(RECIPE, [make_capture()])
    connect(client, server)
    client.resume(packet.message.job, packet)
    assert hear(client, messages.Result).job == packet.message.job
    assert server.count(messages.Resume) == 1 and server.count(messages.Submit) == 1


def test_cancel_before_and_after_the_server_has_the_job(client: Client, server: MockServer) -> None:
    server.hold = True
    unsent = client.submit(RECIPE, [make_capture()])
    client.cancel(unsent)
    assert [e.message for e in client.poll() if isinstance(e, Received)] == [
        messages.Cancelled(job=unsent)
    ]
    connect(client, server)
    job = client.submit(RECIPE, [make_capture()])
    hear(client, messages.Accepted)
    client.cancel(job)
    hear(client, messages.Cancelled)
    assert server.jobs == {}
    assert server.count(messages.Submit) == 1


def test_a_cancel_survives_the_death_of_the_server(client: Client, server: MockServer) -> None:
    server.hold = True
    connect(client, server)
    job = client.submit(RECIPE, [make_capture()])
    hear(client, messages.Accepted)
    server.die()
    client.cancel(job)
    server.start()
    hear(client, messages.Cancelled)
    assert server.jobs == {}


def _poll_while(client: Client, going: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while going():
        assert time.monotonic() < end
        client.poll(0.05)


@pytest.mark.parametrize("asked", [{"tiles": (1001, 1002)}, {"painted": 256}, {"even": True}])
def test_what_an_older_server_would_ignore_fails_here(
    client: Client, server: MockServer, asked: dict[str, Any]
) -> None:
    server.welcome = {"understands": ()}
    texture = Texture(size=64, objects=(1,), **asked)
    surface = Surface(texture, bytes(36), bytes(24))
    first = client.submit(RECIPE, [make_capture()], surface=surface)  # nobody knows the server yet
    client.connect(server.endpoint, server.keys.public)
    failed = hear(client, messages.Failed)
    assert (failed.job, failed.code) == (first, "old-server")
    with pytest.raises(MaquetteError, match="Update Maquette there"):
        client.submit(RECIPE, [make_capture()], surface=surface)
    assert server.count(messages.Submit) == 0


def test_jobs_are_moved_before_and_after_the_server_has_them(
    client: Client, server: MockServer
) -> None:
    server.hold = True
    server.welcome = {"understands": ("order",)}
    a, b, c = (client.submit(RECIPE, [make_capture()]) for _ in range(3))
    client.order([c, a])
    assert client.open_jobs == (c, b, a)
    connect(client, server)
    _poll_while(client, lambda: server.count(messages.Submit) < 3)
    sent = [m.job for m in server.received if isinstance(m, messages.Submit)]
    assert sent == [c, b, a]
    client.order([a, b])
    server.die()  # perhaps before it has heard of that
    poll_until(client, lambda event: isinstance(event, Disconnected))
    server.start()
    orders = server.count(messages.Order)
    poll_until(client, lambda event: isinstance(event, Connected))
    _poll_while(client, lambda: server.count(messages.Order) == orders)
    said = [m.jobs for m in server.received if isinstance(m, messages.Order)]
    assert said[-1] == (c, a, b)


def test_an_older_server_is_not_asked_to_move_jobs(client: Client, server: MockServer) -> None:
    server.hold = True
    connect(client, server)
    jobs = [client.submit(RECIPE, [make_capture()]) for _ in range(2)]
    assert not client.can_order
    with pytest.raises(MaquetteError, match="Update Maquette there"):
        client.order(jobs[::-1])
    assert client.open_jobs == tuple(jobs)


def test_a_server_that_learns_something_says_so_and_jobs_go_on(
    client: Client, server: MockServer
) -> None:
    server.hold = True
    connect(client, server)
    job = client.submit(RECIPE, [make_capture()])
    hear(client, messages.Accepted)
    server.welcome = {"devices": ("cpu", "cuda:0")}
    server.greet_again()
    assert reach(client, Connected).welcome.devices == ("cpu", "cuda:0")
    assert server.count(messages.Resume) == 0
    assert client.open_jobs == (job,)


def test_a_limit_of_the_server_is_told_before_anything_is_sent(
    client: Client, server: MockServer
) -> None:
    server.limits = messages.Limits(side_max=64)
    early = client.submit(RECIPE, [make_capture(80, 16)])
    client.connect(server.endpoint, server.keys.public)
    client.connect(server.endpoint, server.keys.public)
    failed = hear(client, messages.Failed)
    assert (failed.job, failed.code) == (early, "capture-too-large")
    with pytest.raises(MaquetteError, match="80 x 16 pixels"):
        client.submit(RECIPE, [make_capture(80, 16)])
    assert server.count(messages.Submit) == 0
    assert client.open_jobs == ()


def test_a_tunnel_falls_back_to_frames_in_the_message(client: Client, server: MockServer) -> None:
    # The server offers a folder that this machine doesn't have.
    server.welcome = {"exchange": messages.Exchange(folder="/nowhere", token="0" * 32)}
    connect(client, server)
    assert server.count(messages.Hello) == 2
    client.submit(RECIPE, [make_capture(256, 256)])
    (result,) = results(poll_until(client, is_message(messages.Result)))
    assert bytes(result.frames[0]) == bytes([100]) * (256 * 256 * 3)
    arrived = next(p for p in server.packets if isinstance(p.message, messages.Submit))
    assert arrived.message.frames[1].codec in ("zstd", "raw")


def test_a_result_whose_frames_are_gone_is_asked_for_again(
    client: Client, server: MockServer
) -> None:
    server.hold = True
    connect(client, server)
    job = client.submit(RECIPE, [make_capture(256, 256)])
    hear(client, messages.Accepted)
    server.finish(job)
    deadline = time.monotonic() + 5
    written: list[Path] = []
    while len(written) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
        written = [path for path in server.home.exchange.iterdir() if path.suffix != ".token"]
    for path in written:
        path.unlink()
    server.hold = False
    assert len(results(poll_until(client, is_message(messages.Result)))) == 1
    assert server.count(messages.Resume) == 1


def test_random_bytes_on_the_clients_connection_end_nothing(
    client: Client, server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(client, server)
    monkeypatch.setattr("tests.shared.mock_server.pack", lambda *_, **__: [b"\xc1\xff random"])
    client.submit(RECIPE, [make_capture()])
    error = reach(client, Rejected).error
    assert error.code == "bad-message"
    monkeypatch.undo()
    client.reconnect()
    hear(client, messages.Result)


def test_a_large_capture_is_sent_in_small_steps(
    client: Client, server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(client, server)
    side = 1600
    capture = Capture(make_view(side, side), bytes(side * side * 3), bytes(side * side * 4))
    job = client.submit(RECIPE, [capture])
    monkeypatch.setattr("maquette_wire.client.HANDLING_SECONDS", 0.0)
    for _ in range(3):  # three steps of 4 MiB don't send 18 MB
        client.poll()
    time.sleep(0.2)
    assert server.count(messages.Submit) == 0
    monkeypatch.undo()
    (result,) = results(poll_until(client, is_message(messages.Result)))
    assert result.frames[0].nbytes == side * side * 3
    client.acknowledge(job)


def test_a_job_cancelled_while_it_is_sent_leaves_nothing(
    client: Client, server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(client, server)
    monkeypatch.setattr("maquette_wire.client.HANDLING_SECONDS", 0.0)
    side = 1600
    capture = Capture(make_view(side, side), bytes(side * side * 3), bytes(side * side * 4))
    job = client.submit(RECIPE, [capture])
    client.poll()
    half = [path for path in server.home.exchange.iterdir() if path.suffix != ".token"]
    assert len(half) == 1
    client.cancel(job)
    client.poll()
    assert [path for path in server.home.exchange.iterdir() if path.suffix != ".token"] == []
    assert server.count(messages.Submit) == 0


def test_the_package_needs_neither_arrays_nor_models_nor_blender() -> None:
    folder = Path(keys.__file__).parent
    modules = ", ".join(f"maquette_wire.{path.stem}" for path in folder.glob("[a-z]*.py"))
    code = (
        f"import sys; sys.path.insert(0, {str(folder.parent)!r}); import {modules}; "
        "heavy = {'numpy', 'torch', 'bpy', 'PIL'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
