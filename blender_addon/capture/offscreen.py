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

from . import slabs
from .scope import Scope
from .shading import all_is_opaque
from .view import check_grid, moved_back, viewport_view

ENGINES_THAT_DRAW = ("BLENDER_EEVEE", "BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH")
STANDOFF = 0.25
"""Nearest depth of an orthographic viewport, as a share of the depth of what is seen."""
STANDOFF_LEAST = 0.05
"""The same as a share of the picture's width: a flat wall has no depth of its own."""


def capture(
    context: bpy.types.Context,
    area: bpy.types.Area,
    width: int,
    height: int,
    region: bpy.types.Region | None = None,
    view: View | None = None,
) -> Capture:
    """Colour and depth of what a viewport shows.

    Args:
        area: a 3D viewport.
        region: which of its parts, where it shows four views; the free one of them by default.
        view: what to draw instead of the region's own view, for instance that of the camera it
            looks through; its size is the one that counts.

    Where all surfaces are opaque, one drawing brings both, or two where its depth is too coarse.

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
    context.view_layer.update()
    region.data.update()
    if view is None:
        view = viewport_view(region, region.data, width, height)
    with Scope() as scope:
        canvas = Canvas(context, space, region, view.width, view.height)
        scope.callback(canvas.free)
        scope.set(space.overlay, show_overlays=False)
        color, coarse = draw_color(canvas, view)
        view, depth = draw_depth(canvas, view, coarse if all_is_opaque(space.shading) else None)
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
        context: bpy.types.Context,
        space: bpy.types.SpaceView3D,
        region: bpy.types.Region,
        width: int,
        height: int,
    ) -> None:
        self.scene, self.view_layer = context.scene, context.view_layer
        self.preferences: Any = context.preferences
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


def draw_color(canvas: Canvas, view: View) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Colour [height, width, 3] in sRGB with the viewport's own shading, and the depth in metres
    [height, width] of the same drawing, which is coarse far from the near clip plane."""
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
        projection = slabs.projection_of(view).astype(np.float32)
        color, buffer = canvas.draw(view, projection)
        return color, slabs.to_metres(buffer, projection, view.kind == "perspective")


def draw_depth(
    canvas: Canvas, view: View, coarse: NDArray[np.float32] | None = None
) -> tuple[View, NDArray[np.float32]]:
    """Depth in metres [height, width], and the View that it is measured in.

    That is ``view`` itself, or where an orthographic viewport shows what lies behind its eye, the
    same picture from further back. ``coarse``: the depth of a drawing of all surfaces in the whole
    clip range, where there is one already.
    """
    with Scope() as scope:
        drawn_once(scope, canvas.preferences, smooth=False)
        # Whatever the viewport's shading, surfaces count as solid.
        scope.set(canvas.space.shading, type="SOLID")
        scope.set(canvas.space.shading, show_xray=False, color_type="SINGLE", use_dof=False)
        clip = slabs.clip_range(view)
        if view.kind == "orthographic" and clip[0] < 0:
            coarse = _depth_of_slab(canvas, view, clip) if coarse is None else coarse
            view, coarse = _from_further_back(view, coarse)

        def draw(part: slabs.Range) -> NDArray[np.float32]:
            return _depth_of_slab(canvas, view, part)

        perspective = view.kind == "perspective"
        return view, slabs.exact(draw, slabs.clip_range(view), perspective, coarse)


def _from_further_back(view: View, depth: NDArray[np.float32]) -> tuple[View, NDArray[np.float32]]:
    """An orthographic View whose eye is before all that it shows, and the depth from there."""
    seen = slabs.seen_range(depth)
    if seen is None:
        return view, depth
    width = 2 / abs(float(slabs.projection_of(view)[0, 0]))
    back = max(STANDOFF * (seen[1] - seen[0]), STANDOFF_LEAST * width) - seen[0]
    return (moved_back(view, back), depth + np.float32(back)) if back > 0 else (view, depth)


def _depth_of_slab(canvas: Canvas, view: View, clip: slabs.Range) -> NDArray[np.float32]:
    projection = slabs.with_clip_range(view, clip)
    _, buffer = canvas.draw(view, projection)
    return slabs.to_metres(buffer, projection, view.kind == "perspective")
