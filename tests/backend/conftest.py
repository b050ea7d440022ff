"""Fixtures that the backend's tests share; `tiny` makes the checkpoints."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a tiny random checkpoint; shared by all tests, so never write into it."""
    from tests.backend.tiny import make_tiny_sd2_depth

    return make_tiny_sd2_depth(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True
    )
    if not done or done.returncode:
        pytest.skip("a small disk needs root and tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
