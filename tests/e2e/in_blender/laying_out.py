"""Runs in a Blender with a window and the extension: an architect lays windows out in the panel
while Live follows, and restyles.

The home has the models "sees", which sees windows, and "blind", which doesn't. Prints one line of
JSON about what the user has in the end.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy

sys.path.append(str(Path(__file__).parent))
from hands import SECONDS, rest, still, wait
from screen import area_of, in_view_area
from window import ADD_ON, begin, choose, locate, open_panel, perform, press, shot, shows, type_into

JOB_SECONDS = 300.0

session = importlib.import_module(f"{ADD_ON}.session").current()
live = session.live
user: dict[str, Any] = {}


def followed(**asked: object) -> Callable[[], bool]:
    """Whether Live shows a picture of this recipe."""
    return lambda: (
        live.shown is not None
        and all(getattr(live.shown.wish.recipe, name) == asked[name] for name in asked)
    )


def shown_of(model: str) -> Iterator[float]:
    """Note whether the panel has the façades with a model."""
    bpy.context.scene.maquette.model = model
    area_of("VIEW_3D").tag_redraw()
    yield from locate("Prompt")
    yield from rest()
    yield from still()
    user[model] = shows("Façades")
    shot(model)


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    yield from begin()
    settings = bpy.context.scene.maquette
    settings.prompt, settings.seed_locked = "white plaster church", True
    settings.live_side = settings.long_side = 64
    bpy.ops.maquette.connect()
    yield from wait(lambda: session.backend and session.backend.welcome, JOB_SECONDS)
    yield from shown_of("blind")
    yield from shown_of("sees")
    window = bpy.context.window_manager.windows[0]
    with bpy.context.temp_override(window=window, area=area_of("VIEW_3D")):
        bpy.ops.maquette.live()
    yield from wait(followed(windows="auto"), JOB_SECONDS)
    yield from open_panel("Façades")
    yield from choose("As Prompted", "Ribbon", lambda: settings.windows == "ribbon")
    yield from wait(followed(windows="ribbon"), SECONDS)
    user["live"] = [followed(windows="ribbon")()]
    yield from type_into("Bay Width", "4.5", lambda: settings.bay_width, across=100)
    yield from wait(followed(bay=4.5), SECONDS)
    user["live"] += [followed(windows="ribbon", bay=4.5)()]
    live.end()
    yield from rest()
    yield from still()
    shot("laid-out", in_view_area)
    yield from press("Restyle", lambda: session.jobs or settings.last_result)
    yield from wait(lambda: settings.last_result and not session.jobs, JOB_SECONDS)
    user["file"] = settings.last_result and bpy.path.abspath(settings.last_result.filepath)
    user["told"] = [notice.text for notice in session.notices]


perform(scenario(), user)
