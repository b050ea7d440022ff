"""Captures of a camera: exact depth of the evaluated scene, and colour as Solid mode shows it."""

# Blender's stubs call optional what these scenes have, and know too few of its conversions.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

import bpy
import numpy as np
import pytest
from maquette_wire.errors import MaquetteError

from blender_addon.capture import camera_size, capture_camera
from tests.blender_addon.capture import scenes, truth

SIZE = 96, 72


def _depth(camera: bpy.types.Object, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.asarray(capture_camera(bpy.context, camera, *size).depth)


@pytest.mark.parametrize("kind", scenes.KINDS)
def test_depth_is_exact_for_every_projection(kind: str):
    scenes.town()
    camera = scenes.town_camera(kind)
    capture = capture_camera(bpy.context, camera, *SIZE)
    assert (capture.view.width, capture.view.height) == SIZE
    depth = np.asarray(capture.depth)
    assert depth.dtype == np.float32 and depth.shape == (72, 96)
    assert np.isfinite(depth).mean() > 0.3
    corners = truth.triangles(bpy.context.evaluated_depsgraph_get())
    truth.assert_exact(capture.view, depth, corners)


def test_a_portrait_format_with_a_pixel_aspect_keeps_square_pixels():
    scenes.town()
    render = bpy.context.scene.render
    render.resolution_x, render.resolution_y = 600, 1000
    render.pixel_aspect_x, render.pixel_aspect_y = 1.25, 1.0
    camera = scenes.town_camera("shift")
    size = camera_size(bpy.context.scene, 96)
    assert size == (72, 96)
    capture = capture_camera(bpy.context, camera, *size)
    corners = truth.triangles(bpy.context.evaluated_depsgraph_get())
    truth.assert_exact(capture.view, np.asarray(capture.depth), corners)


def test_a_scaled_camera_under_a_scaled_parent_sees_the_same():
    scenes.town()
    plain = scenes.town_camera("wide")
    before = _depth(plain)
    plain.scale = (3, 3, 3)
    np.testing.assert_allclose(_depth(plain), before, rtol=1e-4)


def test_the_top_row_is_the_top():
    scenes.box((0, 10, -5), (100, 1, 10), "Lower half")
    depth = _depth(scenes.camera((0, 0, 0), (0, 1, 0)))
    assert np.isinf(depth[:35]).all()
    assert depth[37:] == pytest.approx(9.5, rel=1e-4)


def test_transparent_materials_count_as_solid():
    pane = scenes.box((0, 10, 0), (50, 1, 50), "Glass")
    glass = scenes.material("Glass", (0.2, 0.5, 0.9, 0.1))
    glass.use_nodes = True
    glass.node_tree.nodes["Principled BSDF"].inputs["Alpha"].default_value = 0.0
    pane.data.materials.append(glass)
    pane.color = (1, 1, 1, 0.0)
    bpy.context.scene.display.shading.show_xray = True
    depth = _depth(scenes.camera((0, 0, 0), (0, 1, 0)))
    assert depth == pytest.approx(9.5, rel=1e-4)


def test_what_is_hidden_from_renders_is_not_seen_and_what_a_viewport_hides_is():
    scenes.box((0, 10, 0), (50, 1, 50), "Front").hide_render = True
    behind = scenes.box((0, 20, 0), (50, 1, 50), "Behind")
    behind.hide_viewport = True
    scenes.box((0, 30, 0), (90, 1, 90), "Last").hide_set(True)
    assert _depth(scenes.camera((0, 0, 0), (0, 1, 0))) == pytest.approx(19.5, rel=1e-4)


def test_only_the_view_layer_in_use_is_seen():
    collection = bpy.data.collections.new("Elsewhere")
    bpy.context.scene.collection.children.link(collection)
    box = scenes.box((0, 10, 0), (50, 1, 50))
    bpy.context.scene.collection.objects.unlink(box)
    collection.objects.link(box)
    bpy.context.scene.view_layers.new("Other")
    bpy.context.view_layer.layer_collection.children["Elsewhere"].exclude = True
    assert np.isinf(_depth(scenes.camera((0, 0, 0), (0, 1, 0)))).all()


def test_a_marker_that_binds_another_camera_doesnt_switch():
    scenes.box((0, 10, 0), (50, 1, 50))
    near = scenes.camera((0, 0, 0), (0, 1, 0), "Near")
    far = scenes.camera((0, -10, 0), (0, 1, 0), "Far", lens=100)
    scene = bpy.context.scene
    scene.timeline_markers.new("Cut", frame=1).camera = far
    scene.camera = far
    assert _depth(near) == pytest.approx(9.5, rel=1e-4)
    assert scene.camera == far


def test_an_animated_camera_is_captured_where_it_is_at_the_frame():
    scenes.box((0, 100, 0), (500, 1, 500))
    camera = scenes.camera((0, 0, 0), (0, 1, 0))
    camera.keyframe_insert("location", frame=1)
    camera.location.y = 56
    camera.keyframe_insert("location", frame=57)
    bpy.context.scene.frame_set(57)
    assert _depth(camera) == pytest.approx(43.5, rel=1e-4)


def test_an_empty_view_is_sky():
    capture = capture_camera(bpy.context, scenes.camera((0, 0, 0), (0, 1, 0)), *SIZE)
    assert np.isinf(np.asarray(capture.depth)).all()


@pytest.mark.parametrize(("side", "fix"), [(1, "too narrow .* Raise Long Side"), (10_000, "8192")])
def test_a_size_that_no_server_takes_is_refused_before_it_is_rendered(side: int, fix: str):
    scenes.box((0, 10, 0), (50, 1, 50))
    with pytest.raises(MaquetteError, match=f"'Camera'.*{fix}"):
        capture_camera(bpy.context, scenes.camera((0, 0, 0), (0, 1, 0)), side, side)


def test_colour_is_that_of_solid_mode_whatever_the_view_transform():
    box = scenes.box((0, 10, 0), (50, 1, 50))
    # 0.2140 linear is sRGB 127.5/255, give or take; 0.0 and 1.0 are themselves.
    box.data.materials.append(scenes.material("Half", (0.2159, 0.0, 1.0, 1.0)))
    scene = bpy.context.scene
    scene.display.shading.light = "FLAT"
    scene.display.shading.color_type = "MATERIAL"
    scene.view_settings.view_transform = "Filmic"
    scene.view_settings.exposure = 2
    capture = capture_camera(bpy.context, scenes.camera((0, 0, 0), (0, 1, 0)), *SIZE)
    color = np.asarray(capture.color)
    assert color.dtype == np.uint8 and color.shape == (72, 96, 3)
    # Blender 4.2 and 4.3 show a channel of 0 as 2.
    tolerance = 2 if bpy.app.version < (4, 4) else 1
    assert np.abs(color.astype(int) - (128, 0, 255)).max() <= tolerance


def test_a_light_is_not_a_camera():
    lamp = scenes.link("Sun", bpy.data.lights.new("Sun", "SUN"))
    with pytest.raises(MaquetteError, match="'Sun' is a light, not a camera"):
        capture_camera(bpy.context, lamp, *SIZE)


def test_a_panoramic_camera_names_the_fix():
    camera = scenes.camera((0, 0, 0), (0, 1, 0), "Dome", type="PANO")
    with pytest.raises(MaquetteError, match=r"'Dome' .* Perspective or Orthographic"):
        capture_camera(bpy.context, camera, *SIZE)
