"""Captures in a real Blender with a window, held against those of every Blender without one."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from maquette.blender import probe
from maquette.extension import Extension
from maquette_wire import container
from maquette_wire.capture import frames_of
from maquette_wire.home import Home
from maquette_wire.messages import Submit
from maquette_wire.recipe import Recipe

from tests.e2e.blenders import run_script
from tests.e2e.conftest import BLENDERS, EVERY_WINDOW, EXTENSION
from tools import windows

INSIDE = Path(__file__).resolve().parents[1] / "blender_addon" / "capture"
MODULES = ("test_agreement.py", "test_viewport.py", "test_untouched.py")
OLDER = ("test_agreement.py", "test_viewport.py", "-k", "not own_shading")
"""In Blender 4.3, which crashes on reading all of its own properties, and whose EEVEE compiles for
a minute on a processor."""
WINDOW_SECONDS = 900
LONG_SIDE = 192
WORKERS = 2


@pytest.fixture(scope="session")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples with a camera of every kind, and what each Blender of this run captures of them."""
    folder = tmp_path_factory.mktemp("captures")
    home = Home(tmp_path_factory.mktemp("home"))
    blenders = [blender for path in BLENDERS.values() if (blender := probe(Path(path)))]
    extensions = [Extension(blender, Path(EXTENSION), home) for blender in blenders]
    # What the oldest of them writes, all can read.
    oldest = min(blenders, key=lambda blender: blender.version)
    run_script(oldest.program, "add_cameras.py", folder)

    def capture_scene(extension: Extension, scene: Path) -> None:
        words = ["--all-cameras", "--long-side", str(LONG_SIDE)]
        found = extension.capture(scene, words, print)
        headers, buffers = frames_of(found)
        views = tuple(each.view for each in found)
        submit = Submit(job="0" * 32, recipe=Recipe(prompt=""), views=views, frames=headers)
        target = folder / "{}.{}.{}".format(*extension.blender.version)
        target.mkdir(exist_ok=True)
        container.write(target / f"{scene.stem}{container.SUFFIX}", submit, buffers)

    for extension in extensions:
        extension.profile()
        # Much of a capture's time is one thread's.
        with ThreadPoolExecutor(WORKERS) as pool:
            tasks = [
                pool.submit(capture_scene, extension, scene) for scene in folder.glob("*.blend")
            ]
            for task in tasks:
                task.result()
    return folder


@pytest.mark.blender
@pytest.mark.slow
@EVERY_WINDOW
def test_captures_inside_a_blender_with_a_window(window: Path, request: pytest.FixtureRequest):
    environment = dict(os.environ)
    if BLENDERS and EXTENSION:
        environment["MAQUETTE_TEST_CAPTURES"] = str(request.getfixturevalue("captures"))
    command = [
        str(window),
        "--factory-startup",
        "-P",
        str(INSIDE / "in_window.py"),
        "--",
        "-q",
        "-rA",
    ]
    modules = MODULES if windows.blender_of(window).version >= (5, 0) else OLDER
    command += [str(INSIDE / word) if word.endswith(".py") else word for word in modules]
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=WINDOW_SECONDS,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
