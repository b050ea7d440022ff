"""The pool's patience with workers, without a server around it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq
from maquette.server import worker_messages as wm
from maquette.server.access import WORKERS, Gate
from maquette.server.pool import Pool
from maquette_wire import container
from maquette_wire.capture import frames_of
from maquette_wire.messages import Submit

from tests.backend.server.harness import PATIENCE, capture, light_recipe, new_job
from tests.backend.server.light_server import WORKER


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Pool, Gate]]:
    """A pool with the light worker that waits half a second for a cancelled job to stop."""
    root = Path(__file__).resolve().parents[3]
    monkeypatch.setenv("PYTHONPATH", f"{root / 'shared'}:{root / 'backend'}")
    context = zmq.Context()
    made = Pool(context, WORKER, "cpu", str(tmp_path), patience=0.5)
    gate = Gate(context, {WORKERS: made.keys})
    yield made, gate
    made.close()
    gate.close()
    context.term()


def wait_for(pool: tuple[Pool, Gate], kind: type, seconds: float = PATIENCE) -> None:
    """Do what the loop does until a worker says something of this kind."""
    workers, gate = pool
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        workers.start_missing()
        if gate.socket.poll(10):
            gate.answer()
        if workers.socket.poll(10):
            said = workers.receive()
            if isinstance(said.note, kind):
                return
    raise AssertionError(f"no worker said {kind.__name__}")


def test_a_worker_that_does_not_stop_is_ended_and_replaced(pool: tuple[Pool, Gate], tmp_path: Path):
    workers, _ = pool
    wait_for(pool, wm.Ready)
    (worker,) = workers.workers
    first = worker.process
    assert first is not None
    job = new_job()
    headers, frames = frames_of([capture()])
    submit = Submit(job=job, recipe=light_recipe("hang"), views=(capture().view,), frames=headers)
    container.write(tmp_path / job, submit, frames)
    workers.assign(
        worker, wm.Assign(job=job, captures=str(tmp_path / job), result=str(tmp_path / "out"))
    )
    assert workers.reap() == []
    asked = time.monotonic()
    workers.stop(job)
    orphans: list[str] = []
    while not orphans:
        orphans = workers.reap()
        time.sleep(0.02)
        assert time.monotonic() - asked < PATIENCE
    assert orphans == [job]
    assert time.monotonic() - asked >= 0.5
    assert first.returncode not in (None, 0)
    wait_for(pool, wm.Ready)
    assert worker.process is not first and workers.idle() is worker
