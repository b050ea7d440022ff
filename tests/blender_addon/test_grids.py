"""A grid: one view with settings varied, in the gallery and on one poster."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import bpy
import pytest
from maquette_wire import messages
from maquette_wire.errors import MaquetteError
from maquette_wire.presets.library import Library, built_in
from maquette_wire.recipe import Recipe

from blender_addon.jobs import State
from blender_addon.operators import grid as grids_operator
from blender_addon.preferences import preferences
from blender_addon.variation import SETTINGS, grid
from tests.blender_addon.conftest import pictures, turn
from tests.blender_addon.test_panels import known_model

BASE = Recipe(prompt="brick", seed=7, count=4)
PRESETS = Library(built_in())


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    """A program in the place of the backend's; notes what it was asked for, and makes a picture."""
    program = tmp_path / "maquette-program"
    asked = tmp_path / "asked.json"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, pathlib, shutil, sys\n"
        f"pathlib.Path({str(asked)!r}).write_text(json.dumps(sys.argv[1:]))\n"
        "shutil.copy(sys.argv[2], sys.argv[sys.argv.index('--output') + 1])\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    preferences().command = str(program)
    return asked


def submitted(server) -> list[Recipe]:
    return [p.message.recipe for p in server.packets if isinstance(p.message, messages.Submit)]


def values(name: str, typed: str) -> list[object]:
    field = {"words": "prompt", "preset": "prompt"}.get(name, name)
    return [getattr(each, field) for each in grid(BASE, [(name, typed)], PRESETS, ["a", "b"])]


def test_values_as_they_are_typed():
    assert values("seed", "0-2, 9") == [0, 1, 2, 9]
    assert values("geometry", "0.2,.5 , 0.5, 1") == [0.2, 0.5, 1.0]
    assert values("steps", "10, 20") == [10, 20]
    assert values("model", "a, b") == ["a", "b"]
    assert values("words", "at dusk; in snow, fog") == ["brick, at dusk", "brick, in snow, fog"]
    assert values("windows", "Punched, curtain wall") == ["punched", "curtain wall"]
    assert values("lines", "None, exact,MLSD") == ["none", "exact", "mlsd"]
    assert values("lines_influence", "0.3, 0.9") == [0.3, 0.9]
    assert all(text.startswith("brick, ") for text in values("preset", "Timber, Dusk"))
    for name, setting in SETTINGS.items():
        assert len(grid(BASE, [(name, setting.example)], PRESETS, ())) >= 2


def test_rows_and_columns_multiply_row_by_row():
    recipes = grid(BASE, [("geometry", "0.2, 0.8"), ("seed", "1, 2, 3")], PRESETS, ())
    assert [(each.geometry, each.seed) for each in recipes] == [
        (0.2, 1), (0.2, 2), (0.2, 3), (0.8, 1), (0.8, 2), (0.8, 3)
    ]  # fmt: skip
    assert {each.count for each in recipes} == {1}


@pytest.mark.parametrize(
    "varied, said",
    [
        ([("seed", "x")], "Seed: 'x' is no value"),
        ([("seed", "9-3")], "is no value"),
        ([("geometry", "2, 0.5")], "geometry is 2"),
        ([("model", "c, a")], "there is no 'c'"),
        ([("windows", "round, tall")], "there is no 'round'"),
        ([("lines", "straight, exact")], "no 'straight'. Use none, exact, canny, lineart, mlsd"),
        ([("lines_influence", "0.5, 2")], "lines_influence is 2"),
        ([("preset", "Nonsense, Timber")], "Nonsense"),
        ([("words", " ; ")], "has no values"),
        ([("seed", "4")], "has 1 picture"),
        ([("seed", "0-63"), ("geometry", "0.2, 0.4")], "has 128 pictures"),
        ([("seed", "1, 2"), ("seed", "3, 4")], "both vary the seed"),
        ([("preset", "Timber, Brick"), ("words", "a; b")], "both vary the prompt"),
    ],
)
def test_what_is_no_grid_is_said(varied: list[tuple[str, str]], said: str):
    with pytest.raises(MaquetteError, match=said):
        grid(BASE, varied, PRESETS, ["a", "b"])


def test_a_grid_is_made_kept_and_shown(session, server, camera, settings, backend, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "house.blend"))
    settings.seed, settings.seed_locked = 12, True
    done = bpy.ops.maquette.grid(
        rows="geometry", row_values="0.2, 0.9", columns="seed", column_values="5-6"
    )
    assert done == {"FINISHED"}
    turn(session, lambda: session.grids.last is not None)
    recipes = submitted(server)
    assert [(each.geometry, each.seed) for each in recipes] == [
        (0.2, 5), (0.2, 6), (0.9, 5), (0.9, 6)
    ]  # fmt: skip
    assert len(pictures()) == 4 and settings.seed == 12
    last = session.grids.last
    assert last.is_file() and last.parent == tmp_path / "maquette"
    asked = json.loads(backend.read_text())
    assert asked[0] == "sheet" and len({*asked[1:5]}) == 4
    assert asked[5:] == [
        *("--output", str(last), "--title", "red brick library at dusk"),
        *("--columns", "seed", "--rows", "geometry"),
    ]
    assert str(last) in session.notices[-1].text
    assert bpy.data.images[last.name].size[0] > 0
    assert bpy.ops.maquette.show_grid.poll()


def test_a_grid_of_what_was_made_where_something_was_not(
    session, server, camera, settings, backend
):
    bpy.ops.maquette.grid(columns="seed", column_values="5-7", rows="none")
    session.cancel(session.open_jobs[0].name)
    turn(session, lambda: session.grids.last is not None)
    assert "It lacks 1 picture" in session.notices[-1].text
    assert json.loads(backend.read_text())[-2:] == ["--columns", "seed"]
    assert not [job for job in session.jobs.values() if job.state is State.FAILED]


def test_lines_vary_where_the_chosen_model_takes_them(
    session, server, camera, settings, backend, monkeypatch
):
    wanted = {"columns": "lines_influence", "column_values": "0.3, 0.6", "rows": "lines"}
    with pytest.raises(TypeError, match="lines_influence"):
        bpy.ops.maquette.grid(**wanted)
    monkeypatch.setattr(grids_operator, "chosen_model", lambda _name: known_model(lines=True))
    assert bpy.ops.maquette.grid(**wanted, row_values="none, canny") == {"FINISHED"}
    turn(session, lambda: session.grids.last is not None)
    assert [(each.lines, each.lines_influence) for each in submitted(server)] == [
        ("none", 0.3), ("none", 0.6), ("canny", 0.3), ("canny", 0.6)
    ]  # fmt: skip
    asked = json.loads(backend.read_text())
    assert asked[-4:] == ["--columns", "lines_influence", "--rows", "lines"]


def test_without_the_program_that_labels_it_nothing_is_painted(session, server, camera, settings):
    with pytest.raises(RuntimeError, match="isn't installed"):
        bpy.ops.maquette.grid(columns="seed", column_values="5-6")
    assert not session.jobs
