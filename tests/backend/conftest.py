"""Fixtures that the backend's tests share; `tiny` makes the checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a tiny random checkpoint; shared by all tests, so never write into it."""
    from tests.backend.tiny import make_tiny_sd2_depth

    return make_tiny_sd2_depth(tmp_path_factory.mktemp("models") / "tiny")
