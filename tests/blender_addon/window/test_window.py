"""Restyle in a Blender with a window, by real clicks: what the user sees and has afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest
from maquette_wire import messages, png
from maquette_wire.home import Home

from tests.shared.mock_server import MockServer

WINDOW = os.environ.get("MAQUETTE_TEST_WINDOW", "")
"""Program that runs Blender in a window on a display of its own (.ci/install_blender.sh)."""
SHOTS = os.environ.get("MAQUETTE_TEST_SHOTS", "")
"""Folder that keeps the screenshots, for people to look at."""
SECONDS = 900
HOLD_MS = 16.0
"""Processor time of one tick at most: a frame of a display at 60 Hz."""

pytestmark = [
    pytest.mark.skipif(not WINDOW, reason="needs MAQUETTE_TEST_WINDOW, a Blender with a window"),
    pytest.mark.slow,
]


def _sunset(submit, _picture: int) -> bytes:  # type: ignore[no-untyped-def]
    """A picture that a person recognises on a screenshot: orange above, blue below."""
    view = submit.views[0]
    half = view.height // 2
    upper = bytes((240, 140, 60)) * (view.width * half)
    return upper + bytes((40, 60, 120)) * (view.width * (view.height - half))


def _paint_slowly(server: MockServer) -> None:
    """Do the first job as a server with a slow device does."""
    while not server.jobs:
        time.sleep(0.1)
    job = next(iter(server.jobs))
    for step in range(1, 7):
        server.say(messages.Progress(job=job, stage="sampling", step=step, steps=8))
        time.sleep(2)
    server.finish(job)


def test_an_architect_restyles_and_goes_on_orbiting(server: MockServer, home: Home, tmp_path: Path):
    root = Path(__file__).parents[3]
    scene = tmp_path / "house.blend"
    shutil.copy(root / "samples" / "gabled_house.blend", scene)
    shots = Path(SHOTS) if SHOTS else tmp_path
    server.paint, server.hold = _sunset, True
    threading.Thread(target=_paint_slowly, args=(server,), daemon=True).start()
    environment = {
        **os.environ,
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "MAQUETTE_HOME": str(home.root),
        "MAQUETTE_TEST_PATHS": os.pathsep.join([str(root), str(root / "shared")]),
        # Several Blenders that write one cache at once break each other's.
        "MESA_SHADER_CACHE_DISABLE": "true",
    }
    script = Path(__file__).with_name("drive.py")
    done = subprocess.run(
        [WINDOW, "--factory-startup", "-P", script, "--", scene, shots],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    said = done.stdout + done.stderr
    line = next((line for line in said.splitlines() if line.startswith("USER HAS ")), None)
    assert line is not None, said
    user = json.loads(line.removeprefix("USER HAS "))
    assert user["prompt"] == "red brick library at dusk, wet plaza"
    assert user["submitted"], said
    assert user["orbited"], "the 3D view answers while the server works"
    assert user["image"] == user["shown"] == "Concept – Street – seed 12"
    assert png.read_recipe(Path(user["file"])).seed == 12
    assert user["told"] == []
    assert user["held"]["tick"] < HOLD_MS, user["held"]
    print(f"held: {user['held']} over {user['ticks']} ticks")
