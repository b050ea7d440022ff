"""Live: what it asks for and when, with a client and a clock of the test's own; its operators."""

# Blender's stubs call optional what this scene has.
# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import bpy
import msgspec
import pytest
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import (
    Accepted,
    Cancelled,
    Failed,
    FrameHeader,
    Picture,
    Progress,
    Result,
)
from maquette_wire.recipe import Recipe

from blender_addon import live_view
from blender_addon.backend import Local
from blender_addon.live import LOST_SECONDS, Live, Painted, Wish
from tests.blender_addon.conftest import SECONDS, a_capture, turn

CAPTURE = a_capture("Viewport")


@dataclass
class Eye:
    """A 3D view that is moved by a number."""

    state: int = 0
    error: MaquetteError | None = None
    nothing: bool = False
    captured: list[int] = field(default_factory=list)
    shown: list[tuple[Painted | None, str]] = field(default_factory=list)
    closed: bool = False

    def wish(self) -> Wish | None:
        if self.error is not None:
            raise self.error
        return None if self.nothing else Wish(Recipe(prompt="brick"), CAPTURE.view, (self.state,))

    def capture(self, wish: Wish):
        self.captured.append(wish.state[0])  # type: ignore[arg-type]
        return CAPTURE

    def show(self, painted: Painted | None, text: str) -> None:
        self.shown.append((painted, text))

    def close(self) -> None:
        self.closed = True


@dataclass
class Painter:
    """A client that notes what it is told."""

    connected: bool = True
    sent: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)

    def submit(self, recipe: Recipe, captures) -> str:
        self.sent.append(f"job {len(self.sent) + 1}")
        return self.sent[-1]

    def cancel(self, job: str) -> None:
        self.cancelled.append(job)

    def acknowledge(self, job: str) -> None:
        self.acknowledged.append(job)


def _result(job: str) -> Result:
    shape = (CAPTURE.view.height, CAPTURE.view.width, 3)
    header = FrameHeader(name="concept", dtype="u1", shape=shape)
    picture = Picture(view=0, seed=0)
    return Result(job=job, recipe=Recipe(prompt="brick"), pictures=(picture,), frames=(header,))


FRAMES = [memoryview(bytes(CAPTURE.view.height * CAPTURE.view.width * 3))]


@pytest.fixture
def scene() -> tuple[Live, Eye, Painter]:
    live, eye, painter = Live(), Eye(), Painter()
    live.begin(eye, painter, 0.0)
    return live, eye, painter


def _paint(live: Live, painter: Painter, began: float, seconds: float) -> float:
    """A picture from being asked to being shown; returns when that is."""
    live.step(began)
    assert live.take(_result(painter.sent[-1]), FRAMES, began + seconds)
    return began + seconds


def test_a_picture_follows_a_change_and_nothing_follows_none(scene):
    live, eye, painter = scene
    now = _paint(live, painter, 0.0, 0.4)
    assert live.shown is not None and live.shown.wish.state == (0,)
    assert eye.shown[-1] == (live.shown, "2.5 pictures a second")
    assert painter.acknowledged == ["job 1"], "the server may forget it at once"
    for _ in range(50):
        assert not live.noticed()
        now += 0.1
        live.step(now)
    assert eye.captured == [0] and not live.busy
    eye.state = 1
    assert live.noticed()
    live.step(now)
    assert eye.captured == [0, 1] and live.busy


def test_while_a_picture_is_painted_no_other_is_captured_and_the_newest_comes_next(scene):
    live, eye, painter = scene
    _paint(live, painter, 0.0, 0.4)
    eye.state = 1
    live.step(1.0)
    for state in range(2, 9):
        eye.state = state
        live.step(1.0 + state / 50)
    assert eye.captured == [0, 1] and painter.cancelled == []
    live.take(_result("job 2"), FRAMES, 1.4)
    live.step(1.4)
    assert eye.captured == [0, 1, 8], "those between are of no interest any more"


def test_a_slow_picture_of_a_view_that_was_left_is_given_up_at_rest(scene):
    live, eye, painter = scene
    _paint(live, painter, 0.0, 8.0)
    eye.state = 1
    live.step(10.0)
    live.take(Progress(job="job 2", stage="sampling", step=1, steps=8), [], 10.5)
    eye.state = 2
    live.step(11.0)
    live.step(11.1)
    assert painter.cancelled == [], "the user is still moving"
    live.step(11.3)
    assert painter.cancelled == ["job 2"]
    live.step(11.4)
    assert eye.captured == [0, 1], "one at a time"
    live.take(Cancelled(job="job 2"), [], 11.5)
    live.step(11.5)
    assert eye.captured == [0, 1, 2]


def test_one_that_waits_behind_other_jobs_makes_room_for_the_newest(scene):
    live, eye, painter = scene
    _paint(live, painter, 0.0, 0.3)
    eye.state = 1
    live.step(1.0)
    live.take(Accepted(job="job 2", ahead=1), [], 1.0)
    eye.state = 2
    live.step(1.5)
    live.step(1.7)
    assert painter.cancelled == ["job 2"]
    # It was done after all: what is here is shown.
    live.take(_result("job 2"), FRAMES, 1.8)
    assert live.shown.wish.state == (1,) and live.on
    live.step(1.8)
    assert eye.captured == [0, 1, 2]


