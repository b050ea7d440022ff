"""Runs in a Blender with a window and the extension: an architect compares model and picture in the
3D view, and has Live follow the view.

Arguments after ``--``: the .blend, folder for screenshots. Prints one line of JSON about what the
user has in the end.
"""

# Blender's stubs call optional what this scene has.
# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Euler

sys.path.append(str(Path(__file__).parent))
from hands import SECONDS, do, until, wait
from screen import area_of
from window import ADD_ON, SCENE, SHOTS, perform, shot, view

JOB_SECONDS = 300.0
REST_SECONDS = 1.5


def module(name: str) -> Any:
    return importlib.import_module(f"{ADD_ON}.{name}")


session = module("session").current()
live = session.live
user: dict[str, object] = {}


def region() -> bpy.types.Region:
    return next(each for each in area_of("VIEW_3D").regions if each.type == "WINDOW")


def override() -> Any:
    window = bpy.context.window_manager.windows[0]
    return bpy.context.temp_override(window=window, area=area_of("VIEW_3D"), region=region())


def at(x: float, y: float) -> tuple[int, int]:
    """A place of the region, from its lower left corner, as the display counts."""
    window = bpy.context.window_manager.windows[0]
    return round(region().x + x), round(window.height - region().y - y)


def frame() -> list[float]:
    """Left, bottom, right and top of the camera's frame in the region, as Blender draws it."""
    scene = bpy.context.scene
    corners = scene.camera.data.view_frame(scene=scene)
    places = [
        location_3d_to_region_2d(region(), view(), scene.camera.matrix_world @ each)
        for each in corners
    ]
    return [min(p.x for p in places), min(p.y for p in places),
            max(p.x for p in places), max(p.y for p in places)]  # fmt: skip


def showing() -> Any:
    return module("overlay.view3d").showing(bpy.context.scene, region(), view())


def edges() -> list[float]:
    where = showing()[1]
    return [where.left, where.bottom, where.right, where.top]


def where_on_display() -> dict[str, object]:
    window = bpy.context.window_manager.windows[0]
    return {"x": region().x, "y": region().y, "down": window.height, "edges": edges()}


def settled() -> bool:
    return live.shown is not None and not live.busy and not live.noticed()


def orbit() -> Iterator[float]:
    x, y = at(300, 300)
    do("mousemove", x, y)
    yield 0.3
    do("mousedown", 2)
    for step in range(1, 9):
        do("mousemove", x + 12 * step, y + 3 * step)
        yield 0.15
    do("mouseup", 2)
    yield 0.3


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    bpy.context.preferences.view.show_splash = False
    bpy.ops.wm.open_mainfile(filepath=SCENE)
    yield 1
    region_3d = view()
    region_3d.view_perspective = "CAMERA"
    region_3d.view_camera_zoom, region_3d.view_camera_offset = -8, (0.05, -0.03)
    area_of("VIEW_3D").spaces.active.show_region_ui = False
    settings = bpy.context.scene.maquette
    settings.long_side, settings.seed, settings.seed_locked = 256, 12, True
    settings.prompt = "red brick church at dusk, wet plaza"
    bpy.ops.ed.undo_push(message="Settings")
    yield 1
    yield from compare_with_the_camera(settings)
    yield from exact_pixels()
    yield from wipe(settings)
    yield from follow(settings)
    yield from disturb()
    yield from end_with_the_add_on()


def compare_with_the_camera(settings: Any) -> Iterator[float]:
    with override():
        bpy.ops.maquette.restyle()
    yield 0.5
    shot("v1-working")
    end = time.monotonic() + JOB_SECONDS
    while session.jobs and time.monotonic() < end:
        yield 0.05
    yield from wait(lambda: showing() is not None, SECONDS)
    yield 1
    shot("v2-in-register")
    user["camera"] = {**where_on_display(), "frame": frame()}
    user["file"] = bpy.path.abspath(settings.last_result.filepath)
    do("mousemove", *at(500, 400))
    view().view_perspective = "PERSP"
    yield 1
    user["elsewhere"] = showing() is None
    view().view_perspective = "CAMERA"


