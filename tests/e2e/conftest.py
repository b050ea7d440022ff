"""A server process, a home of its own, and every Blender that this run is about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from maquette_wire import local
from maquette_wire.home import Home

from tools import windows
from tools.console import root

BLENDERS: dict[str, str] = json.loads(os.environ.get("MAQUETTE_TEST_BLENDERS", "{}"))
"""Programs by name: bpy wheels' interpreters and Blender applications."""
EXTENSION = os.environ.get("MAQUETTE_TEST_EXTENSION", "")
SHOTS = os.environ.get("MAQUETTE_TEST_SHOTS", "")
"""Folder that keeps the screenshots, for people to look at."""
PATHS = os.pathsep.join(str(root() / name) for name in (".", "shared", "backend"))
COMMAND_SECONDS = 240

ONLY = os.environ.get("MAQUETTE_TEST_ONLY", "")
"""``windows``: what needs a Blender with a window alone; ``others``: all but that; empty: all."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]
InWindow = Callable[..., windows.Visit]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests of the other part of the run to that."""
    here = Path(__file__).parent
    left_out = [
        item
        for item in items
        if ONLY
        and here in item.path.parents
        and ("window" in getattr(item, "fixturenames", ())) != (ONLY == "windows")
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def environment(home: Path) -> dict[str, str]:
    """What a program of this home gets."""
    found = {**os.environ, "MAQUETTE_HOME": str(home), "PYTHONPATH": PATHS, "OMP_NUM_THREADS": "1"}
    found["MAQUETTE_POCKET"] = str(home / "models" / "tiny")
    return found


def maquette(home: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "maquette", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment(home), timeout=COMMAND_SECONDS
    )


def make_home(folder: Path) -> Path:
    """A home with the tiny checkpoint as model "tiny"."""
    from tests.backend.tiny import make_tiny_sd2_depth

    make_tiny_sd2_depth(folder / "models" / "tiny")
    return folder


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def server(home: Path) -> Iterator[local.ServerRecord]:
    """A running ``maquette serve`` of the session's home."""
    command = [sys.executable, "-m", "maquette", "serve", "--endpoint", "tcp://127.0.0.1:*"]
    process = subprocess.Popen(command, env=environment(home), stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 300
        while (record := local.running(Home(home))) is None:
            assert process.poll() is None, "the server ended at its start"
            assert time.monotonic() < end, "the server wasn't ready in time"
            time.sleep(0.1)
        yield record
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def run(home: Path, server: local.ServerRecord) -> Run:
    """The command line, beside the session's server."""
    return lambda *words: maquette(home, *words)


@pytest.fixture(scope="session", params=BLENDERS or [None])
def blender(request: pytest.FixtureRequest) -> Path:
    """Each Blender in turn."""
    if request.param is None:
        pytest.skip("needs a Blender: run 'python build.py test'")
    return Path(BLENDERS[request.param])


@pytest.fixture(
    scope="session", params=sorted({*sorted(BLENDERS)[:1], *sorted(BLENDERS)[-1:]}) or [None]
)
def outer_blender(request: pytest.FixtureRequest) -> Path:
    """The oldest Blender and the application, for what tests inside of each have seen to."""
    if request.param is None:
        pytest.skip("needs a Blender: run 'python build.py test'")
    return Path(BLENDERS[request.param])


@pytest.fixture(scope="session")
def one_blender() -> Path:
    """One Blender, for what doesn't depend on its version."""
    if not BLENDERS:
        pytest.skip("needs a Blender: run 'python build.py test'")
    return Path(next(iter(BLENDERS.values())))


@pytest.fixture(scope="session")
def extension() -> Path:
    if not EXTENSION:
        pytest.skip("needs the extension's zip: run 'python build.py test'")
    return Path(EXTENSION)


@pytest.fixture(scope="session")
def samples() -> Path:
    return root() / "samples"


def _name(program: Path) -> str:
    return program.parent.name if program.name.startswith("blender") else program.name


EVERY_WINDOW = pytest.mark.parametrize(
    "window", windows.programs() or [None], ids=lambda program: program and _name(program),
    indirect=True,
)  # fmt: skip
"""In each Blender with a window in turn, for what is drawn otherwise by another version."""


@pytest.fixture(
    params=windows.programs()[:1] or [None], ids=lambda program: program and _name(program)
)
def window(request: pytest.FixtureRequest) -> Path:
    """The first Blender with a window (.ci/install_blender.sh)."""
    if request.param is None:
        pytest.skip(f"needs {windows.VARIABLE}, Blenders with a window")
    return request.param


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home that keeps each Blender's profile with the extension."""
    return Home(tmp_path_factory.mktemp("installed"))


@pytest.fixture
def in_window(window: Path, extension: Path, installed: Home, tmp_path: Path) -> InWindow:
    """Runs a scenario in a Blender with a window: ``in_window("architect.py").user``."""

    def visit(
        script: str,
        sample: str = windows.SAMPLE,
        prepare: Callable[[Home], object] | None = None,
    ) -> windows.Visit:
        shots = (Path(SHOTS) if SHOTS else tmp_path / "shots") / _name(window)
        return windows.visit(
            *(window, script, extension, tmp_path, shots),
            sample=sample,
            installed=installed,
            prepare=prepare,
        )

    return visit
