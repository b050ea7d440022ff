"""How far a picture reaches is known before it is drawn, and nothing is cut away by it."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon.capture import (
    boxes,
    camera_pose,
    camera_size,
    camera_view,
    capture_camera,
    reach,
    render,
)
from blender_addon.capture.shading import LIT_BY_CLIP_RANGE
from tests.blender_addon.capture import scenes, truth
from tests.blender_addon.capture.conftest import SAMPLES

SIZE = 96, 72


def _boxes() -> reach.Boxes | None:
    depsgraph = bpy.context.evaluated_depsgraph_get()
    return boxes._boxes(depsgraph, boxes.SHOWN)


def _view(camera: Any, size: tuple[int, int] = SIZE) -> Any:
    depsgraph = bpy.context.evaluated_depsgraph_get()
    return camera_view(camera, camera_pose(camera, depsgraph), depsgraph, *size)


@pytest.mark.parametrize("kind", scenes.KINDS)
def test_boxes_hold_all_that_is_seen(kind: str):
    scenes.town()
    bpy.data.objects.remove(bpy.data.objects["Blob"])  # boxes of metaballs tell too little
    view = _view(scenes.town_camera(kind))
    depth = truth.depth(view, truth.triangles(bpy.context.evaluated_depsgraph_get()))
    seen = depth[np.isfinite(depth)]
    found = _boxes()
    assert found is not None
    near, far = reach.needed_range(view, found)
    assert near < seen.min() and seen.max() < far
    if view.kind == "perspective":  # though the camera stands over the ground's box
        assert near > 0.5 * seen.min()


@pytest.mark.skipif(LIT_BY_CLIP_RANGE, reason="colour takes a drawing of its own there")
@pytest.mark.parametrize("scene", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_a_perspective_camera_of_a_sample_needs_one_drawing(
    scene: Path, monkeypatch: pytest.MonkeyPatch
):
    bpy.ops.wm.open_mainfile(filepath=str(scene), load_ui=False, use_scripts=False)
    drawn = _counted(monkeypatch)
    camera = next(
        thing
        for thing in bpy.context.scene.objects
        if thing.type == "CAMERA" and thing.data.type == "PERSP"
    )
    camera.data.clip_start = 0.01
    capture_camera(bpy.context, camera, *camera_size(bpy.context.scene, 64))
    assert len(drawn) == 1


def test_a_model_around_the_eye_or_beside_the_picture():
    camera = scenes.camera((0, 0, 0), (0, 1, 0), clip_start=0.01, clip_end=1000)
    scenes.box((0, 500, 0), (1, 1, 1), "Far")
    view = _view(camera)
    assert reach.needed_range(view, _boxes()) == pytest.approx((494.5, 505.5), rel=1e-3)
    scenes.box((0, 0, 0), (90, 90, 90), "Room")
    assert reach.needed_range(view, _boxes())[0] == pytest.approx(0.01)
    assert reach.within(np.array(_boxes())[:1] - [0, 900, 0], view) is None
    assert reach.needed_range(view, None) == pytest.approx((0.01, 1000), rel=0.01)


def _hidden(near: Any) -> None:
    near.hide_set(True)


def _hidden_in_viewports(near: Any) -> None:
    near.hide_viewport = True


def _moved_in_renders(near: Any) -> None:
    near.location.y = 50
    near.modifiers.new("Nearer", "DISPLACE").show_viewport = False
    near.modifiers["Nearer"].direction, near.modifiers["Nearer"].strength = "Y", -50
    near.modifiers["Nearer"].mid_level = 0


def _in_a_collection(near: Any) -> None:
    held = bpy.data.collections.new("Held")
    bpy.context.scene.collection.objects.unlink(near)
    held.objects.link(near)
    near.hide_viewport = True
    instance = scenes.link("Instance", None)
    instance.instance_type, instance.instance_collection = "COLLECTION", held


@pytest.mark.parametrize(
    "hide", [_hidden, _hidden_in_viewports, _moved_in_renders, _in_a_collection]
)
def test_what_only_a_render_shows_is_not_cut_away(hide: Callable[[Any], None]):
    scenes.box((0, 100, 0), (500, 1, 500), "Wall")
    hide(scenes.box((0, 10, 0), (2, 1, 2), "Near"))
    camera = scenes.camera((0, 0, 0), (0, 1, 0), clip_start=0.01)
    depth = np.asarray(capture_camera(bpy.context, camera, *SIZE).depth)
    assert depth[36, 48] == pytest.approx(9.5, rel=1e-4)
    assert depth[0, 0] == pytest.approx(99.5, rel=1e-4)


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    drawn: list[Any] = []
    real = render._render

    def counted(*arguments: Any) -> Any:
        drawn.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(render, "_render", counted)
    return drawn
