"""The work of a batch with a painter that gives the colours back: what is asked of it, and when."""

from __future__ import annotations

import csv
import errno
import json
import math
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from maquette import outputs
from maquette.batch import gather, waiting, work
from maquette.batch.database import FILE
from maquette.batch.gather import CAPTURES
from maquette.batch.manifest import Manifest
from maquette.batch.names import NAME_BYTES, joined, name_of
from maquette.batch.records import CSV, JSONL
from maquette.batch.task import Task
from maquette.batch.work import IDLE_SECONDS, Work
from maquette.sheets import rows_of
from maquette_wire import metadata
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.events import Received
from maquette_wire.recipe import Recipe
from msgspec.structs import replace

from tests.backend.batch.runs import Painter, make_source, paint


def test_what_a_killed_run_left_half_written_is_swept(tmp_path: Path):
    task = Task(
        sources=str(make_source(tmp_path / "a.png")), prompts="p", output=str(tmp_path / "out")
    )
    left = tmp_path / "out" / CAPTURES / ".0123.maquette.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    assert paint(task).made == 1
    assert not left.parent.exists()


def test_a_recipe_that_the_painter_refuses_fails_alone(tmp_path: Path):
    sources = [str(make_source(tmp_path / f"{n}.png", n)) for n in range(3)]
    task = Task(sources=sources, prompts=["one", "never", "two"], output=str(tmp_path / "out"))
    tally = paint(task)
    assert (tally.made, tally.failed) == (6, 3)
    with Manifest(tmp_path / "out") as manifest:
        assert Counter(row["state"] for row in manifest.rows()) == {"done": 6, "failed": 3}


class AllCaptured(Painter):
    """Answers when all is captured, so that jobs are as large as they may be."""

    def __init__(self, out: Path, sources: int) -> None:
        super().__init__()
        self._captures, self._sources = out / "sources", sources

    def events(self) -> list[Received]:
        is_captured = len([*self._captures.iterdir()]) == self._sources
        time.sleep(0.005)
        return super().events() if is_captured else []


@pytest.mark.parametrize(
    "seconds, pack, largest",
    [(0.1, 1, 16), (9.0, 1, 1), (9.0, 8, 8), (0.1, 3, 16), (9.0, 24, 24)],
    ids=["short jobs", "long jobs", "long jobs of a graphics card", "few cores", "many cores"],
)
def test_jobs_have_as_many_pictures_as_a_device_makes_at_once(
    tmp_path: Path, seconds: float, pack: int, largest: int
):
    sources = [str(make_source(tmp_path / f"{n}.png", n)) for n in range(48)]

    painter = AllCaptured(tmp_path / "out", len(sources))
    painter.seconds, painter.pack = seconds, pack
    paint(Task(sources=sources, prompts="p", output=str(tmp_path / "out")), painter)
    assert sum(painter.jobs) == len(sources) and max(painter.jobs) == largest


@pytest.mark.parametrize("pack, least", [(1, 1), (5, 5)], ids=["processors", "graphics cards"])
def test_jobs_of_several_devices_get_smaller_towards_the_end(tmp_path: Path, pack: int, least: int):
    sources = [str(make_source(tmp_path / f"{n}.png", n)) for n in range(48)]
    painter = AllCaptured(tmp_path / "out", len(sources))
    painter.devices, painter.pack = 2, pack
    paint(Task(sources=sources, prompts="p", output=str(tmp_path / "out")), painter)
    jobs = painter.jobs
    assert sum(jobs) == len(sources) and max(jobs) >= 8
    rest = [sum(jobs[number:]) for number in range(len(jobs))]
    assert all(job <= max(least, math.ceil(left / 4)) for job, left in zip(jobs, rest, strict=True))
    assert jobs[-2] >= min(least, rest[-2])


