"""Runs in a Blender with a window and the extension: an architect presses F12 with Maquette.

Arguments after ``--``: the .blend, folder for screenshots. Prints one line of JSON about what the
user has in the end.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.append(str(Path(__file__).parent))
from hands import F12, do, rest, still, until, wait, widen
from screen import Box, area_of, around, box_of, scaled
from window import ADD_ON, SCENE, perform, press, shot, view

SIZE = (768, 512) if "MAQUETTE_DOCS" in os.environ else (256, 256)
"""Of the frame: as large as the docs show it, or as quick as a test needs it."""
WIDER = 150
"""Pixels by which the settings get wider, at a scale of 1, so that none of their labels is cut."""
FRAME_SECONDS = 300.0

user: dict[str, object] = {}

stats: list[str] = []
module = importlib.import_module(f"{ADD_ON}.engine")
follow = module._Target.follow


def noted_follow(target: object, text: str, share: float) -> None:
    """What the status bar says, noted."""
    if not stats or stats[-1] != text:
        stats.append(text)
    follow(target, text, share)


module._Target.follow = noted_follow


def fill_the_editor() -> Iterator[float]:
    """The frame as large as the editor lets it be, and beside it the settings alone."""
    window = bpy.context.window_manager.windows[0]
    with bpy.context.temp_override(window=window, area=area_of("OUTLINER")):
        bpy.ops.screen.area_close()
    yield 1
    area = area_of("IMAGE_EDITOR")
    area.spaces[0].show_region_header = False
    yield from still()
    region = next(each for each in area.regions if each.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.image.view_all(fit_view=True)
    yield from press("Presets", place=lambda: box_of("PROPERTIES"))  # out of the way
    yield from rest()
    yield from still()


def frame_and_settings() -> Box:
    """Without the line above the frame, which says how long this machine took."""
    editor, both = around("IMAGE_EDITOR"), around("IMAGE_EDITOR", "PROPERTIES")
    line = scaled(26)
    return Box(both.x, editor.y + line, both.width, editor.height - line)


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    preferences = bpy.context.preferences
    preferences.view.show_splash = False
    preferences.view.render_display_type = "AREA"
    bpy.ops.wm.open_mainfile(filepath=SCENE, load_ui=False)
    yield 1
    yield from widen("PROPERTIES", scaled(WIDER))
    scene = bpy.context.scene
    scene.render.engine = "MAQUETTE"
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.resolution_percentage = 100
    scene.maquette.prompt = "red brick church at dusk, wet plaza"
    scene.maquette.seed = 12
    for frame, prompt in ((40, "white plaster at noon"), (20, "timber church in snow, clear day")):
        entry = scene.maquette.prompts.add()
        entry.frame, entry.prompt = frame, prompt
    view().view_perspective = "CAMERA"
    editors: Any = [area_of(kind).spaces.active for kind in ("VIEW_3D", "PROPERTIES")]
    shading = editors[0].shading
    shading.type = "RENDERED"
    editors[1].context = "RENDER"
    yield from still()
    yield 1
    shot("rendered-shading", lambda: box_of("VIEW_3D"))
    shot("render-properties")
    shot("docs/rendering-properties", lambda: box_of("PROPERTIES"))
    user["warned"] = scene.view_settings.view_transform != "Standard"
    yield from press(
        "Show as Painted",
        lambda: scene.view_settings.view_transform == "Standard",
        place=lambda: box_of("PROPERTIES"),
    )
    shading.type = "SOLID"
    scene.frame_set(25)
    yield from press("Prompts by Frame", place=lambda: box_of("PROPERTIES"))
    yield from still()
    shot("prompts-by-frame", lambda: box_of("PROPERTIES"))

    def press_f12() -> Iterator[float]:
        yield from rest()
        do("key", F12)
        yield 0.5

    yield from until(press_f12, lambda: bpy.app.is_job_running("RENDER") or stats)
    yield 1
    shot("rendering")
    yield from wait(lambda: not bpy.app.is_job_running("RENDER"), FRAME_SECONDS)
    yield from still()
    yield 1
    shot("rendered")
    yield from fill_the_editor()
    shot("docs/rendering", frame_and_settings)
    path = Path(SCENE).with_name("frame.png")
    bpy.data.images["Render Result"].save_render(str(path), scene=scene)
    image: Any = bpy.data.images.load(str(path))
    pixels = np.array(image.pixels[:])
    user["file"], user["size"], user["spread"] = str(path), list(image.size), float(pixels.std())
    user["stats"] = stats


perform(scenario(), user)
