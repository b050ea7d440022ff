"""A folder of its own for a texture or a material: whole, or not there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blender_addon.folders import LEFT_SECONDS, new_folder

KILLED = """
import os, sys
from pathlib import Path
from blender_addon.folders import new_folder

def fill(folder):
    (folder / "albedo.png").write_text("half")
    os._exit(9)

new_folder(Path(sys.argv[1]), "brick", fill)
"""


def fill(folder: Path) -> None:
    for name in ("albedo.png", "height.png"):
        (folder / name).write_text(name)


def shown(parent: Path) -> list[str]:
    return sorted(path.name for path in parent.iterdir() if not path.name.startswith("."))


def test_a_process_that_is_killed_leaves_no_folder_under_the_name(tmp_path: Path):
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "made")], env=here)
    assert done.returncode == 9
    parent = tmp_path / "made"
    (left,) = parent.iterdir()
    assert shown(parent) == []
    own = new_folder(parent, "brick", fill)
    assert shown(parent) == ["brick"] and len(list(own.iterdir())) == 2
    assert left.is_dir(), "another Blender may be filling it"
    long_ago = time.time() - LEFT_SECONDS - 60
    os.utime(left, (long_ago, long_ago))
    assert new_folder(parent, "brick", fill).name == "brick-2"
    assert not left.exists() and shown(parent) == ["brick", "brick-2"]


def test_what_fails_leaves_nothing(tmp_path: Path):
    def failing(folder: Path) -> None:
        fill(folder)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        new_folder(tmp_path, "brick", failing)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_taken_meanwhile_is_left_to_the_other(tmp_path: Path):
    def slow(folder: Path) -> None:
        fill(folder)
        new_folder(tmp_path, "brick", fill)
        (tmp_path / "brick-2").write_text("a file of the user's")

    assert new_folder(tmp_path, "brick", slow).name == "brick-3"
    assert shown(tmp_path) == ["brick", "brick-2", "brick-3"]
