"""What is drawn over a region of a 3D view: a picture, the wipe, and how far jobs are."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

from typing import Any

import bpy

from ..jobs import Job, State
from ..redrawing import redraw_views
from ..session import current
from ..view_looks import OverlayLook, look_of
from . import drawing, pictures
from .pictures import Picture
from .placing import Rectangle, placed, unobstructed

LINE, KNOB = 1.5, 9.0
"""Pixels at a scale of 1: half of the wipe's line, and of the mark by which it is held."""
MARGIN, LETTERS, BAR = 12.0, 12.0, 3.0
WHITE, SHADE = (1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 0.5)
BLUE = (0.28, 0.45, 0.70, 1.0)

_handler: Any = None


def draw() -> None:
    """Draw over the region that Blender is drawing."""
    context = bpy.context
    region, region_3d, scene = context.region, context.region_data, context.scene
    look = look_of(context.space_data, scene)
    if region.width <= 1 or region.height <= 1:
        return
    free = context.space_data.region_3d == region_3d  # not one of a quad view's sides
    shown = pictures.live
    live = shown if shown and free and shown.area == context.area.as_pointer() else None
    if look.overlay_shown:
        found = showing(scene, region, region_3d)
        if found is not None:
            _draw_picture(*found, region, look)
        elif live is not None and live.picture is not None:
            # The view has moved on: the model keeps what it was painted with.
            line = bounds(region).across(look.wipe) if look.use_wipe else 0.0
            matrix = region_3d.perspective_matrix
            drawing.draw_relief(live.picture, matrix, look.overlay_opacity, line)
            if look.use_wipe:
                _draw_wipe(bounds(region), line)
    jobs = [job for job in current().open_jobs if job.target.scene_uid == scene.session_uid]
    if free and (jobs or live):
        _draw_line(context.area, region, jobs, live.text if live else "")


def showing(
    scene: bpy.types.Scene, region: bpy.types.Region, region_3d: bpy.types.RegionView3D
) -> tuple[Picture, Rectangle] | None:
    """The picture that belongs over a region, and where."""

    def place(view: Any) -> Rectangle | None:
        matrices = region_3d.view_matrix, region_3d.window_matrix
        where = placed(view, *matrices, region.width, region.height)
        return where if where and where.within(bounds(region)) else None

    shown = pictures.live if pictures.live and pictures.live.scene == scene.session_uid else None
    live = shown.picture if shown else None
    for picture in ([live] if live else []) + pictures.painted(scene.session_uid):
        where = place(picture.view)
        if where is not None:
            return picture, where
    concept = pictures.concept(scene)
    if concept is None or concept.view is None or (where := place(concept.view)) is None:
        return None
    if not concept.read:
        pictures.want(scene, current().errand)
    picture = concept.picture or concept.meanwhile
    return (picture, where) if picture else None


def bounds(region: bpy.types.Region) -> Rectangle:
    """The region's pixels."""
    return Rectangle(0, 0, region.width, region.height)


def wipe_in(
    scene: bpy.types.Scene, region: bpy.types.Region, region_3d: bpy.types.RegionView3D
) -> Rectangle | None:
    """The part of a region that the wipe's line moves across; None where nothing is there to be
    shown."""
    found = showing(scene, region, region_3d)
    return found[1].within(bounds(region)) if found else None


def _draw_picture(
    picture: Picture, where: Rectangle, region: bpy.types.Region, look: OverlayLook
) -> None:
    visible = where.within(bounds(region))
    assert visible is not None
    line = visible.across(look.wipe) if look.use_wipe else 0.0
    drawing.draw_picture(picture, where, bounds(region), look.overlay_opacity, line)
    if look.use_wipe:
        _draw_wipe(visible, line)


def _draw_wipe(visible: Rectangle, line: float) -> None:
    scale = drawing.ui_scale()
    for half, color in ((LINE + 1, SHADE), (LINE, WHITE)):
        half *= scale
        drawing.draw_box(Rectangle(line - half, visible.bottom, line + half, visible.top), color)
    middle = (visible.bottom + visible.top) / 2
    for half, color in ((KNOB + 1, SHADE), (KNOB, WHITE)):
        half *= scale
        drawing.draw_box(
            Rectangle(line - half / 2, middle - half, line + half / 2, middle + half), color
        )


def _draw_line(area: bpy.types.Area, region: bpy.types.Region, jobs: list[Job], live: str) -> None:
    """How far the job is, at the lower edge of what isn't under other regions."""
    job = next(
        (each for each in jobs if each.state is not State.WAITING), jobs[0] if jobs else None
    )
    text = live
    if job is not None:
        more = f" (+{len(jobs) - 1})" if len(jobs) > 1 else ""
        text = f"{job.title}: {job.describe()}{more}"
    if not text:
        return
    free = _free_part(area, region)
    scale = drawing.ui_scale()
    margin = MARGIN * scale
    if free.width < 8 * margin or free.height < 4 * margin:
        return
    left, bottom = free.left + margin, free.bottom + margin
    drawing.draw_text(text, left, bottom + 2.5 * BAR * scale, LETTERS * scale, WHITE)
    if job is not None:
        right = free.right - margin
        done = left + (right - left) * job.fraction
        drawing.draw_box(Rectangle(left, bottom, right, bottom + BAR * scale), SHADE)
        drawing.draw_box(Rectangle(left, bottom, done, bottom + BAR * scale), BLUE)


def _free_part(area: bpy.types.Area, region: bpy.types.Region) -> Rectangle:
    """What is not under regions that overlap this one, in its own pixels."""

    def rectangle(each: bpy.types.Region) -> Rectangle:
        left, bottom = each.x - region.x, each.y - region.y
        return Rectangle(left, bottom, left + each.width, bottom + each.height)

    others = [
        (each.alignment, rectangle(each))
        for each in area.regions
        if each.type != "WINDOW" and each.width > 1 and each.height > 1
    ]
    return unobstructed(rectangle(region), others)


def register() -> None:
    global _handler
    if not bpy.app.background:
        _handler = bpy.types.SpaceView3D.draw_handler_add(draw, (), "WINDOW", "POST_PIXEL")


def unregister() -> None:
    global _handler
    if _handler is not None:
        bpy.types.SpaceView3D.draw_handler_remove(_handler, "WINDOW")
        _handler = None
        redraw_views()
    pictures.clear()
    drawing.free()
