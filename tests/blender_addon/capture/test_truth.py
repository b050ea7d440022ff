"""The truth that captures are held against takes half a pixel, and no more."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from maquette_wire.view import View

from blender_addon.capture.view import camera_pose, camera_view
from tests.blender_addon.capture import scenes, truth


@pytest.fixture
def step() -> tuple[View, np.ndarray]:
    """A wall at 9.5 m before one at 19.5 m; its edge is 0.3 pixels right of the middle of 400.

    The nearest centres of pixels are then 0.8 to its left and 0.2 to its right.
    """
    edge = 0.3 * 9.5 / (400 * 50 / 36)
    scenes.box((edge - 5, 10, 0), (10, 1, 100), "Near")
    scenes.box((0, 20, 0), (40, 1, 100), "Far")
    camera = scenes.camera((0, 0, 0), (0, 1, 0), lens=50, sensor_width=36)
    depsgraph = bpy.context.evaluated_depsgraph_get()
    view = camera_view(camera, camera_pose(camera, depsgraph), depsgraph, 400, 8)
    return view, truth.triangles(depsgraph)


def _assert_takes(step: tuple[View, np.ndarray], pixels: float) -> None:
    """Hold a picture that is off by so many pixels against the truth."""
    view, corners = step
    shifted, _ = truth._cast(view, corners, np.arange(400) + 0.5 + pixels, np.arange(8) + 0.5)
    assert not truth.close(shifted, truth.depth(view, corners)).all()
    truth.assert_exact(view, shifted, corners)


def test_an_edge_less_than_half_a_pixel_off_is_taken(step: tuple[View, np.ndarray]):
    _assert_takes(step, -0.45)


@pytest.mark.parametrize("pixels", [0.9, -1.3])
def test_an_edge_over_half_a_pixel_off_is_not(step: tuple[View, np.ndarray], pixels: float):
    with pytest.raises(AssertionError, match="within half a pixel"):
        _assert_takes(step, pixels)


def test_a_depth_between_two_surfaces_is_on_neither(step: tuple[View, np.ndarray]):
    view, corners = step
    depth = truth.depth(view, corners)
    depth[:, 200] = 14.0
    with pytest.raises(AssertionError, match="within half a pixel"):
        truth.assert_exact(view, depth, corners)
