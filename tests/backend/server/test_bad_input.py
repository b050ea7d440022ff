"""What a server gets that it can't use: a clear sentence each time, and it goes on serving."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from maquette_wire import keys
from maquette_wire.capture import Capture, frames_of
from maquette_wire.client import Rejected
from maquette_wire.local import running
from maquette_wire.messages import (
    Accepted,
    Failed,
    FrameHeader,
    Heartbeat,
    Hello,
    Progress,
    Refused,
    Result,
    Resume,
    Submit,
    Welcome,
)
from maquette_wire.packing import Packet
from maquette_wire.view import View

from tests.backend.server.harness import (
    IDENTITY,
    RawClient,
    ServerProcess,
    Talker,
    capture,
    light_recipe,
    new_job,
    new_pair,
    raw_client,
    talker,
)

Make = Callable[..., ServerProcess]


@pytest.fixture
def raw(shared_server: ServerProcess) -> Iterator[RawClient]:
    """A client that has said hello and sends whatever it is given."""
    made = raw_client(shared_server)
    made.send(Hello(client="raw"))
    assert isinstance(made.receive().message, Welcome)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def still_serving(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did to the shared server, it runs jobs afterwards."""
    yield
    if "shared_server" in request.fixturenames:
        after = talker(request.getfixturevalue("shared_server"))
        job = after.client.submit(light_recipe("steps=1 pause=0"), [capture()])
        assert isinstance(after.end_of(job).message, Result)
        after.close()


def submit_of(captures: list[Capture], **recipe: Any) -> tuple[Submit, list[memoryview]]:
    """A submit as any client could send it, checked by nobody."""
    headers, frames = frames_of(captures)
    views = tuple(c.view for c in captures)
    return Submit(job=new_job(), recipe=light_recipe(**recipe), views=views, frames=headers), frames


def refusal(answer: Packet) -> Failed:
    """The answer, which must be a failure that says what to do."""
    assert isinstance(answer.message, Failed), answer.message
    assert answer.message.sentence.endswith(".") and answer.message.hint
    return answer.message


def test_another_protocol_version_is_refused_by_number(shared_server: ServerProcess):
    for version, words in ((0, "Update the client"), (99, "Update this server")):
        raw = raw_client(shared_server)
        raw.send_bytes(msgspec.msgpack.encode({"type": "hello", "protocol": version, "new": [1]}))
        answer = raw.receive().message
        assert isinstance(answer, Refused) and answer.code == "protocol-version"
        assert f"version {version}" in answer.sentence and answer.hint.startswith(words)
        raw.send(Resume(job=new_job()))
        again = raw.receive().message
        assert isinstance(again, Refused) and again.code == "hello-first"
        raw.close()


@pytest.mark.parametrize(
    "parts",
    [
        [b""],
        [b"\x00"],
        [os.urandom(1000)],
        [os.urandom(100), os.urandom(100), b""],
        [msgspec.msgpack.encode({"type": "no such message"})],
        [msgspec.msgpack.encode({"type": "submit", "job": 7})],
        [msgspec.msgpack.encode([1, 2, 3])],
        [b"\x91" * 100_000],
        [msgspec.msgpack.encode({"type": "heartbeat"}), b"a part too many"],
        [msgspec.msgpack.encode({"type": "welcome"})],
    ],
    ids=["empty", "zero", "random", "parts", "unknown", "types", "list", "deep", "extra", "ours"],
)
def test_anything_but_a_message_is_refused(raw: RawClient, parts: list[bytes]):
    raw.send_bytes(*parts)
    answer = raw.receive().message
    assert isinstance(answer, Refused) and answer.code == "bad-message" and answer.sentence
    raw.send(Heartbeat())
    assert isinstance(raw.receive().message, Heartbeat)


def test_random_bytes_on_the_port_disturb_nobody(shared_server: ServerProcess, client: Talker):
    job = client.client.submit(light_recipe("steps=10 pause=0.05"), [capture()])
    client.message(job, Accepted)
    port = int(client.client.endpoint.rpartition(":")[2])
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(os.urandom(5000))
    with socket.create_connection(("127.0.0.1", port)) as browser:
        browser.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert isinstance(client.end_of(job).message, Result)


def test_a_message_before_the_hello_is_refused(shared_server: ServerProcess):
    raw = raw_client(shared_server)
    raw.send(Heartbeat())
    answer = raw.receive().message
    assert isinstance(answer, Refused) and answer.code == "hello-first"
    raw.close()


