"""Runs in a Blender with a window and the extension: an architect types, clicks Restyle, orbits.

Arguments after ``--``: the .blend, folder for screenshots. Each action is looked at and repeated
where Blender was too busy to notice it. Prints one line of JSON about what the user has in the end.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

sys.path.append(str(Path(__file__).parent))
from hands import do, rest, still, until, wait, widen
from screen import area_of, between, in_areas, in_sidebar, in_view_area, upper_part
from window import ADD_ON, begin, perform, picture, press, search, shot, type_into, view

PROMPT = "red brick church at dusk, wet plaza"
JOB_SECONDS = 300.0
VARIATIONS = 8 if "MAQUETTE_DOCS" in os.environ else 1
"""Of each job in the queue: enough to look at it, or as few as a test needs."""

session = importlib.import_module(f"{ADD_ON}.session").current()
user: dict[str, object] = {}
ticks: list[float] = []
states: list[str] = []


def timed_tick(tick: Callable) -> Callable:
    """The session's tick, noting the processor time it holds the main thread for, and the jobs."""

    def run() -> float | None:
        began = time.thread_time()
        try:
            return tick()
        finally:
            ticks.append((time.thread_time() - began) * 1000)
            for job in session.jobs.values():
                if job.state.name not in states:
                    states.append(job.state.name)

    return run


session.tick = timed_tick(session.tick)


def shown() -> bpy.types.Image | None:
    """The picture in the image editor."""
    space = area_of("IMAGE_EDITOR").spaces.active
    assert isinstance(space, bpy.types.SpaceImageEditor)
    return space.image


def look_beside_the_sidebar() -> None:
    """Through the camera again, with its whole frame to be seen."""
    region_3d = view()
    region_3d.view_perspective = "CAMERA"
    region_3d.view_camera_zoom, region_3d.view_camera_offset = 5.0, (0.115, 0.0)


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    yield from begin()
    yield from picture("first-steps-tab", in_view_area)
    area_of("PROPERTIES").ui_type = "IMAGE_EDITOR"
    yield from widen("IMAGE_EDITOR", 260)
    settings = bpy.context.scene.maquette
    settings.seed, settings.seed_locked = 12, True
    yield from type_into("Prompt", PROMPT, lambda: settings.prompt, below=1)
    user["prompt"] = settings.prompt
    yield from picture("first-steps-prompt", between("Concept Image", "Restyle"))
    yield from press("Restyle", lambda: session.jobs or settings.last_result)
    # The user goes on orbiting.
    before = view().view_matrix.copy()
    moved = lambda: view().view_matrix != before  # noqa: E731

    def orbit() -> Iterator[float]:
        do("mousemove", 450, 500, "mousedown", 2, "mousemove", 520, 520, "mousemove", 560, 540)
        yield 0.5
        do("mouseup", 2)

    yield from until(orbit, moved)
    user["orbited"] = moved()
    end = time.monotonic() + JOB_SECONDS
    shot("docs/first-steps-working", in_view_area)
    while session.jobs and time.monotonic() < end:
        yield 0.1
    image = settings.last_result
    yield 2
    look_beside_the_sidebar()
    yield from picture("first-steps-result", in_areas("VIEW_3D", "IMAGE_EDITOR"))
    user["image"] = image and image.name
    user["file"] = image and bpy.path.abspath(image.filepath)
    user["shown"] = getattr(shown(), "name", None)
    user["told"] = [notice.text for notice in session.notices]
    user["states"], user["ticks"] = states, ticks
    # Several views at once: what waits can be moved.
    settings.count = VARIATIONS
    yield from press("Presets")  # out of the way
    for seed, camera in enumerate(("Street", "Bird", "Two-point"), 12):
        bpy.context.scene.camera = bpy.data.objects[camera]
        settings.seed = seed
        bpy.ops.maquette.restyle()
    yield from rest()
    yield 1.5  # the panel opens with a movement
    shot("docs/queue", in_sidebar)
    yield from wait(lambda: not session.jobs, JOB_SECONDS)
    settings.count = 1
    user["queued"] = len({entry.camera for entry in settings.pictures})
    queued = len(settings.pictures)
    yield from search("Restyle", lambda: session.jobs or len(settings.pictures) > queued)
    yield from wait(lambda: not session.jobs, JOB_SECONDS)
    user["found by search"] = len(settings.pictures) - queued
    area_of("VIEW_3D").ui_type = "PREFERENCES"
    bpy.context.preferences.active_section = "EXTENSIONS"
    yield from still()
    yield from picture("first-steps-installed", upper_part("PREFERENCES", 300))


perform(scenario(), user)
