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
    quick: bool = False,
) -> Capture:
    """Colour and depth of what a viewport shows.

    Args:
        area: a 3D viewport.
        region: which of its parts, where it shows four views; the free one of them by default.
        view: what to draw instead of the region's own view, for instance that of the camera it
            looks through; its size is the one that counts.
        quick: without antialiasing of the colour, and with one or two drawings instead of three
            or more where all surfaces are opaque. Depth is as exact.

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
        if quick:
            without_antialiasing(scope, context.preferences)
            color, coarse = draw_color(canvas, view)
            view, depth = draw_depth(canvas, view, coarse if all_is_opaque(space.shading) else None)
        else:
            view, depth = draw_depth(canvas, view)
            color, _ = draw_color(canvas, view)
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


def without_antialiasing(scope: Scope, preferences: Any) -> None:
    """Draw once what would be drawn again and again, each time moved by a part of a pixel."""
    scope.keep(preferences, "is_dirty")
    scope.set(preferences.system, viewport_aa="OFF")


def all_is_opaque(shading: Any) -> bool:
    """Whether a viewport draws every surface into its depth buffer, those of glass too."""
    if shading.type != "SOLID" or shading.show_xray:
        return False
    data: Any = bpy.data
    if shading.color_type == "MATERIAL":
        return all(each.diffuse_color[3] == 1 for each in data.materials)
    if shading.color_type == "OBJECT":
        return all(each.color[3] == 1 for each in data.objects)
    return True


def draw_color(canvas: Canvas, view: View) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Colour [height, width, 3] in sRGB with the viewport's own shading, and the depth in metres
    [height, width] of the same drawing, which is coarse far from the near clip plane."""
    shading = canvas.space.shading
    with Scope() as scope:
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
        # Depth is of the pixels' centres; antialiasing would draw it again and again for nothing.
        without_antialiasing(scope, canvas.preferences)
        # Whatever the viewport's shading, surfaces count as solid.
        scope.set(canvas.space.shading, type="SOLID")
        scope.set(canvas.space.shading, show_xray=False, color_type="SINGLE", use_dof=False)
        clip = slabs.clip_range(view)
        if view.kind == "perspective":
            reach = clip
            if coarse is not None:
                seen = slabs.seen_range(coarse)
                if seen is None or slabs.resolved(clip, seen):
                    return view, coarse
                reach = slabs.around(clip, seen)
            parts = [_depth_of_slab(canvas, view, part) for part in slabs.slabs(reach)]
            return view, slabs.nearest(parts)
        depth = _depth_of_slab(canvas, view, clip) if coarse is None else coarse
        seen = slabs.seen_range(depth)
        if seen is None:
            return view, depth
        width = 2 / abs(float(slabs.projection_of(view)[0, 0]))
        standoff = max(STANDOFF * (seen[1] - seen[0]), STANDOFF_LEAST * width)
        back = standoff - seen[0]
        if clip[0] < 0 and back > 0:
            view = moved_back(view, back)
            depth += np.float32(back)
            seen = seen[0] + back, seen[1] + back
        tight = slabs.tighter(slabs.clip_range(view), seen)
        return view, _depth_of_slab(canvas, view, tight) if tight else depth


def _depth_of_slab(canvas: Canvas, view: View, clip: slabs.Range) -> NDArray[np.float32]:
    projection = slabs.with_clip_range(view, clip)
    _, buffer = canvas.draw(view, projection)
    return slabs.to_metres(buffer, projection, view.kind == "perspective")
