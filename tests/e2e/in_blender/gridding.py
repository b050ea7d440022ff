"""Runs in a Blender with a window and the extension: an architect has a grid made of one view, by
Geometry and by seed, and looks at it.

Arguments after ``--``: the .blend, folder for screenshots. Prints one line of JSON about what the
user has in the end.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.append(str(Path(__file__).parent))
from hands import SECONDS, do, rest, still, wait
from screen import everywhere
from window import ADD_ON, begin, choose, perform, picture, press, shot

JOB_SECONDS = 240.0
SIDE = 512 if "MAQUETTE_DOCS" in os.environ else 256
"""Of each picture: as large as the docs show them, or as quick as a test needs them."""

session = importlib.import_module(f"{ADD_ON}.session").current()
user: dict[str, object] = {}


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    yield from begin()
    settings = bpy.context.scene.maquette
    settings.prompt, settings.long_side = "red brick library at dusk", SIDE
    yield 0.3
    yield from press("Grid...")
    yield from still()
    yield from choose("Nothing", "Seed", place=everywhere)
    yield from still()
    yield from picture("grid-dialog")
    do("key", "Return")
    yield from wait(lambda: session.jobs, SECONDS)
    user["jobs"] = len(session.jobs)
    yield from wait(lambda: session.grids.last is not None, JOB_SECONDS)
    user["told"] = [notice.text for notice in session.notices]
    user["grid"] = str(session.grids.last)
    user["pictures"] = len(bpy.context.scene.maquette.pictures)
    user["own"] = settings.geometry
    before = len(bpy.context.window_manager.windows)
    bpy.ops.maquette.show_grid()
    yield from rest()
    yield 2
    user["windows"] = len(bpy.context.window_manager.windows) - before
    shot("grid-2-shown")


perform(scenario(), user)
