"""Runs in a Blender with a window and the extension: an architect makes a material for a tower,
undoes it and redoes it.

Arguments after ``--``: the .blend, folder for screenshots. Prints one line of JSON about what the
user has in the end.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

sys.path.append(str(Path(__file__).parent))
from hands import SECONDS, do, rest, still, wait
from screen import between, in_sidebar
from window import (
    ADD_ON,
    begin,
    choose,
    locate,
    open_panel,
    perform,
    picture,
    press,
    shot,
    type_into,
)

JOB_SECONDS = 300.0

session = importlib.import_module(f"{ADD_ON}.session").current()
materials = importlib.import_module(f"{ADD_ON}.materials")
user: dict[str, object] = {}


def names() -> list[str]:
    return [material.name for material in materials.materials()]


def select(name: str) -> Any:
    for thing in bpy.context.view_layer.objects:
        thing.select_set(thing.name == name)
    bpy.context.view_layer.objects.active = bpy.data.objects[name]
    return bpy.data.objects[name]


def slots(thing: Any) -> list[str]:
    return [slot.material.name if slot.material else "" for slot in thing.material_slots]


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    yield from begin()
    scene = bpy.context.scene
    settings = scene.maquette
    settings.seed, settings.seed_locked = 3, True
    own = settings.material
    own.pixels = "512"
    tower = select("Tower")
    user["before"] = slots(tower)
    yield from open_panel("Materials")
    yield from type_into("Red brick, weathered", "red brick", lambda: own.prompt)
    yield from press("Adjust", lambda: own.adjust)
    user["unit"] = round(own.unit_width, 4), round(own.unit_height, 4)
    yield from still(in_sidebar)
    shot("adjusted")
    yield from press("Adjust", lambda: not own.adjust)
    yield from choose("Automatic", "Stack Bond", lambda: own.pattern == "stack-bond")
    yield from press("Make Material", lambda: session.jobs or names())
    user["pressed"] = [job.title for job in session.jobs.values()]
    end = time.monotonic() + JOB_SECONDS
    while session.jobs and time.monotonic() < end:
        yield 0.1
    user["told"] = [notice.text for notice in session.notices if notice.level == "ERROR"]
    session.dismiss()
    user["made"], user["tower"] = names(), slots(tower)
    yield from locate("Material of a File...")
    yield from picture("materials-panel", between("Materials", "Material of a File..."))
    # The whole is undone and done again by the keyboard.
    yield from rest()
    do("key", "ctrl+z")
    yield from wait(lambda: not names(), SECONDS)
    user["undone"] = [names(), slots(bpy.data.objects["Tower"])]
    do("key", "ctrl+shift+z")
    yield from wait(names, SECONDS)
    yield from still(in_sidebar)
    user["redone"] = [names(), slots(bpy.data.objects["Tower"])]
    shot("redone")


perform(scenario(), user)
