"""Textures where viewports and renders differ, on odd stacks, and when things change meanwhile."""

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
from maquette_wire.capture import captures_of
from maquette_wire.messages import Submit

from blender_addon import layers, textures
from blender_addon.session import Session
from tests.blender_addon.capture import scenes
from tests.blender_addon.conftest import arrived, turn
from tests.blender_addon.textured_scene import evaluated, looks, textured


def begun(session: Session, server: Any) -> None:
    """Press Texture; the server has the job and holds it."""
    server.hold = True
    assert bpy.ops.maquette.texture() == {"FINISHED"}
    turn(session, lambda: bool(server.jobs))


def finished(session: Session, server: Any) -> None:
    server.finish(next(iter(server.jobs)))
    turn(session, lambda: arrived(session))


def fit_of(layer: Any) -> layers.Fit:
    return textures.fit_of(layers.folder_of(layer))


def uvs_of(name: str, fit: layers.Fit) -> np.ndarray:
    """The UVs that an object was textured with."""
    start = sum(fit.corners[: fit.names.index(name)])
    return fit.uvs[start : start + fit.corners[fit.names.index(name)]]


# --- what is said of a texture of all -------------------------------------------------------------


def test_what_is_left_out_and_what_renders_otherwise_is_named(session, server, house):
    bpy.data.objects["Annex"].modifiers.new("Subdivision", "SUBSURF")
    scenes.box((60, 0, 5), (10, 10, 10), "Shed").hide_render = True
    tower = scenes.box((90, 0, 5), (10, 10, 10), "Tower")
    bpy.ops.object.text_add()
    bpy.ops.object.select_all(action="DESELECT")
    bpy.context.view_layer.update()
    tower.hide_set(True)
    layer = textured(session)
    assert set(fit_of(layer).names) == {"House", "Annex"}
    said, differing = session.notices[0].text, session.notices[-2]
    assert said.startswith("Not textured: Text. Convert")
    assert "Left out as ground: Ground; select it to texture it." in said
    assert "Left out: Tower (hidden in the viewport), Shed (hidden in renders)." in said
    assert differing.level == "WARNING"
    assert "of 'Annex' (Subdivision). The texture is for that of the viewport" in differing.text
    # What is chosen is meant so.
    bpy.data.objects["House"].select_set(True)
    bpy.data.objects["House"].modifiers[-1].show_render = False  # the layer itself
    textured(session)
    assert not any("Left out" in n.text or n.level == "WARNING" for n in session.notices)


def test_instances_of_what_is_textured_are_named_as_such(session, server, house):
    post = scenes.box((0, 0, 0), (1, 1, 1), "Post")
    post.parent = bpy.data.objects["House"]
    bpy.data.objects["House"].instance_type = "VERTS"
    textured(session)
    assert session.notices[0].text.startswith("Not textured: instances of House. Convert")


def test_the_parent_of_what_is_selected_may_be_selected_too(session, server, house):
    parent = scenes.link("Site", None)
    bpy.data.objects["House"].parent = parent
    for thing in (parent, bpy.data.objects["House"]):
        thing.select_set(True)
    assert fit_of(textured(session)).names == ["House"]


# --- what lies on objects already -----------------------------------------------------------------


def test_a_texture_lies_behind_pinned_modifiers(session, server, house):
    """As Shade Auto Smooth makes one."""
    thing = bpy.data.objects["House"]
    thing.modifiers.new("Bevel", "BEVEL").use_pin_to_last = True
    for _ in range(2):
        layer = textured(session)
        assert looks("House")[1] == {layer.name}
        assert layers.is_layer(thing.modifiers[-1])
    assert not any(each.use_pin_to_last for each in bpy.data.objects["Annex"].modifiers)


@pytest.mark.parametrize("names", [("Own", "Second"), ("Second", "Own")])
def test_solid_mode_and_renders_show_it_whichever_maps_they_use(
    session, server, house, tmp_path, names: tuple[str, str]
):
    """Renders and glTF have one UV map of the user's, Solid mode has another."""
    maps = bpy.data.objects["House"].data.uv_layers
    maps.new(name="Second")
    maps.new(name="UVMap")
    maps[names[0]].active_render, maps.active = True, maps[names[1]]
    layer = textured(session)
    mesh, wanted = evaluated("House"), uvs_of("House", fit_of(layer))
    for name in names:
        found = np.empty(wanted.size, np.float32)
        mesh.uv_layers[name].uv.foreach_get("vector", found)
        np.testing.assert_allclose(found.reshape(-1, 2), wanted, atol=1e-6)
    assert len({each.name for each in mesh.uv_layers}) == 3
    bpy.ops.export_scene.gltf(filepath=str(tmp_path / "out.glb"), export_apply=True)
    np.testing.assert_allclose(
        np.unique(np.round(exported_uvs(tmp_path / "out.glb", "House"), 4), axis=0),
        np.unique(np.round(wanted * (1, -1) + (0, 1), 4), axis=0),
        atol=2e-4,
    )


