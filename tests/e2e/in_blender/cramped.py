"""Runs in a Blender with a window and the extension: an architect restyles on a display of twice
the resolution, in local view, without regions that overlap, in a sliver of a 3D view, and without
any.

Arguments after ``--``: the .blend, folder for screenshots. Prints one line of JSON about what the
user has seen.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

sys.path.append(str(Path(__file__).parent))
from hands import do, rest, still, until, wait, widen
from screen import area_of, around, box_of, in_sidebar, scaled
from window import ADD_ON, begin, locate, perform, press, shot, shows, view

JOB_SECONDS = 300.0
SLASH = "61"
"""By its code, as those of F3 and F12 are."""

session = importlib.import_module(f"{ADD_ON}.session").current()
user: dict[str, object] = {}


def settings() -> Any:
    return bpy.context.scene.maquette


def in_properties() -> Any:
    return box_of("PROPERTIES")


def restyled(name: str, place: Any = in_sidebar) -> Iterator[float]:
    """Press Restyle and wait; notes the size of the picture, or what was said instead."""
    count = len(settings().pictures)
    session.dismiss()
    yield from press(
        "Restyle",
        lambda: session.jobs or session.notices or len(settings().pictures) > count,
        place=place,
    )
    yield from wait(lambda: not session.jobs, JOB_SECONDS)
    yield from rest()
    yield from still()
    shot(name)
    told = [notice.text for notice in session.notices]
    if told:
        do("key", "Escape")  # Blender's own report lies over the rest
    made = settings().pictures[count:]
    user[name] = [[(each.width, each.height) for each in made], told]


def keys(combination: str, so: Any) -> Iterator[float]:
    """Press keys over the 3D view, until that has its effect."""

    def once() -> Iterator[float]:
        yield from rest()
        do("key", combination)
        yield 0.5

    yield from until(once, so)


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    preferences = bpy.context.preferences
    yield from begin()
    settings().prompt, settings().long_side = "red brick church", 192
    yield from press("Presets", lambda: not shows("Season"))  # out of the way
    preferences.view.ui_scale = 2.0
    yield from still()
    yield from restyled("high resolution")
    preferences.view.ui_scale = 1.0
    yield from still()

    space: Any = area_of("VIEW_3D").spaces.active
    settings().source = "VIEWPORT"
    view().view_perspective = "PERSP"
    tower = bpy.data.objects["Nave"]
    bpy.ops.object.select_all(action="DESELECT")
    tower.select_set(True)
    bpy.context.view_layer.objects.active = tower
    yield from keys(SLASH, lambda: space.local_view is not None)
    yield from restyled("local view")
    yield from keys(SLASH, lambda: space.local_view is None)

    preferences.system.use_region_overlap = False
    yield from still()
    yield from restyled("no overlap")
    # What is left of the 3D view is a few pixels beside its own sidebar.
    room = around("VIEW_3D").width - scaled(330)
    yield from widen("PROPERTIES", room)
    yield from restyled("sliver")
    preferences.system.use_region_overlap = True

    area_of("VIEW_3D").ui_type = "DOPESHEET"
    editor: Any = area_of("PROPERTIES").spaces.active
    editor.context = "RENDER"
    yield from still()
    yield from press("Maquette", place=in_properties)
    yield from locate("Prompt", in_properties)
    yield from press("Camera", lambda: settings().source == "CAMERA", place=in_properties)
    yield from restyled("no 3D view", in_properties)


perform(scenario(), user)
