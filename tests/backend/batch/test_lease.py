"""Who writes to a URL: told to others, and taken over from what has ended."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from maquette.batch import lease
from maquette.batch.lease import FILE, Lease
from maquette.batch.records import JSONL
from maquette.batch.store import Store
from maquette.batch.task import Task
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe

from tests.backend.batch.far import Far
from tests.backend.batch.runs import Machine, Painter, make_source, pictures, there


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lease, "RENEWED", 0.1)
    monkeypatch.setattr(lease, "SILENCE", 0.6)


class Place:
    """A working folder with a store."""

    def __init__(self, folder: Path, url: str) -> None:
        folder.mkdir(exist_ok=True)
        self.said: list[str] = []
        self.store = Store(url, lambda seconds: True)
        self.lease = Lease(self.store, folder, self.said.append)


def test_a_second_run_is_told_who_writes_there(far: str, tmp_path: Path):
    first, second = Place(tmp_path / "a", far), Place(tmp_path / "b", far)
    who = rf"\(on {socket.gethostname()}, process {os.getpid()}, since 20\d\d-"
    with first.lease, pytest.raises(MaquetteError, match=who), second.lease:
        pass
    assert first.store.names() == []
    with second.lease:  # at once
        assert second.store.names() == [FILE]


def test_what_a_killed_run_left_is_watched_and_then_taken_over(far: str, tmp_path: Path):
    dead = Place(tmp_path / "a", far)
    dead.lease._write()
    began = time.monotonic()
    with Place(tmp_path / "a", far).lease:  # the same folder: what it was has ended
        assert time.monotonic() - began < lease.SILENCE
    dead.lease._write()
    other = Place(tmp_path / "b", far)
    with other.lease:
        assert time.monotonic() - began > lease.SILENCE
    assert f"process {os.getpid()}" in other.said[0] and "goes on in its place" in other.said[1]
    dead.store.write(FILE, b"half writ")
    third = Place(tmp_path / "c", far)
    with third.lease:
        assert "A batch wrote to" in third.said[0]


def test_a_run_that_was_taken_over_stops_and_leaves_alone_what_is_there(far: str, tmp_path: Path):
    source = make_source(tmp_path / "tower.png")
    task = Task(sources=str(source), prompts=["a", "b", "c"], output=far)
    machine, other = Machine(tmp_path / "home"), Machine(tmp_path / "other")

    class Overtaken(Painter):
        """Another machine does it all in the middle of this one's run."""

        def submit(self, recipe: Recipe, captures: Sequence[Capture], *, job: str) -> str:
            if recipe.prompt == "b":
                (tmp_path / "far" / FILE).unlink()
                assert other.run(task).made >= 2
            return super().submit(recipe, captures, job=job)

    with pytest.raises(MaquetteError, match="has taken over") as error:
        machine.run(task, Overtaken())
    assert error.value.code == lease.TAKEN_OVER
    then = there(far)
    assert set(pictures(far)) == {"tower-a.png", "tower-b.png", "tower-c.png"}
    assert FILE not in then and then[JSONL].count(b'"done"') == 3
    tally = machine.run(task)
    assert (tally.made, tally.before) == (0, 3)
    assert pictures(far) == {name: then[name] for name in pictures(far)}


def test_a_connection_that_is_gone_for_a_while_loses_nothing(
    far: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    place = Place(tmp_path / "a", far)

    def breaks(what: str, path: str) -> None:
        raise ConnectionResetError("the peer is gone")

    with place.lease:
        monkeypatch.setattr(Far, "cat_file", lambda *_, **__: breaks("cat", ""))
        time.sleep(lease.SILENCE)
        with pytest.raises(MaquetteError, match="was lost"):
            place.lease.check()
        assert place.lease.lost is None
        monkeypatch.undo()
        place.lease.check()