def test_a_thread_paints_a_picture_and_how_many_do_makes_no_other_one(tmp_path: Path):
    source, out, painter = make_source(tmp_path / "a.png"), tmp_path / "out", Painter()
    task = Task(sources=[str(source)], prompts=["one", "two"], output=str(out))
    assert paint(task, painter).made == 2
    assert [recipe.threads for recipe in painter.recipes] == [1, 1]
    assert metadata.read(next(out.glob("*one*.png"))).recipe.threads == 1
    assert paint(replace(task, threads=4), painter).before == 2
    assert paint(replace(task, threads=4, seed=7), painter).made == 2
    assert [recipe.threads for recipe in painter.recipes[2:]] == [4, 4]


def test_a_failed_source_is_in_the_manifest_and_what_is_asked_no_more_is_not(tmp_path: Path):
    good, bad = make_source(tmp_path / "a.png"), tmp_path / "b.png"
    bad.write_bytes(b"no picture")
    out = tmp_path / "out"
    paint(Task(sources=[str(good), str(bad)], prompts=["one", "never"], output=str(out)))
    paint(Task(sources=[str(good), str(bad)], prompts="one", output=str(out)))
    with Manifest(out) as manifest:
        manifest.export()
    done, failed = [json.loads(line) for line in (out / JSONL).read_text("utf-8").splitlines()]
    assert (done["state"], done["recipe"]["prompt"]) == ("done", "one")
    assert failed["state"] == "failed" and failed["source"] == str(bad)
    assert failed["recipe"] is None and "b.png" in failed["error"]
    assert len((out / CSV).read_text("utf-8-sig").splitlines()) == 3
    (_done, row) = rows_of(out).rows
    assert row.error == failed["error"]


def test_a_damaged_manifest_says_so_whenever_it_is_noticed(tmp_path: Path):
    sources = [str(make_source(tmp_path / f"{n}.png", n)) for n in range(9)]
    task = Task(sources=sources, prompts="p", output=str(tmp_path / "out"))
    paint(task)
    with (tmp_path / "out" / FILE).open("r+b") as file:
        file.seek(5000)
        file.write(b"Z" * 8000)
    with pytest.raises(MaquetteError, match="begin anew"):
        paint(task)


