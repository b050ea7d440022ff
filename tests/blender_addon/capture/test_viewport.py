"""Captures of a viewport, in a real window: what it shows, and agreement with camera captures.

Run with ``blender-window -P tests/blender_addon/capture/in_window.py -- PYTEST-ARGUMENTS``.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest
from maquette_wire.errors import MaquetteError

from blender_addon.capture import capture_camera, capture_viewport
from tests.blender_addon.capture import scenes, state, truth
from tests.blender_addon.capture.viewports import draw, needs_window, viewport


@needs_window
@pytest.mark.parametrize("kind", scenes.KINDS)
def test_a_viewport_draws_exact_depth_for_every_projection(kind: str):
    scenes.town()
    capture = capture_camera(bpy.context, scenes.town_camera(kind), 96, 72)
    _, depth = draw(capture.view)
    corners = truth.triangles(bpy.context.evaluated_depsgraph_get())
    truth.assert_agree(capture.view, depth, np.asarray(capture.depth), corners)
    truth.assert_exact(capture.view, depth, corners)


@needs_window
@pytest.mark.parametrize("perspective", ["PERSP", "ORTHO", "CAMERA"])
def test_a_viewport_is_captured_as_it_is(perspective: str):
    scenes.town()
    camera = scenes.town_camera("wide")
    area, region = viewport()
    space: Any = area.spaces.active
    space.camera = camera
    space.region_3d.view_perspective = perspective
    space.region_3d.view_camera_zoom = 12
    space.region_3d.view_camera_offset = (0.1, -0.05)
    capture = capture_viewport(bpy.context, area, 96, 72)
    depth = np.asarray(capture.depth)
    assert (depth > 0).all()
    corners = truth.triangles(bpy.context.evaluated_depsgraph_get())
    truth.assert_exact(capture.view, depth, corners)
    # Blender's own projection puts a point of the model where the capture has it.
    from bpy_extras.view3d_utils import location_3d_to_region_2d

    wanted = location_3d_to_region_2d(region, space.region_3d, (2, 20, 3))
    seen = np.reshape(capture.view.projection_matrix, (4, 4)) @ (
        np.reshape(capture.view.view_matrix, (4, 4)) @ (2, 20, 3, 1)
    )
    x, y = seen[:2] / seen[3]
    stretch = (96 / 72) / (region.width / region.height)
    assert x * max(1, stretch) == pytest.approx(2 * wanted.x / region.width - 1, abs=1e-4)
    assert y / min(1, stretch) == pytest.approx(2 * wanted.y / region.height - 1, abs=1e-4)


@needs_window
def test_local_view_and_hiding_decide_what_is_seen():
    scenes.box((0, 0, 0), (2, 2, 2), "Kept").select_set(True)
    scenes.box((0, 0, 0), (900, 900, 900), "Around").hide_set(True)
    other = scenes.box((0, 0, 4), (2, 2, 2), "Other")
    area, region = viewport()
    space: Any = area.spaces.active
    space.clip_end = 5000
    both = np.isfinite(np.asarray(capture_viewport(bpy.context, area, 96, 72).depth)).sum()
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area,
                                   region=region):  # fmt: skip
        bpy.ops.view3d.localview(frame_selected=False)
    assert not other.visible_in_viewport_get(space)
    one = np.isfinite(np.asarray(capture_viewport(bpy.context, area, 96, 72).depth)).sum()
    assert 0 < one < both < 96 * 72


@needs_window
@pytest.mark.parametrize("shading", ["WIREFRAME", "SOLID"])
def test_a_capture_of_a_viewport_changes_nothing(shading: str):
    scenes.town()
    scenes.town_camera("shift")
    area, _ = viewport()
    space: Any = area.spaces.active
    space.shading.type = shading
    space.shading.show_xray = True
    bpy.context.view_layer.update()
    before = state.dump()
    depth = np.asarray(capture_viewport(bpy.context, area, 96, 72).depth)
    changed = state.difference(before, state.dump())
    assert changed == {}, changed
    assert np.isfinite(depth).any()


@needs_window
def test_another_editor_is_no_viewport():
    screen = bpy.context.window_manager.windows[0].screen
    area = next(area for area in screen.areas if area.type != "VIEW_3D")
    with pytest.raises(MaquetteError, match="no 3D viewport"):
        capture_viewport(bpy.context, area, 96, 72)


@pytest.mark.skipif(not bpy.app.background, reason="is about Blender without a window")
def test_without_a_window_there_is_no_viewport():
    area = next(area for area in bpy.data.screens["Layout"].areas if area.type == "VIEW_3D")
    with pytest.raises(MaquetteError, match="Capture a camera instead"):
        capture_viewport(bpy.context, area, 96, 72)
