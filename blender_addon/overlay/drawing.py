"""Pictures, lines and letters in the pixels of a region that is being drawn."""

from __future__ import annotations

from functools import cache
from typing import Any

import blf
import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from maquette_wire.view import View
from mathutils import Matrix

from .pictures import Picture
from .placing import Rectangle

Color = tuple[float, float, float, float]

GRAINS = (16, 12), (16, 16)
"""Widths and heights of what is drawn to have shaders compiled: a software driver does it anew for
sides that are powers of two, as most widths are, and all sides of a square preview."""

# Corners go straight to clip coordinates: Blender's own pixel matrix is off by a hundredth of a
# pixel, enough to mix each pixel with its neighbours.
FLAT = """
void main() {
  place = corner;
  gl_Position = vec4(mix(edges.xy, edges.zw, corner), 0.0, 1.0);
}
"""
# What was seen at an infinite distance, or before the near plane, is to be seen all the same.
RELIEF = """
void main() {
  place = corner;
  gl_Position = to_region * point;
  gl_Position.z = 0.0;
}
"""
# What is drawn over a 3D view is taken as linear, and shown by a curve of 2.2, not by sRGB's: what
# is sRGB already has to have that undone.
FILL = """
void main() {
  if (gl_FragCoord.x < start) {
    discard;
  }
  vec3 color = texture(picture, place).rgb;
  fragColor = vec4(srgbTarget ? pow(color, vec3(2.2)) : color, opacity);
}
"""


@cache
def _shader(relief: bool) -> gpu.types.GPUShader:
    info: Any = gpu.types.GPUShaderCreateInfo()
    between: Any = gpu.types.GPUStageInterfaceInfo("maquette_place")
    between.smooth("VEC2", "place")
    info.vertex_in(0, "VEC2", "corner")
    if relief:
        info.vertex_in(1, "VEC4", "point")
        info.push_constant("MAT4", "to_region")
    else:
        info.push_constant("VEC4", "edges")
    info.vertex_out(between)
    info.push_constant("FLOAT", "opacity")
    info.push_constant("FLOAT", "start")
    info.push_constant("BOOL", "srgbTarget")  # Blender's own name: it sets it
    info.sampler(0, "FLOAT_2D", "picture")
    info.fragment_out(0, "VEC4", "fragColor")
    info.vertex_source(RELIEF if relief else FLAT)
    info.fragment_source(FILL)
    return gpu.shader.create_from_info(info)


@cache
def _square() -> gpu.types.GPUBatch:
    corners = [(0, 0), (1, 0), (0, 1), (1, 1)]
    return batch_for_shader(_shader(False), "TRI_STRIP", {"corner": corners})


@cache
def prepare() -> None:
    """Have the graphics driver compile the shaders, which it only does for a drawing, and for a
    target of the kind that is drawn into: where a moment more isn't noticed, once."""
    if bpy.app.background:
        return
    for width, height in GRAINS:
        _prepare(width, height)


def _prepare(width: int, height: int) -> None:
    # A framebuffer doesn't hold its textures.
    color = gpu.types.GPUTexture((width, height), format="SRGB8_A8")
    distance = gpu.types.GPUTexture((width, height), format="DEPTH_COMPONENT32F")
    target: Any = gpu.types.GPUFrameBuffer(color_slots=color, depth_slot=distance)
    identity: Any = tuple(np.eye(4).ravel().tolist())
    view = View(view_matrix=identity, projection_matrix=identity, width=width, height=height)
    pixels = np.zeros((height, width, 3), np.uint8)
    picture = Picture(view, pixels, np.ones((height, width), np.float32))
    everywhere = Rectangle(0, 0, width, height)
    with target.bind():
        draw_picture(picture, everywhere, everywhere, 1.0)
        draw_relief(picture, Matrix.Identity(4), 1.0)
        draw_box(everywhere, (0.0, 0.0, 0.0, 1.0))


def free() -> None:
    """Give the shaders back."""
    prepare.cache_clear()
    _square.cache_clear()
    _shader.cache_clear()


def draw_picture(
    picture: Picture, where: Rectangle, region: Rectangle, opacity: float, start: float = 0.0
) -> None:
    """Draw a picture, right of the pixel ``start`` of the region."""
    edges = (
        2 * where.left / region.width - 1,
        2 * where.bottom / region.height - 1,
        2 * where.right / region.width - 1,
        2 * where.top / region.height - 1,
    )
    shader = _shader(False)
    shader.bind()
    shader.uniform_float("edges", edges)
    _draw(shader, _square(), picture, opacity, start)


def draw_relief(picture: Picture, to_region: Any, opacity: float, start: float = 0.0) -> None:
    """Draw a picture from elsewhere than it was made, where its depth is known.

    ``to_region``: world to the region's clip coordinates, a Matrix.
    """
    relief = picture.relief()
    if relief is None:
        return
    shader = _shader(True)
    if picture.batch is None:
        content: Any = {"corner": relief.places, "point": relief.points}
        triangles: Any = relief.triangles
        picture.batch = batch_for_shader(shader, "TRIS", content, indices=triangles)
    shader.bind()
    shader.uniform_float("to_region", to_region)
    _draw(shader, picture.batch, picture, opacity, start)


def _draw(
    shader: gpu.types.GPUShader,
    batch: gpu.types.GPUBatch,
    picture: Picture,
    opacity: float,
    start: float,
) -> None:
    shader.uniform_float("opacity", opacity)
    shader.uniform_float("start", gpu.state.viewport_get()[0] + start)
    shader.uniform_sampler("picture", picture.texture())
    gpu.state.blend_set("ALPHA")
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def draw_box(where: Rectangle, color: Color) -> None:
    """Fill a rectangle."""
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    corners = [
        (where.left, where.bottom),
        (where.right, where.bottom),
        (where.left, where.top),
        (where.right, where.top),
    ]
    batch = batch_for_shader(shader, "TRI_STRIP", {"pos": corners})
    gpu.state.blend_set("ALPHA")
    shader.uniform_float("color", color)
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def draw_text(text: str, x: float, y: float, size: float, color: Color) -> None:
    """Write a line with its lower left corner at x, y."""
    blf.size(0, size)
    blf.color(0, *color)
    blf.enable(0, blf.SHADOW)
    blf.shadow(0, 3, 0.0, 0.0, 0.0, 0.8)
    blf.position(0, x, y, 0)
    blf.draw(0, text)
    blf.disable(0, blf.SHADOW)


def ui_scale() -> float:
    """Pixels for each pixel of a display of plain resolution."""
    return bpy.context.preferences.system.ui_scale
