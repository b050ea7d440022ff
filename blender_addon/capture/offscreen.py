"""What a 3D viewport shows, drawn once more off screen: without overlays, with exact depth.

Needs a window. Colour has the viewport's own shading; visibility, local view and clipping region
are the viewport's too.
"""

from __future__ import annotations

from typing import Any

import bpy
import gpu
import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.view import View
from mathutils import Matrix
from numpy.typing import NDArray

from . import boxes, slabs
from .reach import needed_range
from .scope import Scope
from .shading import LIT_BY_CLIP_RANGE, all_is_opaque
from .view import check_grid, moved_back, viewport_view

ENGINES_THAT_DRAW = ("BLENDER_EEVEE", "BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH")
STANDOFF = 0.25
"""Nearest depth of an orthographic viewport, as a share of the depth of what is seen."""
STANDOFF_LEAST = 0.05
"""The same as a share of the picture's width: a flat wall has no depth of its own."""


def capture(
    window: bpy.types.Window,
    area: bpy.types.Area,
    width: int,
    height: int,
    region: bpy.types.Region | None = None,
    view: View | None = None,
) -> Capture:
    """Colour and depth of what a viewport shows.

    Args:
        window: whose scene and view layer are shown.
        area: a 3D viewport of it.
        region: which of its parts, where it shows four views; the free one of them by default.
        view: what to draw instead of the region's own view, for instance that of the camera it
            looks through; its size is the one that counts.

    Where all surfaces are opaque, one drawing brings both, or two where its depth is too coarse
    and nothing tells before how far the scene reaches.

    Raises MaquetteError("capture-too-small", "capture-too-large", "no-viewport", "no-window",
    "draw-failed").
    """
    check_grid("the viewport", width, height)
    if bpy.app.background:
        raise MaquetteError(
            "no-window",
            "Blender runs without a window, so there is no viewport to capture.",
            "Capture a camera instead.",
        )
    space: Any = area.spaces.active if area.type == "VIEW_3D" else None
    if region is None:
        region = main_region(area)
    if space is None or region is None or not isinstance(region.data, bpy.types.RegionView3D):
        raise MaquetteError(
            "no-viewport",
            f"The {area.type.lower()} area is no 3D viewport.",
            "Open a 3D viewport, and capture that.",
        )
    window.view_layer.update()
    region.data.update()
    if view is None:
        view = viewport_view(region, region.data, width, height)
    with Scope() as scope:
        canvas = Canvas(window, space, region, view.width, view.height)
        scope.callback(canvas.free)
        scope.set(space.overlay, show_overlays=False)
        opaque = all_is_opaque(space.shading)
        known = None if opaque and LIT_BY_CLIP_RANGE else boxes.shown(window.view_layer, space)
        clip = needed_range(view, known)
        if opaque:
            color, coarse = draw_color(canvas, view, clip)
        else:
            color, coarse = draw_color(canvas, view)[0], None
        view, depth = draw_depth(canvas, view, clip, coarse)
    return Capture(view=view, color=color, depth=depth)


def main_region(area: bpy.types.Area) -> bpy.types.Region | None:
    """The region of a 3D viewport that isn't one of the sides of a quad view."""
    regions = [part for part in area.regions if part.type == "WINDOW"]
    own = getattr(area.spaces.active, "region_3d", None)
    return next((part for part in regions if part.data == own), regions[0] if regions else None)


