"""The part of a view that a surface lies in sees it as the whole view does."""

from __future__ import annotations

import numpy as np
import pytest
from maquette.texturing.window import boxes, window
from maquette_wire.view import View

from tests.backend.texturing.models import box, camera

HOUSE = np.concatenate([np.stack([q[[0, 1, 2]], q[[0, 2, 3]]]) for q in box((-4, 0, 0), (4, 8, 6))])
CORNERS = np.moveaxis(HOUSE, 0, 2)
VIEWS = {
    "perspective": camera((30, -40, 12), (9, 4, 3), 640, 480),
    "orthographic": camera((30, -40, 12), (9, 4, 3), 640, 480, across=50.0),
    "lens shift": camera((-12, -60, 2), (0, 4, 2), 500, 700, shift=(0.1, 0.2)),
}


def pixels(view: View) -> np.ndarray:
    """Columns and rows [2, n] of the house's corners, from the picture's edge."""
    points = np.concatenate([HOUSE.reshape(-1, 3).T, np.ones((1, HOUSE.size // 3))])
    x, y, _, w = (
        np.reshape(view.projection_matrix, (4, 4)) @ np.reshape(view.view_matrix, (4, 4)) @ points
    )
    return np.stack([(x / w + 1) / 2 * view.width, (1 - y / w) / 2 * view.height])


@pytest.mark.parametrize("view", list(VIEWS.values()), ids=list(VIEWS))
def test_a_point_has_the_same_pixel(view: View):
    part, rows, columns = window(view, boxes(CORNERS))
    assert (part.width, part.height) == (columns.stop - columns.start, rows.stop - rows.start)
    assert part.width * part.height < 0.5 * view.width * view.height
    first = np.array([[columns.start], [rows.start]])
    assert np.allclose(pixels(part) + first, pixels(view), atol=1e-9)
    low, high = pixels(part).min(1), pixels(part).max(1)
    assert (low >= 8).all() and (high <= (part.width - 8, part.height - 8)).all()


def test_a_surface_around_the_camera_or_beside_the_picture_has_a_part_too():
    within = camera((0, 4, 3), (0, 30, 3), 64, 48)
    assert window(within, boxes(CORNERS))[1:] == (slice(48), slice(64))
    away, rows, columns = window(camera((0, -40, 3), (60, 0, 3), 64, 48), boxes(CORNERS))
    assert (away.height, away.width) == (rows.stop - rows.start, columns.stop - columns.start)
    assert 0 <= rows.start <= rows.stop - 2 and rows.stop <= 48
    assert 0 <= columns.start <= columns.stop - 2 and columns.stop <= 64
