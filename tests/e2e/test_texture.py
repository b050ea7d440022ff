"""``maquette texture SCENE.blend`` with the built zip: from a model to a textured model."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from maquette_wire import metadata, png
from maquette_wire.recipe import Recipe
from PIL import Image

from tests.backend.scenes import massing

from .blenders import run_script
from .conftest import Run

QUICK = ("--model", "tiny", "--steps", "2", "--prompt", "red brick", "--long-side", "128")


@pytest.fixture
def texture(run: Run, one_blender: Path, extension: Path, tmp_path: Path) -> Run:
    """``maquette texture`` in one Blender, into a folder of the test's own."""
    where = ("--blender", one_blender, "--extension", extension, "--output", tmp_path / "out")
    return lambda *words: run("texture", *words, *where)


def _error(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_a_sample_becomes_a_textured_model_and_stays_as_it_is(
    texture: Run, samples: Path, tmp_path: Path
):
    scene = samples / "gabled_house.blend"
    before = hashlib.sha256(scene.read_bytes()).digest()
    done = texture(scene, *QUICK, "--size", "256", "--around", "4", "--save-views")
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(scene.read_bytes()).digest() == before
    *views, picture, model, copy = map(Path, done.stdout.splitlines())
    assert len(views) == 4 and {path.parent for path in views} == {tmp_path / "out"}
    assert png.read_recipe(picture).prompt == "red brick"
    with Image.open(picture) as opened:
        pixels = np.asarray(opened)
    assert pixels.shape == (256, 256, 3) and pixels.max(2).min() > 0
    data = model.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + length])
    names = {mesh["name"] for mesh in document["meshes"]}
    assert {"Main body", "Main roof"} <= names and "Ground" not in names
    assert picture.read_bytes() in data
    assert "Left out as ground: Ground" in done.stderr
    assert copy == model.with_suffix(".blend") and copy.is_file()
    assert "The 4 views see" in done.stderr and "of the surface is seen well" in done.stderr


def test_a_retouched_picture_is_baked_again_in_blender(
    texture: Run, home: Path, one_blender: Path, extension: Path, samples: Path
):
    words = (*QUICK, "--size", "256", "--around", "2", "--object", "Main body")
    done = texture(samples / "gabled_house.blend", *words)
    assert done.returncode == 0, done.stderr
    painted, _model, copy = map(Path, done.stdout.splitlines())
    assert f"pictures in {painted.with_suffix('')} and press Bake Again" in done.stderr
    script = "press_bake_again.py"
    said = run_script(one_blender, script, copy, home=home, extension=extension)
    line = next(line for line in said.splitlines() if line.startswith("USER HAS "))
    user = json.loads(line.removeprefix("USER HAS "))
    assert user["files"] == ["fit.npz", "job.maquette", "view-1.png", "view-2.png"]
    assert user["pressed"] == ["FINISHED"] and user["open"] == 0 and user["layers"] == 1, user
    baked = Path(user["texture"])
    assert baked == painted.with_suffix("") / "texture.png"
    with Image.open(painted) as before, Image.open(baked) as after:
        first, second = (np.asarray(each.convert("RGB")).astype(int) for each in (before, after))
    # Brought to the exposure of the other view.
    green = (second[..., 1] > 200) & (second[..., ::2].max(2) < 60)
    assert first.shape == second.shape and green.mean() > 0.1, "what that view shows"
    assert not green.all() and not (first == (0, 255, 0)).all(2).any()


def test_chosen_objects_alone_and_no_file_replaced(texture: Run, samples: Path):
    words = (*QUICK, "--size", "256", "--around", "2", "--object", "Main roof")
    first = texture(samples / "gabled_house.blend", *words)
    second = texture(samples / "gabled_house.blend", *words)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    paths = [*first.stdout.splitlines(), *second.stdout.splitlines()]
    assert len(set(paths)) == 6 and all(Path(path).is_file() for path in paths)


