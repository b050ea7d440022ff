"""These tests run inside Blender: a bpy wheel, or a program with or without a window."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = sorted((ROOT / "samples").glob("*.blend"))

# Without Blender there is nothing to collect here.
collect_ignore_glob = [] if importlib.util.find_spec("bpy") else ["test_*.py"]


@pytest.fixture(autouse=True)
def empty_file() -> Iterator[None]:
    """Each test starts with an empty scene."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    yield
