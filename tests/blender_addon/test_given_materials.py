"""What a new material is given to: objects, slots and faces that were chosen for it, as they are by
then."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

from pathlib import Path
from typing import Any

import bmesh
import bpy
import pytest

from blender_addon import materials
from tests.blender_addon.conftest import arrived, turn
from tests.blender_addon.material_scene import press, select, slots


def face_materials(name: str) -> list[int]:
    mesh = bpy.data.objects[name].data
    return [face.material_index for face in mesh.polygons]


def edit(name: str, *faces: int) -> None:
    """Go into Edit Mode with these faces selected."""
    select(name)
    bpy.context.tool_settings.mesh_select_mode = False, False, True
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="DESELECT")
    mesh = bpy.data.objects[name].data
    edited = bmesh.from_edit_mesh(mesh)
    for number, face in enumerate(edited.faces):
        face.select = number in faces
    bmesh.update_edit_mesh(mesh)


def test_nothing_selected_and_nothing_changed_but_a_material_more(session, server, walls):
    press(session)
    assert slots("Wall") == [] and slots("House") == ["Plaster", "Glass"]
    assert not session.notices
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    assert [material.name for material in materials.materials()] == ["Red brick"]


def test_selected_objects_get_it_in_their_active_slots(session, server, walls):
    bpy.data.objects["House"].active_material_index = 1
    select("Wall", "House")
    press(session)
    assert slots("House") == ["Plaster", "Red brick"]
    assert slots("Wall") == ["Red brick"]
    wall, other = bpy.data.objects["Wall"], bpy.data.objects["Other"]
    assert wall.data == other.data and slots("Other") == ["Red brick"], (
        "the mesh is shared as before"
    )


def test_a_slot_of_the_object_s_own_stays_one(session, server, walls):
    mesh = bpy.data.objects["Wall"].data
    mesh.materials.append(bpy.data.materials.new("Shared"))
    bpy.data.objects["Wall"].material_slots[0].link = "OBJECT"
    select("Wall")
    press(session)
    assert slots("Wall") == ["Red brick"] and slots("Other") == ["Shared"]


def test_the_active_slot_alone(session, server, walls):
    walls.maquette.material.assign_to = "SLOT"
    select("Wall", "House")
    bpy.data.objects["House"].active_material_index = 0
    press(session)
    assert slots("Wall") == [] and slots("House") == ["Red brick", "Glass"]


def test_nothing_is_given_where_that_is_chosen(session, server, walls):
    walls.maquette.material.assign_to = "NOTHING"
    select("Wall")
    press(session)
    assert slots("Wall") == []


def test_selected_faces_get_it_while_the_user_goes_on_editing(session, server, walls):
    edit("House", 2, 4)
    server.hold = True
    assert bpy.ops.maquette.make_material() == {"FINISHED"}
    turn(session, lambda: bool(server.jobs))
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.transform.translate(value=(0, 0, 1))
    server.finish(next(iter(server.jobs)))
    turn(session, lambda: arrived(session))
    assert bpy.context.mode == "EDIT_MESH"
    bpy.ops.object.mode_set(mode="OBJECT")
    assert slots("House") == ["Plaster", "Glass", "Red brick"]
    assert face_materials("House") == [0, 0, 2, 0, 2, 0]
    assert bpy.data.objects["House"].data.vertices[0].co.z == pytest.approx(0.5)


def test_selected_faces_get_it_when_edit_mode_was_left(session, server, walls):
    edit("Wall", 1)
    server.hold = True
    bpy.ops.maquette.make_material()
    turn(session, lambda: bool(server.jobs))
    bpy.ops.object.mode_set(mode="OBJECT")
    server.finish(next(iter(server.jobs)))
    turn(session, lambda: arrived(session))
    assert slots("Wall") == ["", "Red brick"], "the other faces keep having none"
    assert face_materials("Wall") == [0, 1, 0, 0, 0, 0]


def test_faces_that_are_others_by_now_are_left_and_it_is_said(session, server, walls):
    edit("House", 0)
    server.hold = True
    bpy.ops.maquette.make_material()
    turn(session, lambda: bool(server.jobs))
    bpy.ops.mesh.subdivide()
    server.finish(next(iter(server.jobs)))
    turn(session, lambda: arrived(session))
    bpy.ops.object.mode_set(mode="OBJECT")
    assert set(face_materials("House")) == {0} and slots("House") == ["Plaster", "Glass"]
    assert materials.materials()[0].name == "Red brick"
    assert "'House' has other faces by now" in session.notices[-1].text


def test_no_face_selected_is_said_before_anything_is_made(session, server, walls):
    edit("House")
    with pytest.raises(RuntimeError, match="No face is selected"):
        bpy.ops.maquette.make_material()
    assert not session.jobs


def test_an_object_that_was_deleted_is_said_and_the_others_have_it(session, server, walls):
    select("Wall", "House")
    server.hold = True
    bpy.ops.maquette.make_material()
    turn(session, lambda: bool(server.jobs))
    bpy.data.objects.remove(bpy.data.objects["House"])
    server.finish(next(iter(server.jobs)))
    turn(session, lambda: arrived(session))
    assert slots("Wall") == ["Red brick"]
    assert "'House' isn't in the file any more" in session.notices[-1].text


def test_a_renamed_object_gets_it_and_not_one_that_has_its_name_by_now(session, server, walls):
    select("House")
    server.hold = True
    bpy.ops.maquette.make_material()
    turn(session, lambda: bool(server.jobs))
    bpy.data.objects["House"].name = "Villa"
    bpy.data.objects["Wall"].name = "House"
    server.finish(next(iter(server.jobs)))
    turn(session, lambda: arrived(session))
    assert slots("Villa") == ["Red brick", "Glass"] and slots("House") == []
    assert not any("any more" in notice.text for notice in session.notices)


def test_linked_data_is_refused_by_name(session, server, walls, tmp_path):
    path = bpy.data.filepath
    bpy.ops.wm.read_homefile(use_empty=True)
    libraries: Any = bpy.data.libraries
    with libraries.load(path, link=True) as (_source, into):
        into.objects = ["Wall"]
    bpy.context.scene.collection.objects.link(into.objects[0])
    bpy.context.scene.maquette.material.prompt = "oak"
    select("Wall")
    with pytest.raises(RuntimeError, match=r"'Wall' is linked from .*house\.blend"):
        bpy.ops.maquette.make_material()


def test_a_camera_can_have_none(session, server, walls, camera):
    select("Street")
    with pytest.raises(RuntimeError, match="'Street' can't have a material"):
        bpy.ops.maquette.make_material()


def test_a_material_is_given_and_taken_out_again(session, server, walls):
    material = press(session)
    select("Wall")
    assert bpy.ops.maquette.assign_material(material=material.name) == {"FINISHED"}
    assert slots("Wall") == ["Red brick"]
    assert bpy.ops.maquette.remove_material(material=material.name) == {"FINISHED"}
    assert slots("Wall") == [""] and not materials.materials()
    assert not [image for image in bpy.data.images if image.name.startswith("Red")]
    assert (Path(bpy.data.filepath).parent / "maquette/materials/red-brick/albedo.png").is_file()
