"""Runs in a Blender with a window and the extension: an architect types, clicks Restyle, orbits.

Arguments after ``--``: the .blend, folder for screenshots. Mouse and keys are real events of the
display (xdotool), and screenshots are of the display. Each action is looked at and repeated where
Blender was too busy to notice it. Prints one line of JSON about what the user has in the end.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

SCENE, SHOTS = sys.argv[sys.argv.index("--") + 1 :]
ADD_ON = "bl_ext.user_default.maquette"
PROMPT = "red brick church at dusk, wet plaza"
SECONDS = 20.0
JOB_SECONDS = 300.0
TRIES = 6
PLACES = {"tab": 206, "prompt": 94, "restyle": 292}
"""Pixels from the sidebar's upper edge, at Blender 5.2's default scale."""

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


def do(*words: object) -> None:
    """Real mouse and keyboard events."""
    subprocess.run(["xdotool", *map(str, words)], check=True)


def shot(name: str) -> None:
    """A true screenshot of the display."""
    subprocess.run(["import", "-window", "root", str(Path(SHOTS) / f"{name}.png")], check=True)


def area_of(kind: str) -> bpy.types.Area:
    window = bpy.context.window_manager.windows[0]
    return next(area for area in window.screen.areas if area.type == kind)


def view() -> bpy.types.RegionView3D:
    """What the user looks through; with the sidebar open."""
    space = area_of("VIEW_3D").spaces.active
    assert isinstance(space, bpy.types.SpaceView3D) and space.region_3d is not None
    space.show_region_ui = True
    return space.region_3d


def shown() -> bpy.types.Image | None:
    """The picture in the image editor."""
    space = area_of("IMAGE_EDITOR").spaces.active
    assert isinstance(space, bpy.types.SpaceImageEditor)
    return space.image


def sidebar() -> bpy.types.Region:
    return next(region for region in area_of("VIEW_3D").regions if region.type == "UI")


def wait(until: Callable[[], object], seconds: float) -> Iterator[float]:
    """Steps until something is so or the time is up."""
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        yield 0.1


def until(action: Callable[[], Iterator[float]], so: Callable[[], object]) -> Iterator[float]:
    """Repeat an action until it has the effect that it is for."""
    for _ in range(TRIES):
        yield from action()
        yield from wait(so, SECONDS)
        if so():
            return
    raise AssertionError(f"Blender didn't take {action}")


def click(name: str) -> Iterator[float]:
    """Click a part of the panel. Blender has to notice where the mouse is before a click."""
    region, window = sidebar(), bpy.context.window_manager.windows[0]
    x = region.x + (region.width - 14 if name == "tab" else 120)
    y = window.height - region.y - region.height + PLACES[name]
    for nudge in (4, 0):
        do("mousemove", x + nudge, y)
        yield 0.5
    do("click", 1)
    yield 0.5


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    bpy.context.preferences.view.show_splash = False
    bpy.ops.wm.open_mainfile(filepath=SCENE)
    yield 1
    view().view_perspective = "CAMERA"
    area_of("PROPERTIES").ui_type = "IMAGE_EDITOR"
    settings = bpy.context.scene.maquette
    settings.long_side, settings.seed, settings.seed_locked = 256, 12, True
    yield from wait(lambda: sidebar().width > 100, SECONDS)
    yield from until(lambda: click("tab"), lambda: sidebar().active_panel_category == "Maquette")

    def begin_prompt() -> Iterator[float]:
        # One letter tells whether the field has the keyboard; without it keys are shortcuts.
        yield from click("prompt")
        do("type", PROMPT[0])

    yield from until(begin_prompt, lambda: settings.prompt == PROMPT[0])
    do("type", "--delay", "30", PROMPT[1:])
    yield from wait(lambda: settings.prompt == PROMPT, SECONDS)
    do("key", "Return")
    yield 1
    user["prompt"] = settings.prompt
    shot("1-panel")
    yield from until(lambda: click("restyle"), lambda: session.jobs or settings.last_result)
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
    shot("2-working")
    while session.jobs and time.monotonic() < end:
        yield 0.1
    image = settings.last_result
    yield 2
    shot("3-result")
    user["image"] = image and image.name
    user["file"] = image and bpy.path.abspath(image.filepath)
    user["shown"] = getattr(shown(), "name", None)
    user["told"] = [notice.text for notice in session.notices]
    user["states"], user["ticks"] = states, ticks


def step() -> float:
    """One step of the scenario, as Blender's timer."""
    try:
        return next(steps)
    except StopIteration:
        print("USER HAS " + json.dumps(user), flush=True)
        os._exit(0)
    except BaseException:  # noqa: BLE001 (Blender would stay open and say nothing)
        traceback.print_exc()
        shot("failed")
        sys.stderr.flush()
        os._exit(1)


steps = scenario()
bpy.app.timers.register(step, first_interval=1, persistent=True)
