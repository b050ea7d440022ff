"""What becomes of jobs on disk, step by step, with the process ending between any two steps."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import pytest
from maquette.server.desk import DAY, HOUR, KEEP_ACKNOWLEDGED, KEEP_FINISHED, Desk
from maquette.server.journal import Job, Journal
from maquette.server.spool import Spool
from maquette_wire import container
from maquette_wire.capture import frames_of
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import FrameHeader, Limits, Picture, Result, Submit
from maquette_wire.packing import Packet

from tests.backend.server.harness import capture, light_recipe

OWNER = "a client"
GIB = 2**30


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


class Office:
    """A desk with its journal and spool, which can be left as a killed process leaves it."""

    def __init__(self, folder: Path, budget: int = GIB) -> None:
        self.folder = folder
        self.budget = budget
        self.clock = Clock()
        self.open()

    def open(self) -> None:
        """A new process: nothing but the disk is left of the old one."""
        self.journal = Journal(self.folder / "journal.sqlite", self.clock)
        self.spool = Spool(self.folder / "spool")
        self.desk = Desk(
            self.journal, self.spool, Limits(), self.budget, lambda recipe: None, self.clock
        )
        self.desk.recover()

    def submit(self, side: int = 64, name: str = "", owner: str = OWNER) -> str:
        """Hand a job in; returns its name."""
        headers, frames = frames_of([capture(side, side)])
        submit = Submit(
            job=name or uuid.uuid4().hex,
            recipe=light_recipe(),
            views=(capture(side, side).view,),
            frames=headers,
        )
        return self.desk.submit(owner, Packet(submit, frames)).job

    def paint(self, job: str, shade: int = 1, side: int = 64) -> Path:
        """What a worker leaves: a complete result under a name of its own."""
        picture = np.full((side, side, 3), shade, np.uint8)
        header = FrameHeader(name="concept", dtype="u1", shape=picture.shape)
        result = Result(
            job=job,
            recipe=light_recipe(),
            pictures=(Picture(view=0, seed=0),),
            frames=(header,),
        )
        path = self.spool.scratch(job)
        container.write(path, result, [picture.data])
        return path

    def done(self, side: int = 64, shade: int = 1) -> str:
        """A finished job."""
        job = self.submit(side)
        taken = self.desk.take()
        assert taken is not None and taken.job == job
        assert self.desk.finished(job, self.paint(job, shade, side))
        return job

    def take(self) -> str | None:
        """The name of the job to run next."""
        taken = self.desk.take()
        return None if taken is None else taken.job

    def row(self, job: str) -> Job:
        """A job as the journal has it."""
        found = self.journal.get(job)
        assert found is not None
        return found

    def state(self, job: str) -> str:
        """A job's state in the journal."""
        return self.row(job).state

    def shade(self, job: str) -> int:
        """The first pixel of a job's picture."""
        return self.spool.read_result(job, Limits())[1][0][0]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An empty one."""
    return Office(tmp_path)


def test_jobs_go_on_where_they_were(office: Office):
    running, waiting, over = office.submit(), office.submit(), office.submit()
    office.desk.cancel(OWNER, over)
    assert office.take() == running
    office.open()
    assert [office.state(job) for job in (running, waiting, over)] == [
        "queued",
        "queued",
        "cancelled",
    ]
    assert [office.take() for _ in "12"] == [running, waiting]
    assert office.desk.take() is None


def test_a_result_in_its_place_counts_although_the_journal_was_not_told(office: Office):
    job = office.submit()
    office.desk.take()
    office.spool.place_result(job, office.paint(job, shade=7))
    office.open()
    assert office.state(job) == "done" and office.shade(job) == 7
    assert not office.spool.captures(job).exists()


def test_the_first_result_stays_whatever_comes_later(office: Office):
    job = office.submit()
    office.desk.take()
    late = office.paint(job, shade=9)
    assert office.desk.finished(job, office.paint(job, shade=3))
    assert not office.desk.finished(job, late)
    assert office.shade(job) == 3 and not late.exists()


def test_a_result_after_the_cancel_is_dropped(office: Office):
    job = office.submit()
    office.desk.take()
    office.desk.cancel(OWNER, job)
    late = office.paint(job)
    assert not office.desk.finished(job, late)
    assert not late.exists() and not office.spool.result(job).exists()
    assert office.state(job) == "cancelled"


def test_captures_without_a_row_were_never_accepted_and_go(office: Office):
    job = uuid.uuid4().hex
    office.spool.captures(job).write_bytes(b"half")
    left_over = office.paint(job)
    office.open()
    assert not office.spool.captures(job).exists() and not left_over.exists()
    with pytest.raises(MaquetteError, match="no job"):
        office.desk.look_up(OWNER, job)


def test_a_job_whose_files_are_gone_is_failed_with_the_reason(office: Office):
    waiting = office.submit()
    office.spool.captures(waiting).unlink()
    lost = office.desk.take()
    assert lost is not None and (lost.state, lost.code) == ("failed", "captures-lost")
    assert office.row(waiting).code == "captures-lost" and office.desk.take() is None
    job = office.done()
    office.spool.result(job).unlink()
    office.open()
    assert office.row(job).code == "result-lost"


def test_a_job_that_outlives_four_workers_may_have_a_fifth(office: Office):
    job = office.submit()
    for attempt in (1, 2, 3, 4):
        office.desk.take()
        office.desk.died(job)
        assert office.state(job) == "queued"
        assert office.row(job).attempts == attempt
    office.desk.take()
    office.open()  # a server's end is nobody's fault
    office.desk.take()
    failed = office.desk.died(job)
    assert failed is not None and failed.code == "worker-died" and failed.hint
    assert not office.spool.captures(job).exists()


def test_space_is_made_of_what_was_acknowledged_first_and_never_of_anything_else(tmp_path: Path):
    office = Office(tmp_path, budget=1_050_000)  # a job takes 311 kB, its result 50 kB
    first, second, kept = office.done(128), office.done(128), office.done(128)
    for job in (second, first):
        office.clock.now += 1
        office.desk.acknowledge(OWNER, job)
    waiting = [office.submit(128) for _ in range(3)]
    assert office.state(second) == "done" and not office.spool.result(second).exists()
    assert office.spool.result(first).exists() and office.spool.result(kept).exists()
    with pytest.raises(MaquetteError) as refused:
        office.submit(128)
    assert refused.value.code == "spool-full"
    assert office.spool.result(first).exists(), "what makes no room isn't worth losing"
    office.desk.cancel(OWNER, waiting[0])
    assert office.state(office.submit(128)) == "queued"
    files = sum(path.stat().st_size for path in office.spool.root.rglob("*") if path.is_file())
    assert files <= 1_050_000 and office.spool.result(kept).exists()


def test_an_acknowledged_result_goes_after_an_hour_and_its_memory_after_a_month(office: Office):
    acknowledged, forgotten = office.done(), office.done()
    office.desk.acknowledge(OWNER, acknowledged)
    office.clock.now += KEEP_ACKNOWLEDGED - 1
    office.desk.tidy()
    assert office.spool.result(acknowledged).exists()
    office.clock.now += 2
    office.desk.tidy()
    assert not office.spool.result(acknowledged).exists()
    assert office.spool.result(forgotten).exists()
    assert office.submit(name=acknowledged) == acknowledged  # known, so it doesn't run again
    assert office.state(acknowledged) == "done"
    office.clock.now += KEEP_FINISHED - 2 * HOUR
    office.desk.tidy()
    assert office.spool.result(forgotten).exists()
    office.clock.now += DAY
    office.desk.tidy()
    assert not office.spool.result(forgotten).exists()
    assert office.journal.get(forgotten) is None and office.journal.get(acknowledged) is None


def test_a_disk_that_is_full_at_the_result_costs_an_acknowledged_one_or_the_job(office: Office):
    old, job = office.done(), office.submit()
    office.desk.acknowledge(OWNER, old)
    full = MaquetteError("disk-full", "There is no space left.", "Free some.")
    office.desk.take()
    assert office.desk.broke(job, full)
    assert office.state(job) == "queued" and not office.spool.result(old).exists()
    office.desk.take()
    assert office.desk.broke(job, full)
    assert office.state(job) == "failed"


def test_a_name_of_another_client_is_unknown(office: Office):
    job = office.submit()
    for request in (office.desk.look_up, office.desk.cancel, office.desk.acknowledge):
        with pytest.raises(MaquetteError) as refused:
            request("somebody else", job)
        assert refused.value.code == "unknown-job"
    with pytest.raises(MaquetteError) as taken:
        office.submit(name=job, owner="somebody else")
    assert taken.value.code == "job-taken"
    assert office.state(job) == "queued"
