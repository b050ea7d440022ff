"""Pictures over a 3D view lie where Blender itself projects what they show."""

# Blender's stubs call optional what these scenes have, and know too few of its conversions.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

import math

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Euler, Matrix, Vector

from blender_addon.capture.view import camera_pose, camera_view, moved_back, resized, view_of
from blender_addon.overlay.placing import Rectangle, placed, unobstructed

REGION = 903, 611
POINTS = [Vector(place) for place in ((0, 0, 0), (3, 20, 2), (-4, 12, 7), (1.5, 45, -1))]


def _camera(kind: str) -> bpy.types.Object:
    scene = bpy.context.scene
    data = bpy.data.cameras.new(kind)
    camera = bpy.data.objects.new(kind, data)
    scene.collection.objects.link(camera)
    scene.camera = camera
    camera.matrix_world = Matrix.LocRotScale(
        (1, -25, 4), Euler((math.radians(86), 0.02, 0.05)), (2, 2, 2)
    )
    scene.render.resolution_x, scene.render.resolution_y = 1600, 900
    if kind == "shifted":
        data.shift_x, data.shift_y = 0.12, 0.3
    elif kind == "orthographic":
        data.type, data.ortho_scale = "ORTHO", 40
    elif kind == "tall":
        scene.render.resolution_x, scene.render.resolution_y = 700, 1500
        data.sensor_fit = "VERTICAL"
    elif kind == "pixels":
        scene.render.pixel_aspect_x = 1.5
    elif kind == "far":
        camera.location.x += 20000
    bpy.context.view_layer.update()
    return camera


def _region_of(view, zoom: float, across: float, up: float) -> np.ndarray:
    """The window matrix of a 3D view that looks through a View's camera, zoomed and panned, where
    the frame is `zoom` of the region's width and its middle lies beside the region's."""
    width, height = REGION
    projection = np.reshape(view.projection_matrix, (4, 4)).astype(np.float32)
    down = zoom * width / height * view.height / view.width
    window = np.diag([zoom, down, 1, 1]) @ projection
    if view.kind == "perspective":
        window[:2] -= np.outer([across, up], [0, 0, 1, 0])
    else:
        window[:2, 3] += across, up
    return window


@pytest.mark.parametrize("kind", ["plain", "shifted", "orthographic", "tall", "pixels", "far"])
@pytest.mark.parametrize("moved", [(0.8, 0.0, 0.0), (0.31, -0.2, 0.4), (3.0, 0.9, -1.1)])
def test_a_camera_s_picture_covers_what_the_camera_sees(kind: str, moved):
    camera, scene = _camera(kind), bpy.context.scene
    depsgraph = bpy.context.evaluated_depsgraph_get()
    view = camera_view(camera, camera_pose(camera, depsgraph), depsgraph, 512, 288)
    # As Blender does it: the inverse of the camera's matrix, normalised, in single precision.
    matrix = camera.matrix_world.normalized().inverted()
    where = placed(view, matrix, _region_of(view, *moved), *REGION)
    assert where is not None
    window = Matrix(_region_of(view, *moved).tolist())
    offset = Vector((20000, 0, 0)) if kind == "far" else Vector()
    for point in (each + offset for each in POINTS):
        clip = window @ matrix @ point.to_4d()
        x = (clip.x / clip.w + 1) / 2 * REGION[0]
        y = (clip.y / clip.w + 1) / 2 * REGION[1]
        # The frame is the picture's, whose proportions are the scene's but for its size in pixels.
        seen = _in_picture(view, point)
        assert where.left + seen[0] * where.width == pytest.approx(x, abs=0.6)
        assert where.bottom + seen[1] * where.height == pytest.approx(y, abs=0.6)
        if kind not in ("tall", "pixels"):
            known = world_to_camera_view(scene, camera, point)
            assert seen == pytest.approx(known[:2], abs=2e-3)


