"""Going on from a picture of the gallery: its camera, its capture, its Recipe from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from maquette_wire import messages
from maquette_wire.capture import captures_of
from maquette_wire.packing import Packet
from maquette_wire.surface import surface_of

from blender_addon.capture import camera_pose, camera_view, capture_camera
from blender_addon.gallery import entries
from blender_addon.results import read_capture
from tests.blender_addon.conftest import arrived, pictures, turn


@pytest.fixture
def picture(session, server, camera):
    """A picture of the box, seen by the camera Street."""
    settings = bpy.context.scene.maquette
    settings.seed, settings.seed_locked = 12, True
    bpy.ops.maquette.restyle()
    turn(session, lambda: arrived(session))
    return pictures()[0]


def submits(server) -> list[Packet]:
    return [p for p in server.packets if isinstance(p.message, messages.Submit)]


def capture_file(picture: Any) -> Path:
    path = entries.place(bpy.context.scene, picture.capture)
    assert path is not None
    return path


def add_camera(name: str, kind: str = "PERSP", **values: float) -> bpy.types.Object:
    data = bpy.data.cameras.new(name)
    data.type = kind
    for setting, value in values.items():
        setattr(data, setting, value)
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    thing.location, thing.rotation_euler = (3, -20, 6), (1.4, 0.05, 0.1)
    bpy.context.view_layer.update()
    return thing


def test_its_camera_is_back_where_it_was_and_the_users_own_stays(session, picture, camera):
    scene = bpy.context.scene
    camera.location.x += 5.0
    camera.data.lens = 20.0
    bpy.context.view_layer.update()
    wanted = entries.saved_of(scene, picture).view
    assert bpy.ops.maquette.use_camera(picture=picture.name) == {"FINISHED"}
    assert scene.camera != camera and scene.camera.name == "Street – seed 12"
    assert (camera.location.x, camera.data.lens) == (5.0, 20.0)
    depsgraph = bpy.context.evaluated_depsgraph_get()
    pose = camera_pose(scene.camera, depsgraph)
    view = camera_view(scene.camera, pose, depsgraph, wanted.width, wanted.height)
    assert np.allclose(view.view_matrix, wanted.view_matrix, atol=1e-5)
    assert np.allclose(view.projection_matrix, wanted.projection_matrix, atol=1e-5)
    # Once more takes that one, and makes none.
    count = len(bpy.data.cameras)
    bpy.ops.maquette.use_camera(picture=picture.name)
    assert len(bpy.data.cameras) == count


def test_a_camera_that_was_not_moved_is_taken_itself(picture, camera):
    other = add_camera("Other")
    bpy.context.scene.camera = other
    bpy.ops.maquette.use_camera(picture=picture.name)
    assert bpy.context.scene.camera == camera


@pytest.mark.parametrize(
    ("kind", "values"),
    [("PERSP", {"shift_x": 0.1, "shift_y": -0.2, "lens": 28.0}), ("ORTHO", {"ortho_scale": 9.0})],
)
def test_shifted_and_orthographic_cameras_come_back_exactly(session, server, camera, kind, values):
    scene = bpy.context.scene
    scene.camera = add_camera("Oblique", kind, **values)
    bpy.ops.maquette.restyle()
    turn(session, lambda: arrived(session))
    before = capture_camera(bpy.context, scene.camera, 64, 48)
    scene.camera.location.y -= 7.0
    bpy.ops.maquette.use_camera()
    after = capture_camera(bpy.context, scene.camera, 64, 48)
    both = np.isfinite(before.depth) & np.isfinite(after.depth)
    assert both.sum() > 100 and (np.isfinite(before.depth) == both).mean() > 0.999
    assert np.abs(before.depth[both] - after.depth[both]).max() < 1e-3


def test_proportions_are_set_where_that_is_asked_for(picture, camera):
    render = bpy.context.scene.render
    render.resolution_x, render.resolution_y = 1920, 1080
    camera.location.x += 1.0
    bpy.ops.maquette.use_camera(picture=picture.name)
    assert render.resolution_y == 1080, "a setting of the user's"
    bpy.ops.maquette.use_camera(picture=picture.name, proportions=True)
    assert (render.resolution_x, render.resolution_y) == (1920, 1440)


def test_restyled_again_from_what_was_kept_with_the_settings_of_now(
    session, server, picture, settings
):
    kept = read_capture(capture_file(picture))
    bpy.data.objects["Cube"].location.y += 4.0  # the model went on meanwhile
    settings.prompt, settings.seed_locked = "white card model", False
    bpy.ops.maquette.restyle_again(picture=picture.name)
    turn(session, lambda: arrived(session))
    packet = submits(server)[-1]
    (capture,) = captures_of(*packet)
    assert (np.asarray(capture.depth) == np.asarray(kept.depth)).all()
    assert (np.asarray(capture.color) == np.asarray(kept.color)).all()
    assert packet.message.recipe.prompt == "white card model"
    assert str(settings.seed) == pictures()[1].seed != "12"


def test_restyled_again_where_its_capture_is_gone(session, server, picture):
    capture_file(picture).unlink()
    bpy.data.objects["Cube"].location.y += 4.0
    bpy.ops.maquette.restyle_again(picture=picture.name)
    turn(session, lambda: arrived(session))
    (capture,) = captures_of(*submits(server)[-1])
    assert np.asarray(capture.depth)[24, 32] == pytest.approx(17.0, abs=0.05), "captured anew"


def test_a_damaged_capture_is_said(picture):
    path = capture_file(picture)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RuntimeError, match="cut off"):
        bpy.ops.maquette.restyle_again(picture=picture.name)


def test_the_same_from_one_and_from_all_cameras(session, server, picture, settings):
    add_camera("Garden")
    add_camera("Roof")
    settings.prompt = "something else"
    bpy.ops.maquette.send_recipe(picture=picture.name, camera="Garden")
    turn(session, lambda: arrived(session))
    recipe = submits(server)[-1].message.recipe
    assert (recipe.prompt, recipe.seed) == ("red brick library at dusk", 12)
    assert pictures()[-1].title == "Garden – seed 12"
    bpy.ops.maquette.send_recipe(picture=picture.name)
    turn(session, lambda: arrived(session))
    assert [entry.camera for entry in pictures()[2:]] == ["Garden", "Roof", "Street"]
    assert {entry.seed for entry in pictures()} == {"12"}
    assert (settings.prompt, settings.seed) == ("something else", 12)


def test_any_picture_is_projected_with_what_was_kept(session, server, picture):
    bpy.ops.maquette.restyle()
    turn(session, lambda: arrived(session))
    assert bpy.context.scene.maquette.last_result["maquette_picture"] != picture.name
    server.hold = True
    assert bpy.ops.maquette.project(picture=picture.name) == {"FINISHED"}
    turn(session, lambda: len(submits(server)) == 3)
    packet = submits(server)[-1]
    assert packet.message.texture is not None
    (capture,) = captures_of(*packet)
    kept = read_capture(capture_file(picture))
    assert (np.asarray(capture.depth) == np.asarray(kept.depth)).all()
    bpy.ops.maquette.cancel()
    turn(session, lambda: not session.jobs)


def test_the_model_is_textured_to_match_any_picture(session, server, picture, settings):
    """With the picture's words and seed, whatever the panel says by now."""
    settings.prompt = "something else"
    settings.texture_views, settings.texture_side = 2, 64
    server.hold = True
    assert bpy.ops.maquette.texture_from(picture=picture.name) == {"FINISHED"}
    turn(session, lambda: len(submits(server)) == 2)
    packet = submits(server)[-1]
    assert packet.message.recipe.prompt == "red brick library at dusk"
    assert (packet.message.recipe.seed, settings.prompt) == (12, "something else")
    surface, given = surface_of(*packet)
    assert surface is not None and list(given) == [0]
    assert packet.message.views[0].name == "Street" and len(packet.message.views) > 1
    assert (np.asarray(given[0]) == 100).all(), "the picture's own pixels"
    bpy.ops.maquette.cancel()
    turn(session, lambda: not session.jobs)


def test_without_a_picture_the_buttons_say_why_they_are_grey():
    for name in ("use_camera", "restyle_again", "send_recipe", "star_picture", "delete_picture"):
        assert not getattr(bpy.ops.maquette, name).poll()
    with pytest.raises(RuntimeError, match="no picture in this scene's gallery yet"):
        bpy.ops.maquette.use_camera()
    with pytest.raises(RuntimeError, match="Ctrl-click another picture"):
        bpy.ops.maquette.compare()
