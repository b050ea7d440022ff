"""Blender and the server killed in mid-job, for real: what was accepted is there in the end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from maquette_wire import container, local, png
from maquette_wire.capture import captures_of
from maquette_wire.home import Home
from maquette_wire.installed import note_backend
from maquette_wire.messages import Submit

from tests.backend.tiny import make_tiny_sd2_depth

from .blenders import run_script
from .conftest import PATHS

Act = Callable[[str], dict[str, Any]]


@pytest.fixture
def act(
    one_blender: Path,
    extension: Path,
    samples: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Act]:
    """Runs a Blender, which starts the server of a home of its own, and tells what its user has."""
    home = Home(tmp_path / "home")
    make_tiny_sd2_depth(home.models / "tiny", settings={"native_size": 128})
    command = [sys.executable, "-c", _MAIN.format(paths=PATHS.split(os.pathsep))]
    note_backend(home, command)
    scene = tmp_path / "house.blend"
    shutil.copy(samples / "gabled_house.blend", scene)

    def run(what: str) -> dict[str, Any]:
        status = -signal.SIGKILL if what == "die" else 0
        words = ("unfinished.py", scene, what)
        said = run_script(one_blender, *words, home=home.root, extension=extension, status=status)
        lines = [line for line in said.splitlines() if line.startswith("USER HAS ")]
        return json.loads(lines[0].removeprefix("USER HAS ")) if lines else {}

    yield run
    record = local.running(home)
    if record is not None:
        os.kill(record.pid, signal.SIGTERM)


_MAIN = """
import os, sys
sys.path[:0] = {paths!r}
os.environ["PYTHONPATH"] = os.pathsep.join({paths!r})
os.environ["OMP_NUM_THREADS"] = "1"
from maquette.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""The command line of this checkout, from a Blender that has no PYTHONPATH."""


@pytest.mark.skipif(os.name == "nt", reason="no signals there")
def test_a_killed_blenders_picture_is_offered_and_fetched(act: Act, tmp_path: Path):
    assert act("die") == {}
    user = act("fetch")
    assert user["left"] == [["house.blend", "Street: red brick"]]
    assert user["left in the end"] == 0 and user["told in the end"] == []
    assert Path(user["file"]).parent == tmp_path / "maquette"
    assert png.read_recipe(Path(user["file"])).seed == 7
    (capture,) = user["capture"]
    (seen,) = captures_of(*container.read(Path(capture), kind=Submit))
    assert (seen.view.name, np.isfinite(seen.depth).any()) == ("Street", True)


@pytest.mark.skipif(os.name == "nt", reason="no signals there")
def test_a_killed_server_is_started_again_and_the_job_goes_on(act: Act):
    user = act("kill server")
    assert user["states"] == ["SAMPLING", "WAITING", "SAMPLING"]
    assert user["another server"]
    assert user["told"] == ["The server ended and is being started again; no job is lost."]
    assert user["told in the end"] == []
    assert png.read_recipe(Path(user["file"])).steps == 300
