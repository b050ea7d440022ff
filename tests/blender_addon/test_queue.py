"""Several jobs at once: moved, cancelled, run again, left behind; against a scripted server."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest
from maquette_wire import messages

from blender_addon import session as add_on_session
from blender_addon.backend import Local, Remote, Status
from blender_addon.delivery import target_of
from blender_addon.jobs import State
from blender_addon.recipes import recipe_of
from blender_addon.session import Session
from tests.blender_addon.conftest import a_capture, arrived, concepts, turn


@pytest.fixture
def ordering(server):
    """A server that takes the order of jobs, and paints only when told to."""
    server.welcome = {"understands": ("order",)}
    server.hold = True
    return server


def submit(session: Session, folder: Path, *names: str):
    session.want_server(Local(""))
    scene = bpy.context.scene
    jobs = [
        session.restyle(recipe_of(scene.maquette), a_capture(name), target_of(scene, folder))
        for name in names
    ]
    turn(session, lambda: all(job.state is State.QUEUED for job in jobs))
    return jobs


def test_a_job_is_moved_here_and_at_the_server(session, ordering, settings, tmp_path):
    a, b, c = submit(session, tmp_path, "Street", "Court", "Roof")
    assert bpy.ops.maquette.move_job(job=c.name, to="FIRST") == {"FINISHED"}
    assert list(session.jobs.values()) == [c, a, b]
    assert bpy.ops.maquette.move_job(job=a.name, to="DOWN") == {"FINISHED"}
    assert list(session.jobs.values()) == [c, b, a]
    turn(session, lambda: ordering.count(messages.Order) == 2)
    said = [message.jobs for message in ordering.received if isinstance(message, messages.Order)]
    assert said[-1] == (c.name, b.name, a.name)


def test_an_older_server_keeps_its_own_order(session, server, settings, tmp_path):
    server.hold = True
    jobs = submit(session, tmp_path, "Street", "Court")
    assert not bpy.ops.maquette.move_job.poll()
    with pytest.raises(RuntimeError, match="keeps its own order"):
        bpy.ops.maquette.move_job(job=jobs[1].name, to="FIRST")
    assert list(session.jobs.values()) == jobs
    assert session.status is Status.READY


def test_cancel_all_ends_every_job(session, ordering, settings, tmp_path):
    submit(session, tmp_path, "Street", "Court", "Roof")
    assert bpy.ops.maquette.cancel() == {"FINISHED"}
    turn(session, lambda: not session.jobs)
    assert not ordering.jobs
    assert [job.state for job in session.recent] == [State.CANCELLED] * 3


def test_a_finished_picture_is_made_again_of_the_model_as_it_is_now(
    session, server, camera, settings
):
    settings.seed, settings.seed_locked = 7, True
    assert not bpy.ops.maquette.run_again.poll()
    bpy.ops.maquette.restyle()
    turn(session, lambda: arrived(session))
    (done,) = session.recent
    assert done.state is State.DONE
    settings.prompt, settings.seed = "something else", 8
    camera.location.x += 5  # the view is the job's, wherever the camera has gone
    assert bpy.ops.maquette.run_again(job=done.name) == {"FINISHED"}
    turn(session, lambda: arrived(session))
    first, second = [m for m in server.received if isinstance(m, messages.Submit)]
    assert second.recipe == first.recipe
    assert second.views == first.views
    assert second.job != first.job
    assert [job.state for job in session.recent] == [State.DONE] * 2
    bpy.ops.maquette.clear_recent()
    assert not session.recent


def test_a_failed_job_is_run_again(session, server, camera, settings):
    server.hold = True
    bpy.ops.maquette.restyle()
    (job,) = session.open_jobs
    turn(session, lambda: job.state is State.QUEUED)
    server.say(messages.Failed(job=job.name, code="out-of-memory", sentence="The card is full."))
    turn(session, lambda: job.state is State.FAILED)
    server.hold = False
    assert bpy.ops.maquette.run_again(job=job.name) == {"FINISHED"}
    turn(session, lambda: arrived(session))
    assert len(concepts()) == 1
    assert [each.state for each in session.recent] == [State.DONE], "the failure is made good"
    assert not session.notices


def test_a_picture_of_another_file_is_not_run_again_here(session, server, camera, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "house.blend"))
    bpy.ops.maquette.restyle()
    turn(session, lambda: arrived(session))
    bpy.ops.wm.read_homefile(use_empty=True)
    with pytest.raises(RuntimeError, match=r"house\.blend.*Open that scene"):
        bpy.ops.maquette.run_again(job=session.recent[0].name)
    assert not session.open_jobs


def test_the_list_of_recent_jobs_is_short(session, server, settings, tmp_path):
    for _ in range(10):
        session.want_server(Local(""))
        scene = bpy.context.scene
        session.restyle(recipe_of(settings), a_capture(), target_of(scene, tmp_path))
    turn(session, lambda: arrived(session))
    assert len(session.recent) == 8


def again(session: Session) -> Session:
    """The add-on disabled and enabled, as by a Blender that closes and is opened again."""
    bpy.ops.preferences.addon_disable(module="blender_addon")
    bpy.ops.preferences.addon_enable(module="blender_addon")
    return add_on_session.current()


def test_what_was_left_behind_is_named(session, ordering, settings, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "house.blend"))
    submit(session, tmp_path, "Street", "Court")
    left = again(session).left_behind
    assert {entry.file for entry in left} == {"house.blend"}
    assert sorted(entry.label for entry in left) == [
        "Court: red brick library at dusk",
        "Street: red brick library at dusk",
    ]


def test_what_was_left_behind_is_discarded_also_where_no_server_is_reached_yet(
    session, ordering, settings, tmp_path
):
    submit(session, tmp_path, "Street", "Court")
    later = again(session)
    assert len(later.left_behind) == 2
    assert bpy.ops.maquette.discard_left() == {"FINISHED"}
    assert later.left_behind == []
    assert not bpy.ops.maquette.discard_left.poll()
    assert len(ordering.jobs) == 2, "nobody has told the server yet"
    # Blender is closed once more before a server was reached.
    last = again(later)
    assert last.left_behind == [], "what was discarded is not offered again"
    assert bpy.ops.maquette.connect() == {"FINISHED"}
    turn(last, lambda: not ordering.jobs)
    turn(last, lambda: not list(last.home.unfinished.glob("*/*.json")))
    assert not last.jobs and not concepts()


def test_a_finished_picture_that_is_discarded_leaves_the_server(
    session, ordering, settings, tmp_path
):
    (job,) = submit(session, tmp_path / "out", "Street")
    later = again(session)
    bpy.ops.maquette.connect()
    turn(later, lambda: later.status is Status.READY and job.name in later.jobs)
    later = again(later)
    ordering.hold = False  # it is done by the time it is asked for
    bpy.ops.maquette.discard_left()
    bpy.ops.maquette.connect()
    turn(later, lambda: not ordering.jobs)
    turn(later, lambda: not list(later.home.unfinished.glob("*/*.json")))
    assert not concepts() and not (tmp_path / "out").exists()


def test_what_is_discarded_while_the_server_is_there_is_gone_at_once(
    session, ordering, settings, tmp_path
):
    submit(session, tmp_path, "Street")
    later = again(session)
    later.want_server(Remote("tcp://127.0.0.1:9", ordering.keys.public))
    later.want_server(Local(""))
    left, later.ledger.adopt = later.ledger.adopt, lambda _server: []  # nobody has fetched them
    turn(later, lambda: later.status is Status.READY)
    later.ledger.adopt = left
    bpy.ops.maquette.discard_left()
    turn(later, lambda: not ordering.jobs)
    turn(later, lambda: not list(later.home.unfinished.glob("*/*.json")))
