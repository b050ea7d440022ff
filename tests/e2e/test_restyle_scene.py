"""``maquette restyle SCENE.blend`` with the built zip, in every Blender of this run."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import numpy as np
import pytest
from maquette_wire import png
from PIL import Image

from .blenders import run_script
from .conftest import Run

QUICK = ("--model", "tiny", "--steps", "2", "--prompt", "red brick")


@pytest.fixture(scope="session")
def scenes(one_blender: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scenes that a user gets wrong."""
    folder = tmp_path_factory.mktemp("scenes")
    run_script(one_blender, "make_scenes.py", folder)
    return folder


@pytest.fixture
def restyle(run: Run, one_blender: Path, extension: Path, tmp_path: Path) -> Run:
    """``maquette restyle`` in one Blender, into a folder of the test's own."""
    where = ("--blender", one_blender, "--extension", extension, "--output", tmp_path / "out")
    return lambda *words: run("restyle", *words, *where)


def _pictures(done: subprocess.CompletedProcess[str]) -> list[Path]:
    assert done.returncode == 0, done.stderr
    return [Path(line) for line in done.stdout.splitlines()]


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_a_sample_becomes_a_picture_and_stays_as_it_is(
    run: Run, blender: Path, extension: Path, samples: Path, tmp_path: Path
):
    scene = samples / "gabled_house.blend"
    before = hashlib.sha256(scene.read_bytes()).digest()
    words = ["--camera", "Street", "--long-side", "128", *QUICK, "--output", tmp_path]
    where = ["--blender", blender, "--extension", extension, "--save-depth"]
    concept, depth = _pictures(run("restyle", scene, *words, *where))
    assert concept.name == "gabled_house-Street-red-brick-0.png"
    assert Image.open(concept).size == (128, 96)
    assert png.read_recipe(concept).model == "tiny"
    seen = np.asarray(Image.open(depth))
    assert seen.max() > 200 and seen.min() < 60  # something near, and sky
    assert hashlib.sha256(scene.read_bytes()).digest() == before


def test_all_cameras_make_a_picture_each(restyle: Run, samples: Path):
    done = restyle(samples / "church.blend", "--all-cameras", "--long-side", "96", *QUICK)
    names = sorted(path.name for path in _pictures(done))
    assert [name.split("-red")[0] for name in names] == [
        "church-Bird",
        "church-Elevation",
        "church-Street",
        "church-Two-point",
    ]


def test_the_same_scene_twice_gives_the_same_pixels(restyle: Run, samples: Path):
    words = [samples / "courtyard.blend", "--long-side", "96", *QUICK]
    (first,) = _pictures(restyle(*words))
    (second,) = _pictures(restyle(*words))
    assert np.array_equal(np.asarray(Image.open(first)), np.asarray(Image.open(second)))


def test_a_size_of_the_users_own(restyle: Run, samples: Path):
    (path,) = _pictures(restyle(samples / "courtyard.blend", "--size", "96x160", *QUICK))
    assert Image.open(path).size == (96, 160)


def test_a_camera_with_any_name(restyle: Run, scenes: Path, tmp_path: Path):
    (path,) = _pictures(restyle(scenes / "odd_name.blend", *QUICK, "--camera", "Straße / Süd 1"))
    assert path.parent == tmp_path / "out"
    assert path.name == "odd_name-Straße-Süd-1-red-brick-0.png"


@pytest.mark.parametrize("scene", ["all_sky", "flat_wall"])
def test_a_view_without_relief_gives_a_picture_all_the_same(restyle: Run, scenes: Path, scene: str):
    (path,) = _pictures(restyle(scenes / f"{scene}.blend", *QUICK))
    assert np.asarray(Image.open(path)).std() > 1


def test_a_scene_without_a_camera_is_one_line(restyle: Run, scenes: Path):
    said = _last_line(restyle(scenes / "no_camera.blend", *QUICK))
    assert "camera" in said


def test_an_unknown_camera_names_those_there_are(restyle: Run, samples: Path):
    said = _last_line(restyle(samples / "church.blend", "--camera", "Nope", *QUICK))
    assert "Nope" in said
    for camera in ("Street", "Bird", "Elevation", "Two-point"):
        assert camera in said


@pytest.mark.parametrize("content", [b"", b"not a blend", b"BLENDER-v405" + bytes(500)])
def test_a_file_that_is_no_scene_is_one_line(restyle: Run, tmp_path: Path, content: bytes):
    (tmp_path / "broken.blend").write_bytes(content)
    assert "broken.blend" in _last_line(restyle(tmp_path / "broken.blend", *QUICK))


@pytest.mark.parametrize(
    "size", [("--size", "1x1"), ("--size", "10000x10000"), ("--long-side", "0")]
)
def test_a_size_out_of_range_is_one_line(restyle: Run, samples: Path, size: tuple[str, str]):
    said = _last_line(restyle(samples / "church.blend", *size, *QUICK))
    assert "pixels" in said


def test_a_zip_that_is_none_is_one_line(run: Run, one_blender: Path, samples: Path, tmp_path: Path):
    (tmp_path / "broken.zip").write_bytes(b"PK nothing")
    words = ["--blender", one_blender, "--extension", tmp_path / "broken.zip", *QUICK]
    said = _last_line(run("restyle", samples / "church.blend", *words, "--output", tmp_path))
    assert "install the extension" in said
