"""The command line's local server: the one that runs, the one that is starting, or its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from maquette import jobs
from maquette_wire import local
from maquette_wire.home import Home

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