def exported_uvs(path: Path, name: str) -> np.ndarray:
    """[n, 2], the UVs that an object of a .glb has its texture with, from the top."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    document, binary = json.loads(data[20 : 20 + length]), data[28 + length :]
    node = next(each for each in document["nodes"] if each["name"] == name)
    (part,) = document["meshes"][node["mesh"]]["primitives"]
    pbr = document["materials"][part["material"]]["pbrMetallicRoughness"]
    number = pbr["baseColorTexture"].get("texCoord", 0)
    found = document["accessors"][part["attributes"][f"TEXCOORD_{number}"]]
    start = document["bufferViews"][found["bufferView"]]["byteOffset"]
    return np.frombuffer(binary, "<f4", found["count"] * 2, start).reshape(-1, 2)


def test_layers_of_an_older_version_stay_beside_new_ones(session, server, house):
    first = textured(session)
    group = bpy.data.objects["House"].modifiers[-1].node_group
    items = group.interface.items_tree
    group.interface.remove(next(each for each in items if each.name == "Solid UV Map"))
    second = textured(session)
    assert looks("House")[1] == looks("Annex")[1] == {second.name}
    layers.show(second, False)
    assert looks("House")[1] == looks("Annex")[1] == {first.name}
    for layer in (first, second):
        layers.remove(layer)
    assert not bpy.data.node_groups and not bpy.data.objects["House"].modifiers


def test_layers_of_another_file_are_its_own(session, server, house, tmp_path):
    layer = textured(session)
    library = tmp_path / "library.blend"
    bpy.data.libraries.write(str(library), {bpy.data.objects["House"]})
    layers.remove(layer)
    own = bpy.data.objects["House"]
    loaded: Any = bpy.data.libraries.load(str(library), link=True)
    with loaded as (_there, here):
        here.objects = ["House"]
    house.collection.objects.link(here.objects[0])
    assert not layers.layers()
    own.select_set(True)
    layer = textured(session)
    assert layers.layers() == [layer] and layer.library is None
    ((thing, modifier),) = layers.modifiers(layer)
    assert thing == own and modifier.node_group.library is None


# --- what changes while it is made ----------------------------------------------------------------


def test_no_layer_is_made_where_everything_is_gone(session, server, house):
    begun(session, server)
    mesh = bpy.data.objects["House"].data
    images = set(bpy.data.images)
    for name in ("House", "Annex"):
        bpy.data.objects.remove(bpy.data.objects[name])
    finished(session, server)
    assert not layers.layers() and set(bpy.data.images) == images
    assert not any(layers.MARK in each for each in bpy.data.node_groups)
    (picture,) = Path(bpy.data.filepath).parent.glob("maquette/texture-*/texture.png")
    assert f"saved as {picture}" in session.notices[-1].text
    with pytest.raises(RuntimeError, match="is in this file any more"):
        bpy.ops.maquette.texture_of_file(filepath=str(picture))
    house.collection.objects.link(bpy.data.objects.new("House", mesh))
    assert bpy.ops.maquette.texture_of_file(filepath=str(picture)) == {"FINISHED"}
    assert looks("House")[1] == {layers.layers()[0].name}


def test_objects_with_other_faces_by_now_are_named(session, server, house):
    begun(session, server)
    bpy.data.objects["Annex"].modifiers["Bevel"].segments = 4
    finished(session, server)
    assert "so without the texture: Annex; undo the change" in session.notices[-1].text
    assert looks("House")[1] == {layers.layers()[0].name}
    bpy.data.objects["Annex"].modifiers["Bevel"].segments = 1
    assert looks("Annex")[1] == {layers.layers()[0].name}, "where the change is taken back"


def test_a_texture_comes_on_in_a_scene_that_is_not_open(session, server, house):
    begun(session, server)
    bpy.context.window.scene = bpy.data.scenes.new("Other")
    finished(session, server)
    assert not any("without the texture" in notice.text for notice in session.notices)
    bpy.context.window.scene = house
    assert looks("House")[1] == looks("Annex")[1] == {layers.layers()[0].name}


def test_a_concept_is_laid_where_it_was_seen_not_where_things_are_by_now(
    session, server, house, camera
):
    """Its pixels belong to the model as it was."""
    house.maquette.source = "CAMERA"
    bpy.ops.maquette.restyle()
    turn(session, lambda: arrived(session))
    first = next(p for p in server.packets if isinstance(p.message, Submit))
    (seen,) = captures_of(first.message, first.frames)
    bpy.data.objects["House"].location.y += 30
    bpy.ops.object.select_all(action="DESELECT")
    house.maquette.texture_from_concept = True
    bpy.ops.maquette.texture()
    turn(session, lambda: arrived(session))
    packet = [p for p in server.packets if isinstance(p.message, Submit)][-1]
    given, *others = captures_of(packet.message, packet.frames)
    assert given.view == seen.view and len(others) >= 2
    np.testing.assert_array_equal(np.asarray(given.depth), np.asarray(seen.depth))
