"""Depth of a scene computed in double precision, ray by ray: what a capture is held against."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
import numpy as np
from maquette_wire.view import View

SOLID_TYPES = {"MESH", "CURVE", "FONT", "META", "SURFACE"}
STEPS = 8
"""Parts of a pixel's side in which ``assert_seen`` looks for what is seen there."""
HIDDEN = 1e-4
"""Share of the pixels that may show what a surface hides right behind its edge: a rasteriser moves
corners by up to 1/256 of a pixel, so that the underside of a tree at eye level may come through."""


def triangles(depsgraph: bpy.types.Depsgraph) -> np.ndarray:
    """World coordinates [n, 3, 3] of everything that the evaluated scene shows."""
    found = []
    for instance in depsgraph.object_instances:
        thing: Any = instance.object
        if thing.type not in SOLID_TYPES:
            continue
        mesh = thing.to_mesh()
        if mesh is None:
            continue
        mesh.calc_loop_triangles()
        points = np.empty(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", points)
        corners = np.empty(len(mesh.loop_triangles) * 3, np.int32)
        mesh.loop_triangles.foreach_get("vertices", corners)
        matrix = np.array(instance.matrix_world, dtype=np.float64)
        world = points.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
        found.append(world[corners.reshape(-1, 3)])
        thing.to_mesh_clear()
    return np.concatenate(found) if found else np.empty((0, 3, 3))


def depth(view: View, corners: np.ndarray) -> np.ndarray:
    """Depth [height, width] along the view axis at the pixels' centres."""
    return _cast(view, corners, np.arange(view.width) + 0.5, np.arange(view.height) + 0.5)[0]


def _cast(
    view: View, corners: np.ndarray, columns: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What is seen where columns [w] and rows [h] cross, in pixels from the upper left corner.

    Depth along the view axis [h, w], and which of the triangles [n, 3, 3] is hit [h, w]; +inf and
    -1 for the sky. Intersection after Moeller and Trumbore (1997), in camera coordinates.
    """
    view_matrix = np.reshape(view.view_matrix, (4, 4))
    projection = np.reshape(view.projection_matrix, (4, 4))
    seen = corners @ view_matrix[:3, :3].T + view_matrix[:3, 3]
    x, y = np.meshgrid(2 * columns / view.width - 1, 1 - 2 * rows / view.height)
    ends = []
    for z in (-1.0, 1.0):
        clip = np.stack([x, y, np.full_like(x, z), np.ones_like(x)], axis=-1)
        points = clip @ np.linalg.inv(projection).T
        ends.append(points[..., :3] / points[..., 3:])
    start, direction = ends[0], ends[1] - ends[0]
    nearest, hit = np.full(x.shape, np.inf), np.full(x.shape, -1)
    for index, part in _boxes(seen, projection, x[0], y[:, 0]):
        t = _hits(start[part], direction[part], seen[index])
        closer = t < nearest[part]
        nearest[part][closer], hit[part][closer] = t[closer], index
    with np.errstate(invalid="ignore"):
        along = -(start[..., 2] + nearest * direction[..., 2])
    return np.where(hit >= 0, along, np.inf), hit


def _there(view: View, corners: np.ndarray, column: int, row: int) -> list[np.ndarray]:
    """Depths [3] of the corners of each triangle that a pixel's square may hold, seen or hidden."""
    view_matrix = np.reshape(view.view_matrix, (4, 4))
    seen = corners @ view_matrix[:3, :3].T + view_matrix[:3, 3]
    fine = np.linspace(0, 1, 257)
    x, y = 2 * (column + fine) / view.width - 1, 1 - 2 * (row + fine) / view.height
    boxes = _boxes(seen, np.reshape(view.projection_matrix, (4, 4)), x, y)
    return [-seen[index][:, 2] for index, _ in boxes]


def _boxes(
    seen: np.ndarray, projection: np.ndarray, x: np.ndarray, y: np.ndarray
) -> Iterator[tuple[int, tuple[slice, slice]]]:
    """Triangles of [n, 3, 3] by index, with the rows and columns that each may cover.

    ``x`` ascends and ``y`` descends, in clip coordinates.
    """
    clip = np.concatenate([seen, np.ones((*seen.shape[:2], 1))], axis=2) @ projection.T
    with np.errstate(divide="ignore", invalid="ignore"):
        flat = clip[..., :2] / clip[..., 3:]
    least, greatest = flat.min(1) - 1e-9, flat.max(1) + 1e-9
    reaches_behind = (clip[..., 3] < 1e-6).any(1)  # the eye, where it may cover any pixel
    least[reaches_behind], greatest[reaches_behind] = -np.inf, np.inf
    left, right = np.searchsorted(x, least[:, 0]), np.searchsorted(x, greatest[:, 0], "right")
    top, bottom = np.searchsorted(-y, -greatest[:, 1]), np.searchsorted(-y, -least[:, 1], "right")
    covers = (left < right) & (top < bottom) & (clip[..., 3] > 0).any(1)
    for index in np.flatnonzero(covers):
        yield int(index), (slice(top[index], bottom[index]), slice(left[index], right[index]))


def _hits(start: np.ndarray, direction: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Where rays [h, w, 3] hit one triangle [3, 3], in units of ``direction``; +inf for a miss."""
    one, two = corners[1] - corners[0], corners[2] - corners[0]
    cross = np.cross(direction, two)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1 / (cross @ one)
        offset = start - corners[0]
        other = np.cross(offset, one)
        u, v = (offset * cross).sum(-1) * inverse, (direction * other).sum(-1) * inverse
        t = (other @ two) * inverse
        hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t >= 0) & (t <= 1)
    return np.where(hit, t, np.inf)


def assert_exact(view: View, captured: np.ndarray, corners: np.ndarray) -> None:
    """Depth is within 0.1% of the truth, and edges are within half a pixel of where they are."""
    edges = ~close(captured, depth(view, corners))
    assert edges.mean() < 0.01, f"{edges.mean():.2%} of the depth differs by over 0.1%"
    assert_seen(view, captured, corners, edges)


def assert_agree(view: View, one: np.ndarray, other: np.ndarray, corners: np.ndarray) -> None:
    """Two depth maps are within 0.1% of each other, and half a pixel of the truth at edges."""
    edges = ~close(one, other)
    assert edges.mean() < 0.001, f"{edges.mean():.2%} of the depth differs by over 0.1%"
    assert_seen(view, one, corners, edges)
    assert_seen(view, other, corners, edges)


def assert_seen(view: View, captured: np.ndarray, corners: np.ndarray, where: np.ndarray) -> None:
    """The depth of each pixel in a mask is that of something seen within half a pixel of it.

    Something is one triangle: a depth between those of two surfaces is on neither.
    """
    offsets = np.linspace(0, 1, STEPS + 1)
    hidden = 0
    for row, column in np.argwhere(where):
        found = float(captured[row, column])
        x, y = column + offsets, row + offsets
        there, hit = _cast(view, corners, x, y)
        seen = [there[hit == index] for index in np.unique(hit)]
        if not _among(found, seen):
            behind = _there(view, corners, column, row)
            assert _among(found, behind), (
                f"row {row}, column {column}: {found} m; within half a pixel are "
                f"{[(each.min(), each.max()) for each in seen]}"
            )
            hidden += 1
    assert hidden <= HIDDEN * captured.size, (
        f"{hidden} show only what is hidden within half a pixel"
    )


def _among(found: float, surfaces: list[np.ndarray]) -> bool:
    """Whether a depth lies within those of one of the surfaces."""
    return any(0.999 * each.min() <= found <= 1.001 * each.max() for each in surfaces)


def close(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Where two depth maps are within 0.1%."""
    sky = np.isinf(left) & np.isinf(right)
    with np.errstate(invalid="ignore"):
        return sky | (np.abs(left - right) <= 0.001 * right)
