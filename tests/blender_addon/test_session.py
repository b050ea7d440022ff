"""Jobs from Restyle to the picture in the file, against a scripted server over real sockets."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from maquette_wire import messages, metadata, png
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home

from blender_addon import results, thumbnails
from blender_addon import session as add_on_session
from blender_addon.backend import Local, Remote, Status
from blender_addon.delivery import target_of
from blender_addon.jobs import State
from blender_addon.recipes import recipe_of
from blender_addon.session import Session
from tests.blender_addon.conftest import a_capture, arrived, concepts, pictures, turn
from tests.shared.mock_server import MockServer


def _submit(session: Session, folder: Path, name: str = "Street"):
    session.want_server(Local(""))
    scene = bpy.context.scene
    return session.restyle(recipe_of(scene.maquette), a_capture(name), target_of(scene, folder))


def test_restyle_brings_a_picture_with_its_recipe(session, server, camera, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "house.blend"))
    settings = bpy.context.scene.maquette
    settings.seed, settings.seed_locked, settings.count = 12, True, 2
    assert bpy.ops.maquette.restyle() == {"FINISHED"}
    turn(session, lambda: arrived(session))
    assert [entry.title for entry in pictures()] == ["Street – seed 12", "Street – seed 13"]
    image = settings.last_result
    assert [image] == concepts(), "only what is shown needs a datablock"
    assert image.name == "Concept – Street – seed 12"
    assert tuple(image.size) == (64, 48)
    assert image.filepath == "//maquette/concept-street-seed12.png"
    path = tmp_path / "maquette" / "concept-street-seed12.png"
    recipe = png.read_recipe(path)
    assert (recipe.prompt, recipe.seed, recipe.count) == ("red brick library at dusk", 12, 1)
    said = metadata.read(path)
    assert said.view is not None and said.view.name == "Street"
    assert said.software.startswith("Maquette ")
    assert png.read_text(path)["parameters"].startswith("red brick library at dusk\n")
    assert (tmp_path / "maquette" / "concept-street-seed12-depth.png").is_file()
    # The server may forget the job, and nothing is left to recover.
    turn(session, lambda: not server.jobs)
    assert session.ledger.left_behind() == []
    assert server.count(messages.Submit) == 1


def test_a_new_concept_takes_the_place_of_the_chosen_one(session, server, camera):
    settings, view = bpy.context.scene.maquette, bpy.context.window_manager.maquette_gallery
    made = []
    for _ in range(2):
        bpy.ops.maquette.restyle()
        turn(session, lambda: arrived(session))
        made.append(settings.pictures[-1].name)
        assert settings.last_result[results.KEY] == view.chosen == made[-1]
    assert bpy.ops.maquette.choose_picture(picture=made[0]) == {"FINISHED"}
    assert settings.last_result[results.KEY] == view.chosen == made[0]
    bpy.ops.maquette.restyle()
    turn(session, lambda: arrived(session))
    assert settings.last_result[results.KEY] == view.chosen == settings.pictures[-1].name


def test_the_submit_carries_what_the_camera_sees(session, server, camera, home):
    assert bpy.ops.maquette.restyle() == {"FINISHED"}
    turn(session, lambda: arrived(session))
    packet = next(p for p in server.packets if isinstance(p.message, messages.Submit))
    names = [header.name for header in packet.message.frames]
    assert names == ["color", "depth"]
    depth = np.frombuffer(packet.frames[1], np.float32).reshape(48, 64)
    assert depth[24, 32] == pytest.approx(13.0, abs=0.05)  # the box's front face
    assert np.isinf(depth[0, 0])
    # A scene that was never saved has its pictures in the home.
    assert Path(bpy.path.abspath(concepts()[0].filepath)).parent == home.concepts


def test_each_restyle_has_a_new_seed_unless_it_is_kept(session, server, camera):
    settings = bpy.context.scene.maquette
    seeds = []
    for locked in (False, False, True):
        settings.seed_locked = locked
        bpy.ops.maquette.restyle()
        turn(session, lambda: arrived(session))
        seeds.append(settings.seed)
    assert len({*seeds}) == 2
    assert seeds[1] == seeds[2]


def test_progress_says_steps_and_remaining_time(session, server, settings, tmp_path):
    server.hold = True
    job = _submit(session, tmp_path)
    turn(session, lambda: job.state is State.QUEUED)
    frame = messages.FrameHeader(name="preview", dtype="u1", shape=(2, 3, 3))
    for step in (1, 2, 3):
        server.say(
            messages.Progress(job=job.name, stage="sampling", step=step, steps=8, frames=(frame,)),
            (bytes(range(18)),),
        )
        turn(session, lambda step=step: job.step == step)
    assert job.describe().startswith("Painting 3/8, ")
    assert job.describe().endswith(" left")
    assert job.fraction == pytest.approx(3 / 8)
    assert job.name in (thumbnails._pictures or {}), "the panel shows what is painted so far"
    server.finish(job.name)
    turn(session, lambda: arrived(session))
    assert job.name not in (thumbnails._pictures or {})


def test_a_server_that_dies_and_comes_back_loses_nothing(session, server, settings, tmp_path):
    server.hold = True
    job = _submit(session, tmp_path)
    turn(session, lambda: job.state is State.QUEUED)
    server.die()
    turn(session, lambda: session.status in (Status.LOST, Status.STARTING))
    assert session.notices, "the user hears of it"
    assert job.state is State.WAITING, "nobody is working on it"
    server.hold = False
    server.start()
    turn(session, lambda: arrived(session))
    assert [image.name for image in concepts()] == ["Concept – Street – seed 0"]
    assert not session.notices, "what is over is not said any more"


def test_cancel_ends_the_job_at_the_server(session, server, settings, tmp_path):
    server.hold = True
    job = _submit(session, tmp_path)
    turn(session, lambda: job.state is State.QUEUED)
    assert bpy.ops.maquette.cancel(job=job.name) == {"FINISHED"}
    assert job.state is State.CANCELLING
    turn(session, lambda: not session.jobs)
    assert job.state is State.CANCELLED
    assert not server.jobs
    assert not concepts()
    assert not bpy.ops.maquette.cancel.poll()


def test_a_failed_job_says_why_until_it_is_dismissed(session, server, settings, tmp_path):
    server.hold = True
    job = _submit(session, tmp_path)
    turn(session, lambda: job.state is State.QUEUED)
    failure = messages.Failed(
        job=job.name,
        code="out-of-memory",
        sentence="The graphics card is full.",
        hint="Go smaller.",
    )
    server.say(failure)
    turn(session, lambda: job.state is State.FAILED)
    assert "The graphics card is full. Go smaller." in [notice.text for notice in session.notices]
    bpy.ops.maquette.dismiss()
    assert not session.jobs
    assert not session.notices


def test_warnings_of_a_result_reach_the_user(session, server, settings, tmp_path):
    server.hold = True
    job = _submit(session, tmp_path)
    turn(session, lambda: job.state is State.QUEUED)
    result = messages.Result(
        job=job.name, recipe=job.recipe, pictures=(), warnings=('The model doesn\'t know "zinc".',)
    )
    server.say(result)
    turn(session, lambda: not session.open_jobs or job.state is State.SAVING)
    assert [notice.level for notice in session.notices] == ["WARNING"]


def test_a_file_closed_in_mid_job_still_gets_its_picture(session, server, settings, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "house.blend"))
    server.hold = True
    job = _submit(session, tmp_path / "maquette")
    turn(session, lambda: job.state is State.QUEUED)
    bpy.ops.wm.read_homefile(use_empty=True)
    server.finish(job.name)
    turn(session, lambda: arrived(session))
    assert not concepts(), "another file's picture has no place in this one"
    assert png.read_recipe(tmp_path / "maquette" / "concept-street-seed0.png").seed == 0
    assert "house.blend" in session.notices[-1].text


def test_a_file_that_is_open_again_gets_its_picture(session, server, settings, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "house.blend"))
    server.hold = True
    job = _submit(session, tmp_path / "maquette")
    turn(session, lambda: job.state is State.QUEUED)
    bpy.ops.wm.revert_mainfile()
    server.finish(job.name)
    turn(session, lambda: arrived(session))
    assert [image.name for image in concepts()] == ["Concept – Street – seed 0"]


def test_a_deleted_scene_does_not_stop_the_picture(session, server, settings, tmp_path):
    server.hold = True
    job = _submit(session, tmp_path / "out")
    turn(session, lambda: job.state is State.QUEUED)
    gone = bpy.context.scene
    bpy.data.scenes.new("Other")
    bpy.data.scenes.remove(gone)
    server.finish(job.name)
    turn(session, lambda: arrived(session))
    assert (tmp_path / "out" / "concept-street-seed0.png").is_file()


def test_disabled_in_mid_job_and_enabled_again(session, server, settings, tmp_path):
    server.hold = True
    job = _submit(session, tmp_path / "out")
    turn(session, lambda: job.state is State.QUEUED)
    bpy.ops.preferences.addon_disable(module="blender_addon")
    server.hold = False
    bpy.ops.preferences.addon_enable(module="blender_addon")
    again = add_on_session.current()
    assert [entry.job for entry in again.left_behind] == [job.name]
    assert not again.jobs, "no server is started or asked before the user wants one"
    assert bpy.ops.maquette.connect() == {"FINISHED"}
    turn(again, lambda: (tmp_path / "out" / "concept-street-seed0.png").is_file())
    turn(again, lambda: arrived(again))
    assert again.left_behind == []
    assert again.ledger.left_behind() == []


def test_disabled_right_after_restyle(session, server, settings, tmp_path):
    session.want_server(Local(""))
    turn(session, lambda: session.status is Status.READY)
    _submit(session, tmp_path / "out")
    bpy.ops.preferences.addon_disable(module="blender_addon")
    bpy.ops.preferences.addon_enable(module="blender_addon")
    again = add_on_session.current()
    bpy.ops.maquette.connect()
    turn(again, lambda: (tmp_path / "out" / "concept-street-seed0.png").is_file())
    turn(again, lambda: arrived(again))
    assert again.ledger.left_behind() == []


def test_a_folder_that_cannot_be_written_to(session, server, settings, tmp_path, home: Home):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    _submit(session, blocked / "maquette")
    turn(session, lambda: arrived(session))
    assert Path(bpy.path.abspath(concepts()[0].filepath)).parent == home.concepts
    assert "can't be written to" in session.notices[-1].text


def test_without_a_server_program_it_says_what_to_do(camera, session):
    with pytest.raises(RuntimeError, match=r"isn't installed on this computer.*preferences"):
        bpy.ops.maquette.restyle()
    assert session.status is Status.TROUBLE
    assert not session.jobs


def test_an_empty_prompt_says_what_to_do(camera, session, server):
    bpy.context.scene.maquette.prompt = "  "
    with pytest.raises(RuntimeError, match="Describe the building"):
        bpy.ops.maquette.restyle()


def test_another_protocol_version_is_said(session, settings, server: MockServer, tmp_path):
    server.welcome = {"protocol": 99}
    job = _submit(session, tmp_path)
    turn(session, lambda: session.status is Status.TROUBLE)
    assert "Update the older of the two" in session.notices[-1].text
    assert job.state is State.WAITING


def test_beyond_this_computer_only_when_blender_may_go_online():
    preferences = bpy.context.preferences.addons["blender_addon"].preferences
    preferences.place, preferences.address = "REMOTE", "tcp://192.0.2.1:47820"
    from blender_addon.preferences import choice

    assert not bpy.app.online_access
    with pytest.raises(MaquetteError, match="Allow Online Access"):
        choice()
    preferences.address = "tcp://127.0.0.1:47820"
    assert isinstance(choice(), Remote)


def test_idle_costs_no_timer(session, server, settings, tmp_path):
    assert session.tick() is None
    _submit(session, tmp_path)
    assert session.tick() <= 0.1
    turn(session, lambda: arrived(session) and session.tick() >= 1)


def test_a_concept_survives_an_undo_of_an_earlier_edit(session, server, settings, tmp_path):
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="start")
    bpy.ops.object.empty_add()
    bpy.ops.ed.undo_push(message="edit")
    _submit(session, tmp_path)
    turn(session, lambda: arrived(session))
    bpy.ops.ed.undo()
    session.tick()
    assert [image.name for image in concepts()] == ["Concept – Street – seed 0"]
    assert bpy.context.scene.maquette.last_result == concepts()[0]
