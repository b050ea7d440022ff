"""The dataset that the trainings share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backend.train.synthetic import write_dataset


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of eight scenes; shared by all tests, so never write into it."""
    return write_dataset(tmp_path_factory.mktemp("data"), 8, size=64)
