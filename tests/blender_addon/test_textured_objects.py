"""Textures on objects of all kinds: one for each, own UV maps, changed meanwhile."""

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
from maquette_wire.messages import Submit
from maquette_wire.surface import surface_of

from blender_addon import layers, textures
from blender_addon.pictures import read_pixels
from blender_addon.session import Session
from tests.blender_addon.capture import scenes
from tests.blender_addon.conftest import arrived, turn
from tests.blender_addon.textured_scene import (
    evaluated,
    looks,
    textured,
)

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
    house.cycles.use_denoising = False  # it sees the texture in the dark
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
