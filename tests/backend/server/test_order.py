"""Jobs that a client moves in the queue, also over the death of the server."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from maquette.server.journal import MIGRATIONS, Journal
from maquette_wire import keys
from maquette_wire.messages import Accepted, Progress, Result

from tests.backend.server.harness import (
    ServerProcess,
    Talker,
    capture,
    light_recipe,
    new_pair,
    talker,
    until,
)


def ended(client: Talker) -> list[str]:
    """Jobs in the order in which their results came."""
    return [e.message.job for e in client.heard if isinstance(getattr(e, "message", 0), Result)]


def hold(client: Talker, gate: Path, waiting: int) -> tuple[str, list[str]]:
    """A job that runs until ``gate`` is there, and so many that wait behind it."""
    first = client.client.submit(light_recipe(f"until={gate}"), [capture()])
    client.message(first, Progress)
    others = [client.client.submit(light_recipe("steps=1"), [capture()]) for _ in range(waiting)]
    for job in others:
        client.message(job, Accepted)
    return first, others


def places(client: Talker) -> dict[str, int]:
    """What the client was told last of the places of its waiting jobs."""
    client.listen()
    told = {}
    for event in client.heard:
        message = getattr(event, "message", None)
        if isinstance(message, Accepted) or (
            isinstance(message, Progress) and message.stage == "queued"
        ):
            told[message.job] = message.ahead
    return told


def test_moved_jobs_run_in_their_new_order_and_hear_of_their_places(client: Talker, tmp_path: Path):
    first, (a, b, c) = hold(client, tmp_path / "go", 3)
    assert (places(client)[a], places(client)[c]) == (1, 3)
    client.client.order([c, a, b])
    until(lambda: places(client)[c] == 1 and places(client)[b] == 3, "the new places")
    (tmp_path / "go").touch()
    for job in (first, a, b, c):
        client.end_of(job)
    assert ended(client) == [first, c, a, b]


def test_those_who_wait_hear_that_it_goes_on(client: Talker, tmp_path: Path):
    first, (a, b) = hold(client, tmp_path / "go", 2)
    client.client.cancel(a)
    until(lambda: places(client)[b] == 1, "the news that one less is ahead")
    (tmp_path / "go").touch()
    client.end_of(b)
    assert ended(client) == [first, b]


def test_nobody_elses_job_waits_longer(
    shared_server: ServerProcess, client: Talker, tmp_path: Path
):
    from maquette_wire.local import running

    pair = new_pair()
    keys.client_list(shared_server.home).write_text(f"{pair.public}\n")
    record = running(shared_server.home)
    assert record is not None
    other = Talker(record, pair)
    first, (a,) = hold(client, tmp_path / "go", 1)
    theirs = other.client.submit(light_recipe("steps=1"), [capture()])
    other.message(theirs, Accepted)
    b = client.client.submit(light_recipe("steps=1"), [capture()])
    client.message(b, Accepted)
    client.client.order([b, a, theirs, "no job at all"])
    until(lambda: places(client)[b] == 1 and places(client)[a] == 3, "the new places")
    assert places(other)[theirs] == 2
    (tmp_path / "go").touch()
    for job in (first, a, b):
        client.end_of(job)
    other.end_of(theirs)
    assert ended(client) == [first, b, a]
    other.close()


def test_a_killed_server_goes_on_in_the_order_that_was_asked_for(
    make_server: Callable[..., ServerProcess], tmp_path: Path
):
    server = make_server()
    server.start()
    client = talker(server)
    first, (a, b, c) = hold(client, tmp_path / "go", 3)
    client.client.order([c, b, a])
    until(lambda: places(client)[c] == 1, "the new place")
    server.kill()
    client.close()  # the order is the server's own by now: nobody says it again
    (tmp_path / "go").touch()
    server.start()
    journal = Journal(server.home.server / "journal.sqlite")
    until(lambda: len(journal.in_state("done")) == 4, "the end of all jobs")
    finished = {job.job: job.finished or 0.0 for job in journal.in_state("done")}
    journal.close()
    assert sorted(finished, key=finished.__getitem__) == [first, c, b, a]


def test_a_journal_of_before_keeps_its_jobs_and_their_order(tmp_path: Path):
    path = tmp_path / "journal.sqlite"
    names = [uuid.uuid4().hex for _ in range(3)]
    with sqlite3.connect(path) as database:
        database.executescript(f"{MIGRATIONS[0]} PRAGMA user_version = 1;")
        for name in names:
            database.execute(
                "INSERT INTO jobs (job, owner, state, recipe, previews, bytes, submitted)"
                " VALUES (?, 'me', 'queued', '{}', 0, 1, 1.0)",
                (name,),
            )
    journal = Journal(path)
    names.append(journal.add(uuid.uuid4().hex, owner="me", recipe="", previews=False, size=1).job)
    assert [job.job for job in journal.in_state("queued")] == names
    journal.order([names[3], names[0]])
    assert [job.job for job in journal.in_state("queued")] == [
        names[3], names[1], names[2], names[0],
    ]  # fmt: skip
    journal.close()


@pytest.mark.parametrize("wanted", [[], ["nothing here"]])
def test_an_order_of_nothing_changes_nothing(tmp_path: Path, wanted: list[str]):
    journal = Journal(tmp_path / "journal.sqlite")
    journal.add("a" * 32, owner="me", recipe="", previews=False, size=1)
    journal.order(wanted)
    assert [job.place for job in journal.in_state("queued")] == [1]
    journal.close()
