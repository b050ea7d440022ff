"""A capture leaves the .blend as it was: every property, every datablock, every handler."""

# Blender's stubs call optional what these scenes have, and know too few of its conversions.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bmesh
import bpy
import numpy as np
import pytest
from maquette_wire.errors import MaquetteError

from blender_addon.capture import capture_camera, capture_viewport, render
from tests.blender_addon.capture import scenes, state
from tests.blender_addon.capture.viewports import needs_window, user, viewport, window

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
    scene.eevee.taa_samples = 1  # quick where a viewport draws with it
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


def _local_view(names: list[str]) -> None:
    selected = list(bpy.context.view_layer.objects.selected)
    for thing in bpy.context.scene.objects:
        thing.select_set(thing.name in names)
    with user():
        bpy.ops.view3d.localview(frame_selected=False)
    for thing in bpy.context.scene.objects:
        thing.select_set(thing in selected)


def everything() -> bpy.types.Object:
    """A scene that uses what a capture might disturb; returns the camera to capture.

    A compositor, a view transform with curves, hidden and excluded collections, local view, a
    marker that binds another camera, frame 57, and Cycles with settings of its own, all at once.
    """
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
    _local_view(["Wall", "Selected"])
    _compositor(scene)
    _sequencer(scene)
    _render_settings(scene)
    return camera


def _unchanged(action: Callable[[], Any], layer: bpy.types.ViewLayer | None = None) -> Any:
    """layer: that the action is about, of which what has been set is known first."""
    (layer or bpy.context.view_layer).update()
    before = state.dump()
    result = action()
    changed = state.difference(before, state.dump())
    assert len(before) > 3000
    assert changed == {}
    return result


def test_a_capture_changes_nothing():
    camera = everything()
    assert bpy.context.scene.frame_current == 57 and bpy.context.scene.camera.name == "Far"
    assert viewport()[0].spaces.active.local_view
    capture = _unchanged(lambda: capture_camera(bpy.context, camera, *SIZE))
    assert np.asarray(capture.depth).min() == pytest.approx(9.5, rel=1e-3)


@needs_window
@pytest.mark.parametrize("shading", ["WIREFRAME", "SOLID", "RENDERED"])
def test_a_capture_of_a_viewport_changes_nothing(shading: str):
    everything()
    area, _ = viewport()
    space: Any = area.spaces.active
    space.shading.type = shading
    space.shading.show_xray = space.shading.show_xray_wireframe = True
    layer = window().view_layer
    capture = _unchanged(lambda: capture_viewport(window(), area, *SIZE), layer)
    assert np.isfinite(np.asarray(capture.depth)).any()


def _ways() -> dict[str, Callable[[], Any]]:
    """Every way to capture that this Blender has."""
    camera = bpy.data.objects["Near"]
    ways = {"camera": lambda: capture_camera(bpy.context, camera, *SIZE)}
    if not bpy.app.background:
        ways["viewport"] = lambda: capture_viewport(window(), viewport()[0], *SIZE)
    return ways


@pytest.mark.parametrize("way", ["camera", pytest.param("viewport", marks=needs_window)])
def test_undo_after_a_capture_takes_back_what_the_user_did_last(way: str):
    everything()

    def place() -> tuple[float, ...]:
        return tuple(bpy.data.objects["Selected"].location)

    with user():
        bpy.ops.ed.undo_push(message="Before")
        bpy.data.objects["Selected"].location = (7, 8, 9)
        bpy.ops.ed.undo_push(message="Move")
        _ways()[way]()
        assert place() == (7, 8, 9)
        bpy.ops.ed.undo()
        assert place() == (0, 0, 0)
        _ways()[way]()
        bpy.ops.ed.redo()
        assert place() == (7, 8, 9)
    assert (len(bpy.data.scenes), len(bpy.data.cameras)) == (1, 2)


@needs_window  # without one, no file counts as saved
@pytest.mark.parametrize("way", ["camera", "viewport"])
def test_a_saved_file_stays_saved(way: str, tmp_path: Path):
    everything()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    assert not bpy.data.is_dirty
    _ways()[way]()
    assert not bpy.data.is_dirty


def test_a_mesh_in_edit_mode_is_captured_as_it_is_and_stays_in_edit_mode():
    box = scenes.box((0, 10, 0), (50, 1, 50))
    camera = scenes.camera((0, 0, 0), (0, 1, 0))
    bpy.context.view_layer.objects.active = box
    with user():
        bpy.ops.object.mode_set(mode="EDIT")
        mesh = bmesh.from_edit_mesh(box.data)
        bmesh.ops.translate(mesh, verts=mesh.verts, vec=(0, 5, 0))
        bmesh.update_edit_mesh(box.data)
        depth = np.asarray(capture_camera(bpy.context, camera, *SIZE).depth)
        assert depth == pytest.approx(14.5, rel=1e-4)
        assert bpy.context.mode == "EDIT_MESH"
        bpy.ops.object.mode_set(mode="OBJECT")
    assert box.data.vertices[0].co.y == pytest.approx(14.5)


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
def test_the_users_last_render_stays_in_its_image(tmp_path: Path):
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
