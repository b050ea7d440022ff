"""What is drawn on arrays is what Blender draws: depth to the bit of a pixel, colours nearly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from maquette_wire.view import View

from blender_addon.capture import camera_pose, camera_size, camera_view, capture_camera, raster
from blender_addon.capture.software import draw
from tests.blender_addon.capture import scenes, truth
from tests.blender_addon.capture.conftest import SAMPLES

LONG_SIDE = 256
COLOR_OFF = 2.0
"""Mean difference of a byte: edges are smoothed otherwise, and cavities aren't drawn."""


def drawn(camera: bpy.types.Object, width: int, height: int) -> Any:
    depsgraph = bpy.context.evaluated_depsgraph_get()
    pose = camera_pose(camera, depsgraph)
    return draw(depsgraph, camera_view(camera, pose, depsgraph, width, height))


@pytest.mark.parametrize("scene", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_both_captures_of_a_camera_agree(scene: Path):
    bpy.ops.wm.open_mainfile(filepath=str(scene), load_ui=False, use_scripts=False)
    bpy.context.scene.display.shading.show_cavity = False
    size = camera_size(bpy.context.scene, LONG_SIDE)
    corners = truth.triangles(bpy.context.evaluated_depsgraph_get())
    for name in ("Street", "Elevation"):
        camera = bpy.data.objects[name]
        own, blenders = drawn(camera, *size).capture, capture_camera(bpy.context, camera, *size)
        assert own.view == blenders.view
        truth.assert_agree(own.view, own.depth, np.asarray(blenders.depth), corners)
        off = np.abs(own.color.astype(int) - np.asarray(blenders.color))
        assert off.mean() < COLOR_OFF, name


@pytest.mark.parametrize("kind", scenes.KINDS)
def test_every_kind_of_camera_sees_the_truth(kind: str):
    scenes.town()
    camera = scenes.town_camera(kind)
    own = drawn(camera, 160, 120).capture
    truth.assert_exact(own.view, own.depth, truth.triangles(bpy.context.evaluated_depsgraph_get()))


def test_colours_are_those_of_the_scenes_solid_shading():
    red = scenes.material("Red", (0.8, 0.02, 0.02, 1.0))
    wall = scenes.box((0, 0, 0), (4, 1, 4))
    wall.data.materials.append(red)  # type: ignore[union-attr]
    wall.color = (0.02, 0.02, 0.8, 1.0)
    camera = scenes.camera((0, -12, 0), (0, 0, 0))
    shading: Any = bpy.context.scene.display.shading
    for color_type, channel in (("MATERIAL", 0), ("OBJECT", 2)):
        shading.color_type = color_type
        bpy.context.view_layer.update()
        ours = drawn(camera, 96, 64).capture.color[32, 48].astype(int)
        theirs = np.asarray(capture_camera(bpy.context, camera, 96, 64).color)[32, 48].astype(int)
        assert ours.argmax() == channel and np.abs(ours - theirs).max() < 8
    shading.light, shading.color_type = "FLAT", "SINGLE"
    shading.single_color = (0.5, 0.5, 0.5)
    bpy.context.view_layer.update()
    assert (drawn(camera, 96, 64).capture.color[32, 48] == 188).all()


def test_an_outline_is_around_each_object():
    scenes.box((0, 0, 0), (4, 1, 4))
    camera = scenes.camera((0, -12, 0), (0, 0, 0))
    plain = drawn(camera, 96, 64).capture.color.astype(int)
    bpy.context.scene.display.shading.show_object_outline = True
    bpy.context.view_layer.update()
    lined = drawn(camera, 96, 64).capture.color.astype(int)
    darker = (lined < plain - 10).any(-1)
    assert darker.any() and not darker[32, 48] and not darker[2, 2]


def square(view_width: int = 8) -> View:
    """An orthographic View of the square from (-1, -1) to (1, 1), from 0 to 10 m."""
    projection = np.diag([1.0, 1.0, -0.2, 1.0])
    projection[2, 3] = -1.0
    flat = tuple(projection.ravel())
    return View(
        view_matrix=tuple(np.eye(4).ravel()),  # type: ignore[arg-type]
        projection_matrix=flat,  # type: ignore[arg-type]
        width=view_width,
        height=view_width,
        kind="orthographic",
    )


def test_triangles_that_share_edges_cover_each_pixel_once():
    angles = np.linspace(0, 2 * np.pi, 14)[:, None]
    rim = np.concatenate([3 * np.cos(angles), 3 * np.sin(angles), np.full_like(angles, -5)], 1)
    hub = np.array([0.0313, -0.127, -5.0])
    fan = np.stack([np.tile(hub, (13, 1)), rim[:-1], rim[1:]], 1)
    view = square(64)
    covered = np.zeros((64, 64), int)
    for triangle in fan:
        covered += raster.look(view, raster.project(view, triangle[None])).triangle >= 0
    assert (covered == 1).all()
    whole = raster.look(view, raster.project(view, fan))
    assert (whole.triangle >= 0).all() and np.allclose(whole.depth, 5)


def test_the_nearest_wins_and_what_is_beyond_the_clip_range_is_not_there():
    layers = [[[-3, -3, -z], [3, -3, -z], [0, 5, -z]] for z in (7.0, 3.0, 4.0, -1.0, 12.0)]
    seen = raster.look(square(), raster.project(square(), np.array(layers)))
    assert (seen.triangle == 1).all() and np.allclose(seen.depth, 3)


def test_a_floor_from_behind_the_camera_is_cut_at_the_near_plane():
    camera = scenes.camera((0, 0, 1.5), (0, 10, 1.5), clip_start=0.1, clip_end=1000)
    scenes.box((0, 0, -0.5), (100, 100, 1), "Floor")
    bpy.context.view_layer.update()
    own = drawn(camera, 96, 64).capture
    truth.assert_exact(own.view, own.depth, truth.triangles(bpy.context.evaluated_depsgraph_get()))
    assert np.isfinite(own.depth[40:]).all() and np.isinf(own.depth[:32]).all()


def test_an_empty_scene_is_sky():
    camera = scenes.camera((0, -12, 0), (0, 0, 0))
    drawing = drawn(camera, 32, 24)
    assert np.isinf(drawing.capture.depth).all() and not drawing.alpha.any()
