"""Runs in a Blender with a window and the extension: an architect restyles with a model that takes
lines.

The home has the models "lines", of Stable Diffusion XL with ControlNets for depth and lines, and
"plain", without the second. Prints one line of JSON about what the user has in the end.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

sys.path.append(str(Path(__file__).parent))
from hands import do, rest, still, wait
from screen import area_of, everywhere, in_sidebar
from window import ADD_ON, begin, choose, locate, open_panel, perform, press, shot, shows

JOB_SECONDS = 300.0

session = importlib.import_module(f"{ADD_ON}.session").current()
user: dict[str, Any] = {}


def shown_of(model: str) -> Iterator[float]:
    """Note whether the panel has lines with a model."""
    bpy.context.scene.maquette.model = model
    area_of("VIEW_3D").tag_redraw()
    yield from locate("Depth Hold")
    yield from rest()
    yield from still()
    user[model] = [shows(label) for label in ("Lines", "Lines Hold")]
    shot(model, in_sidebar)


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    yield from begin()
    settings = bpy.context.scene.maquette
    settings.prompt, settings.long_side, settings.use_steps = "white plaster church", 128, True
    bpy.ops.maquette.connect()
    yield from wait(lambda: session.backend and session.backend.welcome, JOB_SECONDS)
    yield from open_panel("Fine Tuning")
    yield from shown_of("plain")
    yield from shown_of("lines")
    yield from choose("Model's Own", "Exact", lambda: settings.lines == "exact")
    yield from rest()
    yield from still()
    shot("exact", in_sidebar)
    yield from press("Restyle", lambda: session.jobs or settings.last_result)
    yield from wait(lambda: settings.last_result and not session.jobs, JOB_SECONDS)
    user["file"] = settings.last_result and bpy.path.abspath(settings.last_result.filepath)
    yield from press("Grid...")
    yield from still()
    yield from choose("Nothing", "Lines", place=everywhere)
    yield from still()
    shot("grid")
    do("key", "Return")
    yield from wait(lambda: session.grids.last is not None, JOB_SECONDS)
    user["grid"] = str(session.grids.last)


perform(scenario(), user)
