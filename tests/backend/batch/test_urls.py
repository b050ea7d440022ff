"""Batches from and to URLs, with a painter that gives the colours back."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import fsspec
import msgspec
import pytest
from maquette import remote
from maquette.batch.asked import sources_of
from maquette.batch.elsewhere import Elsewhere
from maquette.batch.outbox import Outbox
from maquette.batch.records import JSONL, output_row
from maquette.batch.task import Task
from maquette.fetching import Fetcher
from maquette.sources import Sources
from maquette_wire import metadata
from maquette_wire.errors import MaquetteError
from maquette_wire.events import Received
from maquette_wire.home import Home
from maquette_wire.recipe import Recipe
from maquette_wire.source import Source
from msgspec.structs import replace

from tests.backend.batch.far import Far
from tests.backend.batch.runs import Machine, Painter, make_source, pictures, rows, there
from tests.backend.scenes import massing


def breaking(monkeypatch: pytest.MonkeyPatch, breaks: Callable[[str, str], None]) -> None:
    monkeypatch.setattr(Far, "breaks", staticmethod(breaks))


def test_from_memory_to_memory_once_and_for_all(tmp_path: Path, machine: Machine):
    local = tmp_path / "renders"
    for number in range(3):
        make_source(local / f"tower {number}.png", 100 + number)
    fs = fsspec.filesystem("memory")
    fs.put(f"{local}/", "/renders/", recursive=True)
    task = Task(
        sources="memory://renders", prompts=["a", "b"], seed=[0, 1], output="memory://out/concepts"
    )
    tally = machine.run(task)
    assert (tally.made, tally.failed) == (12, 0)
    first = pictures(task.output)
    assert len(first) == 12 and "tower-2-b-s1.png" in first
    assert len(there(f"{task.output}/sources")) == 3
    assert {row["source"] for row in rows(task.output)} == {
        f"memory://renders/tower {number}.png" for number in range(3)
    }
    (tmp_path / "one.png").write_bytes(first["tower-1-a-s0.png"])
    source = metadata.read(tmp_path / "one.png").source
    assert source is not None
    assert (source.file, source.depth) == (
        "memory://renders/tower 1.png",
        "memory://renders/tower 1_depth.npy",
    )

    # `maquette replay` captures it again.
    sources = Sources(Home(tmp_path / "elsewhere"), machine.said.append)
    assert sources.again(source, (0, 0)).source == source

    # Again: nothing. What is gone there and still here is sent, what is gone in both is painted.
    assert (machine.run(task).before, machine.painter.recipes) == (12, [])
    fs.rm("/out/concepts/tower-0-a-s0.png")
    tally = machine.run(task)
    assert (tally.made, tally.before, machine.painter.recipes) == (1, 11, [])
    # One source changes: its pictures alone, in their place.
    fs.put_file(str(make_source(tmp_path / "tower 1.png", 9)), "/renders/tower 1.png")
    assert (machine.run(task).made, len(machine.painter.recipes)) == (4, 4)
    now = pictures(task.output)
    assert {name[:7] for name in now if now[name] != first[name]} == {"tower-1"}


@pytest.mark.parametrize("manifest_is_there", [True, False])
def test_another_machine_paints_nothing_again(
    far: str, tmp_path: Path, machine: Machine, manifest_is_there: bool
):
    source = make_source(tmp_path / "a" / "tower.png")
    task = Task(sources=str(source), prompts=["a", "b"], output=far)
    assert machine.run(task).made == 2
    if not manifest_is_there:  # it is written at the end, and this run was killed before
        (tmp_path / "far" / JSONL).unlink()
    shutil.copytree(source.parent, tmp_path / "b")
    other = Machine(tmp_path / "other")
    theirs = Task(sources=str(tmp_path / "b" / "tower.png"), prompts=["b", "c"], output=far)
    tally = other.run(theirs)
    assert (tally.made, tally.before) == (1, 1)
    assert [recipe.prompt for recipe in other.painter.recipes] == ["c"]
    assert set(pictures(far)) == {"tower-a.png", "tower-b.png", "tower-c.png"}
    # Both know of all three, and a source that changes there is painted in its place here.
    assert {row["file"] for row in rows(far)} == set(pictures(far))
    assert machine.run(task).before == 2
    assert {row["file"] for row in rows(far)} == set(pictures(far))
    make_source(tmp_path / "b" / "tower.png", 7)
    third = Machine(tmp_path / "third")
    assert third.run(theirs).made == 2
    assert set(pictures(far)) == {"tower-a.png", "tower-b.png", "tower-c.png"}


def test_a_connection_that_breaks_is_tried_again_and_then_one_picture_fails_alone(
    far: str, tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
):
    sources = [str(make_source(tmp_path / f"{number}.png", number)) for number in range(4)]
    task = Task(sources=sources, prompts="p", output=far)
    trials: Counter[str] = Counter()

    def breaks(what: str, path: str) -> None:
        if what == "put" and path.endswith((".1-p.png.part", ".2-p.png.part")):
            trials[path] += 1
            if "1-p" in path or trials[path] < 3:
                raise ConnectionResetError("the peer is gone")

    breaking(monkeypatch, breaks)
    tally = machine.run(task)
    assert (tally.made, tally.failed) == (3, 1)
    assert set(trials.values()) == {3}
    (sentence,) = [said for said in machine.said if said.startswith("1-p.png")]
    assert f"The connection to {far}/1-p.png was lost: the peer is gone" in sentence
    assert set(pictures(far)) - {".1-p.png.part"} == {"0-p.png", "2-p.png", "3-p.png"}
    (failed,) = [row for row in rows(far) if row["state"] == "failed"]
    assert failed["file"] == "1-p.png" and "the peer is gone" in failed["error"]

    breaking(monkeypatch, lambda what, path: None)
    tally = machine.run(task)
    assert (tally.made, tally.before, machine.painter.recipes) == (1, 3, [])
    assert {row["state"] for row in rows(far)} == {"done"}
    assert not [name for name in there(far) if name.endswith(".part")]


def test_what_is_painted_is_only_sent_after_an_interruption(
    far: str, tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
):
    sources = [str(make_source(tmp_path / f"{number}.png", number)) for number in range(12)]
    task = Task(sources=sources, prompts="p", output=far)
    held = threading.Event()

    def breaks(what: str, path: str) -> None:
        if what == "put" and path.endswith("-p.png.part"):
            held.wait(1.0)

    class Interrupted(Painter):
        def events(self) -> list[Received]:
            if len(self.recipes) > 5:
                raise KeyboardInterrupt
            return super().events()

    breaking(monkeypatch, breaks)
    with pytest.raises(KeyboardInterrupt):
        machine.run(task, Interrupted())
    sent = len(pictures(far))
    (folder,) = machine.home.batches.iterdir()
    painted = len([*folder.glob("*.png")])
    assert 0 < painted < 12 and sent <= painted
    assert len(rows(far)) and Counter(row["state"] for row in rows(far))["done"] == sent
    held.set()
    assert machine.run(task).made == 12 - sent
    assert len(machine.painter.recipes) == 12 - painted


def test_a_source_that_can_not_be_fetched_fails_alone(
    far: str, tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
):
    for number in range(3):
        make_source(tmp_path / "far renders" / f"{number}.png", number)
    gets: Counter[str] = Counter()

    def breaks(what: str, path: str) -> None:
        if what == "get":
            gets[Path(path).name] += 1
            if path.endswith("1.png"):
                raise PermissionError(13, "Permission denied")

    breaking(monkeypatch, breaks)
    task = Task(sources=f"far://{tmp_path}/far renders/*.png", prompts="p", output=far)
    tally = machine.run(task)
    assert (tally.made, tally.sources_failed) == (2, 1)
    assert "is not allowed" in machine.said[-1] and machine.said[-1].startswith("1.png: ")
    gets.clear()
    breaking(monkeypatch, breaks)
    machine.run(task)
    assert set(gets) == {"1.png"}, "what has not changed is fetched once"


def test_a_place_that_can_not_be_written_to_is_said_before_anything_is_painted(
    far: str, tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
):
    task = Task(sources=str(make_source(tmp_path / "a.png")), prompts="p", output=far)
    for error, said in (
        (PermissionError(13, "Permission denied"), "is not allowed"),
        (FileNotFoundError(2, "no such bucket"), "there is no such bucket or folder"),
    ):
        breaking(monkeypatch, _raising(error))
        with pytest.raises(MaquetteError, match=said):
            machine.run(task)
        assert machine.painter.recipes == []


def _raising(error: Exception) -> Callable[[str, str], None]:
    def breaks(what: str, path: str) -> None:
        if what == "put":
            raise error

    return breaks


def test_a_picture_is_known_by_what_was_asked_whatever_a_model_fills_in():
    source = Source(file="a.png", sha256="00", capture="11")
    view = massing(64, 48).view
    asked = Recipe(prompt="p", sampler="DPM++ 2M")
    names = [name for name, each in msgspec.structs.asdict(asked).items() if each is None]
    free = [name for name in names if name != "size"]
    filled = {name: "x" if name in ("model_hash", "lines", "sampler") else 1 for name in free}
    made = replace(asked, **{**filled, "sampler": "dpm++-2m", "lines": "exact"})
    row = output_row(state="done", file="a.png", source=source, view=view, recipe=made)
    for other in (replace(asked, seed=1), replace(asked, steps=2), replace(asked, bay=9.0)):
        assert Elsewhere([row]).claim(source, view, other) is None
    assert Elsewhere([row]).claim(replace(source, sha256="22"), view, asked) is None
    assert Elsewhere([row]).claim_older(replace(source, sha256="22"), view, asked) == row
    elsewhere = Elsewhere([row])
    assert elsewhere.claim(source, view, asked) == row
    assert elsewhere.claim(source, view, asked) is None, "each once"


@pytest.mark.parametrize(
    "url, shown",
    [
        ("s3://b/a.png", "s3://b/a.png"),
        ("https://h/a.png?id=5", "https://h/a.png?id=5"),
        ("https://h/a.png?X-Amz-Signature=00ff&X-Amz-Date=1", "https://h/a.png"),
        ("https://h/a.png?sv=2024&sig=a%2Fb", "https://h/a.png"),
        ("sftp://me:secret@host/a.png", "sftp://me@host/a.png"),
        ("memory:///a.png", "memory:///a.png"),
    ],
)
def test_nothing_that_lets_anybody_in_is_kept(url: str, shown: str):
    assert remote.public(url) == shown


@pytest.mark.parametrize(
    "output, code, said",
    [
        ("nothing://b/c", "no-protocol", "Use s3://"),
        ("zip://a::s3://b/c.zip", "no-protocol", "chain"),
        ("https://h/concepts", "bad-output", "takes no pictures"),
        ("s3://b/c?versionId=1", "bad-output", "takes no pictures"),
    ],
)
def test_an_output_that_can_not_be_is_said(tmp_path: Path, output: str, code: str, said: str):
    with pytest.raises(MaquetteError, match=said) as error, Outbox(output, tmp_path, JSONL, print):
        pass
    assert error.value.code == code


def test_a_package_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(MaquetteError, match="Install s3fs"):
        sources_of(Task(sources="s3://b/renders"), Fetcher(tmp_path))


def test_a_url_that_nothing_answers_to_is_said(tmp_path: Path):
    for name in ("memory://nowhere", "memory://nowhere/*.png", "memory://nowhere/a.png"):
        with pytest.raises(MaquetteError, match=f"nothing that is called {name.replace('*', '.')}"):
            sources_of(Task(sources=name), Fetcher(tmp_path))
