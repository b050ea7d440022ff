"""A server process, a home of its own, and every Blender that this run is about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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


@pytest.fixture(scope="session")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., windows.Visit]]:
    """A scenario's visit in one of the windows; the first question has it run in all at once."""
    begun: dict[tuple[Path, str, str], Future[windows.Visit]] = {}
    installed = Home(tmp_path_factory.mktemp("installed"))
    with ThreadPoolExecutor(max(1, len(windows.programs()))) as pool:

        def visit(
            program: Path,
            script: str,
            sample: str,
            extension: Path,
            prepare: Callable[[Home], object] | None,
        ) -> windows.Visit:
            for each in windows.programs():
                if (each, script, sample) not in begun:
                    folder = tmp_path_factory.mktemp(f"{_name(each)}-{Path(script).stem}")
                    shots = (Path(SHOTS) if SHOTS else folder / "shots") / _name(each)
                    begun[each, script, sample] = pool.submit(
                        windows.visit,
                        *(each, script, extension, folder, shots),
                        sample=sample,
                        installed=installed,
                        prepare=prepare,
                    )
            return begun[program, script, sample].result()

        yield visit


@pytest.fixture(params=windows.programs() or [None], ids=lambda program: program and _name(program))
def window(request: pytest.FixtureRequest) -> Path:
    """Each Blender with a window in turn (.ci/install_blender.sh)."""
    if request.param is None:
        pytest.skip(f"needs {windows.VARIABLE}, Blenders with a window")
    return request.param


@pytest.fixture
def in_window(window: Path, visits: Callable[..., windows.Visit], extension: Path) -> InWindow:
    """Runs a scenario in a Blender with a window: ``in_window("architect.py").user``."""
    return lambda script, sample=windows.SAMPLE, prepare=None: visits(
        window, script, sample, extension, prepare
    )
