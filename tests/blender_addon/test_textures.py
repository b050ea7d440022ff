"""Textures in the add-on: from the operator to a layer that changes nothing of the user's."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

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
from blender_addon.pictures import read_pixels
from blender_addon.session import Session
from tests.blender_addon.capture import scenes, state
from tests.blender_addon.conftest import arrived, turn

RED = (200, 60, 20)


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> Any:
    """A file with a house of two objects that share a mesh, one with a modifier, on ground."""
    scenes.box((0, 0, -0.05), (400, 400, 0.1), "Ground")
    one = scenes.box((0, 0, 5), (10, 10, 10), "House")
    one.data.uv_layers.new(name="Own")
    one.data.materials.append(bpy.data.materials.new("Own paint"))
    other = bpy.data.objects.new("Annex", one.data)
    other.location = (20, 0, 0)
    other.modifiers.new("Bevel", "BEVEL")
    bpy.context.scene.collection.objects.link(other)
    settings.texture_views, settings.texture_side, settings.texture_size = 3, 64, "1024"
    settings.long_side = 64
    settings.seed, settings.seed_locked = 5, True
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "house.blend"))
    return bpy.context.scene


def textured(session: Session) -> Any:
    """Press Texture and wait; the layer."""
    assert bpy.ops.maquette.texture() == {"FINISHED"}
    turn(session, lambda: arrived(session))
    return layers.layers()[-1]


def evaluated(name: str) -> Any:
    bpy.context.view_layer.update()
    thing = bpy.data.objects[name]
    return thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).data


def looks(name: str) -> tuple[set[str], set[str]]:
    """UV maps and the materials in use, of an object as it is evaluated."""
    mesh = evaluated(name)
    slots = [material.name if material else "" for material in mesh.materials] or [""]
    used = {slots[face.material_index] for face in mesh.polygons}
    return {layer.name for layer in mesh.uv_layers}, used


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


# --- a picture for each object -------------------------------------------------------------------


def test_a_picture_for_each_object_is_one_layer_of_tiles(session, server, house):
    house.maquette.texture_each = True
    layer = textured(session)
    assert [each.name for each in layers.layers()] == [layer.name], "one layer"
    folder = layers.folder_of(layer)
    image = layers.image_of(layer)
    assert image.source == "TILED" and image.filepath.endswith("texture.<UDIM>.png")
    assert sorted(tile.number for tile in image.tiles) == [1001, 1002]
    assert {tuple(tile.size) for tile in image.tiles} == {(1024, 1024)}
    names = {path.name for path in folder.iterdir()}
    assert {"texture.1001.png", "texture.1002.png"} <= names and "texture.png" not in names
    # The blue of a tile is what the server made of its place: each object shows its own.
    for place, name in enumerate(textures.fit_of(folder).names):
        assert looks(name)[1] == {layer.name}
        uvs = np.empty(len(evaluated(name).loops) * 2, np.float32)
        evaluated(name).uv_layers["Own"].uv.foreach_get("vector", uvs)
        across = uvs.reshape(-1, 2)[:, 0]
        assert across.min() >= place and across.max() <= place + 1


def test_tiles_are_baked_again_laid_on_from_a_file_and_kept_in_the_blend(session, server, house):
    house.maquette.texture_each = True
    layer = textured(session)
    folder = layers.folder_of(layer)
    assert bpy.ops.maquette.bake_again(layer=layer.name) == {"FINISHED"}
    turn(session, lambda: arrived(session))
    assert layers.layers() == [layer]
    assert layers.image_of(layer).filepath.endswith("texture-2.<UDIM>.png")
    layers.remove(layer)
    picked = folder / "texture.1002.png"
    assert bpy.ops.maquette.texture_of_file(filepath=str(picked)) == {"FINISHED"}
    (layer,) = layers.layers()
    assert sorted(tile.number for tile in layers.image_of(layer).tiles) == [1001, 1002]
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    (layer,) = layers.layers()
    assert {tuple(tile.size) for tile in layers.image_of(layer).tiles} == {(1024, 1024)}
    assert layers.folder_of(layer).resolve() == folder.resolve()


def exported(path: Path) -> tuple[dict, bytes]:
    """A .glb of the scene with its modifiers applied."""
    bpy.ops.export_scene.gltf(filepath=str(path), export_apply=True)
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def test_a_texture_with_a_light_of_its_own_is_rendered_and_exported_as_it_is(
    session, server, house, camera, tmp_path
):
    """In a scene without light it is black where that is to fall on it, else as it was painted."""
    bpy.ops.object.select_all(action="DESELECT")
    layer = textured(session)
    house.world, house.view_settings.view_transform = None, "Standard"
    house.render.engine, house.cycles.samples = "CYCLES", 1
    house.render.resolution_x = house.render.resolution_y = 16
    house.render.filepath = str(tmp_path / "seen.png")
    for lit in (True, False, True):
        assert bpy.ops.maquette.light_texture(layer=layer.name, lit=lit) == {"FINISHED"}
        assert layers.is_lit(layer) == lit
        bpy.ops.render.render(write_still=True)
        assert (read_pixels(tmp_path / "seen.png").max() < 8) == lit  # of which some is dither
        document, _ = exported(tmp_path / "out.glb")
        (material,) = (each for each in document["materials"] if each["name"] == layer.name)
        assert ("KHR_materials_unlit" in material.get("extensions", {})) != lit
        assert "baseColorTexture" in material["pbrMetallicRoughness"]
    layer.node_tree.nodes.clear()
    assert not layers.is_lit(layer), "the panel is drawn whatever becomes of the nodes"


@pytest.mark.parametrize("each", [False, True])
def test_an_exported_gltf_shows_the_texture(session, server, house, tmp_path, each: bool):
    house.maquette.texture_each = each
    layer = textured(session)
    tiles = textures.fit_of(layers.folder_of(layer)).tiles
    document, binary = exported(tmp_path / "out.glb")
    found = {}
    for node in document["nodes"]:
        mesh = document["meshes"][node["mesh"]]
        (part,) = mesh["primitives"]
        if node["name"] == "Ground":
            continue
        pbr = document["materials"][part["material"]]["pbrMetallicRoughness"]
        texture = document["textures"][pbr["baseColorTexture"]["index"]]
        view = document["bufferViews"][document["images"][texture["source"]]["bufferView"]]
        uv = document["accessors"][part["attributes"]["TEXCOORD_0"]]
        place = document["bufferViews"][uv["bufferView"]]["byteOffset"]
        values = np.frombuffer(binary, "<f4", uv["count"] * 2, place)
        assert values.min() >= 0 and values.max() <= 1, "within the picture"
        picture = binary[view["byteOffset"] :][: view["byteLength"]]
        found[node["name"]] = struct.unpack_from(">II", picture, 16), picture
    assert set(found) == {"House", "Annex"}
    assert {size for size, _ in found.values()} == {(1024, 1024)}
    assert len({picture for _, picture in found.values()}) == len(tiles)


# --- the objects' own UV maps --------------------------------------------------------------------


def test_the_user_s_own_map_carries_the_texture_and_a_second_one(session, server, house):
    thing = bpy.data.objects["House"]
    layer = thing.data.uv_layers["Own"]
    for number, face in enumerate(thing.data.polygons):
        for corner, at in zip(face.loop_indices, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
            layer.uv[corner].vector = (number % 3 + 0.96 * at[0]) / 3, (number // 3 + at[1]) / 3
    thing.select_set(True)
    wanted = np.empty(48, np.float32)
    layer.uv.foreach_get("vector", wanted)
    for number in range(2):  # and not the layer that lies on it already
        made = textured(session)
        assert len(layers.layers()) == number + 1
        assert "The texture uses the UV map of 'House'." in [n.text for n in session.notices]
        assert np.allclose(textures.fit_of(layers.folder_of(made)).uvs.ravel(), wanted)
    house.maquette.texture_own_uvs = False
    made = textured(session)
    assert not np.allclose(textures.fit_of(layers.folder_of(made)).uvs.ravel(), wanted)


# --- what the user does meanwhile, and what they model -------------------------------------------


def finished(session: Session, server: Any) -> None:
    """The server is done with the job that it has; wait for what comes of that."""
    server.finish(next(iter(server.jobs)))
    turn(session, lambda: arrived(session))


def test_renamed_objects_get_their_own_texture_all_the_same(session, server, house):
    server.hold = True
    bpy.ops.maquette.texture()
    turn(session, lambda: bool(server.jobs))
    one, other = bpy.data.objects["House"], bpy.data.objects["Annex"]
    one.name, other.name = "Swap", "House"
    one.name = "Annex"
    finished(session, server)
    (layer,) = layers.layers()
    fit = textures.fit_of(layers.folder_of(layer))
    # The bevelled one, now called House, has more corners; each has its own part of the map.
    assert {"House": other, "Annex": one} == {each.name: each for each in (one, other)}
    assert looks("House")[1] == looks("Annex")[1] == {layer.name}
    assert len(evaluated("House").loops) == fit.corners[fit.names.index("Annex")]
    # In another Blender the names are all there is.
    other.name, one.name = "Gone", "House"
    layers.remove(layer)
    fit = layers.Fit(fit.names, fit.corners, fit.uvs, session="another")
    assert [thing and thing.name for thing in fit.objects()] == ["House", None]


def test_an_object_that_was_made_anew_is_taken_for_the_one_before(session, server, house):
    server.hold = True
    bpy.ops.maquette.texture()
    turn(session, lambda: bool(server.jobs))
    mesh = bpy.data.objects["House"].data
    bpy.data.objects.remove(bpy.data.objects["House"])
    again = bpy.data.objects.new("House", mesh)
    bpy.context.scene.collection.objects.link(again)
    finished(session, server)
    assert looks("House")[1] == {layers.layers()[0].name}


def test_a_texture_that_arrives_while_a_mesh_is_edited_waits(session, server, house):
    server.hold = True
    bpy.ops.maquette.texture()
    turn(session, lambda: bool(server.jobs))
    bpy.context.view_layer.objects.active = bpy.data.objects["House"]
    bpy.ops.object.mode_set(mode="EDIT")
    said = "it comes on once you are in Object Mode."
    server.finish(next(iter(server.jobs)))
    turn(session, lambda: any(said in notice.text for notice in session.notices))
    for _ in range(5):
        session.tick()
    assert not layers.layers() and bpy.context.mode == "EDIT_MESH"
    assert sum(said in notice.text for notice in session.notices) == 1
    with pytest.raises(RuntimeError, match="poll"):
        bpy.ops.maquette.texture_of_file(filepath="x.png")
    bpy.ops.object.mode_set(mode="OBJECT")
    turn(session, lambda: arrived(session))
    assert looks("House")[1] == {layers.layers()[0].name}
    assert {"Own"} == looks("House")[0]


@pytest.mark.parametrize("what", ["empty", "edges", "flat"])
def test_a_mesh_that_has_nothing_to_texture_is_said(session, server, house, what: str):
    mesh = bpy.data.meshes.new("Odd")
    corners = [(0, 0, 0), (1, 0, 0), (2, 0, 0)]
    mesh.from_pydata(
        *{
            "empty": ([], [], []),
            "edges": (corners, [(0, 1)], []),
            "flat": (corners, [], [(0, 1, 2)]),
        }[what]
    )
    odd = bpy.data.objects.new("Odd", mesh)
    bpy.context.scene.collection.objects.link(odd)
    odd.select_set(True)
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.maquette.texture()
    said = "no visible object with faces called 'Odd'" if what != "flat" else "no face of 'Odd' has"
    assert said in str(caught.value)
    assert not session.jobs and not layers.layers()
    # Beside others it is no harm.
    bpy.data.objects["House"].select_set(True)
    if what == "flat":
        textured(session)
        assert looks("House")[1] == {layers.layers()[0].name}


def test_mirrored_sheared_and_shared_objects_have_their_places(session, server, house):
    parent = bpy.data.objects.new("Turned", None)
    parent.scale, parent.rotation_euler = (1.0, 3.0, -1.0), (0.3, 0.2, 0.7)
    bpy.context.scene.collection.objects.link(parent)
    annex = bpy.data.objects["Annex"]
    annex.parent, annex.scale, annex.rotation_euler = parent, (-1.0, 1.0, 1.0), (0.5, 0.0, 0.4)
    server.hold = True
    bpy.ops.maquette.texture()
    turn(session, lambda: server.count(Submit) == 1)
    packet = next(p for p in server.packets if isinstance(p.message, Submit))
    surface, _ = surface_of(packet.message, packet.frames)
    corners = np.asarray(surface.corners).astype(float) + packet.message.texture.origin
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    start = 0
    for count in packet.message.texture.objects:
        own = slice(start, start + count)
        outward = corners[own].mean(1) - corners[own].mean((0, 1))
        assert ((outward * across[own]).sum(1) > 0).all(), "faces look outwards"
        start += count
    finished(session, server)
    assert looks("Annex")[1] == looks("House")[1] == {layers.layers()[0].name}
    assert annex.data == bpy.data.objects["House"].data and annex.data.users == 2


def test_instances_and_linked_objects_are_named_and_left_as_they_are(
    session, server, house, tmp_path
):
    kit = bpy.data.collections.new("Kit")
    column = scenes.box((0, 0, 1), (1, 1, 2), "Column")
    bpy.context.scene.collection.objects.unlink(column)
    kit.objects.link(column)
    library = tmp_path / "library.blend"
    bpy.data.libraries.write(str(library), {kit})
    copy = bpy.data.objects.new("Copy of kit", None)
    copy.instance_type, copy.instance_collection = "COLLECTION", kit
    bpy.context.scene.collection.objects.link(copy)
    loaded: Any = bpy.data.libraries.load(str(library), link=True)
    with loaded as (_there, here):
        here.objects = ["Column"]
    (linked,) = here.objects
    bpy.context.scene.collection.objects.link(linked)
    textured(session)
    (said,) = (n.text for n in session.notices if n.text.startswith("Not textured"))
    assert "Column" in said and "Copy of kit" in said and "Make Instances Real" in said
    assert not column.modifiers and not linked.modifiers
    # A mesh whose modifier shows instances instead.
    group = bpy.data.node_groups.new("Scatter", "GeometryNodeTree")
    group.interface.new_socket("Out", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    nodes = group.nodes
    shown, out = nodes.new("GeometryNodeObjectInfo"), nodes.new("NodeGroupOutput")
    shown.inputs["Object"].default_value = column
    shown.inputs["As Instance"].default_value = True
    group.links.new(shown.outputs["Geometry"], out.inputs[0])
    scatter = scenes.box((40, 0, 5), (4, 4, 4), "Scatter")
    scatter.modifiers.new("Scatter", "NODES").node_group = group
    bpy.ops.object.select_all(action="DESELECT")
    textured(session)
    (said,) = (n.text for n in session.notices if n.text.startswith("Not textured"))
    assert "Scatter" in said and not any(map(layers.is_layer, scatter.modifiers))
    for thing in (copy, linked, scatter):
        bpy.ops.object.select_all(action="DESELECT")
        thing.select_set(True)
        with pytest.raises(RuntimeError, match="can't carry a texture"):
            bpy.ops.maquette.texture()
