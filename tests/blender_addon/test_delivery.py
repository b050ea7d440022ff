"""Results reach the right file and folder, whatever the user does to either meanwhile."""

from __future__ import annotations

import time
from pathlib import Path

import bpy
import pytest
from maquette_wire.home import Home

from blender_addon import results
from blender_addon import session as add_on_session
from blender_addon.backend import Local
from blender_addon.delivery import target_of
from blender_addon.jobs import Job, State
from blender_addon.recipes import recipe_of
from blender_addon.session import Session
from tests.blender_addon.conftest import a_capture, arrived, concepts, turn
from tests.shared.mock_server import MockServer

FILE = "concept-street-seed0.png"


@pytest.fixture
def job(session: Session, server: MockServer, settings, tmp_path: Path) -> Job:
    """A job that the server has and doesn't finish by itself."""
    server.hold = True
    session.want_server(Local(""))
    scene = bpy.context.scene
    folder = results.folder_for("", bpy.data.filepath, session.home)
    job = session.restyle(recipe_of(settings), a_capture(), target_of(scene, folder))
    turn(session, lambda: job.state is State.QUEUED)
    return job


@pytest.fixture
def unsaved(session: Session, server: MockServer, home: Home, job: Job, tmp_path: Path) -> Job:
    """A job whose picture no folder takes."""
    home.make()
    home.concepts.parent.mkdir(parents=True, exist_ok=True)
    home.concepts.write_text("in the way")
    server.finish(job.name)
    turn(session, lambda: job.state is State.UNSAVED)
    return job


def test_a_picture_that_nothing_takes_waits_for_another_folder(
    session, server, home, unsaved, tmp_path
):
    assert "choose another output folder" in session.notices[-1].text
    assert session.tick() >= 1, "nothing is tried again and again"
    session.dismiss()
    assert session.jobs, "dismissing a message is not giving the picture up"
    assert bpy.ops.maquette.save_again(job=unsaved.name) == {"FINISHED"}
    turn(session, lambda: unsaved.state is State.UNSAVED)
    preferences = bpy.context.preferences.addons["blender_addon"].preferences
    preferences.folder = str(tmp_path / "elsewhere")
    bpy.ops.maquette.save_again(job=unsaved.name)
    turn(session, lambda: arrived(session))
    assert (tmp_path / "elsewhere" / FILE).is_file()
    assert len(concepts()) == 1
    assert not session.notices and not session.jobs
    turn(session, lambda: not server.jobs)
    assert session.ledger.left_behind() == []


def test_a_picture_that_nothing_takes_can_be_given_up(session, server, unsaved):
    assert bpy.ops.maquette.discard(job=unsaved.name) == {"FINISHED"}
    turn(session, lambda: not server.jobs)
    assert not session.jobs and not session.notices and not concepts()


def test_a_picture_that_nothing_took_is_there_after_a_restart(session, server, home, unsaved):
    bpy.ops.preferences.addon_disable(module="blender_addon")
    home.concepts.unlink()
    server.hold = False
    bpy.ops.preferences.addon_enable(module="blender_addon")
    again = add_on_session.current()
    bpy.ops.maquette.connect()
    turn(again, lambda: (home.concepts / FILE).is_file())


def test_saved_for_the_first_time_while_it_works(session, server, home, job, tmp_path):
    assert Path(job.target.folder) == home.concepts
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "house.blend"))
    server.finish(job.name)
    turn(session, lambda: arrived(session))
    assert (tmp_path / "maquette" / FILE).is_file()
    assert concepts()[0].filepath == f"//maquette/{FILE}"
    assert not home.concepts.exists()


def test_saved_elsewhere_with_another_scene_name_then_closed_and_opened(
    session, server, job, tmp_path
):
    bpy.context.scene.name = "Library"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "library.blend"))
    server.finish(job.name)
    turn(session, lambda: arrived(session))
    assert concepts()[0].filepath == f"//maquette/{FILE}"
    assert bpy.data.scenes["Library"].maquette.last_result == concepts()[0]


def test_the_ledger_follows_a_save(session, server, job, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "house.blend"))
    bpy.ops.preferences.addon_disable(module="blender_addon")
    bpy.ops.preferences.addon_enable(module="blender_addon")
    again = add_on_session.current()
    server.hold = False
    bpy.ops.maquette.connect()
    turn(again, lambda: (tmp_path / "maquette" / FILE).is_file())
    turn(again, lambda: arrived(again))
    assert len(concepts()) == 1


def test_a_copy_that_is_saved_is_another_file(session, server, home, job, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "copy.blend"), copy=True)
    server.finish(job.name)
    turn(session, lambda: arrived(session))
    assert (home.concepts / FILE).is_file()
    assert not (tmp_path / "maquette").exists()


@pytest.mark.parametrize("step", ["undo", "redo"])
def test_undo_while_it_works_loses_neither_job_nor_picture(session, server, job, tmp_path, step):
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="start")
    bpy.ops.object.empty_add()
    bpy.ops.ed.undo_push(message="edit")
    bpy.ops.ed.undo()
    if step == "redo":
        bpy.ops.ed.redo()
    server.finish(job.name)
    turn(session, lambda: arrived(session))
    assert bpy.context.scene.maquette.last_result == concepts()[0]


def test_a_fault_in_the_add_on_is_told_and_neither_a_picture_nor_the_other_jobs_are_lost(
    session, server, job, tmp_path, monkeypatch
):
    def broken(_saved: results.Saved) -> bpy.types.Image:
        raise ValueError("not foreseen")

    monkeypatch.setattr(results, "load", broken)
    server.finish(job.name)
    # As Blender calls it, which never does again after an exception.
    end = time.monotonic() + 20.0
    while job.state is not State.DONE and time.monotonic() < end:
        assert add_on_session._tick() is not None
        time.sleep(0.01)
    assert "not foreseen" in session.notices[-1].text and job.pictures[0].is_file()
    monkeypatch.undo()
    again = session.restyle(job.recipe, a_capture(), job.target)
    turn(session, lambda: again.name in server.jobs)
    server.finish(again.name)
    turn(session, lambda: again.state is State.DONE and arrived(session))