def _in_picture(view, point) -> tuple[float, float]:
    projection, own = (
        np.reshape(each, (4, 4)) for each in (view.projection_matrix, view.view_matrix)
    )
    clip = projection @ own @ (*point, 1)
    return (clip[0] / clip[3] + 1) / 2, (clip[1] / clip[3] + 1) / 2


def _view(kind: str = "perspective"):
    camera = _camera("plain" if kind == "perspective" else kind)
    depsgraph = bpy.context.evaluated_depsgraph_get()
    return camera_view(camera, camera_pose(camera, depsgraph), depsgraph, 512, 288)


def test_a_picture_lies_nowhere_in_another_view():
    view = _view()
    matrix = np.reshape(view.view_matrix, (4, 4))
    window = _region_of(view, 0.8, 0, 0)
    assert placed(view, matrix, window, *REGION)
    turned = np.array(Matrix.Rotation(0.01, 4, "Z")) @ matrix
    tilted = np.array(Matrix.Rotation(0.01, 4, "Y")) @ matrix
    beside, closer, behind = matrix.copy(), matrix.copy(), matrix.copy()
    beside[0, 3] += 0.05
    closer[2, 3] += 0.1
    behind = np.array(Matrix.Rotation(math.pi, 4, "Y")) @ behind
    for other in (turned, tilted, beside, closer, behind):
        assert placed(view, other, window, *REGION) is None
    flat = _region_of(_view("orthographic"), 0.8, 0, 0)
    assert placed(view, matrix, flat, *REGION) is None


def test_an_orthographic_picture_stays_in_register_where_the_view_is_moved_sideways():
    view = _view("orthographic")
    matrix = np.reshape(view.view_matrix, (4, 4)).copy()
    window = _region_of(view, 1.0, 0, 0)
    before = placed(view, matrix, window, *REGION)
    matrix[0, 3] += 4.0  # metres, of 40 across the region
    matrix[2, 3] -= 7.0
    after = placed(view, matrix, window, *REGION)
    assert after.left - before.left == pytest.approx(REGION[0] / 10, abs=0.1)
    assert after.width == pytest.approx(before.width, abs=0.1)
    # An orthographic capture may be measured from further back.
    assert placed(moved_back(view, 30), matrix, window, *REGION) == after


def test_a_picture_of_the_region_itself_has_its_pixels_on_the_region_s():
    view = _view()
    matrix = np.reshape(view.view_matrix, (4, 4))
    window = np.reshape(view.projection_matrix, (4, 4)).astype(np.float32)
    width, height = 512, 288
    assert placed(view, matrix, window, width, height) == Rectangle(0, 0, 512, 288)
    # A size that is rounded to whole cells shows a little more, and lies a little over the edge.
    wider = placed(resized(view, 520, 288), matrix, window, width, height)
    assert (wider.left, wider.right) == pytest.approx((-4, 516), abs=0.01)
    assert (wider.bottom, wider.top) == (0, 288)


def test_a_picture_of_no_view_at_all_lies_nowhere():
    nothing = view_of(np.zeros((4, 4)), np.zeros((4, 4)), 8, 8, "perspective", "")
    assert placed(nothing, np.eye(4), np.eye(4), *REGION) is None


def test_what_overlaps_a_region_leaves_the_rest():
    region = Rectangle(0, 0, 800, 600)
    others = [
        ("TOP", Rectangle(0, 570, 800, 600)),
        ("LEFT", Rectangle(0, 0, 60, 570)),
        ("RIGHT", Rectangle(600, 0, 800, 570)),
        ("BOTTOM", Rectangle(0, -40, 800, 0)),  # beside it, not over it
    ]
    assert unobstructed(region, others) == Rectangle(60, 0, 600, 570)
    assert Rectangle(0, 0, 1, 1).within(Rectangle(1, 0, 2, 1)) is None
    part = Rectangle(-100, 0, 300, 10).within(region)
    assert part == Rectangle(0, 0, 300, 10)
    assert part.across(0.25) == 75 and part.share(75) == 0.25 and part.share(-5) == 0
