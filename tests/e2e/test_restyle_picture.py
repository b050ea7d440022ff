"""``maquette restyle IMAGE --depth``: from files to files, through a real server."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from maquette_wire import local, png
from maquette_wire.home import Home
from PIL import Image

from tests.backend.tiny import make_tiny_sdxl

from .conftest import Run, environment, make_home, maquette

QUICK = ("--model", "tiny", "--steps", "3")


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A folder with a grey render of a box on the ground, and its depth in three formats."""
    depth = np.full((72, 96), np.inf, np.float32)
    depth[40:] = np.linspace(60, 6, 32)[:, None]
    depth[20:60, 30:66] = 20
    np.save(tmp_path / "depth.npy", depth)
    grey = np.full((72, 96, 3), 190, np.uint8)
    grey[20:60, 30:66] = 230
    Image.fromarray(grey).save(tmp_path / "render.png")
    near = np.where(np.isinf(depth), 0, 255 * 6 / depth).astype(np.uint8)
    Image.fromarray(near).save(tmp_path / "depth.png")
    with OpenEXR.File({"type": OpenEXR.scanlineimage}, {"Z": depth}) as file:
        file.write(str(tmp_path / "depth.exr"))
    return tmp_path


def _pictures(done: subprocess.CompletedProcess[str]) -> list[Path]:
    assert done.returncode == 0, done.stderr
    return [Path(line) for line in done.stdout.splitlines()]


def _pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


@pytest.mark.parametrize("depth", ["depth.npy", "depth.exr", "depth.png"])
def test_a_render_with_a_depth_map_becomes_a_picture(run: Run, scene: Path, depth: str):
    out = scene / "out"
    words = ["--depth", scene / depth, "--prompt", "red brick", *QUICK, "--output", out]
    (path,) = _pictures(run("restyle", scene / "render.png", *words))
    assert path == out / "render-red-brick-0.png"
    assert _pixels(path).shape == (72, 96, 3)
    recipe = png.read_recipe(path)
    assert (recipe.prompt, recipe.model, recipe.steps) == ("red brick", "tiny", 3)
    assert recipe.model_hash


def test_a_model_of_ones_own_is_added_while_the_server_runs(run: Run, scene: Path):
    """Of Stable Diffusion XL, whose picture is held to lines."""
    base = make_tiny_sdxl(scene / "base")
    render, depth = scene / "render.png", scene / "depth.npy"
    nets = ["--depth", base / "controlnet_depth", "--lines", base / "controlnet_lines"]
    assert run("models", "add", "own-xl", base, *nets).returncode == 0
    try:
        words = ["--depth", depth, "--prompt", "a", "--model", "own-xl", "--steps", "3"]
        (exact,) = _pictures(run("restyle", render, *words, "--output", scene / "exact"))
        (none,) = _pictures(
            run("restyle", render, *words, "--lines", "none", "--output", scene / "none")
        )
    finally:
        assert run("models", "remove", "own-xl").returncode == 0
    assert png.read_recipe(exact).lines == "exact" and png.read_recipe(none).lines == "none"
    assert not np.array_equal(_pixels(exact), _pixels(none))


def test_the_recipe_inside_a_picture_makes_it_again(run: Run, scene: Path):
    render, depth, out = scene / "render.png", scene / "depth.npy", scene / "out"
    words = ["--prompt", "snow", "--seed", "5", "--count", "2", *QUICK, "--output", out]
    first, second = _pictures(run("restyle", render, "--depth", depth, *words, "--save-depth"))[:2]
    assert not np.array_equal(_pixels(first), _pixels(second))
    words = ["--recipe", second, "--output", out]
    (again,) = _pictures(run("restyle", render, "--depth", depth, *words))
    assert png.read_recipe(again) == png.read_recipe(second)
    difference = _pixels(again).astype(float) - _pixels(second)
    # Alone instead of in a batch of two: rounding alone may differ.
    assert 10 * np.log10(255**2 / max(np.mean(difference**2), 1e-9)) >= 50


def test_a_picture_alone_needs_an_estimator(run: Run, scene: Path):
    done = run("restyle", scene / "render.png", "--prompt", "brick", *QUICK)
    assert done.returncode == 1
    said = done.stderr.strip().splitlines()[-1]
    assert "'tiny' has no estimator" in said and "--depth" in said


@pytest.mark.usefixtures("server")
def test_the_pocket_model_sees_a_picture_alone_where_its_own_model_can_not(home: Path, scene: Path):
    shipped = {n: value for n, value in environment(home).items() if n != "MAQUETTE_POCKET"}
    words = ["--prompt", "brick", *QUICK, "--output", scene / "out"]
    command = [sys.executable, "-m", "maquette", "restyle", scene / "render.png", *words]
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, env=shipped, timeout=300
    )
    (made,) = _pictures(done)
    assert _pixels(made).shape == _pixels(scene / "render.png").shape
    assert "estimated from the picture, by the model 'pocket'" in done.stderr
    assert '"estimator":"pocket"' in png.read_text(made)[png.SOURCE_KEY].replace(" ", "")