def exact_pixels() -> Iterator[float]:
    """A picture of the region's own size has its pixels on the display."""
    pictures, looks = module("overlay.pictures"), module("capture.view")
    view().view_perspective = "PERSP"
    yield 0.5
    width, height = region().width, region().height
    noise = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    noise[: height // 2] = noise[: height // 2] // 8  # dark ones are the hardest to get right
    seen = looks.viewport_view(region(), view(), width, height)
    pictures.keep("noise", bpy.context.scene.session_uid, seen, noise)
    module("redrawing").redraw_views()
    yield 1
    np.save(Path(SHOTS) / "noise.npy", noise)
    shot("v3-noise")
    user["noise"] = where_on_display()
    pictures.drop("noise")
    view().view_perspective = "CAMERA"
    yield 0.5


def wipe(settings: Any) -> Iterator[float]:
    settings.use_wipe = True
    yield 1
    where = showing()[1]
    middle = (where.bottom + where.top) / 2

    def drag(share: float, *last: object) -> Iterator[float]:
        do("mousemove", *at(where.across(settings.wipe) + 30, middle))
        yield 0.3
        do("mousemove", *at(where.across(settings.wipe), middle))
        yield 0.5
        do("mousedown", 1)
        yield 0.3
        for part in (0.3, 0.7, 1.0):
            start = 0.5
            do("mousemove", *at(where.across(start + (share - start) * part), middle))
            yield 0.2
        do(*last)
        yield 0.5

    yield from until(lambda: drag(0.3, "mouseup", 1), lambda: abs(settings.wipe - 0.3) < 0.01)
    user["wiped"] = settings.wipe
    window = bpy.context.window_manager.windows[0]
    user["holding"] = [each.bl_idname for each in window.modal_operators]
    shot("v4-wiped")
    yield from until(lambda: drag(0.6, "key", "Escape"), lambda: not settings.use_wipe)
    do("mouseup", 1)
    yield 0.5
    user["after escape"] = settings.wipe


def follow(settings: Any) -> Iterator[float]:
    """Live on, orbit, a moved wall, rest."""
    view().view_perspective = "PERSP"
    view().view_rotation = Euler((1.25, 0.0, 0.5)).to_quaternion()
    view().view_location, view().view_distance = (0, 0, 8), 60
    yield 0.5
    with override():
        user["live"] = list(bpy.ops.maquette.live())
    yield from wait(settled, JOB_SECONDS)
    user["first"] = settled()
    yield 0.5
    shot("v5-live")
    first, before = live.shown, view().view_matrix.copy()
    seen: list[int] = []

    def orbit_and_look() -> Iterator[float]:
        for pause in orbit():
            if live.shown is not None and id(live.shown) not in seen:
                seen.append(id(live.shown))
            yield pause
        shot("v6-orbiting")

    yield from until(orbit_and_look, lambda: view().view_matrix != before)
    yield from wait(settled, SECONDS)
    yield 0.5
    user["followed"] = settled() and live.shown is not first and showing() is not None
    shot("v7-followed")
    user["captures"] = [live.captures]
    yield REST_SECONDS
    user["captures"] += [live.captures]
    # G moves an object while Live captures it.
    tower = next(each for each in bpy.context.scene.objects if each.type == "MESH")
    bpy.ops.object.select_all(action="DESELECT")
    tower.select_set(True)
    bpy.context.view_layer.objects.active = tower
    place, made = tower.location.copy(), live.captures

    def move() -> Iterator[float]:
        do("mousemove", *at(400, 300))
        yield 0.5
        do("key", "g")
        yield 0.3
        for step in range(1, 7):
            do("mousemove", *at(400 + 10 * step, 300))
            yield 0.15
        do("key", "Return")
        yield 0.5

    yield from until(move, lambda: (tower.location - place).length > 0.1)
    yield from wait(settled, SECONDS)
    user["moved"] = live.captures > made and live.on
    do("key", "ctrl+z")
    tower = None
    yield from wait(lambda: live.noticed() or live.busy, SECONDS)
    yield from wait(settled, SECONDS)
    user["undone"] = live.on and settled()
    with override():
        user["kept"] = list(bpy.ops.maquette.keep_live())
    yield from wait(lambda: not session.jobs, JOB_SECONDS)
    user["concept"] = bpy.context.scene.maquette.last_result.name
    user["jobs"] = session.ledger.left_behind() == []


def disturb() -> Iterator[float]:
    """A deleted camera, four views, another file."""
    view().view_perspective = "CAMERA"
    yield from wait(settled, SECONDS)
    user["through the camera"] = live.shown.wish.view.name
    yield 0.5
    shot("v8-live-camera")
    bpy.data.objects.remove(bpy.context.scene.camera)
    yield from wait(settled, SECONDS)
    yield 0.5
    user["without a camera"] = live.on and live.shown.wish.view.name
    with override():
        bpy.ops.screen.region_quadview()
    yield 1
    yield from wait(settled, SECONDS)
    yield 0.5
    shot("v9-four-views")
    user["four views"] = live.on
    with override():
        bpy.ops.screen.region_quadview()
    yield 0.5
    bpy.ops.wm.open_mainfile(filepath=SCENE)
    yield 1
    user["another file"] = [live.on, live.error is None]


def end_with_the_add_on() -> Iterator[float]:
    """The add-on is switched off while Live is on."""
    settings = bpy.context.scene.maquette
    settings.prompt = "timber church, lawn, day"
    with override():
        bpy.ops.maquette.live()
    yield from wait(settled, SECONDS)
    user["again"] = live.on and live.shown is not None
    bpy.ops.preferences.addon_disable(module=ADD_ON)
    yield 1
    shot("v10-disabled")
    handlers = bpy.app.handlers
    user["handlers"] = [
        str(each)
        for name in ("depsgraph_update_post", "undo_post", "load_pre")
        for each in getattr(handlers, name)
        if "maquette" in str(getattr(each, "__module__", ""))
    ]
    bpy.ops.preferences.addon_enable(module=ADD_ON)
    yield 1


perform(scenario(), user)
