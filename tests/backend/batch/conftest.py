"""A folder far away, and a machine that runs batches to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from maquette import remote

from tests.backend.batch.runs import Machine


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a folder far away, whose connection doesn't break by itself."""
    monkeypatch.setattr(remote, "BACK_OFF", (0.0, 0.0))
    return f"far://{tmp_path}/far"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "home")