def test_ending_gives_up_what_is_painted_and_takes_the_picture_away(scene):
    live, eye, painter = scene
    _paint(live, painter, 0.0, 0.3)
    eye.state = 1
    live.step(1.0)
    live.end()
    assert eye.closed and not live.on and live.shown is None and live.error is None
    assert painter.cancelled == ["job 2"]
    assert live.take(_result("job 2"), FRAMES, 1.2), "it is nobody else's"
    assert painter.acknowledged == ["job 1", "job 2"] and live.shown is None
    assert not live.take(_result("job 2"), FRAMES, 1.3)
    assert not live.take(_result("another job"), FRAMES, 1.3)


def test_a_failed_picture_ends_it_and_says_why(scene):
    live, eye, painter = scene
    live.step(0.0)
    live.take(Failed(job="job 1", code="unknown-model", sentence="No such model."), [], 0.1)
    assert not live.on and eye.closed
    assert "No such model." in str(live.error)
    assert painter.acknowledged == ["job 1"]


def test_a_lost_connection_is_waited_for_and_in_the_end_not(scene):
    live, eye, painter = scene
    painter.connected = False
    live.step(1000.0)
    assert live.on and live.text == "Waiting for the server", "a first start takes its time"
    painter.connected = True
    now = _paint(live, painter, 1000.0, 0.3)
    painter.connected = False
    eye.state = 1
    live.step(now + LOST_SECONDS / 2)
    assert live.on and eye.captured == [0]
    live.step(now + LOST_SECONDS * 2)
    assert not live.on and live.error.code == "server-lost"


def test_a_server_that_cannot_be_had_ends_it():
    live, eye = Live(), Eye()
    live.begin(eye, Painter(connected=False), 0.0)
    live.step(1.0, MaquetteError("no-backend", "It isn't installed.", "Install it."))
    assert not live.on and live.error.code == "no-backend"


def test_an_emptied_prompt_is_said_and_waited_for(scene):
    live, eye, painter = scene
    now = _paint(live, painter, 0.0, 0.5)
    eye.error = MaquetteError("empty-prompt", "The prompt is empty.")
    assert live.noticed()
    live.step(now)
    assert live.on and live.text == "The prompt is empty." and not live.noticed()
    eye.error = None
    assert live.noticed()
    live.step(now + 1)
    assert live.text == "2.0 pictures a second" and eye.captured == [0]
    assert not live.noticed()


def test_no_3d_view_and_nothing_is_done(scene):
    live, eye, _painter = scene
    eye.nothing = True
    live.step(0.0)
    assert not live.noticed() and eye.captured == [] and live.on


def test_pictures_of_live_are_no_jobs(session, server, settings, home):
    session.want_server(Local(""))
    eye = Eye()
    session.follow(eye)
    turn(session, lambda: session.live.shown is not None)
    eye.state = 1
    turn(session, lambda: session.live.shown.wish.state == (1,))
    turn(session, lambda: not server.jobs)
    assert not session.jobs and session.ledger.left_behind() == []
    assert not any(image.get("maquette_job") for image in bpy.data.images)
    assert eye.captured == [0, 1]
    assert session.tick() != 0.02, "nothing is to be waited for"


def test_another_file_ends_it(session, server, settings):
    session.want_server(Local(""))
    server.hold = True
    eye = Eye()
    session.follow(eye)
    turn(session, lambda: bool(server.jobs))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.preferences.addon_enable(module="blender_addon")
    assert eye.closed


def test_disabling_the_add_on_ends_it(session, server, settings):
    session.want_server(Local(""))
    server.hold = True
    eye = Eye()
    session.follow(eye)
    turn(session, lambda: bool(server.jobs))
    bpy.ops.preferences.addon_disable(module="blender_addon")
    assert eye.closed
    end = time.monotonic() + SECONDS
    while server.jobs:
        assert time.monotonic() < end, "it is cancelled at the server"
        time.sleep(0.01)
    bpy.ops.preferences.addon_enable(module="blender_addon")


def test_live_needs_a_window(settings):
    assert not bpy.ops.maquette.live.poll()
    assert not bpy.ops.maquette.keep_live.poll()
    assert not bpy.ops.maquette.wipe_view.poll()


def test_a_change_of_the_windows_is_a_new_wish(settings, monkeypatch):
    monkeypatch.setattr(live_view, "_view_in", lambda _place: CAPTURE.view)  # none without a window
    (area,) = (each for each in bpy.context.screen.areas if each.type == "VIEW_3D")
    eye = live_view.LiveView(area, lambda: None)
    try:
        wishes = [eye.wish()]
        for name, value in (("windows", "grid"), ("storey_height", 4.5), ("bay_width", 6.0)):
            setattr(settings, name, value)
            wishes.append(eye.wish())
            assert wishes[-1] is not None and wishes[-1] != wishes[-2], name
        assert eye.wish() == wishes[-1], "and nothing is new where nothing changes"
    finally:
        eye.close()


def test_a_wish_is_new_where_the_recipe_is():
    wish = Wish(Recipe(prompt="brick"), CAPTURE.view)
    assert replace(wish, recipe=msgspec.structs.replace(wish.recipe, seed=2)) != wish
    assert replace(wish, recipe=Recipe(prompt="brick")) == wish
