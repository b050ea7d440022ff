"""What a View sees of an evaluated scene, drawn without Blender's own drawing.

Blender permits neither a render nor the drawing of a viewport within a render. What `render` has
Workbench do is therefore done once more here, on arrays; tests hold the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.view import View
from numpy.typing import NDArray

from . import lighting
from .color import srgb_of_linear
from .raster import Seen, look, project
from .solid import Look, Solid, read_look, read_solid

SAMPLES = ((0.375, 0.125), (0.875, 0.375), (0.125, 0.625), (0.625, 0.875))
"""Places in a pixel: no two in one row or column, which is what level and plumb edges need."""

PIXELS = 250_000
"""That are lit at once: bounds the memory whatever the size of the picture."""


@dataclass(frozen=True)
class Drawing:
    """A Capture, and how much of each pixel is covered: float32 [height, width], 0 ... 1."""

    capture: Capture
    alpha: NDArray[np.float32]


def draw(depsgraph: bpy.types.Depsgraph, view: View) -> Drawing:
    """What `view` sees of the depsgraph's scene and view layer.

    Raises MaquetteError("bad-mesh").
    """
    scene: Any = depsgraph.scene_eval
    return draw_solid(view, read_solid(depsgraph), read_look(scene))


def draw_solid(view: View, solid: Solid, style: Look) -> Drawing:
    """The same of plain arrays."""
    triangles = project(view, solid.corners)
    middle = look(view, triangles)
    inner = _shaded(view, solid, style, middle, (0.5, 0.5), middle.triangle >= 0)
    total, cover = np.zeros_like(inner), np.zeros(inner.shape[:2])
    for place in SAMPLES:
        seen = look(view, triangles, place)
        # Within a triangle a pixel has one colour; where edges cross it, each sample its own.
        other = (seen.triangle != middle.triangle) & (seen.triangle >= 0)
        colors = np.where((seen.triangle < 0)[..., None], style.sky, inner)
        colors[other] = _shaded(view, solid, style, seen, place, other)[other]
        if style.outline is not None:
            amount = _outline(seen, solid)[..., None]
            colors = colors * (1 - amount) + style.outline * amount
        total += colors
        cover += seen.triangle >= 0
    color = srgb_of_linear((total / len(SAMPLES)).astype(np.float32))
    capture = Capture(view, color, middle.depth.astype(np.float32))
    return Drawing(capture, (cover / len(SAMPLES)).astype(np.float32))


def _shaded(
    view: View,
    solid: Solid,
    style: Look,
    seen: Seen,
    place: tuple[float, float],
    where: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Linear colours [height, width, 3] of the pixels in a mask, seen at one place of each."""
    result = np.zeros((*seen.depth.shape, 3))
    rows, columns = np.nonzero(where)
    for start in range(0, len(rows), PIXELS):
        row, column = rows[start : start + PIXELS], columns[start : start + PIXELS]
        points = _points(view, column + place[0], row + place[1], seen.depth[row, column])
        result[row, column] = _lit(view, solid, style, seen.triangle[row, column], points)
    return result


def _lit(
    view: View,
    solid: Solid,
    style: Look,
    triangle: NDArray[np.int64],
    points: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Linear colours [n, 3] of points [n, 3] of triangles, in camera coordinates."""
    rotation = np.reshape(view.view_matrix, (4, 4))[:3, :3]
    if view.kind == "perspective":
        towards_eye = -points / np.linalg.norm(points, axis=1, keepdims=True)
    else:
        towards_eye = np.tile((0.0, 0.0, 1.0), (len(points), 1))
    normals = _normals(view, solid, triangle, points) @ rotation.T
    behind = np.einsum("ij,ij->i", normals, towards_eye) < 0
    normals[behind] *= -1  # a face is lit on the side that is seen
    base, (roughness, metallic) = solid.colors[triangle, :3], solid.colors[triangle, 3:].T
    return lighting.shade(style.studio, base, roughness, metallic, normals, towards_eye)


def _points(
    view: View, x: NDArray[Any], y: NDArray[Any], depth: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Points [n, 3] in camera coordinates that are seen at places of the picture, in pixels."""
    projection = np.reshape(view.projection_matrix, (4, 4))
    flat = np.stack([2 * x / view.width - 1, 1 - 2 * y / view.height], 1)
    scale = np.diag(projection)[:2]
    if view.kind == "perspective":
        across = (flat + projection[:2, 2]) / scale * depth[:, None]
    else:
        across = (flat - projection[:2, 3]) / scale
    return np.column_stack([across, -depth])


def _normals(
    view: View,
    solid: Solid,
    triangle: NDArray[np.int64],
    points: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Normals [n, 3] in the world at points [n, 3] of triangles, in camera coordinates."""
    normals = solid.normals[triangle]
    result = normals[:, 0].copy()
    smooth = np.flatnonzero((normals != normals[:, :1]).any((1, 2)))
    if not len(smooth):
        return result
    matrix = np.reshape(view.view_matrix, (4, 4))
    corners = solid.corners[triangle[smooth]] @ matrix[:3, :3].T + matrix[:3, 3]
    from_corners = corners - points[smooth, None]
    whole = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    parts = [
        np.einsum("ij,ij->i", np.cross(from_corners[:, one], from_corners[:, two]), whole)
        for one, two in ((1, 2), (2, 0), (0, 1))
    ]
    shares = np.stack(parts, 1).clip(0)
    shares /= shares.sum(1, keepdims=True).clip(1e-300)
    mixed = np.einsum("ni,nij->nj", shares, normals[smooth])
    result[smooth] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True).clip(1e-9)
    return result


def _outline(seen: Seen, solid: Solid) -> NDArray[np.float64]:
    """How much of each pixel the line around objects covers [height, width]: the share of its four
    neighbours that show another one."""
    shown = np.append(solid.objects, -1)[seen.triangle]
    framed = np.pad(shown, 1, mode="edge")
    neighbours = framed[:-2, 1:-1], framed[2:, 1:-1], framed[1:-1, :-2], framed[1:-1, 2:]
    return np.mean([shown != each for each in neighbours], axis=0)
