"""Runs in a Blender with a window: an architect opens a model, types, clicks Restyle, and orbits.

Arguments after ``--``: the .blend, folder for screenshots. Mouse and keys are real events of the
display (xdotool), and screenshots are of the display. Prints one line of JSON about what the user
has in the end.
"""

from __future__ import annotations

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
JOB_SECONDS = 180
PLACES = {"tab": 206, "prompt": 94, "restyle": 292}
"""Pixels from the sidebar's upper edge, at Blender 5.2's default scale."""

sys.path[:0] = os.environ["MAQUETTE_TEST_PATHS"].split(os.pathsep)
bpy.ops.preferences.addon_enable(module="blender_addon")

from blender_addon import operators, session  # noqa: E402

held: dict[str, list[float]] = {"tick": [], "restyle": []}
user: dict[str, object] = {}


def timed(name: str, function: Callable) -> Callable:
    """The function, noting the processor time that it holds the main thread for."""

    def run(*arguments: object) -> object:
        began = time.thread_time()
        try:
            return function(*arguments)
        finally:
            held[name].append((time.thread_time() - began) * 1000)

    return run


session.Session.tick = timed("tick", session.Session.tick)
operators.restyle._capture = timed("restyle", operators.restyle._capture)


def do(*words: object) -> None:
    """Real mouse and keyboard events."""
    subprocess.run(["xdotool", *map(str, words)], check=True)


def shot(name: str) -> None:
    """A true screenshot of the display."""
    subprocess.run(["import", "-window", "root", str(Path(SHOTS) / f"{name}.png")], check=True)


def area_of(kind: str) -> bpy.types.Area:
    window = bpy.context.window_manager.windows[0]
    return next(area for area in window.screen.areas if area.type == kind)


def click(x: int, y: int) -> Iterator[float]:
    """Click a point of the display, counted from its top left, as steps: Blender has to notice
    where the mouse is before it takes a click."""
    for nudge in (4, 0):
        do("mousemove", x + nudge, y)
        yield 0.5
    do("click", 1)
    yield 1


def place(name: str) -> tuple[int, int]:
    """Where a part of the panel is on the display."""
    sidebar = next(region for region in area_of("VIEW_3D").regions if region.type == "UI")
    window = bpy.context.window_manager.windows[0]
    top = window.height - sidebar.y - sidebar.height
    across = sidebar.width - 14 if name == "tab" else 120
    return sidebar.x + across, top + PLACES[name]


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    bpy.context.preferences.view.show_splash = False
    bpy.ops.wm.open_mainfile(filepath=SCENE)
    yield 1
    view = area_of("VIEW_3D")
    view.spaces.active.show_region_ui = True
    view.spaces.active.region_3d.view_perspective = "CAMERA"
    area_of("PROPERTIES").ui_type = "IMAGE_EDITOR"
    settings = bpy.context.scene.maquette
    settings.long_side, settings.seed, settings.seed_locked = 256, 12, True
    yield 2
    yield from click(*place("tab"))
    yield from click(*place("prompt"))
    do("type", "--delay", "20", "red brick library at dusk, wet plaza")
    yield 1
    do("key", "Return")
    yield 2
    user["prompt"] = settings.prompt
    shot("1-panel")
    yield from click(*place("restyle"))
    end = time.monotonic() + JOB_SECONDS
    while not held["restyle"] and time.monotonic() < end:
        yield 0.1
    user["submitted"] = bool(held["restyle"])
    # The user goes on orbiting.
    before = view.spaces.active.region_3d.view_matrix.copy()
    do("mousemove", 450, 500, "mousedown", 2, "mousemove", 520, 520, "mousemove", 560, 540)
    yield 0.5
    do("mouseup", 2)
    shot("2-working")
    while session.current().open_jobs and time.monotonic() < end:
        yield 0.2
    yield 2
    user["orbited"] = view.spaces.active.region_3d.view_matrix != before
    shot("3-result")
    image = settings.last_result
    shown = area_of("IMAGE_EDITOR").spaces.active.image
    user["image"] = image and image.name
    user["file"] = image and bpy.path.abspath(image.filepath)
    user["shown"] = shown and shown.name
    user["told"] = [notice.text for notice in session.current().notices]
    user["held"] = {name: max(times, default=0.0) for name, times in held.items()}
    user["ticks"] = len(held["tick"])


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
