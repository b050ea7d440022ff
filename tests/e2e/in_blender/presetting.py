"""Runs in a Blender with a window and the extension: an architect chooses presets from pictures,
writes the prompt in a Text Editor, and restyles.

Prints one line of JSON about what the user has in the end.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

sys.path.append(str(Path(__file__).parent))
import screen
from hands import SECONDS, click_at, do, rest, scroll, still, until, wait
from screen import area_of, box_of, in_sidebar, in_view_area
from window import ADD_ON, begin, locate, perform, picture, press, shot, shows

PROMPT = "church with a tall tower\nin a garden"
JOB_SECONDS = 300.0
SIDE = 512 if "MAQUETTE_DOCS" in os.environ else 256
"""Of the picture: as large as the docs show it, or as quick as a test needs it."""
TILE = 36
"""Pixels from a chosen preset's name up into its picture, at a scale of 1."""
EDITOR = 75, 140, 700, 155
"""Where the prompt's editor goes: left, top, width, height."""

session = importlib.import_module(f"{ADD_ON}.session").current()
user: dict[str, Any] = {}


def settings() -> Any:
    """The panel's, found anew: an undo makes others of them."""
    return bpy.context.scene.maquette


def pick(kind: str, name: str, category: str, shown: str = "") -> Iterator[float]:
    """Click the picture of a kind, and in the grid that opens the one of a preset."""

    def once() -> Iterator[float]:
        spot = yield from locate(kind)
        yield from click_at(spot.middle[0], spot.middle[1] - screen.scaled(TILE))
        yield from still()
        if shown:
            yield 1  # Blender reads the pictures in the background
            shot(f"docs/{shown}")
        found = screen.places(screen.grey(), name, screen.everywhere())
        if found:
            yield from click_at(found[0].middle[0], found[0].middle[1] - screen.scaled(TILE))
        else:
            do("key", "Escape")
            yield 0.5

    yield from until(once, lambda: getattr(settings().presets, category) == name)


def editor() -> bpy.types.Window | None:
    """The window with the prompt in a Text Editor."""
    for window in bpy.context.window_manager.windows[1:]:
        if window.screen.areas[0].type == "TEXT_EDITOR":
            return window
    return None


def write_prompt() -> Iterator[float]:
    """Open the prompt in a window of its own, write it there, and close that."""

    def open_it() -> Iterator[float]:
        spot = yield from locate("Prompt")
        box = screen.box_of("VIEW_3D", "UI")
        right = box.x + box.width - screen.scaled(42)
        yield from click_at(right, spot.middle[1] + screen.scaled(21))

    yield from until(open_it, editor)
    window = editor()
    assert window is not None
    yield from still()
    # Nothing but a window manager, which this display has none of, places windows well.
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--class", "blender"],
        capture_output=True,
        text=True,
        check=True,
    )
    own = found.stdout.split()[-1]
    do("windowsize", own, *EDITOR[2:])
    do("windowmove", own, *EDITOR[:2])
    yield from still()
    yield from click_at(EDITOR[0] + EDITOR[2] // 2, EDITOR[1] + EDITOR[3] // 2)
    first, second = PROMPT.split("\n")
    do("type", "--delay", "25", first)
    do("key", "Return")
    do("type", "--delay", "25", second)
    yield from wait(lambda: second in settings().prompt, SECONDS)
    user["texts"] = [text.name for text in bpy.data.texts]
    shot("docs/prompt-editor", in_view_area)
    with bpy.context.temp_override(window=window):
        bpy.ops.wm.window_close()
    yield from wait(lambda: not bpy.data.texts, SECONDS)
    user["texts_after"] = [text.name for text in bpy.data.texts]


def keys(combination: str) -> Iterator[float]:
    yield from rest()
    do("key", combination)
    yield 0.5


def add_preset() -> Iterator[float]:
    """Keep what the prompt says as a preset, with the concept as its picture."""

    def once() -> Iterator[float]:
        spot = yield from locate("Presets")
        box = screen.box_of("VIEW_3D", "UI")
        yield from click_at(box.x + box.width - screen.scaled(42), spot.middle[1])
        yield from still()
        found = screen.places(screen.grey(), "Add Preset...", screen.everywhere())
        if not found:
            return
        yield from click_at(*found[0].middle)
        yield from still()
        name = screen.places(screen.grey(), "Name", screen.everywhere())
        if not name:
            return
        yield from click_at(name[0].middle[0] + screen.scaled(120), name[0].middle[1])
        do("type", "--delay", "25", "Our church")
        do("key", "Return")
        yield from still()
        shot("docs/preset-to-add")
        do("key", "Return")

    yield from until(once, lambda: settings().presets.style == "Our church")


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    yield from begin()
    settings().long_side, settings().seed, settings().seed_locked = SIDE, 4, True
    yield from pick("Material", "White render", "material", "presets-to-choose")
    yield from pick("Light", "Dusk", "light")
    yield from keys("ctrl+z")
    yield from wait(lambda: not settings().presets.light, SECONDS)
    user["undone"] = settings().presets.light
    yield from pick("Light", "Golden hour", "light")
    yield from write_prompt()
    user["prompt"] = settings().prompt
    yield from keys("ctrl+z")
    user["prompt_undone"] = settings().prompt
    yield from keys("ctrl+shift+z")
    user["prompt_redone"] = settings().prompt
    yield from press("Restyle", lambda: session.jobs or settings().last_result)
    yield from wait(lambda: settings().last_result and not session.jobs, JOB_SECONDS)
    yield 1
    yield from rest()
    yield from still()
    shot("restyled")
    user["file"] = settings().last_result and bpy.path.abspath(settings().last_result.filepath)
    bpy.ops.maquette.clear_presets()
    settings().prompt = ""
    bpy.ops.maquette.use_recipe()
    user["put_back"] = [settings().prompt, settings().presets.material, settings().presets.light]
    yield from add_preset()
    user["added"] = [settings().prompt, settings().presets.style]
    yield from picture("presets", in_sidebar)
    properties: Any = area_of("PROPERTIES").spaces.active
    properties.context = "RENDER"
    in_properties = lambda: box_of("PROPERTIES")  # noqa: E731
    yield from press("Maquette", place=in_properties)
    yield from scroll(12, in_properties)
    yield from rest()
    yield from still()
    shot("render-properties")
    user["in_properties"] = shows("Presets", in_properties)


perform(scenario(), user)
