"""Materials in the add-on: from the button to a node material that is an asset and lies on what was
chosen."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

from pathlib import Path
from typing import Any

import bmesh
import bpy
import numpy as np
import pytest
from maquette_wire import material_files
from maquette_wire.material import Material
from maquette_wire.messages import Acknowledge, Submit

from blender_addon import materials
from blender_addon import session as add_on_session
from blender_addon.jobs import State
from blender_addon.session import Session
from tests.blender_addon.capture import scenes
from tests.blender_addon.conftest import arrived, turn


@pytest.fixture
def scene(settings: Any, tmp_path: Path) -> Any:
    """A saved file with two boxes that share a mesh, and a third one that has two materials."""
    one = scenes.box((0, 0, 0), (1, 1, 1), "Wall")
    other = bpy.data.objects.new("Other", one.data)
    other.location = (5, 0, 0)
    bpy.context.scene.collection.objects.link(other)
    third = scenes.box((9, 0, 0), (1, 1, 1), "House")
    for name in ("Plaster", "Glass"):
        third.data.materials.append(bpy.data.materials.new(name))
    own = settings.material
    own.prompt, own.size, own.pixels = "red brick", 2.4, "512"
    settings.seed, settings.seed_locked = 5, True
    bpy.ops.object.select_all(action="DESELECT")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "house.blend"))
    return bpy.context.scene


def select(*names: str) -> None:
    bpy.ops.object.select_all(action="DESELECT")
    for name in names:
        bpy.data.objects[name].select_set(True)
        bpy.context.view_layer.objects.active = bpy.data.objects[name]


def press(session: Session) -> Any:
    """Press Make Material and wait; the newest material."""
    assert bpy.ops.maquette.make_material() == {"FINISHED"}
    turn(session, lambda: arrived(session))
    return materials.materials()[0]


def slots(name: str) -> list[str]:
    return [
        slot.material.name if slot.material else ""
        for slot in bpy.data.objects[name].material_slots
    ]


def face_materials(name: str) -> list[int]:
    mesh = bpy.data.objects[name].data
    return [face.material_index for face in mesh.polygons]


def test_the_job_has_the_material_and_nothing_of_the_concept(session, server, scene):
    server.hold = True
    settings = scene.maquette
    settings.geometry, settings.use_strength, settings.count = 0.2, True, 4
    settings.negative_prompt, settings.windows, settings.bay_width = "people", "ribbon", 7.0
    settings.material.pattern = "herringbone"
    assert bpy.ops.maquette.make_material() == {"FINISHED"}
    turn(session, lambda: server.count(Submit) == 1)
    submit = next(m for m in server.received if isinstance(m, Submit))
    assert submit.material == Material(size=2.4, pixels=512, pattern="herringbone")
    recipe = submit.recipe
    assert (recipe.prompt, recipe.negative_prompt, recipe.seed) == ("red brick", "", 5)
    assert (recipe.count, recipe.geometry, recipe.strength) == (1, 0.7, None)
    assert recipe.facade_words() == {}
    assert not submit.views and submit.previews
    assert session.open_jobs[0].label == "Material: red brick"


def test_a_material_is_made_and_is_an_asset(session, server, scene):
    material = press(session)
    assert material.name == "Red brick" and material.use_fake_user
    asset = material.asset_data
    assert {tag.name for tag in asset.tags} == {"Maquette", "Running Bond", "red", "brick"}
    assert "2.4 × 2.4 m, running bond" in asset.description
    assert not asset.author
    preview = material.preview
    pixels = np.empty(len(preview.image_pixels_float), np.float32)
    preview.image_pixels_float.foreach_get(pixels)
    assert pixels.reshape(-1, 4).mean(0) == pytest.approx((0.9, 0.27, 0.09, 1), abs=0.03)
    assert tuple(material.diffuse_color) == pytest.approx((0.578, 0.0452, 0.00699, 1), rel=1e-3)
    folder = Path(bpy.data.filepath).parent / "maquette/materials/red-brick"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}.png" for name in ("albedo", "height", "normal", "occlusion", "roughness")
    )
    found = material_files.read(folder)
    assert found.material == Material(size=2.4, pixels=512).filled("red brick")
    assert found.heights == pytest.approx((-0.002, 0.002)) and found.recipe.seed == 5


def test_its_folder_is_there_only_when_it_is_whole(session, server, scene, monkeypatch):
    folder = Path(bpy.data.filepath).parent / "maquette/materials"
    write, seen = Path.write_bytes, []

    def watched(path: Path, data: bytes) -> int:
        seen.append([each.name for each in folder.iterdir() if not each.name.startswith(".")])
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", watched)
    press(session)
    assert seen == [[]] * 5, "a Blender that is killed meanwhile leaves no half of a material"
    assert [path.name for path in folder.iterdir()] == ["red-brick"]


def test_the_nodes_have_its_scale_relief_and_colour_spaces(session, server, scene):
    material = press(session)
    nodes = material.node_tree.nodes
    assert nodes["Size in Metres"].outputs[0].default_value == pytest.approx(2.4)
    assert nodes["Relief in Metres"].outputs[0].default_value == pytest.approx(0.004)
    spaces = {
        node.image.name: node.image.colorspace_settings.name
        for node in nodes
        if node.type == "TEX_IMAGE"
    }
    assert spaces == {
        "Red brick albedo": "sRGB",
        "Red brick height": "Non-Color",
        "Red brick occlusion": "Non-Color",
        "Red brick roughness": "Non-Color",
    }
    albedo = nodes["Albedo"].image
    assert albedo.filepath == "//maquette/materials/red-brick/albedo.png"
    height = nodes["Height"].image
    pixels = np.empty(len(height.pixels), np.float32)
    height.pixels.foreach_get(pixels)
    grey = pixels.reshape(512, 512, -1)[..., 0]
    assert grey[:256].min() == 1.0 and grey[256:].max() == 0.0, "row 0 is at the bottom"
    assert bpy.ops.maquette.lay_material(material=material.name, mapping="BOX") == {"FINISHED"}
    assert {node.projection for node in nodes if node.type == "TEX_IMAGE"} == {"BOX"}
    assert len(bpy.data.node_groups) == 1
    press(session)
    assert len(bpy.data.node_groups) == 1, "all materials share one"


def test_nothing_selected_and_nothing_changed_but_a_material_more(session, server, scene):
    press(session)
    assert slots("Wall") == [] and slots("House") == ["Plaster", "Glass"]
    assert not session.notices
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    assert [material.name for material in materials.materials()] == ["Red brick"]


def test_selected_objects_get_it_in_their_active_slots(session, server, scene):
    bpy.data.objects["House"].active_material_index = 1
    select("Wall", "House")
    press(session)
    assert slots("House") == ["Plaster", "Red brick"]
    assert slots("Wall") == ["Red brick"]
    wall, other = bpy.data.objects["Wall"], bpy.data.objects["Other"]
    assert wall.data == other.data and slots("Other") == ["Red brick"], (
        "the mesh is shared as before"
    )


def test_a_slot_of_the_object_s_own_stays_one(session, server, scene):
    mesh = bpy.data.objects["Wall"].data
    mesh.materials.append(bpy.data.materials.new("Shared"))
    bpy.data.objects["Wall"].material_slots[0].link = "OBJECT"
    select("Wall")
    press(session)
    assert slots("Wall") == ["Red brick"] and slots("Other") == ["Shared"]


def test_the_active_slot_alone(session, server, scene):
    scene.maquette.material.assign_to = "SLOT"
    select("Wall", "House")
    bpy.data.objects["House"].active_material_index = 0
    press(session)
    assert slots("Wall") == [] and slots("House") == ["Red brick", "Glass"]


def test_nothing_is_given_where_that_is_chosen(session, server, scene):
    scene.maquette.material.assign_to = "NOTHING"
    select("Wall")
    press(session)
    assert slots("Wall") == []


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


def test_selected_faces_get_it_while_the_user_goes_on_editing(session, server, scene):
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


def test_selected_faces_get_it_when_edit_mode_was_left(session, server, scene):
    edit("Wall", 1)
    server.hold = True
    bpy.ops.maquette.make_material()
    turn(session, lambda: bool(server.jobs))
    bpy.ops.object.mode_set(mode="OBJECT")
    server.finish(next(iter(server.jobs)))
    turn(session, lambda: arrived(session))
    assert slots("Wall") == ["", "Red brick"], "the other faces keep having none"
    assert face_materials("Wall") == [0, 1, 0, 0, 0, 0]


def test_faces_that_are_others_by_now_are_left_and_it_is_said(session, server, scene):
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


def test_no_face_selected_is_said_before_anything_is_made(session, server, scene):
    edit("House")
    with pytest.raises(RuntimeError, match="No face is selected"):
        bpy.ops.maquette.make_material()
    assert not session.jobs


def test_an_object_that_was_deleted_is_said_and_the_others_have_it(session, server, scene):
    select("Wall", "House")
    server.hold = True
    bpy.ops.maquette.make_material()
    turn(session, lambda: bool(server.jobs))
    bpy.data.objects.remove(bpy.data.objects["House"])
    server.finish(next(iter(server.jobs)))
    turn(session, lambda: arrived(session))
    assert slots("Wall") == ["Red brick"]
    assert "'House' isn't in the file any more" in session.notices[-1].text


def test_a_renamed_object_gets_it_and_not_one_that_has_its_name_by_now(session, server, scene):
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


def test_linked_data_is_refused_by_name(session, server, scene, tmp_path):
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


def test_a_camera_can_have_none(session, server, scene, camera):
    select("Street")
    with pytest.raises(RuntimeError, match="'Street' can't have a material"):
        bpy.ops.maquette.make_material()


def test_an_older_server_is_named(session, server, scene):
    server.welcome = {"understands": ("order",)}
    bpy.ops.maquette.make_material()
    turn(session, lambda: not session.open_jobs)
    job = next(iter(session.jobs.values()))
    assert job.state is State.FAILED and "older and can't make materials" in str(job.error)


def test_an_empty_prompt_and_an_impossible_joint(session, server, scene):
    own = scene.maquette.material
    own.adjust, own.unit_width, own.unit_height, own.joint = True, 0.2, 0.1, 0.15
    with pytest.raises(RuntimeError, match=r"joint is 0\.15 m"):
        bpy.ops.maquette.make_material()
    own.prompt = " "
    with pytest.raises(RuntimeError, match="prompt is empty"):
        bpy.ops.maquette.make_material()


def test_adjust_begins_with_the_pattern_s_own(session, server, scene):
    own = scene.maquette.material
    own.prompt = "weathered larch"
    bpy.ops.maquette.adjust_material()
    assert own.adjust and (own.unit_width, own.unit_height) == pytest.approx((2.4, 0.14))
    own.unit_height = 0.2
    material = press(session)
    _recipe, made = materials.asked(material)
    assert made.pattern == "planks" and made.unit == (2.4, 0.2)
    bpy.ops.maquette.adjust_material()
    assert materials.asked(press(session))[1].unit == (2.4, 0.14)


def test_its_settings_come_back_into_the_panel(session, server, scene):
    own = scene.maquette.material
    own.pattern, own.mapping, own.pixels = "ashlar", "BOX", "1024"
    material = press(session)
    own.prompt, own.pattern, own.mapping, own.pixels = "oak", "tiles", "FACES", "512"
    own.size, scene.maquette.seed, scene.maquette.seed_locked = 9, 77, False
    assert bpy.ops.maquette.use_material(material=material.name) == {"FINISHED"}
    assert (own.prompt, own.pattern, own.mapping, own.pixels) == (
        "red brick",
        "ashlar",
        "BOX",
        "1024",
    )
    assert own.size == pytest.approx(2.4) and not own.adjust
    assert scene.maquette.seed == 5 and scene.maquette.seed_locked
    again = press(session)
    assert materials.asked(again) == materials.asked(material)


def test_a_material_is_given_and_taken_out_again(session, server, scene):
    material = press(session)
    select("Wall")
    assert bpy.ops.maquette.assign_material(material=material.name) == {"FINISHED"}
    assert slots("Wall") == ["Red brick"]
    assert bpy.ops.maquette.remove_material(material=material.name) == {"FINISHED"}
    assert slots("Wall") == [""] and not materials.materials()
    assert not [image for image in bpy.data.images if image.name.startswith("Red")]
    assert (Path(bpy.data.filepath).parent / "maquette/materials/red-brick/albedo.png").is_file()


def test_a_material_of_a_file_that_is_closed_is_made_later(session, server, scene):
    server.hold = True
    bpy.ops.maquette.make_material()
    turn(session, lambda: bool(server.jobs))
    path = bpy.data.filepath
    bpy.ops.wm.read_homefile(use_empty=True)
    server.finish(next(iter(server.jobs)))
    turn(session, lambda: arrived(session))
    assert "A material of house.blend was saved as" in session.notices[-1].text
    assert not materials.materials()
    bpy.ops.wm.open_mainfile(filepath=path)
    select("Wall")
    (albedo,) = Path(path).parent.glob("maquette/materials/*/albedo.png")
    assert bpy.ops.maquette.material_of_file(filepath=str(albedo)) == {"FINISHED"}
    assert slots("Wall") == ["Red brick"]
    pixels = np.empty(len(materials.materials()[0].preview.image_pixels_float), np.float32)
    materials.materials()[0].preview.image_pixels_float.foreach_get(pixels)
    assert pixels.reshape(-1, 4).mean(0)[0] > 0.8


def test_a_picture_that_is_no_material_is_said(session, server, scene, tmp_path):
    with pytest.raises(RuntimeError, match="is no material's folder"):
        bpy.ops.maquette.material_of_file(filepath=str(tmp_path / "albedo.png"))


def test_one_made_when_blender_ended_is_in_the_file_in_the_next(session, server, scene):
    select("Wall")
    server.hold = True
    bpy.ops.maquette.make_material()
    turn(session, lambda: session.jobs and session.open_jobs[0].state is State.QUEUED)
    path = bpy.data.filepath
    bpy.ops.preferences.addon_disable(module="blender_addon")
    server.hold = False
    bpy.ops.preferences.addon_enable(module="blender_addon")
    again = add_on_session.current()
    assert again.left_behind[0].label == "Material: red brick"
    bpy.ops.wm.open_mainfile(filepath=path)
    bpy.ops.maquette.connect()
    turn(again, lambda: bool(materials.materials()))
    assert slots("Wall") == ["Red brick"]


def test_a_folder_that_can_t_be_written_to(session, server, scene, home):
    (Path(bpy.data.filepath).parent / "maquette").write_text("a file in the way")
    material = press(session)
    assert "can't be written to: the material was saved as" in session.notices[-1].text
    assert materials.folder_of(material).parent == home.concepts / "materials"


def test_one_that_no_folder_takes_is_saved_again(session, server, scene, home):
    select("Wall")
    blocked = [Path(bpy.data.filepath).parent / "maquette", home.concepts]
    for path in blocked:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a file in the way")
    bpy.ops.maquette.make_material()
    turn(session, lambda: session.jobs and next(iter(session.jobs.values())).state is State.UNSAVED)
    assert not materials.materials() and not server.count(Acknowledge)
    for path in blocked:
        path.unlink()
    bpy.ops.maquette.save_again(job=next(iter(session.jobs)))
    turn(session, lambda: arrived(session))
    assert slots("Wall") == ["Red brick"]


def test_it_is_cancelled(session, server, scene):
    server.hold = True
    bpy.ops.maquette.make_material()
    turn(session, lambda: bool(server.jobs))
    bpy.ops.maquette.cancel()
    turn(session, lambda: not session.jobs)
    assert not materials.materials() and not session.recent


def test_it_is_one_step_to_undo(session, server, scene):
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="start")
    bpy.data.objects["Wall"].location.z = 9
    bpy.ops.ed.undo_push(message="move")
    select("Wall")
    press(session)
    if not bpy.ops.ed.undo.poll():  # pyright: ignore[reportCallIssue]
        pytest.skip("this Blender has no undo without a window")
    bpy.ops.ed.undo()
    assert not materials.materials() and slots("Wall") == []
    assert bpy.data.objects["Wall"].location.z == 9
    bpy.ops.ed.redo()
    assert slots("Wall") == ["Red brick"]