class Canvas:
    """An off-screen buffer that a viewport's region is drawn into."""

    def __init__(
        self,
        window: bpy.types.Window,
        space: bpy.types.SpaceView3D,
        region: bpy.types.Region,
        width: int,
        height: int,
    ) -> None:
        self.scene, self.view_layer = window.scene, window.view_layer
        self.preferences: Any = bpy.context.preferences
        self.space, self.region = space, region
        self.width, self.height = width, height
        try:
            self._buffer = gpu.types.GPUOffScreen(width, height, format="RGBA8")
        except RuntimeError as error:
            raise MaquetteError(
                "draw-failed",
                f"The graphics card has no {width} x {height} pixels to draw into: {error}.",
                "Capture a smaller picture.",
            ) from error

    def free(self) -> None:
        self._buffer.free()

    def draw(
        self, view: View, projection: NDArray[np.float32]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Colour as displayed [height, width, 3] and the depth buffer [height, width]."""
        view_matrix = Matrix(np.reshape(view.view_matrix, (4, 4)).tolist())
        self._buffer.draw_view3d(
            self.scene,
            self.view_layer,
            self.space,
            self.region,
            view_matrix,
            Matrix(projection.tolist()),
            do_color_management=True,
            draw_background=True,
        )
        bound: Any = self._buffer.bind()
        with bound:
            buffer = gpu.state.active_framebuffer_get()
            size = self.width, self.height
            color = buffer.read_color(0, 0, *size, 4, 0, "UBYTE")
            depth = buffer.read_depth(0, 0, *size)
        # OpenGL's row 0 is at the bottom.
        pixels = as_read(color, self.height, self.width, 4)[::-1, :, :3]
        values = as_read(depth, self.height, self.width)[::-1]
        return np.ascontiguousarray(pixels), np.ascontiguousarray(values)


def as_read(buffer: Any, *shape: int) -> NDArray[Any]:
    """A GPU buffer as an array, in the order of its memory: Blender 4.3 tells wrong strides."""
    return np.asarray(buffer).ravel(order="K").reshape(shape)


def drawn_once(scope: Scope, preferences: Any, smooth: bool) -> None:
    """Draw once what would be drawn again and again, each time moved by a part of a pixel; edges
    can be smoothed in the picture that is there, which leaves depth alone."""
    scope.keep(preferences, "is_dirty")
    smooth = smooth and preferences.system.viewport_aa != "OFF"
    scope.set(preferences.system, viewport_aa="FXAA" if smooth else "OFF")


def draw_color(
    canvas: Canvas, view: View, clip: slabs.Range | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Colour [height, width, 3] in sRGB with the viewport's own shading, and the depth in metres
    [height, width] of the same drawing, which is coarse far from the near clip plane.

    clip: what of the View's clip range to draw, all of it by default.
    """
    shading = canvas.space.shading
    with Scope() as scope:
        drawn_once(scope, canvas.preferences, smooth=True)
        if shading.type == "WIREFRAME":
            # Lines have no surfaces to restyle.
            scope.set(shading, type="SOLID")
        elif shading.type == "RENDERED" and canvas.scene.render.engine not in ENGINES_THAT_DRAW:
            # A path tracer shows its picture bit by bit and can't draw it again off screen; this
            # is the nearest to it, in the light that it has.
            scope.set(shading, use_scene_lights=shading.use_scene_lights_render)
            scope.set(shading, use_scene_world=shading.use_scene_world_render)
            scope.set(shading, type="MATERIAL")
        return _drawn(canvas, view, clip or slabs.clip_range(view))


def draw_depth(
    canvas: Canvas,
    view: View,
    clip: slabs.Range | None = None,
    coarse: NDArray[np.float32] | None = None,
) -> tuple[View, NDArray[np.float32]]:
    """Depth in metres [height, width], and the View that it is measured in.

    That is ``view`` itself, or where an orthographic viewport shows what lies behind its eye, the
    same picture from further back. ``clip``: what of the View's clip range to draw, all of it by
    default. ``coarse``: the depth of a drawing of all surfaces in that, where there is one already.
    """
    clip = clip or slabs.clip_range(view)
    with Scope() as scope:
        drawn_once(scope, canvas.preferences, smooth=False)
        # Whatever the viewport's shading, surfaces count as solid.
        scope.set(canvas.space.shading, type="SOLID")
        scope.set(canvas.space.shading, show_xray=False, color_type="SINGLE", use_dof=False)
        if view.kind == "orthographic" and slabs.clip_range(view)[0] < 0:
            coarse = _drawn(canvas, view, clip)[1] if coarse is None else coarse
            back = _standoff(view, coarse)
            view, coarse = moved_back(view, back), coarse + np.float32(back)
            clip = clip[0] + back, clip[1] + back

        def draw(part: slabs.Range) -> NDArray[np.float32]:
            return _drawn(canvas, view, part)[1]

        return view, slabs.exact(draw, clip, view.kind == "perspective", coarse)


def _standoff(view: View, depth: NDArray[np.float32]) -> float:
    """How far back an orthographic eye has to go to be before all that it shows, in metres."""
    seen = slabs.seen_range(depth)
    if seen is None:
        return 0.0
    width = 2 / abs(float(slabs.projection_of(view)[0, 0]))
    return max(0.0, max(STANDOFF * (seen[1] - seen[0]), STANDOFF_LEAST * width) - seen[0])


def _drawn(
    canvas: Canvas, view: View, clip: slabs.Range
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Colour, and depth in metres."""
    projection = slabs.with_clip_range(view, clip)
    color, buffer = canvas.draw(view, projection)
    return color, slabs.to_metres(buffer, projection, view.kind == "perspective")
