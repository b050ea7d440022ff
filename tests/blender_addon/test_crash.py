"""A capture outlives the Blender that made it, whether a server had accepted its job or not."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from maquette_wire import messages
from maquette_wire.home import Home

from blender_addon import results
from blender_addon import session as add_on_session
from blender_addon.backend import Local
from blender_addon.delivery import target_of
from blender_addon.jobs import Job, State
from blender_addon.recipes import recipe_of
from blender_addon.session import Session
from tests.blender_addon.conftest import a_capture, arrived, pictures, turn


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A saved .blend with a prompt."""
    path = tmp_path / "house.blend"
    bpy.context.scene.maquette.prompt = "red brick library at dusk"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def restyle(session: Session, file: Path) -> Job:
    session.want_server(Local(""))
    scene = bpy.context.scene
    target = target_of(scene, file.parent / "maquette")
    return session.restyle(recipe_of(scene.maquette), a_capture(), target)


def left_in(home: Home) -> list[str]:
    return sorted(path.suffix for path in home.unfinished.glob("*/*") if path.suffix)


def next_blender() -> Session:
    bpy.ops.preferences.addon_disable(module="blender_addon")
    bpy.ops.preferences.addon_enable(module="blender_addon")
    return add_on_session.current()


def assert_kept(session: Session, home: Home) -> None:
    """The picture is in the gallery with the capture that the other Blender made."""
    (entry,) = pictures()
    kept = results.read_capture(Path(bpy.path.abspath(entry.capture)))
    made = a_capture()
    assert kept.view == made.view
    assert np.array_equal(np.asarray(kept.color), np.asarray(made.color))
    assert np.array_equal(np.asarray(kept.depth), np.asarray(made.depth))
    assert session.left_behind == [] and left_in(home) == []


def test_the_capture_of_an_accepted_job_is_there_in_the_next_blender(session, server, home, file):
    server.hold = True
    job = restyle(session, file)
    turn(session, lambda: job.state is State.QUEUED and len(left_in(home)) == 2)
    later = next_blender()
    server.hold = False
    bpy.ops.maquette.connect()
    turn(later, lambda: pictures() and arrived(later))
    assert server.count(messages.Submit) == 1, "it was accepted, so nothing is sent again"
    assert_kept(later, home)


def test_a_job_that_no_server_had_accepted_is_sent_by_the_next_blender(session, server, home, file):
    server.mute = True
    job = restyle(session, file)
    turn(session, lambda: len(left_in(home)) == 2)
    assert job.state is State.WAITING
    later = next_blender()
    assert [entry.label for entry in later.left_behind] == ["Street: red brick library at dusk"]
    server.mute = False
    bpy.ops.maquette.connect()
    turn(later, lambda: pictures() and arrived(later))
    assert server.count(messages.Submit) == 1
    assert_kept(later, home)


def test_a_capture_that_the_crash_cut_off_costs_no_more_than_itself(session, server, home, file):
    server.hold = True
    job = restyle(session, file)
    turn(session, lambda: job.state is State.QUEUED and len(left_in(home)) == 2)
    (capture,) = home.unfinished.glob("*/*.maquette")
    later = next_blender()
    capture.write_bytes(capture.read_bytes()[:100])
    server.hold = False
    bpy.ops.maquette.connect()
    turn(later, lambda: pictures() and arrived(later))
    assert pictures()[0].capture == "" and later.left_behind == []


def test_a_job_that_is_cancelled_or_discarded_leaves_no_capture(session, server, home, file):
    server.hold = True
    job = restyle(session, file)
    bpy.ops.maquette.cancel(job=job.name)
    turn(session, lambda: not session.jobs and not session._errands)
    assert left_in(home) == []
    restyle(session, file)
    turn(session, lambda: len(left_in(home)) == 2)
    later = next_blender()
    bpy.ops.maquette.discard_left()
    assert left_in(home) == [".json"], "a note for the server's sake"
    bpy.ops.maquette.connect()
    turn(later, lambda: left_in(home) == [])
