"""The local server's record and its starting, with real processes."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest
from maquette_wire import keys, local
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home

WIRE = str(Path(keys.__file__).parent.parent)
SERVER = f"""
import os, sys, time
sys.path.insert(0, {WIRE!r})
from maquette_wire import local
from maquette_wire.home import Home
print("hello from the server", flush=True)
with local.ServerLock(Home.default()) as lock:
    lock.announce(local.ServerRecord(endpoint="tcp://127.0.0.1:5", public_key="k",
                                     pid=os.getpid(), version="0", protocol=1))
    time.sleep(60)
"""
COMMAND = [sys.executable, "-c", SERVER]


def settle(launcher: local.Launcher, seconds: float = 30.0) -> str:
    end = time.monotonic() + seconds
    while launcher.poll() == "starting" and time.monotonic() < end:
        time.sleep(0.02)
    return launcher.state


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)


def test_a_server_is_started_watched_and_started_again(home: Home) -> None:
    launcher = local.Launcher(home, COMMAND)
    assert launcher.poll() == "idle"
    begin = time.monotonic()
    launcher.start()
    launcher.poll()
    assert time.monotonic() - begin < 1.0
    assert settle(launcher) == "ready"
    assert launcher.record is not None
    first = launcher.record.pid
    assert local.running(home) == launcher.record
    assert "hello from the server" in home.log.read_text()
    if os.name != "nt":
        assert os.getsid(first) == first  # a closed terminal doesn't take it along
        assert stat.S_IMODE(home.log.stat().st_mode) == 0o600
        assert stat.S_IMODE(home.record.stat().st_mode) == 0o600

    other = local.Launcher(home, ["/no/such/program"])  # a second Blender takes what there is
    other.start()
    assert other.poll() == "ready"
    with pytest.raises(MaquetteError, match=f"process {first}"):
        local.ServerLock(home)

    kill(first)
    deadline = time.monotonic() + 10
    while local.running(home) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert home.record.exists()  # it had no time to withdraw it
    assert local.running(home) is None
    assert launcher.poll() == "starting"
    assert settle(launcher) == "ready"
    assert launcher.record.pid != first
    kill(launcher.record.pid)


def test_a_record_without_its_server_is_no_server(home: Home) -> None:
    assert local.running(home) is None
    with local.ServerLock(home) as lock:
        assert local.running(home) is None
        record = local.ServerRecord(
            endpoint="tcp://127.0.0.1:5", public_key="k", pid=os.getpid(), version="0", protocol=1
        )
        lock.announce(record)
        assert local.running(home) == record
        left = home.record.read_bytes()
    assert not home.record.exists()
    home.record.write_bytes(left)  # as after a kill; its process number is alive
    assert local.running(home) is None
    for broken in (b"", b"{}", b"\xff", left[:-5]):
        home.record.write_bytes(broken)
        assert local.running(home) is None


def test_a_server_that_keeps_crashing_is_given_up_with_its_reason(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "BACK_OFF_SECONDS", 0.05)
    launcher = local.Launcher(home, [sys.executable, "-c", "raise SystemExit('no torch here')"])
    launcher.start()
    assert settle(launcher) == "failed"
    assert launcher.error is not None
    assert launcher.error.code == "server-crashes"
    assert "ended 3 times in a row, last with exit status 1 (no torch here)" in str(launcher.error)
    assert str(home.log) in launcher.error.hint
    assert home.log.read_text().count("no torch here") == 3
    assert launcher.poll() == "failed"
    launcher.start()  # the user pressed the button again
    assert launcher.poll() == "starting"
    assert settle(launcher) == "failed"


def killed_when_ready(launcher: local.Launcher) -> None:
    """Have the launcher's own server get ready, and kill it."""
    process, end = None, time.monotonic() + 30
    # Between its lock and its record, a server is taken for the one before.
    while process is None or launcher.record is None or launcher.record.pid != process.pid:
        assert time.monotonic() < end
        launcher.poll()
        process = launcher._process
        time.sleep(0.02)
    process.kill()
    process.wait(10)
    launcher.poll()


def test_a_server_that_is_killed_again_and_again_is_given_up(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "BACK_OFF_SECONDS", 0.05)
    launcher = local.Launcher(home, COMMAND)
    launcher.start()
    for _ in range(local.CRASHES):
        killed_when_ready(launcher)
    assert launcher.state == "failed" and launcher.error is not None
    assert "3 times in a row" in launcher.error.sentence
    assert launcher.log_end == ("hello from the server",) * 3


def test_a_server_that_served_for_long_is_always_started_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "BACK_OFF_SECONDS", 0.05)
    monkeypatch.setattr(local, "CRASH_SECONDS", 0.0)
    launcher = local.Launcher(home, COMMAND)
    launcher.start()
    for _ in range(local.CRASHES + 1):
        killed_when_ready(launcher)
        assert (launcher.state, launcher.crashes) == ("starting", 1)


def test_attempts_back_off(home: Home) -> None:
    launcher = local.Launcher(home, [sys.executable, "-c", "raise SystemExit(1)"])
    begin = time.monotonic()
    launcher.start()
    assert settle(launcher) == "failed"
    assert time.monotonic() - begin >= 3 * local.BACK_OFF_SECONDS


def test_a_program_that_isnt_there(home: Home) -> None:
    launcher = local.Launcher(home, ["/no/such/python", "-m", "maquette"])
    launcher.start()
    assert launcher.poll() == "failed"
    assert launcher.error is not None
    assert "'/no/such/python' can't be started" in str(launcher.error)


def test_a_server_that_never_gets_ready(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "START_SECONDS", 0.2)
    launcher = local.Launcher(home, [sys.executable, "-c", "import time; time.sleep(5)"])
    launcher.start()
    assert settle(launcher) == "failed"
    assert launcher.error is not None
    assert launcher.error.code == "server-slow"


def test_the_servers_environment(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/blender/python")
    code = "import os; print(os.environ['MAQUETTE_HOME'], os.environ.get('PYTHONHOME'))"
    local.start(home, [sys.executable, "-c", code]).wait(20)
    assert local.last_line(home.log) == f"{home.root} None"


def test_a_long_log_is_put_aside(home: Home) -> None:
    home.make()
    home.log.write_bytes(b"x" * (local.LOG_BYTES + 1))
    local.start(home, [sys.executable, "-c", "print('new')"]).wait(20)
    assert home.log.read_text().strip() == "new"


def test_on_a_full_disk_no_server_is_started_and_the_user_is_told(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = namedtuple("full", "total used free")(1, 1, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    launcher = local.Launcher(home, COMMAND)
    launcher.start()
    assert launcher.poll() == "failed"
    assert launcher.error is not None and launcher.error.code == "home-unusable"
    assert "No space left" in launcher.error.sentence and "Free some space" in launcher.error.hint


def test_a_server_that_somebody_else_is_starting_is_waited_for(home: Home) -> None:
    slow = SERVER.replace("    lock.announce(", "    time.sleep(1)\n    lock.announce(")
    environment = {**os.environ, "MAQUETTE_HOME": str(home.root)}
    other = subprocess.Popen([sys.executable, "-c", slow], env=environment)
    try:
        end = time.monotonic() + 30
        while not local.starting(home) and time.monotonic() < end:
            time.sleep(0.01)
        launcher = local.Launcher(home, ["/no/such/program"])
        launcher.start()
        assert settle(launcher) == "ready"
        assert launcher.record is not None and launcher.record.pid == other.pid
        assert not local.starting(home)
    finally:
        other.kill()
        other.wait()
