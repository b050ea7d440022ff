"""The order of jobs and the time that they take, on jobs alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from maquette_wire.jobs import in_order
from maquette_wire.material import Material
from maquette_wire.messages import Accepted, Progress
from maquette_wire.recipe import Recipe

from blender_addon.commissions import Commission
from blender_addon.jobs import Job, State, Target
from blender_addon.waiting import Move, Pace, moved, sorted_jobs, times_left, waiting
from tests.blender_addon.conftest import a_capture

TARGET = Target("", "Scene", 1, "/tmp")


def jobs(*states: State, count: int = 1) -> list[Job]:
    """Jobs a, b, c, ... in these states."""
    recipe = Recipe(prompt="red brick library", count=count)
    views = (a_capture().view,)
    return [
        Job("abcdefgh"[place], recipe, views, TARGET, state=state)
        for place, state in enumerate(states)
    ]


def paint(job: Job, *steps: tuple[int, float], of: int = 10) -> None:
    """Have a job painted: steps with the moment that each was done."""
    for step, now in steps:
        job.take(Progress(job=job.name, stage="sampling", step=step, steps=of), now)


@pytest.mark.parametrize(
    ("name", "to", "names"),
    [
        ("d", "FIRST", "dbc"),
        ("d", "UP", "bdc"),
        ("b", "UP", "bcd"),
        ("b", "DOWN", "cbd"),
        ("d", "DOWN", "bcd"),
        ("a", "FIRST", "bcd"),  # it is being painted
        ("x", "UP", "bcd"),
    ],
)
def test_a_waiting_job_is_moved_among_those_that_wait(name: str, to: Move, names: str):
    queue = jobs(State.SAMPLING, State.QUEUED, State.QUEUED, State.WAITING)
    assert moved(queue, name, to) == list(names)


def test_the_others_keep_their_places():
    by_name = {job.name: job for job in jobs(*[State.QUEUED] * 4)}
    assert list(sorted_jobs(by_name, ["d", "b"])) == ["a", "d", "c", "b"]
    assert in_order(["a", "b", "c"], ["c", "nobody", "a", "c"]) == ["c", "b", "a"]


def in_seconds(queue: Sequence[Job], pace: Pace) -> list[float | None]:
    return list(times_left(queue, pace).values())


def test_waiting_jobs_take_as_long_as_the_one_before_them_by_their_pixels():
    running, small = jobs(State.QUEUED, State.QUEUED)
    large = jobs(*[State.QUEUED] * 3, count=3)[2]
    pace = Pace()
    queue = [running, small, large]
    assert in_seconds(queue, pace) == [None] * 3, "nothing is known yet"
    paint(running, (1, 100.0), (3, 104.0))
    pace.learn(running)
    assert in_seconds(queue, pace) == [14.0, 34.0, 94.0]
    running.state = State.SAVING
    assert in_seconds(queue, pace) == [0.0, 20.0, 80.0]


def test_another_models_job_is_no_measure():
    running, other = jobs(State.QUEUED, State.QUEUED)
    other.recipe = Recipe(prompt="x", model="large")
    pace = Pace()
    paint(running, (1, 0.0), (2, 1.0))
    pace.learn(running)
    assert in_seconds([running, other], pace) == [8.0, None]


def test_a_material_is_no_measure_of_a_concept():
    running, other = jobs(State.QUEUED, State.QUEUED)
    running.commission = Commission(material=Material(pixels=4096))
    pace = Pace()
    paint(running, (1, 0.0), (2, 1.0))
    pace.learn(running)
    assert in_seconds([running, other], pace) == [8.0, None]


def test_other_steps_take_another_time():
    running, longer, default = jobs(*[State.QUEUED] * 3)
    running.recipe = Recipe(prompt="x", steps=10)
    longer.recipe = Recipe(prompt="x", steps=30)
    pace = Pace()
    paint(running, (1, 0.0), (2, 1.0))
    pace.learn(running)
    assert in_seconds([running, longer, default], pace) == [8.0, 38.0, None]


def test_behind_another_programs_job_nothing_is_promised():
    running, mine = jobs(State.QUEUED, State.QUEUED)
    pace = Pace()
    paint(running, (1, 0.0), (2, 1.0))
    pace.learn(running)
    mine.take(Accepted(job="b", ahead=1), 0.0)
    assert in_seconds([running, mine], pace)[1] == 18.0
    mine.take(Progress(job="b", stage="queued", ahead=2), 0.0)
    assert in_seconds([running, mine], pace)[1] is None
    assert mine.describe() == "In the queue behind 2"


def test_a_label_tells_jobs_apart():
    (job,) = jobs(State.QUEUED)
    assert job.label == "Street: red brick library"
    assert waiting([job]) == [job]
