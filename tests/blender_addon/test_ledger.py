"""Accepted jobs on disk: two Blenders, a crash, and files cut off by it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from maquette_wire.home import Home
from maquette_wire.material import Material
from maquette_wire.recipe import Recipe

from blender_addon.commissions import Commission
from blender_addon.jobs import Job, Target
from blender_addon.ledger import Entry, Ledger

NOTE = """
import sys, os
sys.path[:0] = sys.argv[2].split(os.pathsep)
from pathlib import Path
from maquette_wire.home import Home
from maquette_wire.recipe import Recipe
from blender_addon.ledger import Entry, Ledger
ledger = Ledger(Home(Path(sys.argv[1])))
ledger.add(Entry(job="a" * 32, server="", recipe=Recipe(prompt="x"), views=(), blend="",
                 scene="Scene", folder="/nowhere"))
print("noted", flush=True)
sys.stdin.read()
os._exit(9)
"""
ENTRY = Entry(
    job="b" * 32,
    server="tcp://far:1",
    recipe=Recipe(prompt="y"),
    views=(),
    blend="",
    scene="Scene",
    folder="/nowhere",
)


def _other_blender(home: Home) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", NOTE, str(home.root), f"{root}:{root / 'shared'}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "noted\n"
    return process


def test_jobs_of_a_running_blender_are_its_own_and_of_a_crashed_one_for_the_next(home: Home):
    other = _other_blender(home)
    ledger = Ledger(home)
    assert ledger.left_behind() == []
    other.kill()
    other.wait()
    assert [entry.job for entry in ledger.left_behind()] == ["a" * 32]
    assert [entry.job for entry in ledger.adopt("")] == ["a" * 32]
    assert ledger.left_behind() == []
    ledger.remove("a" * 32)
    ledger.close()
    assert list(home.unfinished.iterdir()) == []


def test_jobs_of_another_server_stay(home: Home):
    first = Ledger(home)
    first.add(ENTRY)
    first.close()
    second = Ledger(home)
    assert second.adopt("") == []
    assert second.adopt("tcp://far:1") == [ENTRY]
    second.close()


def test_a_note_cut_off_by_a_crash_is_dropped(home: Home):
    first = Ledger(home)
    first.add(ENTRY)
    first.close()
    note = next(home.unfinished.rglob("*.json"))
    note.write_bytes(note.read_bytes()[:20])
    assert Ledger(home).left_behind() == []
    assert not note.exists()


def test_a_job_is_the_same_in_the_blender_that_takes_it_over(home: Home):
    job = Job(
        "c" * 32,
        Recipe(prompt="z", seed=3),
        (),
        Target("/project/house.blend", "Scene", 77, "/project/maquette"),
        texture=Path("/project/maquette/texture-z"),
        commission=Commission(material=Material(size=2.0)),
    )
    first = Ledger(home)
    first.add(Entry.of(job, "tcp://far:1"))
    first.close()
    (entry,) = Ledger(home).adopt("tcp://far:1")
    again = entry.recovered(())
    assert again.recovered and again.target.scene_uid == 0, "another Blender's scene"
    for name in ("name", "recipe", "views", "texture", "commission"):
        assert getattr(again, name) == getattr(job, name), name
    assert (again.target.blend, again.target.folder) == (
        "/project/house.blend",
        "/project/maquette",
    )
