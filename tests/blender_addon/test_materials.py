"""Materials in the add-on: from the button to a node material that is an asset, and back from its
folder."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from maquette_wire import material_files
from maquette_wire.material import Material
from maquette_wire.messages import Acknowledge, Submit

from blender_addon import materials
from blender_addon import session as add_on_session
from blender_addon.jobs import State
from tests.blender_addon.conftest import arrived, turn
from tests.blender_addon.material_scene import press, select, slots


def test_the_job_has_the_material_and_nothing_of_the_concept(session, server, walls):
    server.hold = True
    settings = walls.maquette
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


def test_a_material_is_made_and_is_an_asset(session, server, walls):
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


def test_its_folder_is_there_only_when_it_is_whole(session, server, walls, monkeypatch):
    folder = Path(bpy.data.filepath).parent / "maquette/materials"
    write, seen = Path.write_bytes, []

    def watched(path: Path, data: bytes) -> int:
        seen.append([each.name for each in folder.iterdir() if not each.name.startswith(".")])
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", watched)
    press(session)
    assert seen == [[]] * 5, "a Blender that is killed meanwhile leaves no half of a material"
    assert [path.name for path in folder.iterdir()] == ["red-brick"]


def test_the_nodes_have_its_scale_relief_and_colour_spaces(session, server, walls):
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


def test_an_older_server_is_named(session, server, walls):
    server.welcome = {"understands": ("order",)}
    bpy.ops.maquette.make_material()
    turn(session, lambda: not session.open_jobs)
    job = next(iter(session.jobs.values()))
    assert job.state is State.FAILED and "older and can't make materials" in str(job.error)


def test_an_empty_prompt_and_an_impossible_joint(session, server, walls):
    own = walls.maquette.material
    own.adjust, own.unit_width, own.unit_height, own.joint = True, 0.2, 0.1, 0.15
    with pytest.raises(RuntimeError, match=r"joint is 0\.15 m"):
        bpy.ops.maquette.make_material()
    own.prompt = " "
    with pytest.raises(RuntimeError, match="prompt is empty"):
        bpy.ops.maquette.make_material()


def test_adjust_begins_with_the_pattern_s_own(session, server, walls):
    own = walls.maquette.material
    own.prompt = "weathered larch"
    bpy.ops.maquette.adjust_material()
    assert own.adjust and (own.unit_width, own.unit_height) == pytest.approx((2.4, 0.14))
    own.unit_height = 0.2
    material = press(session)
    _recipe, made = materials.asked(material)
    assert made.pattern == "planks" and made.unit == (2.4, 0.2)
    bpy.ops.maquette.adjust_material()
    assert materials.asked(press(session))[1].unit == (2.4, 0.14)


def test_its_settings_come_back_into_the_panel(session, server, walls):
    own = walls.maquette.material
    own.pattern, own.mapping, own.pixels = "ashlar", "BOX", "1024"
    material = press(session)
    own.prompt, own.pattern, own.mapping, own.pixels = "oak", "tiles", "FACES", "512"
    own.size, walls.maquette.seed, walls.maquette.seed_locked = 9, 77, False
    assert bpy.ops.maquette.use_material(material=material.name) == {"FINISHED"}
    assert (own.prompt, own.pattern, own.mapping, own.pixels) == (
        "red brick",
        "ashlar",
        "BOX",
        "1024",
    )
    assert own.size == pytest.approx(2.4) and not own.adjust
    assert walls.maquette.seed == 5 and walls.maquette.seed_locked
    again = press(session)
    assert materials.asked(again) == materials.asked(material)


def test_a_material_of_a_file_that_is_closed_is_made_later(session, server, walls):
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


def test_a_picture_that_is_no_material_is_said(session, server, walls, tmp_path):
    with pytest.raises(RuntimeError, match="is no material's folder"):
        bpy.ops.maquette.material_of_file(filepath=str(tmp_path / "albedo.png"))


def test_one_made_when_blender_ended_is_in_the_file_in_the_next(session, server, walls):
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


def test_a_folder_that_can_t_be_written_to(session, server, walls, home):
    (Path(bpy.data.filepath).parent / "maquette").write_text("a file in the way")
    material = press(session)
    assert "can't be written to: the material was saved as" in session.notices[-1].text
    assert materials.folder_of(material).parent == home.concepts / "materials"


def test_one_that_no_folder_takes_is_saved_again(session, server, walls, home):
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


def test_it_is_cancelled(session, server, walls):
    server.hold = True
    bpy.ops.maquette.make_material()
    turn(session, lambda: bool(server.jobs))
    bpy.ops.maquette.cancel()
    turn(session, lambda: not session.jobs)
    assert not materials.materials() and not session.recent


def test_it_is_one_step_to_undo(session, server, walls):
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
