"""Wheels built from backend/ and shared/ install and run, with the pocket model inside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.console import root


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the two wheels were installed into, built from a copy of the sources."""
    folder = tmp_path_factory.mktemp("wheels")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    for name in ("shared", "backend"):
        shutil.copytree(root() / name, folder / name, ignore=ignored)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--wheel-dir", str(folder)]
    done = subprocess.run(
        [*build, str(folder / "shared"), str(folder / "backend")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    wheels = sorted(str(path) for path in folder.glob("*.whl"))
    assert len(wheels) == 2
    target = folder / "installed"
    install = [*pip, "install", "--no-deps", "--no-compile", "--target", str(target)]
    done = subprocess.run([*install, *wheels], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def _run(installed: Path, code: str, home: Path) -> str:
    found = {name: value for name, value in os.environ.items() if name != "MAQUETTE_POCKET"}
    found |= {"PYTHONPATH": str(installed), "MAQUETTE_HOME": str(home)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=found, capture_output=True, text=True, cwd=home)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_line_runs_from_the_wheels(installed, tmp_path):
    code = "import maquette, maquette_wire; print(maquette.__file__, maquette_wire.__file__)"
    assert _run(installed, code, tmp_path).count(str(installed)) == 2
    code = "from maquette.cli import main; main(['models'])"
    assert "pocket" in _run(installed, code, tmp_path)


def test_every_file_of_the_package_is_in_the_wheel(installed):
    source = root() / "backend" / "maquette"
    files = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    wanted = {path for path in files if "__pycache__" not in path.parts}
    missing = {path for path in wanted if not (installed / "maquette" / path).is_file()}
    assert missing == set()
