"""Pictures, lines and letters in the pixels of a region that is being drawn."""

from __future__ import annotations

from functools import cache
from typing import Any

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from .pictures import Picture
from .placing import Rectangle

Color = tuple[float, float, float, float]

# Corners go straight to clip coordinates: Blender's own pixel matrix is off by a hundredth of a
# pixel, enough to mix each pixel with its neighbours.
PLACE = """
void main() {
  place = corner;
  gl_Position = vec4(mix(edges.xy, edges.zw, corner), 0.0, 1.0);
}
"""
# A 3D view's frame is linear and is stored as sRGB: what is sRGB already has to be undone.
FILL = """
vec3 linear_of(vec3 color) {
  vec3 low = color / 12.92;
  vec3 high = pow((color + 0.055) / 1.055, vec3(2.4));
  return mix(low, high, step(vec3(0.04045), color));
}
void main() {
  if (place.x < start) {
    discard;
  }
  vec3 color = texture(picture, place).rgb;
  fragColor = vec4(srgbTarget ? linear_of(color) : color, opacity);
}
"""


@cache
def _picture_shader() -> tuple[gpu.types.GPUShader, gpu.types.GPUBatch]:
    info: Any = gpu.types.GPUShaderCreateInfo()
    between: Any = gpu.types.GPUStageInterfaceInfo("maquette_place")
    between.smooth("VEC2", "place")
    info.vertex_in(0, "VEC2", "corner")
    info.vertex_out(between)
    for kind, name in (
        ("VEC4", "edges"),
        ("FLOAT", "opacity"),
        ("FLOAT", "start"),
        ("BOOL", "srgbTarget"),  # Blender's own name: it sets it
    ):
        info.push_constant(kind, name)
    info.sampler(0, "FLOAT_2D", "picture")
    info.fragment_out(0, "VEC4", "fragColor")
    info.vertex_source(PLACE)
    info.fragment_source(FILL)
    shader = gpu.shader.create_from_info(info)
    corners = [(0, 0), (1, 0), (0, 1), (1, 1)]
    return shader, batch_for_shader(shader, "TRI_STRIP", {"corner": corners})


def free() -> None:
    """Give the shader back."""
    _picture_shader.cache_clear()


def draw_picture(
    picture: Picture,
    where: Rectangle,
    region: Rectangle,
    opacity: float,
    start: float = 0.0,
) -> None:
    """Draw a picture, from ``start`` (0: its left edge, 1: its right one) on."""
    shader, batch = _picture_shader()
    edges = (
        2 * where.left / region.width - 1,
        2 * where.bottom / region.height - 1,
        2 * where.right / region.width - 1,
        2 * where.top / region.height - 1,
    )
    gpu.state.blend_set("ALPHA")
    shader.bind()
    shader.uniform_float("edges", edges)
    shader.uniform_float("opacity", opacity)
    shader.uniform_float("start", start)
    shader.uniform_sampler("picture", picture.texture())
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
