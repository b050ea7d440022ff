"""The command line's local server: the one that runs, the one that is starting, or its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from maquette import jobs
from maquette_wire import local
from maquette_wire.events import Received
from maquette_wire.home import Home
from maquette_wire.messages import Result
from maquette_wire.recipe import Recipe

SERVER = """
import os, sys, time
from maquette_wire import local
from maquette_wire.home import Home
with local.ServerLock(Home.default()) as lock:
    time.sleep(1)
    lock.announce(local.ServerRecord(endpoint="tcp://127.0.0.1:5", public_key="k",
                                     pid=os.getpid(), version="0", protocol=1))
    time.sleep(60)
"""


def test_two_commands_at_once_share_one_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setattr(jobs, "LOCAL_COMMAND", (sys.executable, "-c", SERVER))
    home = Home(tmp_path / "home")
    with (
        jobs.LocalServer(home, lambda *_: None) as first,
        jobs.LocalServer(home, lambda *_: None) as second,
    ):
        first.begin()
        second.begin()  # perhaps before the first one's server has its lock: then it ends at once
        assert first.address() == second.address()
        assert local.running(home) is not None
    assert local.running(home) is None


def test_a_server_that_is_starting_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    home.make()
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "MAQUETTE_HOME": str(home.root)}
    monkeypatch.setattr(jobs, "LOCAL_COMMAND", ("/no/such/program",))
    with subprocess.Popen([sys.executable, "-c", SERVER], env={**os.environ, **paths}) as other:
        try:
            while not local.starting(home):
                assert other.poll() is None
            with jobs.LocalServer(home, lambda *_: None) as mine:
                mine.begin()
                assert mine.address().endpoint == "tcp://127.0.0.1:5"
            assert other.poll() is None  # it wasn't this one's to end
        finally:
            other.kill()


class _OneResultAtATime:
    """A client whose second job ends just while the first one is acknowledged."""

    open_jobs = ("second",)

    def __init__(self) -> None:
        self.acknowledged: list[str] = []

    def acknowledge(self, job: str) -> None:
        self.acknowledged.append(job)

    def poll(self, seconds: float) -> list[Received]:
        told = ["second"] if seconds == 0.0 else ["first"]
        return [Received(Result(job=job, recipe=Recipe(prompt="a"), pictures=())) for job in told]


def test_a_result_that_comes_while_another_is_acknowledged_is_not_lost(tmp_path: Path) -> None:
    painter = jobs.Painter(Home(tmp_path), jobs.Server("tcp://127.0.0.1:5", "k"), lambda *_: None)
    client = painter._client = _OneResultAtATime()  # type: ignore[assignment]
    (first,) = painter.events()
    painter.stored(first.message.job)
    assert client.acknowledged == ["first"]
    (second,) = painter.events()
    assert second.message.job == "second"
