"""Runs in a Blender with a window and the extension, for the docs alone: what the pocket model
makes of a massing, in the gallery, with its windows laid out, in two views and compared.

Arguments after ``--``: the .blend, folder for screenshots.
"""

# Blender's stubs call optional what this scene has.
# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
from mathutils import Euler

sys.path.append(str(Path(__file__).parent))
from hands import SECONDS, wait
from screen import Box, area_of, in_areas, in_sidebar, in_view_area, region_of
from window import ADD_ON, begin, choose, locate, open_panel, perform, picture, press, view

JOB_SECONDS = 400.0
PROMPTS = (
    "pale brick building, plaza, clear day",
    "white render office, lawn, clear day",
    "timber building, lawn, overcast",
    "red brick building at dusk, wet plaza",
)

session = importlib.import_module(f"{ADD_ON}.session").current()


def entries() -> Any:
    return bpy.context.scene.maquette.pictures


def view_override() -> Any:
    window = bpy.context.window_manager.windows[0]
    return bpy.context.temp_override(window=window, area=area_of("VIEW_3D"))


def painted() -> Iterator[float]:
    yield from wait(lambda: not session.jobs, JOB_SECONDS)
    yield from wait(lambda: not session.gallery.busy, SECONDS)


def fill(settings: Any) -> Iterator[float]:
    """A concept of each prompt from each of three cameras."""
    scene = bpy.context.scene
    cameras = {thing.name: thing for thing in scene.objects if thing.type == "CAMERA"}
    first = scene.camera
    for seed, prompt in enumerate(PROMPTS):
        for name in ("Elevation", "Bird", "Two-point"):
            scene.camera = cameras[name]
            settings.prompt, settings.seed = prompt, 7 + seed
            with view_override():
                bpy.ops.maquette.restyle()
            yield from painted()
    scene.camera = first


def compare_large() -> Iterator[float]:
    """The gallery beside a large picture."""
    area = area_of("VIEW_3D")
    area.ui_type = "IMAGE_EDITOR"
    yield 1
    area.spaces.active.show_region_ui = True
    yield 1
    gallery = window_manager().maquette_gallery
    gallery.marked, gallery.wipe = "", 0.45
    window = bpy.context.window_manager.windows[0]
    region = region_of("IMAGE_EDITOR", "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.maquette.choose_picture(picture=entries()[11].name)
        bpy.ops.maquette.compare(how="WIPE")
        bpy.ops.image.view_all(fit_view=True)
    yield 1
    region_of("IMAGE_EDITOR", "UI").active_panel_category = "Maquette"
    yield 2
    yield from picture("gallery-compare", in_areas("IMAGE_EDITOR"))
    bpy.ops.maquette.end_compare()
    area.ui_type = "VIEW_3D"
    yield 1


def over_the_model() -> Iterator[float]:
    """The picture over the model, wiped away in part, and Live."""
    settings, space = bpy.context.scene.maquette, area_of("VIEW_3D").spaces.active
    region_3d = space.region_3d
    yield from locate("Over the 3D View")
    yield from picture("viewport-in-register", in_view_area)
    yield from press("Opacity", lambda: settings.use_wipe, icon=1)
    yield from picture("viewport-wipe", in_view_area)
    yield from press("Opacity", lambda: not settings.use_wipe, icon=1)
    region_3d.view_perspective = "PERSP"
    region_3d.view_rotation = Euler((1.4, 0.0, 0.7)).to_quaternion()
    region_3d.view_location, region_3d.view_distance = (10, 0, 18), 130
    settings.live_side = 512
    yield from press("Live", lambda: session.live.on)
    yield from wait(lambda: session.live.shown and not session.live.busy, JOB_SECONDS)
    yield from picture("viewport-live", in_view_area)
    yield from press("End Live", lambda: not session.live.on)
    region_3d.view_perspective = "CAMERA"


def both_views() -> Box:
    """The 3D views beside each other."""
    window = bpy.context.window_manager.windows[0]
    areas = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    box = in_view_area()
    left, right = min(area.x for area in areas), max(area.x + area.width for area in areas)
    return box._replace(x=left, width=right - left)


def look_both_ways() -> Iterator[float]:
    """The model in one view, the picture in the other."""
    with view_override():
        bpy.ops.maquette.choose_picture(picture=entries()[12].name)
        bpy.ops.screen.area_split(direction="VERTICAL", factor=0.4)
    window = bpy.context.window_manager.windows[0]
    for area in window.screen.areas:
        if area.type == "VIEW_3D":
            space = area.spaces.active
            space.show_region_toolbar = space.show_region_header = False
            space.show_region_ui = area == area_of("VIEW_3D")
            space.region_3d.view_camera_zoom = 12
            space.region_3d.view_camera_offset = 0.0, 0.0
    yield 1
    look: Any = area_of("VIEW_3D").spaces.active.shading.maquette_look  # pyright: ignore[reportAttributeAccessIssue]
    yield from press("Opacity", lambda: look.is_own, icon=0)
    yield from press("Opacity", lambda: look.use_wipe, icon=1)
    yield from locate("Over the 3D View")
    yield from picture("viewport-own", both_views)


def window_manager() -> Any:
    return bpy.context.window_manager


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    yield from begin()
    # The frame as large as there is room for beside the sidebar.
    view().view_camera_zoom, view().view_camera_offset = 12.0, (0.074, 0.0)
    settings = bpy.context.scene.maquette
    settings.seed_locked = True
    bpy.ops.maquette.connect()
    yield from wait(lambda: session.backend and session.backend.welcome, JOB_SECONDS)
    yield from fill(settings)
    session.dismiss()
    yield from press("Presets")  # out of the way
    settings.prompt = PROMPTS[0]
    yield from open_panel("Façades")
    yield from choose("As Prompted", "Ribbon", lambda: settings.windows == "ribbon")
    yield from press("Restyle", lambda: session.jobs)
    yield from painted()
    yield from locate("Prompt")
    yield from picture("facades-panel", in_view_area)

    yield from press("Concept Image")
    yield from over_the_model()
    yield from open_panel("Gallery")
    gallery = window_manager().maquette_gallery
    yield from press("Two-point 9", lambda: gallery.chosen == entries()[8].name, below=-2)
    yield from locate("Side by Side")
    yield from picture("gallery-page", in_sidebar)
    yield from compare_large()
    yield from look_both_ways()


perform(scenario(), {})
