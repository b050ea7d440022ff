"""Captures of a viewport, in a real window: what it shows, and agreement with camera captures.

Run with ``blender-window -P tests/blender_addon/capture/in_window.py -- PYTEST-ARGUMENTS``.
"""

# Blender's stubs call optional what these scenes have, and know too few of its conversions.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

import math
from typing import Any

import bmesh
import bpy
import numpy as np
import pytest
from maquette_wire.errors import MaquetteError
from maquette_wire.view import View
from mathutils import Euler

from blender_addon.capture import capture_camera, capture_viewport, offscreen
from blender_addon.capture.shading import LIT_BY_CLIP_RANGE
from tests.blender_addon.capture import scenes, truth
from tests.blender_addon.capture.viewports import draw, needs_window, user, viewport, window


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
    capture = capture_viewport(window(), area, 96, 72)
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


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    drawn: list[Any] = []
    draw = offscreen.Canvas.draw

    def counted(canvas: offscreen.Canvas, view: View, projection: Any):
        drawn.append(projection)
        return draw(canvas, view, projection)

    monkeypatch.setattr(offscreen.Canvas, "draw", counted)
    return drawn


@needs_window
@pytest.mark.parametrize("perspective", ["PERSP", "ORTHO", "CAMERA"])
@pytest.mark.parametrize("glass", [False, True])
def test_one_or_two_drawings_are_exact(
    perspective: str, glass: bool, monkeypatch: pytest.MonkeyPatch
):
    scenes.town()
    area, _region = viewport()
    space: Any = area.spaces.active
    space.camera = scenes.town_camera("wide")
    space.region_3d.view_perspective = perspective
    space.clip_start, space.clip_end = 0.01, 5000
    space.shading.type, space.shading.color_type = "SOLID", "MATERIAL"
    if glass:  # it is drawn without depth, and counts as solid all the same
        material: Any = bpy.data.materials.new("Glass")
        material.diffuse_color[3] = 0.3
        for thing in bpy.data.objects:
            if thing.type == "MESH":
                thing.data.materials.clear()
                thing.data.materials.append(material)
    drawn = _counted(monkeypatch)
    capture = capture_viewport(window(), area, 96, 72)
    corners = truth.triangles(bpy.context.evaluated_depsgraph_get())
    truth.assert_exact(capture.view, np.asarray(capture.depth), corners)
    if not glass:
        assert len(drawn) <= 2
        assert np.asarray(capture.color).std() > 5


@needs_window
def test_a_mesh_in_edit_mode_is_captured_as_it_is(monkeypatch: pytest.MonkeyPatch):
    box = scenes.box((0, 400, 0), (80, 1, 80))
    box.modifiers.new("Mirror", "MIRROR").use_axis = False, False, True
    bpy.context.view_layer.objects.active = box
    area, _region = viewport()
    space: Any = area.spaces.active
    space.region_3d.view_perspective, space.clip_start = "CAMERA", 0.01
    space.camera = scenes.camera((0, 0, 0), (0, 1, 0), clip_start=0.01)
    drawn = _counted(monkeypatch)
    with user():
        bpy.ops.object.mode_set(mode="EDIT")
        mesh = bmesh.from_edit_mesh(box.data)
        bmesh.ops.translate(mesh, verts=mesh.verts, vec=(0, -390, 0))
        bmesh.update_edit_mesh(box.data)
        depth = np.asarray(capture_viewport(window(), area, 96, 72).depth)
        bpy.ops.object.mode_set(mode="OBJECT")
    assert depth[36, 48] == pytest.approx(9.5, rel=1e-4)
    assert len(drawn) == (2 if LIT_BY_CLIP_RANGE else 1)


@needs_window
def test_local_collections_show_what_the_scene_hides():
    scenes.box((0, 100, 0), (500, 1, 500), "Wall")
    hidden = bpy.data.collections.new("Hidden")
    bpy.context.scene.collection.children.link(hidden)
    near = scenes.box((0, 10, 0), (2, 1, 2), "Near")
    bpy.context.scene.collection.objects.unlink(near)
    hidden.objects.link(near)
    layer = bpy.context.view_layer.layer_collection.children["Hidden"]
    area, _region = viewport()
    space: Any = area.spaces.active
    space.use_local_collections = True
    layer.hide_viewport = True
    space.region_3d.view_perspective, space.clip_start = "CAMERA", 0.01
    space.camera = scenes.camera((0, 0, 0), (0, 1, 0), clip_start=0.01)
    bpy.context.view_layer.update()
    capture = capture_viewport(window(), area, 96, 72)
    space.use_local_collections = False
    depth = np.asarray(capture.depth)
    assert depth[36, 48] == pytest.approx(9.5, rel=1e-4)


