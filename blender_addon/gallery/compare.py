"""Two pictures in one image editor: one over the other with a wipe, or side by side.

The editor shows the first picture and decides zoom and place; the second one is drawn over it at
the same place, or both beside each other at the same zoom. No datablock is made for that.
"""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from .. import results
from ..gallery_settings import gallery_view
from ..redrawing import redraw_areas

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""
LINE = 2.0
"""Pixels of the line between the pictures, at a scale of 1."""
VERTEX = """
void main() {
    uv = texCoord;
    gl_Position = ModelViewProjectionMatrix * vec4(pos, 0.0, 1.0);
}
"""
FRAGMENT = """
void main() {
    fragColor = vec4(texture(image, uv).rgb, 1.0);
}
"""


@dataclass(frozen=True)
class Comparison:
    """What is compared: keys of two pictures, and how."""

    first: str
    second: str
    how: Literal["WIPE", "SIDE"]


_comparison: Comparison | None = None
_handler: Any = None
_shader: Any = None


def begin(comparison: Comparison) -> None:
    """Compare two pictures wherever the first one is shown."""
    global _comparison, _handler
    _comparison = comparison
    if _handler is None:
        editor: Any = bpy.types.SpaceImageEditor
        _handler = editor.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")
    redraw_areas("IMAGE_EDITOR")


def end() -> None:
    """Compare nothing any more."""
    global _comparison, _handler
    _comparison = None
    if _handler is not None:
        bpy.types.SpaceImageEditor.draw_handler_remove(_handler, "WINDOW")
        _handler = None
        redraw_areas("IMAGE_EDITOR")


def shown_in(space: bpy.types.Space | None) -> Comparison | None:
    """The comparison, where this editor shows it."""
    image = space.image if isinstance(space, bpy.types.SpaceImageEditor) else None
    if _comparison is None or image is None or image.get(results.KEY) != _comparison.first:
        return None
    return _comparison


def keys() -> set[str]:
    """Keys of the pictures that are compared: their datablocks are in use."""
    return {_comparison.first, _comparison.second} if _comparison else set()


def factor_at(region: bpy.types.Region, x: float) -> float:
    """Where the wipe is, of the picture's width, when its line is at pixel ``x`` of the region."""
    left, _bottom, right, _top = _place(region)
    return min(max((x - left) / max(right - left, 1.0), 0.0), 1.0)


def cropped(box: Box, uv: Box, left: float, right: float) -> tuple[Box, Box] | None:
    """A picture's box and texture coordinates between two vertical lines; None where nothing of it
    is there."""
    start, end_ = max(box[0], left), min(box[2], right)
    if end_ <= start:
        return None
    across = (uv[2] - uv[0]) / (box[2] - box[0])
    return (start, box[1], end_, box[3]), (
        uv[0] + (start - box[0]) * across,
        uv[1],
        uv[0] + (end_ - box[0]) * across,
        uv[3],
    )


def _place(region: bpy.types.Region) -> Box:
    """Where the editor shows its picture, in pixels of the region."""
    to_region: Any = region.view2d.view_to_region
    return (*to_region(0.0, 0.0, clip=False), *to_region(1.0, 1.0, clip=False))


def _uncovered(area: bpy.types.Area, region: bpy.types.Region) -> tuple[float, float]:
    """From where to where the toolbar and the sidebar leave an editor free, in its pixels."""
    left, right = 0, region.width
    for other in area.regions:
        if other.type == "TOOLS" and other.width > 1:
            left = max(left, other.x + other.width - region.x)
        elif other.type == "UI" and other.width > 1:
            right = min(right, other.x - region.x)
    return float(left), float(right)


def _draw() -> None:
    context = bpy.context
    comparison = shown_in(context.space_data)
    if comparison is None:
        return
    second = next(
        (image for image in bpy.data.images if image.get(results.KEY) == comparison.second), None
    )
    if second is None:
        return
    region, box = context.region, _place(context.region)
    whole = (0.0, 0.0, 1.0, 1.0)
    width = LINE * context.preferences.system.ui_scale
    gpu.state.blend_set("NONE")
    if comparison.how == "WIPE":
        factor = gallery_view(context.window_manager).wipe
        line = box[0] + factor * (box[2] - box[0])
        _draw_picture(second, cropped(box, whole, line, box[2]))
        top, bottom = box[3], box[1]
    else:
        left, right = _uncovered(context.area, region)
        line = (left + right) / 2
        _draw_flat((0, 0, region.width, region.height), (0.12, 0.12, 0.12, 1.0))
        for image, start, end_ in ((context.space_data.image, left, line), (second, line, right)):
            by = (
                start + end_ - region.width
            ) / 2  # from the middle of the editor to that of a half
            moved = (box[0] + by, box[1], box[2] + by, box[3])
            _draw_picture(image, cropped(moved, whole, start, end_))
        top, bottom = region.height, 0
    _draw_flat((line - width / 2, bottom, line + width / 2, top), (1.0, 1.0, 1.0, 1.0))


def _draw_picture(image: bpy.types.Image, part: tuple[Box, Box] | None) -> None:
    if part is None:
        return
    shader = _picture_shader()
    batch = batch_for_shader(
        shader, "TRI_STRIP", {"pos": _corners(part[0]), "texCoord": _corners(part[1])}
    )
    shader.bind()
    shader.uniform_sampler("image", gpu.texture.from_image(image))
    batch.draw(shader)


def _draw_flat(box: Box, color: tuple[float, float, float, float]) -> None:
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    shader.uniform_float("color", color)
    batch_for_shader(shader, "TRI_STRIP", {"pos": _corners(box)}).draw(shader)


def _corners(box: Box) -> list[tuple[float, float]]:
    left, bottom, right, top = box
    return [(left, bottom), (right, bottom), (left, top), (right, top)]


def _picture_shader() -> Any:
    """Writes what is in a texture as it is. Textures of images are linear, and an editor's frame
    buffer encodes what is written; Blender's own shader for images takes them to be sRGB."""
    global _shader
    if _shader is None:
        between: Any = gpu.types.GPUStageInterfaceInfo("maquette_compare")
        between.smooth("VEC2", "uv")
        info: Any = gpu.types.GPUShaderCreateInfo()
        info.push_constant("MAT4", "ModelViewProjectionMatrix")
        info.sampler(0, "FLOAT_2D", "image")
        info.vertex_in(0, "VEC2", "pos")
        info.vertex_in(1, "VEC2", "texCoord")
        info.vertex_out(between)
        info.fragment_out(0, "VEC4", "fragColor")
        info.vertex_source(VERTEX)
        info.fragment_source(FRAGMENT)
        _shader = gpu.shader.create_from_info(info)
    return _shader
