"""``maquette material``: from a shell to a folder that any renderer reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from maquette_wire import metadata
from PIL import Image

from .conftest import Run

QUICK = ("--model", "tiny", "--steps", "2", "--strength", "1.0", "--pixels", "128")


@pytest.fixture
def material(run: Run, tmp_path: Path) -> Run:
    """``maquette material`` into a folder of the test's own."""
    return lambda *words: run("material", *words, "--output", tmp_path / "out")


def _error(done: subprocess.CompletedProcess[str], status: int = 1) -> str:
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_a_prompt_becomes_a_folder_and_the_folder_the_same_again(material: Run, tmp_path: Path):
    done = material(*QUICK, "--prompt", "red brick", "--size", "1.2", "--seed", "3")
    assert done.returncode == 0, done.stderr
    paths = [Path(line) for line in done.stdout.splitlines()]
    assert {path.parent for path in paths} == {tmp_path / "out" / "red-brick"}
    assert [path.name for path in paths] == [
        "albedo.png", "normal.png", "height.png", "roughness.png", "occlusion.png",
        "red-brick.glb", "preview.png",
    ]  # fmt: skip
    assert "Running Bond, 1.2 x 1.2 m" in done.stderr
    with Image.open(paths[0]) as image:
        albedo = np.asarray(image)
    assert albedo.shape == (128, 128, 3)
    again = material("--recipe", paths[0])
    assert again.returncode == 0, again.stderr
    other = [Path(line) for line in again.stdout.splitlines()]
    assert other[0].parent.name == "red-brick-2"
    assert other[2].read_bytes() == paths[2].read_bytes()
    changed = material("--recipe", paths[0], "--pattern", "stack-bond", "--joint", "0.02")
    said = metadata.read(Path(changed.stdout.splitlines()[0])).of_material
    assert said is not None and said.material.size == 1.2
    assert (said.material.pattern, said.material.joint) == ("stack-bond", 0.02)
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--size", "0"), "Use 0.1 to 50 m"),
        (("--pixels", "1000"), "multiple of 64"),
        (("--pattern", "zigzag"), "Use one of plain, running-bond"),
        (("--joint", "0.5"), "joint is 0.5 m"),
        (("--count", "2"), "one seed"),
        (("--prompt", "another"), "one prompt"),
        (("--model", "no-such"), "no-such"),
    ],
)
def test_an_error_is_one_line_that_names_the_fix(
    material: Run, tmp_path: Path, words: tuple[str, str], said: str
):
    assert said in _error(material(*QUICK, "--prompt", "red brick", *words))
    assert not list((tmp_path / "out").glob("*"))


def test_without_a_prompt_or_with_a_unit_that_is_none(material: Run):
    assert "There is no prompt" in _error(material(*QUICK))
    assert "0.22x0.075" in _error(material(*QUICK, "--prompt", "x", "--unit", "large"), 2)
    listed = material("--list-patterns")
    assert listed.returncode == 0 and "running-bond   0.22 x 0.075 m" in listed.stdout
