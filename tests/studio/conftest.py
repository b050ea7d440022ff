"""The studio's tests render with Blender: they run with a Python that has `bpy`, and are not
collected elsewhere."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

# Without Blender there is nothing to collect here.
collect_ignore_glob = [] if importlib.util.find_spec("bpy") else ["test_*.py"]

if TYPE_CHECKING:
    from studio.render import Stage


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """One Blender session for all tests."""
    from studio.render import Stage

    session = Stage(threads=2)
    yield session
    session.close()
