"""Processes die; accepted jobs don't."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from maquette_wire.client import Connected
from maquette_wire.messages import Accepted, Failed, Progress, Result

from benchmarks.kills import Campaign
from tests.backend.server.harness import (
    ServerProcess,
    capture,
    light_recipe,
    talker,
    until,
)

Make = Callable[..., ServerProcess]


def fixed_port(make_server: Make) -> ServerProcess:
    """A server that comes back where it was, as a client expects."""
    first = make_server()
    record = first.start()
    first.stop()
    return make_server(endpoint=record.endpoint)


def test_a_worker_that_is_killed_is_replaced_and_its_job_runs_again(make_server: Make):
    server = make_server()
    server.start()
    client = talker(server)
    job = client.client.submit(light_recipe("steps=10 pause=0.1"), [capture()])
    client.message(job, Progress)
    (worker,) = server.workers()
    worker.kill()
    assert isinstance(client.end_of(job).message, Result)
    stages = [e.message.stage for e in client.about(job) if isinstance(e.message, Progress)]
    assert "queued" in stages
    assert [w.pid for w in server.workers()] != [worker.pid]
    client.close()


def test_a_job_that_kills_its_workers_is_failed_with_a_hint_and_the_next_one_runs(
    make_server: Make,
):
    server = make_server()
    server.start()
    client = talker(server)
    poison = client.client.submit(light_recipe("die"), [capture()])
    good = client.client.submit(light_recipe(), [capture()])
    failed = client.end_of(poison).message
    assert isinstance(failed, Failed) and failed.code == "worker-died"
    assert "smaller" in failed.hint
    assert isinstance(client.end_of(good).message, Result)
    client.close()


@pytest.mark.parametrize("victims", ["server", "both"])
def test_a_server_that_is_killed_goes_on_with_its_jobs(make_server: Make, victims: str):
    server = fixed_port(make_server)
    server.start()
    client = talker(server, heartbeat=0.2)
    running = client.client.submit(light_recipe("steps=10 pause=0.1"), [capture()])
    waiting = client.client.submit(light_recipe(), [capture()])
    client.message(running, Progress)
    client.message(waiting, Accepted)
    workers = server.workers()
    if victims == "both":
        for worker in workers:
            worker.kill()
    server.kill()
    server.launch()
    for job in (running, waiting):
        assert isinstance(client.end_of(job).message, Result)
    assert len([e for e in client.heard if isinstance(e, Connected)]) >= 2
    client.close()


def test_a_worker_ends_with_its_server_even_in_the_middle_of_a_step(make_server: Make):
    server = make_server()
    server.start()
    client = talker(server)
    job = client.client.submit(light_recipe("hang"), [capture()])
    client.message(job, Accepted)
    (worker,) = server.workers()
    time.sleep(0.3)
    server.kill()
    psutil.wait_procs([worker], timeout=5)
    assert not worker.is_running()
    client.close()


def test_a_result_that_was_ready_when_the_server_died_is_delivered_as_it_was(make_server: Make):
    server = fixed_port(make_server)
    server.start()
    client = talker(server)
    job = client.client.submit(light_recipe(), [capture()])
    first = bytes(client.end_of(job).frames[0])
    client.close()
    server.kill()
    server.start()
    again = talker(server)
    again.client.resume(job)
    assert bytes(again.end_of(job).frames[0]) == first
    again.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_asked_to_end_ends_cleanly_and_keeps_its_jobs(make_server: Make, number: int):
    server = fixed_port(make_server)
    server.start()
    client = talker(server, heartbeat=0.2)
    job = client.client.submit(light_recipe("steps=50 pause=0.1"), [capture()])
    client.message(job, Progress)
    workers = server.workers()
    assert server.process is not None
    os.kill(server.process.pid, number)
    assert server.process.wait(10) == 0
    assert not any(worker.is_running() for worker in workers)
    assert not server.home.record.exists()
    server.launch()
    assert isinstance(client.end_of(job).message, Result)
    client.close()


def test_a_worker_that_never_starts_ends_the_server_with_the_reason(make_server: Make):
    server = make_server(device="broken")
    assert server.launch().wait(30) == 1
    assert "unknown-device: There is no device 'broken'. Use cpu." in server.log


def test_a_worker_that_crashes_at_every_start_ends_the_server(make_server: Make):
    server = make_server(crash=1)
    started = time.monotonic()
    assert server.launch().wait(90) == 1
    assert "doesn't start" in server.log and "maquette doctor" in server.log
    assert server.log.count("the next starts in") == 7
    assert time.monotonic() - started > 5  # with pauses, not in a frenzy


def test_no_accepted_job_is_lost_and_none_comes_as_two_pictures(tmp_path: Path):
    campaign = Campaign(tmp_path, seed=11, port=0)
    report = campaign.run(kills=25)
    assert report.kills == 25
    assert report.delivered > 10 and report.delivered_twice == report.delivered
    assert report.lost == [] and report.different == [] and report.failed == []
    assert sum(report.victims.values()) == 25 and len(report.victims) == 3
    until(lambda: not campaign.server.workers(), "the end of all workers")
