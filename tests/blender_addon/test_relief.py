"""A live picture as a relief: it stays on the model from wherever it is looked at."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.capture import capture_camera
from blender_addon.overlay.relief import Relief, relief
from tests.blender_addon.capture import scenes

SIZE = 192, 144


@pytest.fixture(params=["wide", "orthographic"])
def seen(request: pytest.FixtureRequest):
    """(View, depth, relief) of a town."""
    import bpy

    scenes.town()
    capture = capture_camera(bpy.context, scenes.town_camera(request.param), *SIZE)
    depth = np.asarray(capture.depth)
    return capture.view, depth, relief(capture.view, depth)


def _through(view, points: np.ndarray) -> np.ndarray:
    """Places [n, 2] and distances [n] of homogeneous points in a View, from its lower left."""
    own, projection = (
        np.reshape(each, (4, 4)) for each in (view.view_matrix, view.projection_matrix)
    )
    camera = points.astype(np.float64) @ own.T
    clip = camera @ projection.T
    return np.concatenate([(clip[:, :2] / clip[:, 3:] + 1) / 2, -camera[:, 2:3]], 1)


def test_from_its_own_view_each_point_is_where_the_picture_shows_it(seen):
    view, depth, mesh = seen
    found = _through(view, mesh.points)
    assert found[:, :2] == pytest.approx(mesh.places, abs=1e-4)
    columns = np.round(mesh.places[:, 0] * SIZE[0] - 0.5).astype(int)
    rows = np.round((1 - mesh.places[:, 1]) * SIZE[1] - 0.5).astype(int)
    solid = np.isfinite(depth[rows, columns])
    assert found[solid, 2] == pytest.approx(depth[rows, columns][solid], rel=1e-4)
    assert solid.mean() > 0.2


def test_surfaces_are_whole_and_torn_from_what_lies_behind(seen):
    view, _depth, mesh = seen
    distances = _through(view, mesh.points)[:, 2][mesh.triangles]
    assert (mesh.points[mesh.triangles, 3] == mesh.points[mesh.triangles[:, :1], 3]).all() or (
        view.kind == "orthographic"
    )
    share = len(mesh.triangles) / (2 * 95 * 71)
    assert 0.7 < share <= 1.05, "most cells are of one surface"
    distances[mesh.points[mesh.triangles, 3] == 0] = np.inf
    order = distances.min(1)
    order = order[np.isfinite(order)]
    assert (np.diff(order) < 1e-3).all(), "the nearest are drawn last"
    assert np.isfinite(distances[-len(order) :]).all(), "and the sky first"


def test_a_plane_that_is_seen_at_a_glancing_angle_stays_whole():
    """Ground to the horizon, from eye level: neighbours lie metres apart."""
    from mathutils import Euler, Matrix

    from blender_addon.capture.view import posed_view

    matrix = Matrix.LocRotScale((0, 0, 1.6), Euler((np.pi / 2, 0, 0)), None)
    view = posed_view(matrix, 24, 24, (0.1, 1000.0), SIZE, "eye level")
    projection = np.reshape(view.projection_matrix, (4, 4))
    down = -(1 - 2 * (np.arange(SIZE[1]) + 0.5) / SIZE[1]) / projection[1, 1]
    column = np.where(down > 0, 1.6 / np.maximum(down, 1e-9), np.inf)
    depth = np.repeat(column[:, None], SIZE[0], 1).astype(np.float32)
    mesh = relief(view, depth)
    ground = mesh.points[mesh.triangles][(mesh.points[mesh.triangles, 3] == 1).all(1)]
    assert len(ground) >= 0.9 * len(mesh.triangles) / 2
    assert np.abs(ground[..., 2]).max() < 1e-2, "it is flat"
    assert (mesh.points[mesh.triangles, 3].sum(1) % 3 == 0).all(), "and not bound to the sky"


def test_a_picture_of_nothing_is_all_sky():
    depth = np.full((16, 24), np.inf, np.float32)
    from mathutils import Matrix

    from blender_addon.capture.view import posed_view

    mesh = relief(posed_view(Matrix(), 24, 24, (0.1, 100.0), (24, 16), ""), depth)
    assert isinstance(mesh, Relief) and len(mesh.triangles) == 2 * 15 * 23
    assert (mesh.points[:, 3] == 0).all()
