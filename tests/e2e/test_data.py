"""``maquette data`` in the Python of a bpy wheel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from maquette.blender import probe

from .conftest import BLENDERS, Run


@pytest.fixture(scope="module")
def wheel() -> Path:
    found = [Path(program) for program in BLENDERS.values()]
    modules = [path for path in found if (blender := probe(path)) and blender.module]
    if not modules:
        pytest.skip("needs the Python of a bpy wheel")
    return modules[0]


def test_a_scene_is_rendered_once(run: Run, wheel: Path, tmp_path: Path):
    words = ("data", "--out", tmp_path, "--scenes", "3:4", "--resolution", "48", "--processes", "1")
    done = run(*words, "--blender", wheel)
    assert done.returncode == 0, done.stderr
    assert "1/1 scenes" in done.stdout
    path = tmp_path / "scene_000003.npz"
    with np.load(path) as scene:
        assert scene["depth"].shape == (48, 48)
    written = path.stat().st_mtime_ns
    assert run(*words, "--blender", wheel).returncode == 0
    assert path.stat().st_mtime_ns == written


def test_another_dataset_in_the_folder_is_kept(run: Run, wheel: Path, tmp_path: Path):
    (tmp_path / "dataset.json").write_text('{"resolution": 12}')
    done = run("data", "--out", tmp_path, "--scenes", "3:4", "--blender", wheel)
    assert done.returncode == 1 and "holds another dataset" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["dataset.json"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--scenes", "9:3"), "no range of seeds"),
        (("--processes", "0"), "no whole number"),
        (("--blender", "/bin/true"), "no Python with the bpy wheel"),
    ],
)
def test_what_cannot_be_rendered_is_one_sentence(
    run: Run, tmp_path: Path, words: tuple[str, str], said: str
):
    done = run("data", "--out", tmp_path / "out", *words)
    assert done.returncode in (1, 2) and said in done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "out").exists()
