"""The preview of what a texture's views see: before anything is painted, and nothing is changed."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

import bpy
import numpy as np
import pytest
from maquette_wire.messages import Submit

from blender_addon.capture import capture_view
from blender_addon.operators.coverage import asked
from blender_addon.overlay import coverage
from blender_addon.overlay.coverage import MISSED, SEEN, patches, pyramid
from tests.blender_addon.capture import scenes, state
from tests.blender_addon.conftest import arrived, turn


def test_the_preview_says_what_the_texture_then_says(session, server, house):
    state.dump()  # the first one makes Blender note a few things
    before = state.dump()
    assert bpy.ops.maquette.preview_views() == {"FINISHED"}
    assert state.difference(before, state.dump()) == {}
    preview = coverage.shown_in(house)
    assert len(preview.views) == 3 and not session.jobs and server.count(Submit) == 0
    assert preview.plan.seen[-1] == pytest.approx(sum(preview.gains))
    assert preview.asked == asked(bpy.context)
    house.maquette.texture_views = 2
    assert preview.asked != asked(bpy.context), "out of date"
    house.maquette.texture_views = 3
    assert bpy.ops.maquette.texture() == {"FINISHED"}
    assert coverage.shown is None, "gone once it is painted"
    said = f"{preview.plan.seen[-1]:.0%} of the surface is seen by 3 views under 75 degrees, of "
    assert any(notice.text.startswith(said) for notice in session.notices)
    (job,) = session.jobs.values()
    assert [view.view_matrix for view in job.views] == [v.view_matrix for v in preview.views]
    turn(session, lambda: arrived(session))


def test_the_preview_is_of_the_selection_and_goes_with_the_file(session, server, house):
    bpy.data.objects["Annex"].select_set(True)
    assert bpy.ops.maquette.preview_views() == {"FINISHED"}
    sampled = coverage.shown.plan.sampled
    assert sampled.points[:, 0].min() > 14, "the annex alone"
    assert bpy.ops.maquette.hide_preview() == {"FINISHED"} and coverage.shown is None
    bpy.ops.maquette.preview_views()
    bpy.ops.wm.read_homefile(use_empty=True)
    assert coverage.shown is None


def test_what_cannot_be_previewed_is_said(session, server, house):
    bpy.ops.object.text_add()
    with pytest.raises(RuntimeError, match="Convert curves"):
        bpy.ops.maquette.preview_views()
    assert coverage.shown is None


def test_patches_lie_where_a_view_sees_them():
    """A patch that is drawn as seen is one that a capture of the planned views shows."""
    scenes.box((0, 0, 5), (10, 10, 10), "House")
    scenes.box((11, 0, 5), (10, 10, 10), "Annex")
    bpy.context.view_layer.update()
    bpy.context.scene.maquette.texture_views = 3
    assert bpy.ops.maquette.preview_views() == {"FINISHED"}
    preview = coverage.shown
    sampled = preview.plan.sampled
    squares = patches(sampled, sampled.seen, 0.0)
    assert np.isfinite(squares).all() and len(squares) == 2 * sampled.seen.sum()
    area = (
        np.linalg.norm(
            np.cross(squares[:, 1] - squares[:, 0], squares[:, 2] - squares[:, 0]), axis=1
        ).sum()
        / 2
    )
    share = area / (sampled.area * sampled.seen.sum())
    assert share == pytest.approx(coverage.PATCH**2, rel=1e-3)
    shown = np.zeros(sampled.seen.sum(), bool)
    for view in preview.views:
        depth = np.asarray(capture_view(bpy.context, view).depth)
        seen = sampled.points[sampled.seen] @ np.reshape(view.view_matrix, (4, 4))[:3, :3].T
        seen += np.reshape(view.view_matrix, (4, 4))[:3, 3]
        clip = np.insert(seen, 3, 1.0, 1) @ np.reshape(view.projection_matrix, (4, 4)).T
        x, y = ((clip[:, :2] / clip[:, 3:] * (0.5, -0.5) + 0.5) * depth.shape[::-1]).T
        inside = (x >= 0) & (x < depth.shape[1]) & (y >= 0) & (y < depth.shape[0])
        here = depth[y[inside].astype(int), x[inside].astype(int)]
        shown[inside] |= np.abs(here + seen[inside, 2]) < 0.05 * -seen[inside, 2]
    assert shown.mean() > 0.98
    assert SEEN != MISSED
    coverage.hide()


@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
def test_a_pyramid_has_the_edges_of_what_its_view_frames(kind: str):
    camera = scenes.camera((3, -20, 4), (0, 1, 0), type=kind)
    camera.data.shift_x = 0.2
    bpy.context.view_layer.update()
    from blender_addon.capture import camera_pose, camera_view

    depsgraph = bpy.context.evaluated_depsgraph_get()
    view = camera_view(camera, camera_pose(camera, depsgraph), depsgraph, 96, 64)
    ends = pyramid(view, 5.0).astype(np.float64)
    at = np.insert(ends, 3, 1.0, 1) @ np.reshape(view.view_matrix, (4, 4)).T
    clip = at @ np.reshape(view.projection_matrix, (4, 4)).T
    far = at[:, 2] < -4.9
    assert far.sum() == 12
    assert np.allclose(np.abs(clip[far, :2] / clip[far, 3:]), 1.0, atol=1e-4)
