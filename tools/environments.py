"""The environments inside the checkout: ``.venv`` for the backend, ``.venv-bpy-X.Y`` for Blender.

Each holds a stamp of what it was made from, and is made anew only when that changes. An environment
of a ``bpy`` wheel is a Blender and nothing else, so that what the extension needs can come from the
extension alone; the packages its tests need lie beside it, in a folder of their own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from . import torch_build
from .console import BuildError, logs, root, run_logged, say

BLENDERS = ("4.2", "4.5", "5.0")
"""Blender series with a ``bpy`` wheel for Python 3.11."""
DEFAULT_BLENDER = "4.5"
STAMP = "maquette-stamp"
DEBIAN_LIBRARIES = (
    *("libx11-6", "libxrender1", "libxfixes3", "libxi6", "libxxf86vm1", "libxkbcommon0"),
    *("libxext6", "libsm6", "libice6", "libgl1", "libegl1"),
)


def python_of(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def group(name: str) -> list[str]:
    """A dependency group of the root's pyproject.toml."""
    with (root() / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["dependency-groups"][name]


def _stamp(*parts: str) -> str:
    return hashlib.sha256("\n".join((sys.version, *parts)).encode()).hexdigest()


def _make(folder: Path, stamp: str, title: str, fill: Callable[[Path], None]) -> Path:
    """Make ``folder`` with ``fill(python)`` unless its stamp is the same; its interpreter."""
    marker = folder / STAMP
    python = python_of(folder)
    if marker.exists() and marker.read_text() == stamp and python.exists():
        return python
    say(f"{title} ({folder.name})")
    marker.unlink(missing_ok=True)
    log = folder.name.lstrip(".")
    (logs() / f"{log}.log").unlink(missing_ok=True)
    if not python.exists():
        shutil.rmtree(folder, ignore_errors=True)
        command = [sys.executable, "-m", "venv", folder]
        run_logged("Creating the environment", command, log)
    fill(python)
    marker.write_text(stamp)
    return python


def _pip(text: str, python: Path, log: str, *arguments: str | Path) -> None:
    command: list[str | Path] = [python, "-m", "pip", "install", "--no-compile"]
    command += ["--disable-pip-version-check", *arguments]
    run_logged(text, command, log)


def _install_torch(python: Path, choice: str) -> None:
    tries = torch_build.attempts(choice)
    for arguments in tries[:-1]:
        try:
            _pip("Installing PyTorch, CPU build", python, "venv", *arguments)
            return
        except BuildError:
            say("  That source has no such build; trying the next one.")
    if tries:
        _pip("Installing PyTorch", python, "venv", *tries[-1])


def backend(torch: str = "auto", *, lint: bool = False) -> Path:
    """The backend's environment, with the tests' packages; returns its interpreter.

    Args:
        torch: see ``torch_build``.
        lint: with ruff, pyright and import-linter as well.
    """
    sources = [root() / "pyproject.toml", root() / "shared/pyproject.toml"]
    sources.append(root() / "backend/pyproject.toml")
    groups = ["test", *(["lint"] if lint else [])]

    def fill(python: Path) -> None:
        _install_torch(python, torch)
        wanted = [item for name in groups for item in group(name)]
        editable = ["-e", "shared", "-e", "backend[train]"]
        _pip("Installing Maquette and what it needs", python, "venv", *editable, *wanted)

    folder = root() / ".venv"
    text = [torch_build.TORCH, torch, *(path.read_text(encoding="utf-8") for path in sources)]
    if not lint:  # an environment with the lint tools serves the tests as well
        marker = folder / STAMP
        full = _stamp("lint", *text)
        if marker.exists() and marker.read_text() == full and python_of(folder).exists():
            return python_of(folder)
    kind = "lint" if lint else "test"
    return _make(folder, _stamp(kind, *text), "The backend's environment", fill)


def blender(series: str) -> Path:
    """An environment with the ``bpy`` wheel of ``series``; returns its interpreter."""
    folder = root() / f".venv-bpy-{series}"
    log = folder.name.lstrip(".")

    def fill(python: Path) -> None:
        _pip(f"Installing Blender {series}", python, log, f"bpy=={series}.*")
        _ensure_bpy_imports(python, series)

    return _make(folder, _stamp(series), f"Blender {series} as a Python module", fill)


def blender_tests(series: str) -> Path:
    """The folder with what the tests inside Blender need, to be put on PYTHONPATH."""
    python = blender(series)
    wanted = group("blender-test")
    folder = root() / f".venv-bpy-{series}" / "testing"
    marker = folder / STAMP
    stamp = _stamp(*wanted)
    if not (marker.exists() and marker.read_text() == stamp):
        shutil.rmtree(folder, ignore_errors=True)
        text = f"Installing the test packages beside Blender {series}"
        _pip(text, python, f"venv-bpy-{series}", "--target", folder, *wanted)
        marker.write_text(stamp)
    return folder


def _bpy_error(python: Path) -> str:
    """What ``import bpy`` says; empty where it works."""
    done = subprocess.run([python, "-c", "import bpy"], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def _ensure_bpy_imports(python: Path, series: str) -> None:
    """Make sure that Blender loads; on Linux it needs a few libraries of the system."""
    error = _bpy_error(python)
    if not error:
        return
    install = f"apt-get install --no-install-recommends {' '.join(DEBIAN_LIBRARIES)}"
    if ".so" in error and shutil.which("apt-get") and hasattr(os, "geteuid") and not os.geteuid():
        say(f"  Blender needs libraries of the system: {install}")
        log = f"venv-bpy-{series}"
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        run_logged("Reading the package lists", ["apt-get", "update"], log, environment=quiet)
        command = ["apt-get", "install", "-y", "--no-install-recommends", *DEBIAN_LIBRARIES]
        run_logged("Installing them", command, log, environment=quiet)
        error = _bpy_error(python)
    if error:
        raise BuildError(
            f"Blender {series} does not load: {error}\n"
            f"On Debian or Ubuntu this installs what it needs: sudo {install}"
        )
