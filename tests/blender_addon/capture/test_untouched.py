"""A capture leaves the .blend as it was: every property, every datablock, every handler."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest
from maquette_wire.errors import MaquetteError

from blender_addon.capture import capture_camera, render
from tests.blender_addon.capture import scenes, state

SIZE = 64, 48


def _compositor(scene: bpy.types.Scene) -> None:
    if hasattr(scene, "compositing_node_group"):  # Blender 5.0
        tree = bpy.data.node_groups.new("Compositing", "CompositorNodeTree")
        scene.compositing_node_group = tree
    else:
        scene.use_nodes = True
        tree = scene.node_tree
    tree.nodes.new("CompositorNodeBlur").location = (200, 40)
    tree.nodes.new("CompositorNodeViewer")
    tree.nodes.new("CompositorNodeRLayers")


def _sequencer(scene: bpy.types.Scene) -> None:
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    options: dict[str, Any] = {"frame_start": 1}
    if bpy.app.version >= (5, 0):
        options["length"] = 50
    else:
        options["frame_end"] = 51
    strips.new_effect(name="Card", type="COLOR", channel=1, **options)


def _render_settings(scene: bpy.types.Scene) -> None:
    render = scene.render
    render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 777, False
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "GAUSSIAN", 2.5
    render.resolution_x, render.resolution_y, render.resolution_percentage = 1234, 567, 37
    render.pixel_aspect_x = 1.2
    render.use_border, render.border_max_x, render.use_crop_to_border = True, 0.4, True
    render.use_stamp, render.stamp_note_text = True, "draft"
    render.use_freestyle = render.use_motion_blur = render.use_multiview = True
    render.film_transparent = True
    render.use_persistent_data = True
    render.filepath = "//out/frame_"
    render.image_settings.file_format = "JPEG"
    render.image_settings.quality = 33
    scene.view_settings.view_transform = "Filmic"
    scene.view_settings.look = "High Contrast"
    scene.view_settings.exposure, scene.view_settings.gamma = 1.5, 0.8
    scene.view_settings.use_curve_mapping = True
    scene.display.shading.light = "MATCAP"
    scene.display.shading.show_xray = True
    scene.display.render_aa = "FXAA"


def everything() -> bpy.types.Object:
    """A scene that uses what a capture might disturb; returns the camera to capture."""
    scene = bpy.context.scene
    scenes.box((0, 10, 0), (50, 1, 50), "Wall").data.materials.append(
        scenes.material("Paint", (0.5, 0.2, 0.1, 1))
    )
    camera = scenes.camera((0, 0, 0), (0, 1, 0), "Near")
    far = scenes.camera((0, -10, 0), (0, 1, 0), "Far", lens=100)
    camera.keyframe_insert("location", frame=1)
    camera.location.x = 3
    camera.keyframe_insert("location", frame=100)
    scene.timeline_markers.new("Cut", frame=50).camera = far
    scene.timeline_markers.new("Note", frame=80)
    scene.frame_set(57, subframe=0.25)
    scene["note"], scene.world = 5.0, bpy.data.worlds.new("Dusk")
    scene.keyframe_insert('["note"]', frame=1)
    hidden = bpy.data.collections.new("Hidden")
    scene.collection.children.link(hidden)
    layer = bpy.context.view_layer.layer_collection.children["Hidden"]
    layer.hide_viewport = True
    hidden.hide_render = True
    excluded = bpy.data.collections.new("Excluded")
    scene.collection.children.link(excluded)
    bpy.context.view_layer.layer_collection.children["Excluded"].exclude = True
    other = scene.view_layers.new("Other")
    other.use_pass_normal, other.use = True, False
    bpy.context.view_layer.use_pass_mist = True
    scenes.box((4, 3, 0), (1, 1, 1), "Selected").select_set(True)
    scenes.box((6, 3, 0), (1, 1, 1), "Tucked away").hide_set(True)
    bpy.context.view_layer.objects.active = bpy.data.objects["Wall"]
    # Moved after its key was set: what a frame change would throw away.
    bpy.context.view_layer.update()
    camera.location.z = 0.5
    _compositor(scene)
    _sequencer(scene)
    _render_settings(scene)
    return camera


def _unchanged(action: Callable[[], Any]) -> Any:
    bpy.context.view_layer.update()
    before = state.dump()
    result = action()
    changed = state.difference(before, state.dump())
    assert len(before) > 3000
    assert changed == {}
    return result


def test_a_capture_changes_nothing():
    camera = everything()
    capture = _unchanged(lambda: capture_camera(bpy.context, camera, *SIZE))
    assert np.asarray(capture.depth).min() == pytest.approx(9.5, rel=1e-3)


def test_the_captured_camera_is_where_the_user_put_it_not_where_its_key_was():
    camera = everything()
    capture = capture_camera(bpy.context, camera, *SIZE)
    matrix = np.linalg.inv(np.reshape(capture.view.view_matrix, (4, 4)))
    assert matrix[2, 3] == pytest.approx(0.5, abs=1e-6)


def test_a_second_capture_changes_nothing_either():
    camera = everything()
    capture_camera(bpy.context, camera, *SIZE)
    _unchanged(lambda: capture_camera(bpy.context, camera, *SIZE))


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, MemoryError])
@pytest.mark.parametrize("renders", [0, 1, 2])
def test_a_capture_that_breaks_off_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException], renders: int
):
    camera = everything()
    real = render._render
    done = []

    def break_off(*arguments: Any) -> Any:
        if len(done) == renders:
            raise error("stop")
        done.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(render, "_render", break_off)

    def attempt() -> None:
        with pytest.raises(error):
            capture_camera(bpy.context, camera, *SIZE)

    _unchanged(attempt)


def test_a_disk_that_is_full_is_one_sentence_and_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    camera = everything()

    def full(path: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(render.exr, "read_channels", full)

    def attempt() -> None:
        with pytest.raises(MaquetteError, match=r"No space left on device.* disk has room"):
            capture_camera(bpy.context, camera, *SIZE)

    _unchanged(attempt)


def test_no_handler_of_another_add_on_takes_it_for_a_render():
    camera = everything()
    heard: list[str] = []
    names = ("render_init", "render_pre", "render_post", "render_complete", "frame_change_post")
    for name in names:
        getattr(bpy.app.handlers, name).append(lambda *_, name=name: heard.append(name))
    _unchanged(lambda: capture_camera(bpy.context, camera, *SIZE))
    assert heard == []


@pytest.mark.skipif(sys.platform == "win32", reason="an open file can't be replaced there")
def test_the_users_last_render_stays_in_its_image(tmp_path):
    camera = everything()
    scene = bpy.context.scene
    scene.render.use_multiview = scene.render.use_border = scene.render.use_freestyle = False
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_percentage = 5
    bpy.ops.render.render()
    image = next(image for image in bpy.data.images if image.type == "RENDER_RESULT")

    def saved() -> bytes:
        image.save_render(str(tmp_path / "render.png"), scene=scene)
        return (tmp_path / "render.png").read_bytes()

    before = saved()
    _unchanged(lambda: capture_camera(bpy.context, camera, *SIZE))
    assert saved() == before
