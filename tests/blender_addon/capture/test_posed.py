"""A View alone is enough to capture it again, without a camera of the user's."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false

from __future__ import annotations

import bpy
import numpy as np
import pytest

from blender_addon.capture import capture_camera, capture_view
from blender_addon.capture.view import posed_view
from tests.blender_addon.capture import scenes, state


@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
@pytest.mark.parametrize("size", [(96, 64), (64, 96)])
def test_what_a_camera_saw_is_seen_again_through_its_view(kind: str, size: tuple[int, int]):
    scenes.town()
    camera = scenes.camera((25, -40, 18), (1.2, 0.1, 0.5))
    data = camera.data
    data.type, data.lens, data.ortho_scale = kind, 28, 60
    data.shift_x, data.shift_y, data.sensor_fit = 0.13, -0.21, "VERTICAL"
    data.clip_start, data.clip_end = 0.5, 400
    bpy.context.view_layer.update()
    first = capture_camera(bpy.context, camera, *size)
    before = state.dump()
    again = capture_view(bpy.context, first.view)
    assert state.difference(before, state.dump()) == {}
    one, other = np.asarray(first.depth), np.asarray(again.depth)
    hit = np.isfinite(one)
    assert hit.mean() > 0.2
    assert (hit == np.isfinite(other)).mean() > 0.995
    both = hit & np.isfinite(other)
    assert np.quantile(np.abs(one - other)[both] / one[both], 0.98) < 1e-3
    assert np.abs(np.asarray(first.color).astype(int) - again.color).mean() < 1.0
    assert again.view == first.view


def test_a_posed_view_is_blenders_own_of_the_same_camera():
    scenes.town()
    camera = scenes.camera((25, -40, 18), (1.2, 0.1, 0.5))
    camera.data.lens, camera.data.sensor_width = 35, 36
    camera.data.clip_start, camera.data.clip_end = 0.5, 400
    bpy.context.view_layer.update()
    own = capture_camera(bpy.context, camera, 64, 64).view
    posed = posed_view(camera.matrix_world, 35, 36, (0.5, 400), (64, 64), own.name)
    np.testing.assert_allclose(posed.view_matrix, own.view_matrix, atol=1e-5)
    np.testing.assert_allclose(posed.projection_matrix, own.projection_matrix, atol=1e-5)
