"""A Blender with a window in which a scenario clicks and types: for the tests and the docs.

A scenario is a script of ``tests/e2e/in_blender``. It has a display, a profile with the extension,
a home and a server of its own, and nothing of them is left when it has ended.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from maquette.blender import Blender, probe
from maquette.extension import Extension
from maquette_wire import local
from maquette_wire.home import Home
from maquette_wire.installed import note_backend

from .console import root

VARIABLE = "MAQUETTE_TEST_WINDOW"
"""Names the programs that run Blender in a window on a display of their own, as PATH does."""
SCENARIOS = Path("tests/e2e/in_blender")
SAMPLE = "church.blend"
SECONDS = 600
STOP_SECONDS = 30


class ScenarioFailed(Exception):
    """A scenario didn't come to its end, or not without an exception; says all that Blender
    printed."""


@dataclass(frozen=True)
class Visit:
    """A scenario that came to its end.

    Attributes:
        user: what the user has, as the scenario says.
        folder: where the .blend is, and what was made beside it.
        shots: where its screenshots are, and in ``docs`` its pictures for the docs.
    """

    user: dict[str, Any]
    folder: Path
    shots: Path


def programs() -> list[Path]:
    """The Blenders with a window that the environment names."""
    return [Path(name) for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]


@lru_cache
def blender_of(program: Path) -> Blender:
    """The Blender that runs in a window."""
    found = probe(program)
    assert found is not None, f"{program} runs no Blender"
    return found


def visit(
    program: Path,
    script: str,
    extension: Path,
    folder: Path,
    shots: Path,
    *,
    sample: str = SAMPLE,
    installed: Home | None = None,
    prepare: Callable[[Home], object] | None = None,
) -> Visit:
    """Run a scenario on a copy of a sample.

    Args:
        program: runs Blender in a window on a display of its own.
        script: a file of ``SCENARIOS``.
        folder: empty, for the copy, the home and the profile.
        shots: where the screenshots go.
        installed: a home that keeps the profile with the extension for the next time.
        prepare: what else the home is to have, for instance a model.

    Raises ScenarioFailed, also where Blender printed an exception, and subprocess.TimeoutExpired
    after ``SECONDS``.
    """
    home = Home(folder / "home")
    note_backend(home, [sys.executable, "-m", "maquette"])
    if prepare is not None:
        prepare(home)
    scene = folder / sample
    shutil.copy(root() / "samples" / sample, scene)
    shots.mkdir(parents=True, exist_ok=True)
    resources = folder / "profile"
    profile = Extension(blender_of(program), extension, installed or home).profile()
    shutil.copytree(profile, resources)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "MAQUETTE_POCKET"},
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": os.pathsep.join(str(root() / name) for name in ("shared", "backend")),
        "MAQUETTE_HOME": str(home.root),
        "BLENDER_USER_RESOURCES": str(resources),
        # Several Blenders that write one cache at once break each other's.
        "MESA_SHADER_CACHE_DISABLE": "true",
    }
    command = [program, "-P", root() / SCENARIOS / script, "--", scene, shots]
    try:
        said = run([str(word) for word in command], environment)
    finally:
        _stop_server(home)
    line = next((line for line in said.splitlines() if line.startswith("USER HAS ")), None)
    if line is None or "Traceback" in said:
        what = "didn't end" if line is None else "had an exception in the console"
        raise ScenarioFailed(f"{script} in {blender_of(program)} {what}:\n{said}")
    return Visit(json.loads(line.removeprefix("USER HAS ")), folder, shots)


def run(command: list[str], environment: dict[str, str], seconds: float = SECONDS) -> str:
    """All that a Blender with a window prints; it and its display end with this, whatever happens.

    Raises subprocess.TimeoutExpired after ``seconds``.
    """
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        return process.communicate(timeout=seconds)[0]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _stop_server(home: Home) -> None:
    """End the server that the add-on started, and wait for its end."""
    end, told = time.monotonic() + STOP_SECONDS, 0
    while (record := local.running(home)) is not None or local.starting(home):
        if record is not None and record.pid != told:
            told = record.pid
            os.kill(told, signal.SIGTERM)
        assert time.monotonic() < end, f"the server of {home.root} doesn't end"
        time.sleep(0.05)
