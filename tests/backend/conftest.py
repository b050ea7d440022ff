"""Fixtures that the backend's tests share; `tiny` makes the checkpoints."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # `import tiny` also under importlib's import mode


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a tiny random checkpoint; shared by all tests, so never write into it."""
    from tiny import make_tiny_sd2_depth

    return make_tiny_sd2_depth(tmp_path_factory.mktemp("models") / "tiny")
