"""What scripts in a Blender with a window share: real events, screenshots, waiting, and the end.

Mouse and keys are real events of the display (xdotool), and screenshots are of the display. The
arguments after ``--`` are the .blend and the folder for screenshots.
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

ADD_ON = "bl_ext.user_default.maquette"
SCENE, SHOTS = sys.argv[sys.argv.index("--") + 1 :]
SECONDS = 20.0
TRIES = 6
PLACES = {"tab": 206, "prompt": 94, "restyle": 292}
"""Pixels from the sidebar's upper edge, at Blender 5.2's default scale."""


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


def click(down: int, *, tab: bool = False, across: int = 120) -> Iterator[float]:
    """Click so many pixels below the sidebar's upper edge, and from its left; or one of its tabs.
    Blender has to notice where the mouse is before a click."""
    region, window = sidebar(), bpy.context.window_manager.windows[0]
    x = region.x + (region.width - 14 if tab else across)
    y = window.height - region.y - region.height + down
    for nudge in (4, 0):
        do("mousemove", x + nudge, y)
        yield 0.5
    do("click", 1)
    yield 0.5


def perform(steps: Iterator[float], user: dict[str, object]) -> None:
    """Run a scenario's steps in Blender's timer, print what the user has then, and end Blender."""

    def step() -> float:
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

    bpy.app.timers.register(step, first_interval=1, persistent=True)