def test_the_same_command_twice_gives_the_same_pixels(run: Run, scene: Path):
    words = ["--depth", scene / "depth.npy", "--prompt", "a", *QUICK, "--output", scene / "out"]
    (first,) = _pictures(run("restyle", scene / "render.png", *words))
    (second,) = _pictures(run("restyle", scene / "render.png", *words))
    assert first != second
    assert np.array_equal(_pixels(first), _pixels(second))


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--model", "nope"], "There is no model 'nope'"),
        (["--model", "sd2-depth"], "maquette models fetch sd2-depth"),
        (["--sampler", "nope", *QUICK], "nope"),
        (["--lora", "nope", *QUICK], "nope"),
        (["--prompt", "word " * 3000, *QUICK], "8192"),
        (["--count", "65", *QUICK], "64"),
    ],
)
def test_what_the_server_refuses_is_one_line(run: Run, scene: Path, words, named):
    given = ["--depth", scene / "depth.npy", "--prompt", "brick", "--output", scene / "out"]
    done = run("restyle", scene / "render.png", *given, *words)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("maquette: ")
    assert named in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("fill", "named"),
    [(np.nan, "is not a number"), (-1.0, "zero or negative"), (1e-7, "nearer than")],
)
def test_depth_that_is_none_is_one_line(run: Run, scene: Path, fill: float, named: str):
    np.save(scene / "bad.npy", np.full((72, 96), fill, np.float32))
    words = ["--depth", scene / "bad.npy", "--prompt", "brick", *QUICK, "--output", scene / "out"]
    done = run("restyle", scene / "render.png", *words)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("maquette: The depth of bad.npy")
    assert named in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("fill", [np.inf, 12.5], ids=["all sky", "a wall that fills the view"])
def test_flat_depth_gives_a_picture_all_the_same(run: Run, scene: Path, fill: float):
    np.save(scene / "flat.npy", np.full((72, 96), fill, np.float32))
    words = ["--depth", scene / "flat.npy", "--prompt", "brick", *QUICK, "--output", scene / "out"]
    (path,) = _pictures(run("restyle", scene / "render.png", *words))
    assert _pixels(path).std() > 1  # neither black nor NaN turned to one colour


def test_without_a_server_one_runs_for_the_duration(scene: Path, tmp_path_factory):
    home = make_home(tmp_path_factory.mktemp("alone"))
    words = ["--depth", scene / "depth.npy", "--prompt", "brick", *QUICK, "--output", scene / "out"]
    (path,) = _pictures(maquette(home, "restyle", scene / "render.png", *words))
    assert path.exists()
    assert local.running(Home(home)) is None


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_cancels_the_job_and_leaves_the_server_working(run: Run, scene, home):
    words = ["--depth", scene / "depth.npy", "--prompt", "brick", "--model", "tiny"]
    words += ["--steps", "1000", "--count", "64", "--output", scene / "out"]
    command = [sys.executable, "-m", "maquette", "restyle", scene / "render.png", *words]
    process = subprocess.Popen(
        [str(word) for word in command],
        env=environment(home),
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background, it would start with interrupts ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr
    for line in process.stderr:
        if line.startswith("sampling"):
            break
    process.send_signal(signal.SIGINT)
    said = process.stderr.read()
    assert process.wait(60) == 130, said
    assert "Traceback" not in said
    assert not list((scene / "out").glob("*.png"))
    words = ["--depth", scene / "depth.npy", "--prompt", "b", *QUICK, "--output", scene / "out"]
    _pictures(run("restyle", scene / "render.png", *words))
    with contextlib.closing(sqlite3.connect(Home(home).journal)) as journal:
        query = "SELECT job, state, started - submitted FROM jobs ORDER BY sequence DESC LIMIT 2"
        (_, state, waited), (cancelled, how, _) = journal.execute(query).fetchall()
    assert (state, how) == ("done", "cancelled")
    # The rest of 64,000 steps takes minutes on any machine; starting processes isn't in it.
    assert waited < 60
    assert not list(Home(home).spool.rglob(f"{cancelled}*"))


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_a_server_that_is_killed_is_started_again_and_finishes_the_job(scene, tmp_path_factory):
    home = make_home(tmp_path_factory.mktemp("killed"))
    words = ["--depth", scene / "depth.npy", "--prompt", "brick", "--model", "tiny"]
    words += ["--steps", "200", "--output", scene / "out"]
    command = [sys.executable, "-m", "maquette", "restyle", scene / "render.png", *words]
    process = subprocess.Popen(
        [str(word) for word in command],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr and process.stdout
    for line in process.stderr:
        if line.startswith("sampling"):
            break
    record = local.running(Home(home))
    assert record
    os.kill(record.pid, signal.SIGKILL)
    said = process.stderr.read()
    assert process.wait(120) == 0, said
    assert Path(process.stdout.read().strip()).exists()
