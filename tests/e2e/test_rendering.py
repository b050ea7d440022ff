"""Maquette as render engine in every Blender: F12, Render Animation, `blender -b FILE -a`."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from maquette.blender import probe
from maquette.extension import Extension
from maquette_wire import local, png
from maquette_wire.home import Home
from PIL import Image

from .blenders import run_script
from .conftest import InWindow

SECONDS = 240


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


@pytest.fixture
def rendered(
    blender: Path,
    extension: Path,
    home: Path,
    server: local.ServerRecord,
    samples: Path,
    tmp_path: Path,
) -> dict[str, object]:
    """What a user has who rendered a sample; the files are in ``tmp_path``."""
    scene = samples / "gabled_house.blend"
    words = (scene, tmp_path)
    said = run_script(blender, "press_f12.py", *words, home=home, extension=extension)
    line = next(line for line in said.splitlines() if line.startswith("USER HAS "))
    return json.loads(line.removeprefix("USER HAS "))


def test_f12_and_animations_make_restyled_frames(
    rendered: dict[str, object],
    blender: Path,
    extension: Path,
    home: Path,
    tmp_path: Path,
):
    assert rendered["same"], "the seed is fixed"
    assert rendered["size"] == [96, 128]
    recipe = png.read_recipe(tmp_path / "one.png")
    assert (recipe.prompt, recipe.seed, recipe.steps) == ("red brick", 7, 3)
    assert pixels(tmp_path / "one.png").std() > 1
    frames = [pixels(tmp_path / f"frame-000{number}.png") for number in (1, 2, 3)]
    assert all((one != other).any() for one, other in pairwise(frames))
    steady = [pixels(tmp_path / f"steady-000{number}.png") for number in (1, 2, 3)]
    assert (steady[0] == frames[0]).all() and (steady[1] != frames[1]).any()
    found = probe(blender)
    assert found is not None
    if not found.module:
        _render_from_the_command_line(blender, extension, home, tmp_path)
        assert (pixels(tmp_path / "command-0002.png") == steady[1]).all()


def _render_from_the_command_line(blender: Path, extension: Path, home: Path, folder: Path) -> None:
    found = probe(blender)
    assert found is not None
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "MAQUETTE_HOME": str(home),
        "BLENDER_USER_RESOURCES": str(Extension(found, extension, Home(home)).profile()),
    }
    command = [blender, "-b", folder / "scene.blend", "-o", folder / "command-####", "-a"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.blender
@pytest.mark.slow
def test_an_architect_presses_f12_in_a_window(in_window: InWindow):
    user = in_window("rendering.py").user
    assert user["warned"] and user["size"] == [256, 256]
    assert user["spread"] > 0.02
    assert user["stats"][0] == "Starting the server" and user["stats"][-1] == "Finishing"
