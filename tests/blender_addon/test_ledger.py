"""Accepted jobs on disk: two Blenders, a crash, and files cut off by it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from maquette_wire.home import Home
from maquette_wire.recipe import Recipe

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
