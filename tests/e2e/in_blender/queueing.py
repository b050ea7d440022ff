"""Runs in a Blender with a window and the extension: an architect has three pictures made of two
cameras, moves one to the front, cancels one, and the server is killed meanwhile.

Arguments after ``--``: the .blend, folder for screenshots. Prints one line of JSON about what the
user has in the end.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.append(str(Path(__file__).parent))
from hands import SECONDS, rest, wait
from maquette_wire import local
from window import ADD_ON, begin, open_panel, perform, press, shot

PROMPTS = {"Street": "red brick church at dusk", "Court": "white card model, soft light"}
COURT, STREET_AGAIN = f"Court: {PROMPTS['Court']}", f"Street: {PROMPTS['Street']} again"
CANCEL = {"icon": 0, "across": -12}
EARLIER = {"icon": 1, "across": -12, "below": 1}
"""Buttons of a waiting job's box, whose border takes some room at the right."""
JOB_SECONDS = 240.0

session = importlib.import_module(f"{ADD_ON}.session").current()
entries = importlib.import_module(f"{ADD_ON}.gallery.entries")
user: dict[str, object] = {}


def labels() -> list[str]:
    return [job.label for job in session.jobs.values()]


def states() -> list[str]:
    return [job.state.name for job in session.jobs.values()]


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    yield from begin()
    scene = bpy.context.scene
    street = scene.camera
    court = street.copy()
    court.name = "Court"
    scene.collection.objects.link(court)
    court.location.z += 12
    cameras = {"Street": street, "Court": court}
    settings = scene.maquette
    settings.model, settings.long_side = "tiny", 256
    settings.use_steps = True
    bpy.ops.maquette.connect()
    yield from wait(lambda: session.status.name == "READY", 120)
    # Closed, it leaves the queue room, which would else have to be scrolled to while jobs end.
    yield from press("Presets", lambda: True)
    for number, name in enumerate(("Street", "Court", "Street"), start=1):
        settings.prompt = PROMPTS[name] + (" again" if number == 3 else "")
        scene.camera = cameras[name]
        settings.steps = 400 if number == 1 else 40
        yield 0.3
        yield from press("Restyle", lambda number=number: len(session.jobs) >= number)
    yield from wait(lambda: states() == ["SAMPLING", "QUEUED", "QUEUED"], SECONDS)
    yield 1
    shot("queue-1-three-jobs")
    third = list(session.jobs)[2]
    yield from press(STREET_AGAIN, lambda: list(session.jobs)[1] == third, **EARLIER)
    user["moved"] = labels()
    yield 1
    shot("queue-2-moved")
    yield from press(COURT, lambda: len(session.jobs) == 2, **CANCEL)
    user["left"] = labels()
    shot("queue-3-cancelled")
    record = local.running(session.home)
    assert record is not None and session.open_jobs, "the server works"
    os.kill(record.pid, signal.SIGKILL)
    yield from wait(lambda: session.status.name == "STARTING", SECONDS)
    yield 0.5
    user["told"] = [notice.text for notice in session.notices]
    shot("queue-4-server-killed")
    end = time.monotonic() + JOB_SECONDS
    while session.jobs and time.monotonic() < end:
        yield 0.1
    yield 2
    user["told in the end"] = [notice.text for notice in session.notices]
    user["recent"] = [(job.label, job.state.name) for job in session.recent]
    scene = bpy.context.scene
    user["pictures"] = [str(entries.place(scene, entry.path)) for entry in scene.maquette.pictures]
    shot("queue-5-done")
    yield from open_panel("Recent Jobs")
    yield from rest()
    shot("queue-6-recent")


perform(scenario(), user)