def test_a_disk_that_is_full_ends_it_at_the_first_capture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(path: Path, *_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(gather.container, "write", full)
    sources = [str(make_source(tmp_path / f"{n}.png", n)) for n in range(3)]
    with pytest.raises(MaquetteError, match=r"No space left on device\. Free some"):
        paint(Task(sources=sources, prompts="p", output=str(tmp_path / "out")))


def test_names_are_such_as_every_file_system_takes(tmp_path: Path):
    names = ("CON", "ends.", "線" * 80, "a:b?c*d", "two\nlines", "a b")
    sources = [str(make_source(tmp_path / f"{name}.png", n)) for n, name in enumerate(names)]
    out = tmp_path / "out"
    recipe = Recipe(prompt="p")
    stems = [name_of(outputs.slug(name), recipe, [recipe], prompt=False) for name in names]
    assert stems == ["CON_", "ends", "線" * 48, "a-b-c-d", "two-lines", "a-b"]
    assert len(joined(["線" * 48, "塔" * 48]).encode()) <= NAME_BYTES
    assert paint(Task(sources=sources, prompts="p", output=str(out))).made == len(names)


def test_what_varies_of_the_windows_is_in_the_names_and_in_the_table(tmp_path: Path):
    out = tmp_path / "out"
    task = Task(
        sources=str(make_source(tmp_path / "a.png")),
        prompts="p",
        output=str(out),
        windows=["ribbon", "curtain wall"],
        storey=[3.0, 3.5],
        bay=[2.0, 4.0],
    )
    assert paint(task).made == 8
    names = {path.name for path in out.glob("*.png")}
    assert {"a-p-ribbon-h3-b2.png", "a-p-curtain-wall-h3.5-b4.png"} <= names
    with Manifest(out) as manifest:
        manifest.export()
    (row, *_) = csv.DictReader((out / CSV).read_text("utf-8-sig").splitlines())
    assert (row["windows"], row["storey"], row["bay"]) == ("ribbon", "3.0", "2.0")


def test_a_picture_is_not_made_twice_where_another_run_names_other_models(tmp_path: Path):
    source = str(make_source(tmp_path / "a.png"))
    out = str(tmp_path / "out")
    assert paint(Task(sources=source, prompts="p", model=["m", "n"], output=out)).made == 2
    tally = paint(Task(sources=source, prompts="p", model="n", output=out))
    assert (tally.made, tally.before) == (0, 1)


def test_what_is_there_is_gone_through_without_waiting(tmp_path: Path):
    sources = [str(make_source(tmp_path / f"{n}.png", n)) for n in range(60)]
    task = Task(sources=sources, prompts="p", output=str(tmp_path / "out"))
    paint(task)
    began = time.monotonic()
    assert paint(task).before == 60
    assert time.monotonic() - began < 60 * IDLE_SECONDS


def test_captures_do_not_pile_up_before_a_slow_painter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(work, "LOOKED_AHEAD", 4)
    sources = [str(make_source(tmp_path / f"{n}.png", n)) for n in range(50)]
    folder, held = tmp_path / "out" / CAPTURES, []

    class Slow(Painter):
        def events(self) -> list[Received]:
            held.append(len(list(folder.iterdir())))
            time.sleep(0.01)
            return [] if len(held) % 10 else super().events()

    task = Task(sources=sources, prompts="p", output=str(tmp_path / "out"))
    assert paint(task, Slow()).made == 50
    assert max(held) < 20


def test_pictures_do_not_pile_up_before_a_slow_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    unwritten = []
    write = outputs.write_concept

    def slow(*given: Any, **options: Any) -> None:
        time.sleep(0.02)
        write(*given, **options)

    class Watched(Painter):
        def submit(self, recipe: Recipe, captures: Sequence[Capture], *, job: str) -> str:
            unwritten.append(sum(each.unwritten > 0 for each in watched[0]._jobs.values()))
            return super().submit(recipe, captures, job=job)

    watched: list[Work] = []
    begun = Work.run
    monkeypatch.setattr(Work, "run", lambda self, *a: watched.append(self) or begun(self, *a))
    monkeypatch.setattr(outputs, "write_concept", slow)
    monkeypatch.setattr(waiting, "PACK_MAX", 1)
    sources = [str(make_source(tmp_path / f"{n}.png", n)) for n in range(30)]
    task = Task(sources=sources, prompts="p", output=str(tmp_path / "out"))
    assert paint(task, Watched()).made == 30
    assert max(unwritten) < work.UNWRITTEN


def test_what_an_older_maquette_painted_is_done_though_recipes_say_more_since(tmp_path: Path):
    task = Task(
        sources=str(make_source(tmp_path / "a.png")),
        prompts=["p", "q"],
        output=str(tmp_path / "out"),
    )
    assert paint(task).made == 2
    with closing(sqlite3.connect(tmp_path / "out" / FILE, isolation_level=None)) as db:
        for text in ("recipe", "made"):
            for name in ("lines", "lines_influence", "windows"):
                db.execute(f"UPDATE outputs SET {text} = json_remove({text}, '$.{name}')")
    tally = paint(task)
    assert (tally.made, tally.before) == (0, 2)
    tally = paint(msgspec.structs.replace(task, lines=["none"]))
    assert (tally.made, tally.before) == (2, 0)
    assert len([*(tmp_path / "out").glob("*.png")]) == 4


def test_a_manifest_that_says_what_is_not_known_yet_is_left_alone(tmp_path: Path):
    task = Task(
        sources=str(make_source(tmp_path / "a.png")), prompts="p", output=str(tmp_path / "out")
    )
    assert paint(task).made == 1
    with closing(sqlite3.connect(tmp_path / "out" / FILE, isolation_level=None)) as db:
        db.execute("UPDATE outputs SET recipe = json_set(recipe, '$.windows', 'round')")
    with pytest.raises(MaquetteError, match="doesn't know: Invalid enum value 'round'"):
        paint(task)
