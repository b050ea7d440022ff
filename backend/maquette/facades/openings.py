"""What a capture sees of the openings that were laid out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from maquette_wire.capture import Capture
from numpy.typing import NDArray

from ..positions import points_at, to_world
from .layout import Grid, door_of
from .patches import Patches
from .sight import Floats, Sight

_ON = 0.06
_ON_SHARE = 1e-3
"""Metres, and share of the depth, within which a pixel shows a wall's plane."""
_PIXELS = 1 << 19
"""Pixels that are worked on at once, so that a large picture takes little memory."""


def openings_seen(capture: Capture, grids: Sequence[Grid]) -> NDArray[np.float32]:
    """How much of each pixel of a capture is an opening: float32 [H, W], 0 to 1."""
    sight = Sight.of(capture)
    seen = np.zeros(sight.depth.shape, np.float32)
    for grid in grids:
        wall = grid.wall
        for number in range(len(wall.pieces)):
            piece = wall.pieces.pick(np.array([number]))
            _draw(seen, sight, grid, piece, float(wall.starts[number]))
    return seen


def _draw(
    seen: NDArray[np.float32], sight: Sight, grid: Grid, piece: Patches, start: float
) -> None:
    """One straight piece of a wall; start: metres along the wall where it begins."""
    area = _area(sight, piece)
    if area is None:
        return
    rows, columns = area
    height = max(2, _PIXELS // (columns.stop - columns.start))
    for first in range(rows.start, rows.stop, height):
        block = slice(first, min(first + height, rows.stop)), columns
        _draw_block(seen, sight, grid, piece, start, block)


def _draw_block(
    seen: NDArray[np.float32],
    sight: Sight,
    grid: Grid,
    piece: Patches,
    start: float,
    area: tuple[slice, slice],
) -> None:
    """What lies in some rows and columns of the picture."""
    rows, columns = np.mgrid[area]
    zero, one = (
        to_world(
            points_at(np.full(rows.shape, z), sight.view, rows, columns, sight.depth.shape),
            sight.view,
        )
        for z in (0.0, 1.0)
    )
    normal, tangent, offset = piece.normals[0], piece.tangents[0], float(piece.offsets[0])
    toward = (one - zero)[..., :2] @ normal
    steep = np.where(np.abs(toward) < 1e-9, 1e-9, toward)
    depth = (offset - zero[..., :2] @ normal) / steep
    points = zero + depth[..., None] * (one - zero)
    along, up = points[..., :2] @ tangent - piece.left[0] + start, points[..., 2]
    metric = sight.depth[area]
    shown = np.abs(metric - depth) < _ON + _ON_SHARE * np.abs(depth)
    shown &= (toward < 0.0) if sight.view.kind == "orthographic" else (depth > 0.0)
    shown &= (along > start - 1e-3) & (along < start + piece.right[0] - piece.left[0] + 1e-3)
    if not shown.any():
        return
    coverage = _coverage(grid, along, up)
    target = seen[area]
    target[shown] = np.maximum(target[shown], coverage[shown])


def _area(sight: Sight, piece: Patches) -> tuple[slice, slice] | None:
    """Rows and columns of the picture that a piece lies within; None where it can't be seen."""
    along = np.array([piece.left[0], piece.right[0]] * 2)
    up = np.array([piece.bottom[0]] * 2 + [piece.top[0]] * 2)
    four = piece.pick(np.zeros(4, np.intp))
    columns, rows, depth = sight.locate(four.corners(along, up))
    height, width = sight.depth.shape
    if (depth <= 0.0).all() and sight.view.kind == "perspective":
        return None
    if (depth <= 0.1).any():  # it goes past the camera, where a projection means nothing
        return slice(0, height), slice(0, width)
    area = []
    for place, length in ((rows, height), (columns, width)):
        first, last = int(np.floor(place.min())) - 1, int(np.ceil(place.max())) + 2
        first, last = max(first, 0), min(last, length)
        if first >= last:
            return None
        area.append(slice(first, last))
    return area[0], area[1]


def _coverage(grid: Grid, along: Floats, up: Floats) -> Floats:
    """The share of each pixel that openings of a wall cover. along, up: [h, w], metres on the wall
    at the pixels' centres."""
    storeys, bays = grid.present.shape
    bay = (along - grid.start) / grid.bay
    floor = (up - grid.base) / grid.storey
    column = np.floor(bay).clip(0, bays - 1).astype(np.intp)
    row = np.floor(floor).clip(0, storeys - 1).astype(np.intp)
    x = (bay - column - 0.5) * grid.bay
    y = (floor - row) * grid.storey
    wide, tall = (_extent(values) for values in (along, up))
    kind = grid.kind
    half = min(kind.width, 1.0) * grid.bay / 2
    low, high = kind.sill * grid.storey, kind.head * grid.storey
    vertical = _between(y, low, high, tall)
    if kind.width < 1.0:
        horizontal = _between(x, -half, half, wide)
    else:  # a band's ends are those of the run of bays
        before = grid.present[row, (column - 1).clip(0)] & (column > 0)
        after = grid.present[row, (column + 1).clip(None, bays - 1)] & (column < bays - 1)
        horizontal = np.where(before & (x < 0.0), 1.0, np.where(after & (x > 0.0), 1.0, 0.0))
        horizontal = np.maximum(horizontal, _between(x, -half, half, wide))
    covered = horizontal * vertical * grid.present[row, column]
    if grid.door is not None:
        wing, height = door_of(grid)
        here = (row == 0) & (column == grid.door)
        leaf = _between(x, -wing, wing, wide) * _between(y, -1.0, height, tall)
        covered = np.where(here, leaf, covered)
    return covered


def _between(values: Floats, low: float, high: float, extent: Floats) -> Floats:
    """The share of a pixel of an extent about each value that lies between two limits."""
    inside = np.minimum(values + extent / 2, high) - np.maximum(values - extent / 2, low)
    return (inside / extent).clip(0.0, 1.0)


def _extent(values: Floats) -> Floats:
    """Metres that a pixel spans in a coordinate [h, w]."""
    spans = [
        np.abs(np.gradient(values, axis=axis)) if values.shape[axis] > 1 else np.zeros_like(values)
        for axis in (0, 1)
    ]
    return np.maximum(spans[0] + spans[1], 1e-6)
