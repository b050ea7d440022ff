"""The installed extension in every Blender: Restyle is pressed, and the concept is in the file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from maquette_wire import local, png
from PIL import Image

from .blenders import run_script


def test_restyle_brings_a_concept_into_the_file(
    blender: Path,
    extension: Path,
    home: Path,
    server: local.ServerRecord,
    samples: Path,
    tmp_path: Path,
):
    scene = tmp_path / "house.blend"
    shutil.copy(samples / "gabled_house.blend", scene)
    said = run_script(blender, "press_restyle.py", scene, scene, home=home, extension=extension)
    line = next(line for line in said.splitlines() if line.startswith("USER HAS "))
    user = json.loads(line.removeprefix("USER HAS "))
    assert user["pressed"] == ["FINISHED"], said
    assert user["open"] == 0, said
    assert user["image"] == [128, 96]
    picture = Path(user["file"])
    assert picture.parent == tmp_path / "maquette"
    recipe = png.read_recipe(picture)
    assert (recipe.prompt, recipe.seed, recipe.steps) == ("red brick", 7, 3)
    assert np.asarray(Image.open(picture)).std() > 1
    # What the extension bundles is what it uses.
    for name in ("wire", "zmq"):
        assert str(home) in user[name]
