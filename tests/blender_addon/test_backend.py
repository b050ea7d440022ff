"""Finding, starting and restarting the local server, by stand-ins for the real program."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import bpy
import pytest
from maquette_wire import local
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.installed import note_backend

from blender_addon.backend import Local, Status, find_command, make_sheet, version_of
from blender_addon.delivery import target_of
from blender_addon.properties import MaquetteSettings
from blender_addon.recipes import recipe_of
from blender_addon.session import Session
from tests.blender_addon.conftest import a_capture, concepts, turn

SHEET = """
*words, output, page, title, name = sys.argv[1:]
assert (output, title, name) == ("--output", "--title", "page")
if len(words) == 1:
    sys.exit("maquette: no picture is there")
pathlib.Path(page).write_text("\\n".join(words), "utf-8")
"""
"""What ``maquette sheet`` is asked, written on its page."""

STAND_IN = """#!{python}
import os, sys, time
sys.path[:0] = {paths!r}
if sys.argv[1:] == ["--version"]:
    print("maquette 9.9.9")
    sys.exit()
from maquette_wire import local, messages
from maquette_wire.home import Home
from tests.shared.mock_server import MockServer
home = Home.default()
with local.ServerLock(home) as lock:
    server = MockServer(home)
    server.hold = os.path.exists(home.root / "hold")
    server.start()
    lock.announce(local.ServerRecord(endpoint=server.endpoint, public_key=server.keys.public,
                                     pid=os.getpid(), version="mock", protocol=messages.PROTOCOL))
    time.sleep(60)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A ``maquette`` that serves like the real one, without a model."""
    root = Path(__file__).parents[2]
    path = tmp_path / "bin" / "maquette"
    path.parent.mkdir()
    paths = [str(root), str(root / "shared"), *(each for each in sys.path if "packages" in each)]
    path.write_text(STAND_IN.format(python=sys.executable, paths=paths))
    path.chmod(0o755)
    return path


def _end_server(home: Home) -> None:
    record = local.running(home)
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)


def test_restyle_starts_the_server_and_starts_it_again_when_it_is_killed(
    session: Session, home: Home, program: Path, settings: MaquetteSettings, tmp_path: Path
):
    home.make()
    (home.root / "hold").touch()
    session.want_server(Local(str(program)))
    assert session.status is Status.STARTING
    scene = bpy.context.scene
    session.restyle(recipe_of(settings), a_capture(), target_of(scene, tmp_path / "out"))
    job = session.open_jobs[0]
    turn(session, lambda: job.describe() == "In the queue", 60)
    (home.root / "hold").unlink()
    _end_server(home)
    turn(session, lambda: concepts(), 60)
    assert (tmp_path / "out" / "concept-street-seed0.png").is_file()
    _end_server(home)


def test_the_users_path_comes_first_then_the_note_then_the_search(
    home: Home, program: Path, monkeypatch: pytest.MonkeyPatch
):
    with pytest.raises(MaquetteError, match="isn't installed"):
        find_command("", home)
    monkeypatch.setenv("PATH", str(program.parent))
    assert find_command("", home) == [str(program)]
    note_backend(home, [sys.executable, "-m", "maquette"])
    assert find_command("", home) == [sys.executable, "-m", "maquette"]
    assert find_command(str(program), home) == [str(program)]
    assert find_command(str(program.parent.parent), home) == [str(program)]
    python = shutil.copy(program, program.with_name("python3"))
    assert find_command(str(python), home) == [str(python), "-m", "maquette"]


def test_a_path_that_leads_nowhere_is_said(home: Home, tmp_path: Path):
    with pytest.raises(MaquetteError, match="no Maquette server program at"):
        find_command(str(tmp_path / "nothing"), home)


def test_check_tells_a_server_program_from_another(program: Path):
    assert version_of([str(program)]) == "maquette 9.9.9"
    with pytest.raises(MaquetteError, match="is no Maquette server program"):
        version_of([sys.executable])
    with pytest.raises(MaquetteError, match="can't be run"):
        version_of([str(program.parent / "gone")])


def test_the_backend_makes_a_page_of_pictures(tmp_path: Path):
    program, page = tmp_path / "maquette", tmp_path / "page.html"
    program.write_text(f"#!{sys.executable}\nimport sys, pathlib\n{SHEET}")
    program.chmod(0o755)
    pictures = [tmp_path / "one.png", tmp_path / "zwei – drei.png"]
    assert make_sheet([str(program)], pictures, page, "page") == str(page)
    assert page.read_text("utf-8").splitlines() == ["sheet", *map(str, pictures)]
    with pytest.raises(MaquetteError, match="can't be made: maquette: no picture is there"):
        make_sheet([str(program)], [], page, "page")


def test_find_and_check_in_the_preferences(
    session: Session, home: Home, program: Path, monkeypatch: pytest.MonkeyPatch
):
    preferences = bpy.context.preferences.addons["blender_addon"].preferences
    with pytest.raises(RuntimeError, match="isn't installed"):
        bpy.ops.maquette.find_backend()
    monkeypatch.setenv("PATH", str(program.parent))
    bpy.ops.maquette.find_backend()
    assert preferences.command == str(program)
    bpy.ops.maquette.check_backend()
    turn(session, lambda: session.notices)
    assert "maquette 9.9.9 is ready to be started" in session.notices[-1].text


def test_the_server_line_is_about_the_server_that_was_asked_for_last(session: Session, camera):
    with pytest.raises(RuntimeError, match="isn't installed"):
        bpy.ops.maquette.restyle()
    preferences = bpy.context.preferences.addons["blender_addon"].preferences
    preferences.place, preferences.address = "REMOTE", "tcp://192.0.2.1:47820"
    with pytest.raises(RuntimeError, match="Allow Online Access"):
        bpy.ops.maquette.restyle()
    assert session.status is Status.TROUBLE
    assert session.backend is not None and session.backend.error is not None
    assert session.backend.error.code == "offline"