def test_a_prompt_that_is_left_out_is_in_no_file(texture: Run, samples: Path, tmp_path: Path):
    words = ("--size", "256", "--around", "1", "--object", "Main roof", "--save-views")
    done = texture(samples / "gabled_house.blend", *QUICK, *words, "--leave-out-prompt")
    assert done.returncode == 0, done.stderr
    paths = [Path(line) for line in done.stdout.splitlines()]
    assert [path.name for path in paths[1:]] == [
        "gabled_house-texture.png",
        "gabled_house-texture.glb",
        "gabled_house-texture.blend",
    ]
    assert len(paths) == 4
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(written) == 7, "and what it was made of, with the picture of its view"
    assert not any(b"brick" in path.read_bytes() for path in written)
    assert not any("brick" in path.name for path in (tmp_path / "out").rglob("*"))


def test_a_model_of_another_program_with_a_picture_for_each_object(
    texture: Run, one_blender: Path, tmp_path: Path
):
    run_script(one_blender, "make_inputs.py", tmp_path)
    words = ("--size", "256", "--around", "2", "--each", "--color-depth", "16")
    done = texture(tmp_path / "house.obj", *QUICK, *words)
    assert done.returncode == 0, done.stderr
    *pictures, model, copy = map(Path, done.stdout.splitlines())
    assert [path.suffixes[-2:] for path in pictures][:2] == [[".1001", ".png"], [".1002", ".png"]]
    # The header's byte of bits.
    assert {path.read_bytes()[24] for path in pictures} == {16}
    assert model.is_file() and copy.is_file()
    done = texture(tmp_path / "house.obj", *QUICK, "--size", "256", "--around", "1", "--no-blend")
    assert done.returncode == 0, done.stderr
    assert [Path(line).suffix for line in done.stdout.splitlines()] == [".png", ".glb"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--object", "Nothing"), "no visible object with faces called 'Nothing'"),
        (("--size", "16384"), "Use 256 to 8192"),
        (("--around", "0"), "Use 1 to"),
        (("--prompt", "another"), "one prompt"),
        (("--count", "2"), "one seed"),
    ],
)
def test_an_error_is_one_line_that_names_the_fix(
    texture: Run, samples: Path, tmp_path: Path, words: tuple[str, str], said: str
):
    done = texture(samples / "gabled_house.blend", *QUICK, *words)
    assert said in _error(done)
    assert not list((tmp_path / "out").glob("*"))


def test_the_other_sides_are_painted_after_a_concept(texture: Run, samples: Path, tmp_path: Path):
    view = massing(96, 64, eye=(0.0, -22.0, 3.0), turn=0.0, name="Liked").view
    concept = tmp_path / "liked.png"
    recipe = Recipe(prompt="timber", model="tiny", steps=2, seed=7, size=(96, 64))
    text = metadata.texts(recipe, view, software="Maquette")
    png.write(concept, bytes((250, 0, 250)) * (96 * 64), 96, 64, text)
    words = ("--from", concept, "--long-side", "128", "--around", "2", "--size", "256")
    done = texture(samples / "gabled_house.blend", *words, "--save-views", "--no-blend")
    assert done.returncode == 0, done.stderr
    liked, *others, picture, _model = map(Path, done.stdout.splitlines())
    assert len(others) == 2 and "The 3 views see" in done.stderr
    assert (np.asarray(Image.open(liked)) == (250, 0, 250)).all(), "as it was given"
    said = png.read_recipe(picture)
    assert (said.prompt, said.seed, said.size) == ("timber", 7, None)
    laid = np.abs(np.asarray(Image.open(picture)).astype(int) - (250, 0, 250)).max(2) < 12
    assert 0.03 < laid.mean() < 0.9
    for other in others:
        pixels = np.asarray(Image.open(other)).astype(int)
        assert pixels.shape == (128, 128, 3) and (pixels != (250, 0, 250)).any()