@needs_window
def test_local_view_and_hiding_decide_what_is_seen():
    scenes.box((0, 0, 0), (2, 2, 2), "Kept").select_set(True)
    scenes.box((0, 0, 0), (900, 900, 900), "Around").hide_set(True)
    other = scenes.box((0, 0, 4), (2, 2, 2), "Other")
    area, _ = viewport()
    space: Any = area.spaces.active
    space.clip_end = 5000
    both = np.isfinite(np.asarray(capture_viewport(window(), area, 96, 72).depth)).sum()
    with user():
        bpy.ops.view3d.localview(frame_selected=False)
    assert not other.visible_in_viewport_get(space)
    one = np.isfinite(np.asarray(capture_viewport(window(), area, 96, 72).depth)).sum()
    assert 0 < one < both < 96 * 72


@needs_window
def test_each_part_of_a_quad_view_is_captured_as_it_is():
    scenes.town()
    area, _ = viewport()
    with user():
        bpy.ops.screen.region_quadview()
    parts = [region for region in area.regions if region.type == "WINDOW"]
    assert len(parts) == 4
    corners = truth.triangles(bpy.context.evaluated_depsgraph_get())
    views = set()
    for region in parts:
        capture = capture_viewport(window(), area, 96, 72, region)
        truth.assert_exact(capture.view, np.asarray(capture.depth), corners)
        views.add(capture.view)
    assert {view.kind for view in views} == {"perspective", "orthographic"} and len(views) == 4
    # Where nobody says which, it is the free view and not one of its sides.
    assert capture_viewport(window(), area, 96, 72).view.kind == "perspective"


@needs_window
def test_an_orthographic_viewport_shows_what_is_behind_its_eye():
    for index in range(5):
        scenes.box((6 * index - 12, 100 * index - 200, 0), (4, 4, 4), f"Box {index}")
    area, _ = viewport()
    space: Any = area.spaces.active
    space.clip_end = 1000
    space.region_3d.view_perspective = "ORTHO"
    space.region_3d.view_rotation = Euler((math.pi / 2, 0, 0)).to_quaternion()
    space.region_3d.view_location, space.region_3d.view_distance = (0, 0, 0), 30
    capture = capture_viewport(window(), area, 96, 72)
    depth = np.asarray(capture.depth)
    seen = np.unique(depth[np.isfinite(depth)].round(2))
    assert (seen > 0).all() and np.diff(seen) == pytest.approx([100] * 4, abs=0.02)
    corners = truth.triangles(bpy.context.evaluated_depsgraph_get())
    truth.assert_exact(capture.view, depth, corners)


@needs_window
@pytest.mark.parametrize("perspective", ["PERSP", "ORTHO"])
def test_a_clipping_region_clips(perspective: str):
    scenes.box((0, 0, 0), (500, 1, 500), "Wall")
    area, region = viewport()
    space: Any = area.spaces.active
    space.region_3d.view_perspective = perspective
    space.region_3d.view_rotation = Euler((math.pi / 2, 0, 0)).to_quaternion()
    bpy.context.view_layer.update()
    space.region_3d.update()
    width, height = region.width // 8 * 8, region.height // 8 * 8
    whole = np.asarray(capture_viewport(window(), area, width, height).depth)
    assert np.isfinite(whole).all()
    right, top = region.width // 2, region.height // 4
    with user():
        bpy.ops.view3d.clip_border(xmin=0, xmax=right, ymin=0, ymax=top)
    cut = np.asarray(capture_viewport(window(), area, width, height).depth)
    lower_left = np.isfinite(cut)
    # Blender 4.3 may cut the row that the border's own edge is on.
    assert lower_left[-top + 8 : -1, : right - 8].all()
    assert not lower_left[: -top - 8].any() and not lower_left[:, right + 8 :].any()
    np.testing.assert_allclose(cut[lower_left], whole[lower_left], rtol=1e-3)


@needs_window
@pytest.mark.parametrize("perspective", ["PERSP", "ORTHO"])
def test_an_empty_viewport_is_sky_and_a_wall_is_flat(perspective: str):
    area, _ = viewport()
    space: Any = area.spaces.active
    space.region_3d.view_perspective = perspective
    space.region_3d.view_rotation = Euler((math.pi / 2, 0, 0)).to_quaternion()
    sky = capture_viewport(window(), area, 96, 72)
    assert np.isinf(np.asarray(sky.depth)).all()
    assert np.ptp(np.asarray(sky.color)) < 64
    scenes.box((0, 0, 0), (500, 1, 500), "Wall")
    wall = np.asarray(capture_viewport(window(), area, 96, 72).depth)
    assert np.ptp(wall) < 1e-3 * wall.min() and np.isfinite(wall).all()


