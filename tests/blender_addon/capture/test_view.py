"""Views project points to where Blender itself does."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from maquette_wire.errors import MaquetteError
from maquette_wire.view import View
from mathutils import Vector

from blender_addon.capture import size_for, slabs
from blender_addon.capture.view import camera_pose, camera_size, camera_view, moved_back
from tests.blender_addon.capture import scenes

POINTS = [(0, 5, 1), (-3, 9, 2), (2, 40, 8), (1.5, 3, 0.2), (-20, 80, 30)]


def project(view: View, point: tuple[float, float, float]) -> tuple[float, float, float]:
    """(column, row, depth) of a world point in a View."""
    view_matrix = np.reshape(view.view_matrix, (4, 4))
    seen = view_matrix @ (*point, 1)
    clip = np.reshape(view.projection_matrix, (4, 4)) @ seen
    x, y = clip[:2] / clip[3]
    return (x + 1) / 2 * view.width, (1 - y) / 2 * view.height, -seen[2]


FORMATS = [(1600, 900, 1.0), (600, 900, 1.3)]


@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
@pytest.mark.parametrize("fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
@pytest.mark.parametrize("format_", FORMATS)
def test_points_land_where_blender_projects_them(
    kind: str, fit: str, format_: tuple[int, int, float]
):
    scene = bpy.context.scene
    render = scene.render
    render.resolution_x, render.resolution_y, render.pixel_aspect_x = format_
    camera = scenes.camera(
        (1, -4, 2), (0, 10, 3), type=kind, sensor_fit=fit, shift_x=-0.15, shift_y=0.3,
        sensor_width=30, sensor_height=20, lens=31, ortho_scale=14,
    )  # fmt: skip
    depsgraph = bpy.context.evaluated_depsgraph_get()
    # The very proportions of the scene, so that Blender's own projection is comparable.
    width = round(render.resolution_x * render.pixel_aspect_x)
    view = camera_view(camera, camera_pose(camera, depsgraph), depsgraph, width, 900)
    for point in POINTS:
        wanted = world_to_camera_view(scene, camera, Vector(point))
        column, row, depth = project(view, point)
        assert column == pytest.approx(wanted.x * width, abs=2e-3)
        assert row == pytest.approx((1 - wanted.y) * 900, abs=2e-3)
        assert depth == pytest.approx(wanted.z, rel=1e-5)


def test_a_picture_moved_back_is_the_same_picture():
    camera = scenes.camera((1, -4, 2), (0, 10, 3), type="ORTHO", shift_x=0.2)
    depsgraph = bpy.context.evaluated_depsgraph_get()
    view = camera_view(camera, camera_pose(camera, depsgraph), depsgraph, 640, 480)
    back = moved_back(view, 100.0)
    for point in POINTS:
        column, row, depth = project(view, point)
        assert project(back, point) == pytest.approx((column, row, depth + 100), rel=1e-6)
    near, far = slabs.clip_range(view)
    assert slabs.clip_range(back) == pytest.approx((near + 100, far + 100))


def test_sizes_are_multiples_of_eight_in_the_scenes_proportions():
    render = bpy.context.scene.render
    render.resolution_x, render.resolution_y = 1920, 1080
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    assert camera_size(bpy.context.scene, 512) == (512, 288)
    assert size_for(1, 2, 515) == (256, 512)
    assert size_for(1000, 1, 512) == (512, 8)
    with pytest.raises(MaquetteError, match="too small"):
        size_for(1, 1, 4)
