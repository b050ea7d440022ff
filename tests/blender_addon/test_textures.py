"""Textures in the add-on: from the operator to a layer that changes nothing of the user's."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from maquette_wire import container
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Submit
from maquette_wire.packing import Packet
from maquette_wire.surface import surface_of

from blender_addon import layers, textures
from blender_addon import session as add_on_session
from blender_addon.jobs import State
from tests.blender_addon.capture import state
from tests.blender_addon.conftest import arrived, turn
from tests.blender_addon.textured_scene import (
    evaluated,
    looks,
    textured,
)


def test_the_job_has_views_one_depth_range_and_the_surface(session, server, house):
    server.hold = True
    settings = bpy.context.scene.maquette
    settings.windows, settings.storey_height, settings.bay_width = "tall", 2.8, 2.4
    assert bpy.ops.maquette.texture() == {"FINISHED"}
    turn(session, lambda: server.count(Submit) == 1)
    packet = next(p for p in server.packets if isinstance(p.message, Submit))
    submit = packet.message
    assert len(submit.views) == 3 and submit.recipe.count == 1 and submit.recipe.seed == 5
    assert submit.recipe.facade_words() == {"windows": "tall", "storey": 2.8, "bay": 2.4}
    assert submit.texture.size == 1024 and len(submit.texture.objects) == 2
    # Painted at the size that is asked for, and captured as fine as the texture.
    assert submit.texture.painted == 64 and submit.texture.even
    assert {(view.width, view.height) for view in submit.views} == {(256, 256)}
    surface, given = surface_of(submit, packet.frames)
    assert not given
    uvs = np.asarray(surface.uvs)
    assert uvs.min() >= 0 and uvs.max() <= 1
    corners = np.asarray(surface.corners) + submit.texture.origin
    assert corners.min((0, 1)) == pytest.approx((-5, -5, 0), abs=1e-4)
    assert corners.max((0, 1)) == pytest.approx((25, 5, 10), abs=1e-4)


def test_the_layer_shows_the_texture_and_leaves_all_that_was_there(session, server, house):
    before = {name: looks(name) for name in ("House", "Annex", "Ground")}
    file_before = state.dump()
    layer = textured(session)
    image = layers.image_of(layer)
    assert image is not None and tuple(image.size) == (1024, 1024)
    for name in ("House", "Annex"):
        assert looks(name) == ({"Own"}, {layer.name})
        uvs = np.empty(len(evaluated(name).loops) * 2, np.float32)
        evaluated(name).uv_layers["Own"].uv.foreach_get("vector", uvs)
        assert np.ptp(uvs) > 0.1
    assert looks("Ground") == before["Ground"]
    # The mesh that both share is as it was, with its own UV map, and still shared.
    house_mesh = bpy.data.objects["House"].data
    assert house_mesh == bpy.data.objects["Annex"].data
    assert [m.name for m in house_mesh.materials] == ["Own paint"]
    layers.show(layer, False)
    assert {name: looks(name) for name in before} == before
    layers.remove(layer)
    assert {name: looks(name) for name in before} == before
    left = state.difference(file_before, state.dump())
    # The clone is the same UV map under another name, which the dump reads once.
    kept = [key for key in left if not key.startswith("images") and "uv_layer_clone" not in key]
    assert kept == [], left


def test_uvs_on_the_layer_are_those_of_the_job(session, server, house):
    layer = textured(session)
    folder = layers.folder_of(layer)
    submit, frames = container.read(folder / textures.JOB, kind=Submit)
    surface, _ = surface_of(submit, frames)
    sent = np.asarray(surface.uvs)
    start = 0
    # Objects in the order of the job; a triangle's corners are corners of the evaluated mesh.
    for name, count in zip(textures.fit_of(folder).names, submit.texture.objects, strict=True):
        mesh = evaluated(name)
        mesh.calc_loop_triangles()
        loops = np.empty(count * 3, np.int32)
        mesh.loop_triangles.foreach_get("loops", loops)
        uvs = np.empty(len(mesh.loops) * 2, np.float32)
        mesh.uv_layers["Own"].uv.foreach_get("vector", uvs)
        on_layer = uvs.reshape(-1, 2)[loops].reshape(-1, 3, 2)
        np.testing.assert_allclose(on_layer, sent[start : start + count], atol=1e-6)
        start += count


def test_an_object_that_changed_since_is_shown_as_it_is(session, server, house):
    layer = textured(session)
    bpy.data.objects["Annex"].modifiers["Bevel"].segments = 5
    assert looks("Annex")[1] == {"Own paint"}
    assert looks("House")[1] == {layer.name}


def test_what_is_moved_or_deleted_while_it_is_made(session, server, house):
    server.hold = True
    assert bpy.ops.maquette.texture() == {"FINISHED"}
    turn(session, lambda: bool(server.jobs))
    bpy.data.objects["House"].location.x = 300
    bpy.data.objects.remove(bpy.data.objects["Annex"])
    server.finish(next(iter(server.jobs)))
    turn(session, lambda: arrived(session))
    assert looks("House")[1] == {layers.layers()[-1].name}
    assert "Annex" in session.notices[-1].text


def test_selected_objects_alone(session, server, house):
    bpy.data.objects["Annex"].select_set(True)
    layer = textured(session)
    assert looks("Annex")[1] == {layer.name} and looks("House")[1] == {"Own paint"}
    # Another one over it is seen instead, and both can go.
    bpy.ops.object.select_all(action="DESELECT")
    second = textured(session)
    assert looks("Annex")[1] == {second.name}
    layers.show(second, False)
    assert looks("Annex")[1] == {layer.name}


def test_what_cannot_carry_a_texture_is_named(session, server, house):
    bpy.ops.object.text_add()
    with pytest.raises(RuntimeError, match="Convert curves"):
        bpy.ops.maquette.texture()
    assert not session.jobs and not (Path(bpy.data.filepath).parent / "maquette").exists()
    bpy.ops.object.select_all(action="DESELECT")
    textured(session)
    assert session.notices[0].text.startswith("Not textured: Text. Convert")
    assert not bpy.data.objects["Text"].modifiers


def test_files_beside_the_blend_and_none_of_a_cancelled_job(session, server, house):
    layer = textured(session)
    folder = layers.folder_of(layer)
    assert layers.image_of(layer).filepath.startswith("//maquette/texture-")
    names = {path.name for path in folder.iterdir()}
    assert {"job.maquette", "fit.npz", "texture.png", "view-1.png", "view-3.png"} <= names
    server.hold = True
    bpy.ops.maquette.texture()
    turn(session, lambda: bool(server.jobs))
    assert len(list(folder.parent.iterdir())) == 2
    bpy.ops.maquette.cancel()
    turn(session, lambda: not session.jobs)
    assert list(folder.parent.iterdir()) == [folder]


def test_a_concept_is_laid_on_what_it_shows(session, server, house, camera):
    house.maquette.source = "CAMERA"
    bpy.ops.maquette.restyle()
    turn(session, lambda: arrived(session))
    concept = house.maquette.last_result
    bpy.ops.object.select_all(action="DESELECT")
    assert bpy.ops.maquette.project() == {"FINISHED"}
    turn(session, lambda: arrived(session))
    packet = [p for p in server.packets if isinstance(p.message, Submit)][-1]
    _surface, given = surface_of(packet.message, packet.frames)
    assert len(packet.message.views) == 1 and list(given) == [0]
    assert (np.asarray(given[0]) == 100).all(), "the concept's own pixels"
    house.maquette.texture_from_concept = True
    bpy.ops.maquette.texture()
    turn(session, lambda: arrived(session))
    packet = [p for p in server.packets if isinstance(p.message, Submit)][-1]
    # The concept's view, and others for what it doesn't show.
    assert len(packet.message.views) in (3, 4)
    assert list(surface_of(packet.message, packet.frames)[1]) == [0]
    assert house.maquette.last_result == concept


def test_a_retouched_view_is_baked_again_into_the_same_layer(session, server, house):
    layer = textured(session)
    folder = layers.folder_of(layer)
    edited = bpy.data.images.load(str(folder / "view-2.png"))
    edited.pixels.foreach_set(np.tile(np.float32([1, 0, 0.5, 1]), 256 * 256))
    edited.save()
    bpy.data.images.remove(edited)
    assert bpy.ops.maquette.bake_again(layer=layer.name) == {"FINISHED"}
    turn(session, lambda: arrived(session))
    packet = [p for p in server.packets if isinstance(p.message, Submit)][-1]
    _surface, given = surface_of(packet.message, packet.frames)
    assert sorted(given) == [0, 1, 2]
    assert (np.asarray(given[1]) == (255, 0, 128)).all()
    again = textures.pixels_of(folder / "view-2.png", 256, 256)
    assert (again == (255, 0, 128)).all(), "the user's picture stays"
    assert layers.layers() == [layer]
    assert Path(layers.image_of(layer).filepath).name == "texture-2.png"
    assert (folder / "texture.png").is_file()


def test_a_picture_of_another_size_is_refused_with_the_fix(session, server, house):
    layer = textured(session)
    path = layers.folder_of(layer) / "view-1.png"
    small = bpy.data.images.new("small", 8, 8)
    small.filepath_raw, small.file_format = str(path), "PNG"
    small.save()
    with pytest.raises(RuntimeError, match="Save it at that size"):
        bpy.ops.maquette.bake_again(layer=layer.name)


def test_a_view_s_picture_is_no_texture(session, server, house):
    folder = layers.folder_of(textured(session))
    with pytest.raises(RuntimeError, match="a picture of one view"):
        bpy.ops.maquette.texture_of_file(filepath=str(folder / "view-1.png"))
    assert len(layers.layers()) == 1


def test_a_folder_that_another_blender_makes_at_once_is_left_to_it(session, server, house):
    folder = layers.folder_of(textured(session))
    packet = container.read(folder / textures.JOB, kind=Submit)
    (folder.parent / f"{folder.name}-2").mkdir()
    own = textures.begin([folder.parent], Packet(*packet), textures.fit_of(folder))
    assert own.name == f"{folder.name}-3"
    (own / "notes.txt").write_text("the user's")
    textures.discard(own)
    assert (own / "notes.txt").is_file() and (own / textures.JOB).is_file()
    (own / "notes.txt").unlink()
    textures.discard(own)
    assert not own.exists() and (folder.parent / f"{folder.name}-2").is_dir()


def test_a_fit_that_was_cut_off_is_said(session, server, house):
    folder = layers.folder_of(textured(session))
    fit = folder / textures.FIT
    for data in (b"", fit.read_bytes()[:-40]):
        fit.write_bytes(data)
        with pytest.raises(MaquetteError, match="which objects this texture is for"):
            textures.fit_of(folder)


def test_a_texture_made_when_blender_ended_is_laid_on_in_the_next(session, server, house):
    server.hold = True
    bpy.ops.maquette.texture()
    turn(session, lambda: session.jobs and session.open_jobs[0].state is State.QUEUED)
    path = bpy.data.filepath
    bpy.ops.preferences.addon_disable(module="blender_addon")
    server.hold = False
    bpy.ops.preferences.addon_enable(module="blender_addon")
    again = add_on_session.current()
    bpy.ops.wm.open_mainfile(filepath=path)
    bpy.ops.maquette.connect()
    turn(again, lambda: bool(layers.layers()))
    turn(again, lambda: arrived(again))
    assert looks("House")[1] == {layers.layers()[0].name}


def test_a_texture_of_a_file_that_is_closed_is_laid_on_later(session, server, house):
    server.hold = True
    bpy.ops.maquette.texture()
    turn(session, lambda: bool(server.jobs))
    path = bpy.data.filepath
    bpy.ops.wm.read_homefile(use_empty=True)
    server.finish(next(iter(server.jobs)))
    turn(session, lambda: arrived(session))
    assert "A texture of house.blend was saved as" in session.notices[-1].text
    bpy.ops.wm.open_mainfile(filepath=path)
    assert not layers.layers()
    (picture,) = Path(path).parent.glob("maquette/texture-*/texture.png")
    assert bpy.ops.maquette.texture_of_file(filepath=str(picture)) == {"FINISHED"}
    assert looks("House")[1] == {layers.layers()[0].name}
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=path)
    assert looks("House")[1] == {layers.layers()[0].name}


def test_a_file_that_is_saved_elsewhere_still_knows_the_texture_s_folder(
    session, server, house, tmp_path
):
    folder = layers.folder_of(textured(session))
    (tmp_path / "archive").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "archive" / "house.blend"))
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    (layer,) = layers.layers()
    assert layers.folder_of(layer).resolve() == folder.resolve()
    assert bpy.ops.maquette.bake_again(layer=layer.name) == {"FINISHED"}
    turn(session, lambda: arrived(session))
    assert layers.layers() == [layer]


def test_an_edit_of_before_and_the_texture_are_steps_of_their_own(session, server, house):
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="start")
    bpy.data.objects["House"].location.z = 9
    bpy.ops.ed.undo_push(message="move")
    textured(session)
    if not bpy.ops.ed.undo.poll():  # pyright: ignore[reportCallIssue]
        pytest.skip("this Blender has no undo without a window")
    bpy.ops.ed.undo()
    assert not layers.layers()
    assert bpy.data.objects["House"].location.z == 9
    bpy.ops.ed.redo()
    assert looks("House")[1] == {layers.layers()[0].name}