def test_a_capture_of_ten_thousand_pixels_is_refused_by_name(raw: RawClient):
    # Headers alone decide: the frames are never looked at, so they needn't be there.
    view = View(
        view_matrix=IDENTITY, projection_matrix=IDENTITY, width=10_000, height=10_000, name="Site"
    )
    frames = (
        FrameHeader(name="color", dtype="u1", shape=(10_000, 10_000, 3)),
        FrameHeader(name="depth", dtype="f4", shape=(10_000, 10_000)),
    )
    submit = Submit(job=new_job(), recipe=light_recipe(), views=(view,), frames=frames)
    encoded = msgspec.msgpack.encode(submit)
    raw.send_bytes(encoded, b"", b"")
    failed = refusal(raw.receive())
    assert failed.job == submit.job and failed.code == "capture-too-large"
    assert "10000 x 10000" in failed.sentence and "8192" in failed.hint


def test_a_capture_of_one_pixel_is_refused_by_name(raw: RawClient):
    submit, frames = submit_of([capture(1, 1)])
    raw.send(submit, frames)
    failed = refusal(raw.receive())
    assert failed.code == "capture-too-small" and "1 x 1" in failed.sentence and "16" in failed.hint


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"model": "no-such"}, "unknown-model"),
        ({"count": 0}, "bad-recipe"),
        ({"steps": 100_000}, "bad-recipe"),
        ({"guidance": float("nan")}, "bad-recipe"),
        ({"prompt": "x" * 10_000}, "prompt-too-long"),
        ({"size": (100_000, 64)}, "capture-too-large"),
    ],
    ids=["model", "count", "steps", "guidance", "prompt", "size"],
)
def test_a_recipe_that_cannot_be_run_is_refused_before_it_is_stored(
    shared_server: ServerProcess, raw: RawClient, change: dict[str, object], code: str
):
    submit, frames = submit_of([capture()])
    submit = msgspec.structs.replace(
        submit, recipe=msgspec.structs.replace(submit.recipe, **change)
    )
    raw.send(submit, frames)
    failed = refusal(raw.receive())
    assert failed.code == code and failed.job == submit.job
    assert not (shared_server.home.spool / "captures" / submit.job).exists()
    raw.send(Resume(job=submit.job))
    assert refusal(raw.receive()).code == "unknown-job"


def test_a_job_whose_pictures_exceed_the_limit_is_refused(raw: RawClient):
    submit, frames = submit_of([capture()], count=64, size=(4096, 4096))
    raw.send(submit, frames)
    failed = refusal(raw.receive())
    assert failed.code == "too-large" and "GiB" in failed.sentence


def test_a_job_name_cannot_leave_the_spool(shared_server: ServerProcess, raw: RawClient):
    submit, frames = submit_of([capture()])
    for name in ("../../keys/server.key", "/etc/passwd", "x" * 32, "A" * 32):
        raw.send(msgspec.structs.replace(submit, job=name), frames)
        assert isinstance(raw.receive().message, Failed)
        raw.send(Resume(job=name))
        assert refusal(raw.receive()).code == "unknown-job"
    assert (shared_server.home.keys / "server.key").stat().st_size < 200


def test_a_frame_that_names_a_file_elsewhere_is_refused(raw: RawClient):
    submit, _ = submit_of([capture(256, 256)])
    headers = tuple(msgspec.structs.replace(h, codec="file") for h in submit.frames)
    submit = msgspec.structs.replace(submit, frames=headers)
    raw.send_bytes(msgspec.msgpack.encode(submit), b"../../keys/server.key", b"f" * 32)
    failed = raw.receive().message
    assert isinstance(failed, Failed) and failed.code == "bad-message"


def test_a_client_without_leave_is_turned_away_with_the_line_to_add(shared_server: ServerProcess):
    record = running(shared_server.home)
    assert record is not None
    stranger = new_pair()
    away = Talker(record, stranger)
    rejected = away.first(lambda event: isinstance(event, Rejected), "a rejection").error
    assert rejected.code == "not-authorised" and stranger.public in rejected.hint
    away.close()


def test_too_many_waiting_jobs_are_refused(make_server: Make):
    server = make_server(queued_jobs=2)
    server.start()
    client = talker(server)
    jobs = [client.client.submit(light_recipe("steps=20 pause=0.05"), [capture()]) for _ in "123"]
    failed = client.end_of(jobs[2]).message
    assert isinstance(failed, Failed) and failed.code == "too-many-jobs" and failed.hint
    assert isinstance(client.end_of(jobs[0]).message, Result)
    client.close()