@needs_window
def test_a_camera_view_has_neither_frame_nor_passepartout_nor_reference_pictures():
    scenes.town()
    camera: Any = scenes.town_camera("shift").data
    area, _ = viewport()
    space: Any = area.spaces.active
    space.region_3d.view_perspective = "CAMERA"
    space.region_3d.view_camera_zoom = 5
    camera.show_passepartout = False
    plain = np.asarray(capture_viewport(window(), area, 96, 72).color)
    camera.show_passepartout, camera.passepartout_alpha = True, 1.0
    camera.show_composition_thirds = camera.show_name = True
    picture = bpy.data.images.new("Reference", 8, 8)
    picture.generated_color = (1, 0, 0, 1)
    camera.show_background_images = True
    reference = camera.background_images.new()
    reference.image, reference.alpha, reference.display_depth = picture, 1.0, "FRONT"
    seen = np.asarray(capture_viewport(window(), area, 96, 72).color)
    np.testing.assert_array_equal(seen, plain)


@needs_window
def test_a_render_region_does_not_cut_the_picture():
    scenes.town()
    area, _ = viewport()
    space: Any = area.spaces.active
    before = capture_viewport(window(), area, 96, 72)
    space.use_render_border = True
    space.render_border_min_x = space.render_border_min_y = 0.4
    space.render_border_max_x = space.render_border_max_y = 0.6
    after = capture_viewport(window(), area, 96, 72)
    np.testing.assert_array_equal(np.asarray(after.color), np.asarray(before.color))
    np.testing.assert_array_equal(np.asarray(after.depth), np.asarray(before.depth))


EEVEE = "BLENDER_EEVEE" if bpy.app.version >= (5, 0) else "BLENDER_EEVEE_NEXT"


@needs_window
@pytest.mark.parametrize(
    ("shading", "engine", "lit"),
    [
        ("SOLID", "BLENDER_WORKBENCH", False),
        ("MATERIAL", EEVEE, False),
        ("RENDERED", EEVEE, True),
        ("RENDERED", "CYCLES", True),
        ("RENDERED", "BLENDER_WORKBENCH", False),
    ],
)
def test_a_viewport_is_captured_in_its_own_shading(shading: str, engine: str, lit: bool):
    """A red wall; what is lit by the scene alone is as dark as the scene."""
    wall = scenes.box((0, 0, 0), (500, 1, 500), "Wall")
    red = scenes.material("Red", (1, 0, 0, 1))
    red.use_nodes = True
    red.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (1, 0, 0, 1)
    wall.data.materials.append(red)
    scene = bpy.context.scene
    scene.render.engine = engine
    scene.eevee.taa_samples = 1  # a software OpenGL takes a second for each
    scene.display.shading.color_type = "MATERIAL"
    area, _ = viewport()
    space: Any = area.spaces.active
    space.shading.type, space.shading.color_type = shading, "MATERIAL"
    space.region_3d.view_rotation = Euler((math.pi / 2, 0, 0)).to_quaternion()
    capture = capture_viewport(window(), area, 64, 48)
    if shading == "MATERIAL" and bpy.app.version < (5, 0):
        # It draws grey until a material's shader is there; a user sees the colour by then.
        capture = capture_viewport(window(), area, 64, 48)
    color = np.asarray(capture.color).reshape(-1, 3).mean(0)
    if lit:
        assert color.max() < 8
        lamp = scenes.link("Sun", bpy.data.lights.new("Sun", "SUN"))
        lamp.data.energy, lamp.rotation_euler = 5, (math.pi / 2, 0, 0)
        color = np.asarray(capture_viewport(window(), area, 64, 48).color).reshape(-1, 3).mean(0)
    assert color[0] > 100 and color[0] > 1.7 * color[1:].max(), color
    depth = np.asarray(capture.depth)
    assert np.isfinite(depth).all() and np.ptp(depth) < 1e-3 * depth.min()
    assert space.shading.type == shading and scene.render.engine == engine


@needs_window
def test_another_editor_is_no_viewport():
    screen = bpy.context.window_manager.windows[0].screen
    area = next(area for area in screen.areas if area.type != "VIEW_3D")
    with pytest.raises(MaquetteError, match="no 3D viewport"):
        capture_viewport(window(), area, 96, 72)


@pytest.mark.skipif(not bpy.app.background, reason="is about Blender without a window")
def test_without_a_window_there_is_no_viewport():
    area = next(area for area in bpy.data.screens["Layout"].areas if area.type == "VIEW_3D")
    with pytest.raises(MaquetteError, match="Capture a camera instead"):
        capture_viewport(window(), area, 96, 72)
