"""The command line's errors: one clear line and a non-zero exit status, before any work is done."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from maquette import cli
from maquette.batch.task import recipes_of
from maquette.commands import batch, options, restyle, texture
from maquette_wire import metadata, png
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe
from PIL import Image

from tests.backend.scenes import massing


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAQUETTE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "render.png"
    Image.fromarray(np.full((48, 64, 3), 128, np.uint8)).save(path)
    return path


def _parse(*words: str) -> argparse.Namespace:
    return cli.command_parser("restyle", restyle).parse_args(words)


def _said(capsys: pytest.CaptureFixture[str]) -> str:
    """What went to standard error, which must be one line."""
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["restyle", "--help"]])
def test_help_and_version_end_well(words, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 0
    assert "maquette" in capsys.readouterr().out


def test_help_loads_no_model_library():
    code = "import runpy, sys; sys.argv = ['maquette']\n"
    code += "try: runpy.run_module('maquette')\nexcept SystemExit: pass\n"
    code += "sys.exit('torch' in sys.modules)"
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=paths).returncode == 0


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["restile"], "restile"),
        (["restyle"], "SCENE | IMAGE"),
        (["restyle", "a.blend", "--sise", "3"], "--sise"),
        (["restyle", "a.blend", "--size", "768"], "768x512"),
        (["restyle", "a.blend", "--geometry", "exact"], "exact"),
        (["restyle", "a.blend", "--camera", "A", "--all-cameras"], "--all-cameras"),
        (["restyle", "a.blend", "--lora", "brick=much"], "NAME=0.8"),
        (["restyle", "a.png", "--metres-per-level", "0"], "0.001"),
        (["restyle", "a.blend", "--windows", "round"], "tall, ribbon, grid, curtain-wall"),
        (["texture", "a.blend", "--bay", "wide"], "'wide' is no distance"),
        (["batch", "a.blend", "--windows", "grid,round"], "'round' is no kind of windows"),
        (["batch", "a.blend", "--storey", "3,-1"], "'-1' is no distance"),
        (["material", "--prompt", "a", "--windows", "grid"], "--windows"),
        (["restyle", "a.png", "--metres-per-level", "1", "--near-is-black"], "--near-is-black"),
        (["models", "fetch"], "NAME"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_word(words, named, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert named in _said(capsys)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["missing.blend", "--prompt", "brick"], "missing.blend"),
        (["render.png", "--depth", "missing.exr", "--prompt", "brick"], "missing.exr"),
        (["render.png", "--depth", "render.png"], "--prompt"),
        (["render.png", "--depth", "d.npy", "--prompt", "a", "--camera", "A"], "--camera"),
        (["render.png", "--depth", "d.npy", "--prompt", "a", "--size", "64x64"], "--size"),
        (["render.png", "--depth", "render.png", "--prompt", "  "], "--prompt"),
        (["render.png", "--prompt", "a", "--geometry", "1.5"], "geometry is 1.5"),
        (["render.png", "--prompt", "a", "--geometry", "nan"], "geometry is nan"),
        (["render.png", "--prompt", "a", "--count", "0"], "count is 0"),
        (["render.png", "--prompt", "a", "--storey", "1"], "storey is 1.0. Use a value from 2.0"),
        (["render.png", "--prompt", "a", "--bay", "60"], "bay is 60.0"),
        (["render.png", "--prompt", "a", "--seed", "4294967295", "--count", "2"], "seed of"),
        (["a.blend", "--prompt", "a", "--near-is-black"], "--near-is-black"),
        (["render.png", "--depth", "d.npy", "--prompt", "a", "--near-is-black"], "holds metres"),
        (["render.png", "--prompt", "a", "--seed", "-1"], "seed is -1"),
        (["render.png", "--prompt", "a", "--steps", "0"], "steps is 0"),
        (["render.png", "--recipe", "render.png"], "no recipe in render.png"),
        (["render.png", "--recipe", "missing.png"], "missing.png"),
        (["render.png", "--prompt", "a", "--output", "render.png"], "--output"),
        (
            ["render.png", "--depth", "d.npy", "--prompt", "a", "--server", "tcp://h:1"],
            "--server-key",
        ),
    ],
)
def test_bad_input_is_one_line_with_the_way_out(words, named, picture, capsys, monkeypatch):
    np.save("d.npy", np.ones((48, 64), np.float32))
    Path("a.blend").touch()
    # None of these needs a server; one that is started would take seconds.
    monkeypatch.setattr("maquette.jobs.LocalServer.begin", lambda self: None)
    monkeypatch.setattr("maquette.console.ProgressLine.show", lambda self, *_: None)
    assert cli.main(["restyle", *words]) == 1
    said = _said(capsys)
    assert said.startswith("maquette: ")
    assert named in said


@pytest.mark.parametrize("command", ["models", "serve", "restyle"])
def test_a_home_that_cannot_be_made_is_one_line(command, picture, capsys, monkeypatch):
    monkeypatch.setenv("MAQUETTE_HOME", str(picture / "home"))
    words = [str(picture), "--depth", str(picture), "--prompt", "a"] if command == "restyle" else []
    assert cli.main([command, *words]) == 1
    assert "MAQUETTE_HOME" in _said(capsys)


@pytest.mark.parametrize("command", ["models", "serve", "restyle"])
def test_a_full_disk_is_one_line_from_the_first_command_on(
    command, picture, capsys, monkeypatch, small_disk
):
    monkeypatch.setenv("MAQUETTE_HOME", str(small_disk / "home"))
    with pytest.raises(OSError), (small_disk / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    words = [str(picture), "--depth", str(picture), "--prompt", "a"] if command == "restyle" else []
    assert cli.main([command, *words]) == 1
    assert "Free some space" in _said(capsys)
    assert [path for path in small_disk.rglob("*") if path.is_file()] == [small_disk / "ballast"]


def test_an_error_of_the_system_that_no_one_foresaw_is_one_line(monkeypatch, capsys):
    def fail(arguments: argparse.Namespace) -> int:
        raise OSError(28, "No space left on device", "/somewhere/file")

    monkeypatch.setattr("maquette.commands.models.run", fail)
    assert cli.main(["models"]) == 1
    assert _said(capsys).startswith("maquette: /somewhere/file: No space left on device.")


def test_each_prompt_is_a_recipe_and_options_are_in_all_of_them():
    words = ["a.blend", "--prompt", "brick", "--prompt", " snow ", "--seed", "7", "--count", "2"]
    found = options.recipes_of(_parse(*words, "--negative", "people", "--lora", "clay=0.5"))
    assert [recipe.prompt for recipe in found] == ["brick", "snow"]
    assert {(r.seed, r.count, r.negative_prompt, r.loras[0].weight) for r in found} == {
        (7, 2, "people", 0.5)
    }


def test_a_pictures_recipe_is_taken_up_again_and_options_change_it(tmp_path):
    made = Recipe(
        prompt="brick", model="other", model_hash="ab", seed=5, strength=0.8, depth_influence=1.0
    )
    png.write(tmp_path / "made.png", bytes(12), 2, 2, {png.RECIPE_KEY: made.to_json()})
    words = ["a.blend", "--recipe", str(tmp_path / "made.png")]
    assert options.recipes_of(_parse(*words)) == [made]
    (changed,) = options.recipes_of(_parse(*words, "--geometry", "0.2", "--prompt", "snow"))
    assert (changed.prompt, changed.seed) == ("snow", 5)
    # Filled in values would win over the slider.
    assert (changed.geometry, changed.strength, changed.depth_influence) == (0.2, None, None)
    (other,) = options.recipes_of(_parse(*words, "--model", "pocket"))
    assert (other.model, other.model_hash) == ("pocket", None)


def test_what_is_no_concept_can_t_be_matched(tmp_path):
    recipe, (height, width) = Recipe(prompt="brick"), (4, 6)
    view = massing(width, height).view
    for name, said, size, code in (
        ("atlas", metadata.texts(recipe, software="Maquette"), (6, 4), "no-view"),
        ("cut", metadata.texts(recipe, view, software="Maquette"), (4, 4), "bad-picture"),
    ):
        path = tmp_path / f"{name}.png"
        png.write(path, bytes(3 * size[0] * size[1]), *size, said)
        with pytest.raises(MaquetteError) as caught:
            texture._concept(path)
        assert caught.value.code == code and caught.value.hint


@pytest.mark.parametrize("command", [restyle, texture], ids=["restyle", "texture"])
def test_windows_storeys_and_bays_are_options_and_come_from_a_pictures_recipe(command, tmp_path):
    parser = cli.command_parser(command.__name__.rpartition(".")[2], command)

    def asked(*words: str) -> Recipe:
        return options.recipes_of(parser.parse_args(["a.blend", *words]))[0]

    plain = asked("--prompt", "brick")
    assert plain == Recipe(prompt="brick")
    for word in ("curtain wall", "curtain-wall", "Curtain Wall"):
        found = asked("--prompt", "brick", "--windows", word, "--storey", "4", "--bay", "1.5")
        assert (found.windows, found.storey, found.bay) == ("curtain wall", 4.0, 1.5)
    made = tmp_path / "made.png"
    png.write(made, bytes(12), 2, 2, {png.RECIPE_KEY: found.to_json()})
    assert asked("--recipe", str(made)) == found
    changed = asked("--recipe", str(made), "--windows", "free")
    assert (changed.windows, changed.storey, changed.bay) == ("free", 4.0, 1.5)


def test_several_windows_storeys_and_bays_multiply_the_pictures_of_a_batch():
    words = ["a.png", "--prompt", "brick", "--windows", "free,curtain-wall", "--storey", "3,3.5"]
    task = batch._task(cli.command_parser("batch", batch).parse_args([*words, "--bay", "2"]))
    assert [(r.windows, r.storey, r.bay) for r in recipes_of(task)] == [
        (windows, storey, 2.0) for windows in ("free", "curtain wall") for storey in (3.0, 3.5)
    ]


def test_lines_are_options_and_geometry_decides_again_what_they_count(tmp_path):
    parser = cli.command_parser("restyle", restyle)

    def asked(*words: str) -> Recipe:
        return options.recipes_of(parser.parse_args(["a.png", *words]))[0]

    found = asked("--prompt", "brick", "--lines", "MLSD", "--lines-influence", "0.3")
    assert (found.lines, found.lines_influence) == ("mlsd", 0.3)
    made = tmp_path / "made.png"
    png.write(made, bytes(12), 2, 2, {png.RECIPE_KEY: found.to_json()})
    changed = asked("--recipe", str(made), "--geometry", "0.5")
    assert (changed.lines, changed.lines_influence) == ("mlsd", None)
    words = ["a.png", "--prompt", "brick", "--lines", "none,canny", "--lines-influence", "0.5"]
    task = batch._task(cli.command_parser("batch", batch).parse_args(words))
    assert [(r.lines, r.lines_influence) for r in recipes_of(task)] == [
        ("none", 0.5),
        ("canny", 0.5),
    ]


def test_models_says_which_are_shown_the_windows_of_walls(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MAQUETTE_HOME", str(tmp_path))
    for name, recess in (("plain", 0.0), ("seeing", 0.25)):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        (folder / "model_index.json").write_text("{}")
        (folder / "maquette.json").write_text(f'{{"depth": {{"recess": {recess}}}}}')
    assert cli.main(["models"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    column = rows[0].index("FAÇADES")
    assert {row[0]: row[column] for row in rows if row and row[0] in ("plain", "seeing")} == {
        "plain": "no",
        "seeing": "yes",
    }


def test_an_error_of_a_command_is_its_sentence_and_hint(monkeypatch, capsys):
    def fail(arguments: argparse.Namespace) -> int:
        raise MaquetteError("x", "It broke.", "Mend it.")

    monkeypatch.setattr("maquette.commands.models.run", fail)
    assert cli.main(["models"]) == 1
    assert _said(capsys) == "maquette: It broke. Mend it."


def test_ctrl_c_ends_tidily(monkeypatch, capsys):
    def interrupt(arguments: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("maquette.commands.models.run", interrupt)
    assert cli.main(["models"]) == 130
    assert _said(capsys) == "maquette: interrupted."