def test_a_full_spool_refuses_new_jobs_and_loses_no_result(make_server: Make):
    server = make_server(disk_budget=1_000_000)
    server.start()
    client = talker(server)
    recipe = light_recipe("steps=1 pause=0")
    large = capture(256, 256)  # 459 kB up, 197 kB of result
    first = client.client.submit(recipe, [large])
    picture = bytes(client.end_of(first).frames[0])
    second = client.client.submit(recipe, [large])
    failed = client.end_of(second).message
    if isinstance(failed, Result):  # there was room for the second; then not for the third
        third = client.client.submit(recipe, [large])
        failed = client.end_of(third).message
    assert isinstance(failed, Failed) and failed.code == "spool-full"
    assert "--disk-budget" in failed.hint
    client.close()

    later = talker(server)
    later.client.resume(first)
    assert bytes(later.end_of(first).frames[0]) == picture
    later.client.acknowledge(first)
    fits = later.client.submit(recipe, [large])
    assert isinstance(later.end_of(fits).message, Result)
    later.close()


def test_a_job_larger_than_the_whole_budget_is_refused(make_server: Make):
    server = make_server(disk_budget=100_000)
    server.start()
    client = talker(server)
    job = client.client.submit(light_recipe(), [capture(256, 256)])
    failed = client.end_of(job).message
    assert isinstance(failed, Failed) and failed.code == "spool-full"
    client.close()


def test_a_full_disk_refuses_jobs_keeps_those_it_has_and_recovers(
    make_server: Make, small_disk: Path, tmp_path: Path
):
    server = make_server("disk")
    assert server.home.root == small_disk
    server.start()
    client = talker(server)
    kept = client.client.submit(light_recipe("steps=1 pause=0"), [capture(128, 128)])
    picture = bytes(client.end_of(kept).frames[0])
    go_on = tmp_path / "go-on"
    running = client.client.submit(light_recipe(f"until={go_on}"), [capture(128, 128)])
    client.message(running, Progress)  # so that the journal has nothing to write for it
    ballast = small_disk / "ballast"
    with pytest.raises(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))

    raw = raw_client(server)
    raw.send(Hello(client="raw"))
    assert isinstance(raw.receive().message, Welcome)
    submit, frames = submit_of([capture(128, 128)])
    raw.send(submit, frames)
    refused = refusal(raw.receive())
    assert refused.code == "disk-full" and "space" in refused.sentence
    assert not list((server.home.spool / "captures").glob(f"*{submit.job}*"))  # no half file

    go_on.touch()
    ended = client.end_of(running).message
    assert isinstance(ended, Failed) and ended.code == "disk-full" and ended.hint
    ballast.unlink()
    raw.send(submit, frames)
    assert isinstance(raw.receive().message, Accepted)
    raw.close()
    client.close()
    again = talker(server)
    again.client.resume(kept)
    assert bytes(again.end_of(kept).frames[0]) == picture
    again.close()
    server.stop()


def test_a_port_in_use_is_named_with_a_way_out(make_server: Make):
    first = make_server("first")
    record = first.start()
    port = record.endpoint.rpartition(":")[2]
    second = make_server("second", endpoint=record.endpoint)
    assert second.launch().wait(30) == 1
    assert f"port-in-use: Another program uses port {port}" in second.log
    assert "--endpoint" in second.log
    assert first.stop() == 0


def test_a_home_has_one_server(make_server: Make):
    first = make_server()
    record = first.start()
    second = make_server()
    assert second.launch().wait(30) == 1
    assert "already-running" in second.log and record.endpoint in second.log
    assert first.process is not None and first.process.poll() is None


@pytest.mark.parametrize("endpoint", ["tcp://0.0.0.0:*", "tcp://*:0"])
def test_leaving_this_machine_needs_a_list_of_clients(make_server: Make, endpoint: str):
    server = make_server(endpoint=endpoint)
    assert server.launch().wait(30) == 1
    assert "no-authorised-clients" in server.log
    assert "authorised_clients" in server.log and "client.pub" in server.log


def test_with_a_list_of_clients_a_server_leaves_this_machine_and_offers_no_folder(
    make_server: Make,
):
    server = make_server(endpoint="tcp://0.0.0.0:*")
    colleague = new_pair()
    with keys.client_list(server.home).open("a") as file:
        file.write(f"{colleague.public} a colleague\n")
    record = server.start()
    assert record.endpoint.startswith("tcp://127.0.0.1:")
    raw = raw_client(server, colleague)
    raw.send(Hello(client="raw", codecs=("raw", "zstd")))
    welcome = raw.receive().message
    assert isinstance(welcome, Welcome)
    assert welcome.exchange is None and "file" not in welcome.codecs
    raw.close()


@pytest.mark.parametrize("endpoint", ["127.0.0.1:47820", "tcp://127.0.0.1", "tcp://127.0.0.1:x"])
def test_an_endpoint_that_is_none_is_named(make_server: Make, endpoint: str):
    server = make_server(endpoint=endpoint)
    assert server.launch().wait(30) == 1
    assert f"bad-endpoint: The server can't listen on {endpoint!r}" in server.log
