"""Depth of a scene computed in double precision, ray by ray: what a capture is held against."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np
from maquette_wire.view import View

SOLID_TYPES = {"MESH", "CURVE", "FONT", "META", "SURFACE"}


def triangles(depsgraph: bpy.types.Depsgraph) -> np.ndarray:
    """World coordinates [n, 3, 3] of everything that the evaluated scene shows."""
    found = []
    for instance in depsgraph.object_instances:
        thing = instance.object
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


def depth(view: View, corners: np.ndarray, shift: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Depth [height, width] along the view axis at the pixels' centres, moved by ``shift`` pixels.

    Intersection after Moeller and Trumbore (1997), in camera coordinates.
    """
    view_matrix = np.reshape(view.view_matrix, (4, 4))
    projection = np.reshape(view.projection_matrix, (4, 4))
    seen = corners @ view_matrix[:3, :3].T + view_matrix[:3, 3]
    columns = 2 * (np.arange(view.width) + 0.5 + shift[0]) / view.width - 1
    rows = 1 - 2 * (np.arange(view.height) + 0.5 + shift[1]) / view.height
    x, y = (grid.ravel() for grid in np.meshgrid(columns, rows))
    ends = []
    for z in (-1.0, 1.0):
        clip = np.stack([x, y, np.full_like(x, z), np.ones_like(x)])
        points = np.linalg.solve(projection, clip)
        ends.append((points[:3] / points[3]).T)
    start, direction = ends[0], ends[1] - ends[0]
    nearest = np.full(len(start), np.inf)
    for triangle, pixels in zip(seen, _pixels_of(seen, projection, x, y), strict=True):
        if not pixels.size:
            continue
        t = _hits(start[pixels], direction[pixels], triangle)
        nearest[pixels] = np.minimum(nearest[pixels], t)
    with np.errstate(invalid="ignore"):
        along = -(start[:, 2] + nearest * direction[:, 2])
    return np.where(np.isfinite(nearest), along, np.inf).reshape(view.height, view.width)


def _pixels_of(
    seen: np.ndarray, projection: np.ndarray, x: np.ndarray, y: np.ndarray
) -> Iterator[np.ndarray]:
    """Indices of the pixels that each triangle [n, 3, 3] may cover: those of its bounding box."""
    clip = np.concatenate([seen, np.ones((*seen.shape[:2], 1))], axis=2) @ projection.T
    everywhere = np.arange(x.size)
    for corner in clip:
        if (corner[:, 3] < 1e-6).any():  # reaches behind the eye
            yield everywhere if (corner[:, 3] > 0).any() else everywhere[:0]
            continue
        flat = corner[:, :2] / corner[:, 3:]
        (left, low), (right, high) = flat.min(0) - 1e-9, flat.max(0) + 1e-9
        yield np.flatnonzero((x >= left) & (x <= right) & (y >= low) & (y <= high))


def _hits(start: np.ndarray, direction: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Where rays [n, 3] hit one triangle [3, 3], in units of ``direction``; +inf for a miss."""
    one, two = corners[1] - corners[0], corners[2] - corners[0]
    cross = np.cross(direction, two)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1 / (cross @ one)
        offset = start - corners[0]
        other = np.cross(offset, one)
        u, v = (offset * cross).sum(1) * inverse, (direction * other).sum(1) * inverse
        t = (other @ two) * inverse
        hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t >= 0) & (t <= 1)
    return np.where(hit, t, np.inf)


def assert_exact(view: View, captured: np.ndarray, corners: np.ndarray) -> None:
    """Depth is within 0.1% of the truth, and edges are within half a pixel of where they are."""
    exact = depth(view, corners)
    near_edge = ~_close(captured, exact)
    assert near_edge.mean() < 0.01, f"{near_edge.mean():.2%} of the depth differs by over 0.1%"
    steps = (-0.5, 0.0, 0.5)
    around = [depth(view, corners, (x, y)) for x in steps for y in steps] if near_edge.any() else []
    for other in around:
        near_edge &= ~_close(captured, other)
    # Between two of the points looked at, a slope may take any value in between.
    if near_edge.any():
        least, greatest = np.min(around, axis=0), np.max(around, axis=0)
        near_edge &= ~((captured >= 0.999 * least) & (captured <= 1.001 * greatest))
    assert not near_edge.any(), f"{near_edge.sum()} pixels have the depth of no point within 0.5 px"


def _close(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    sky = np.isinf(left) & np.isinf(right)
    with np.errstate(invalid="ignore"):
        return sky | (np.abs(left - right) <= 0.001 * right)
