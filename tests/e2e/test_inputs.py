"""What the command line captures: frames of a .blend, and models of other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from maquette.extension import Extension
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home

from .blenders import run_script

SAID_ALONE = "it is seen from 'Street' and 'Bird'."


@pytest.fixture(scope="module")
def inputs(one_blender: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``moving.blend``, and ``house`` as .glb, .obj and .usdc."""
    folder = tmp_path_factory.mktemp("inputs")
    run_script(one_blender, "make_inputs.py", folder)
    return folder


def depths(captures: list) -> list[float]:
    return [round(float(np.median(np.asarray(each.depth))), 1) for each in captures]


def test_frames_of_all_cameras_of_a_file(
    outer_blender: Path, extension: Path, home: Path, inputs: Path
):
    scenes = Extension.find(Home(home), outer_blender, extension)
    scene = inputs / "moving.blend"
    said: list[str] = []
    words = ["--all-cameras", "--frames", "1..11:10", "--size", "64x48"]
    seen = scenes.capture(scene, words, said.append)
    assert [each.view.name for each in seen] == ["Fährt", "Steht"] * 2
    assert depths(seen) == [20, 5, 10, 5]
    assert not said


@pytest.mark.parametrize("name", ["house.glb", "house.obj", "house.usdc"])
def test_a_model_of_another_program(
    outer_blender: Path, extension: Path, home: Path, inputs: Path, name: str
):
    scenes = Extension.find(Home(home), outer_blender, extension)
    said: list[str] = []
    try:
        street, bird = scenes.capture(inputs / name, ["--long-side", "96"], said.append)
    except MaquetteError as error:
        if "has no importer" not in error.sentence:
            raise
        pytest.skip(error.sentence)  # a distribution's Blender without USD
    assert (street.view.name, bird.view.name) == ("Street", "Bird")
    assert said == [f"{name} brings no camera: {SAID_ALONE}"]
    assert np.isfinite(np.asarray(bird.depth)).mean() > 0.2


def test_a_model_that_is_none(one_blender: Path, extension: Path, home: Path, tmp_path: Path):
    (tmp_path / "broken.glb").write_bytes(b"no model at all")
    scenes = Extension.find(Home(home), one_blender, extension)
    with pytest.raises(MaquetteError, match=r"can't import broken\.glb.*Export it again"):
        scenes.capture(tmp_path / "broken.glb", [], print)
