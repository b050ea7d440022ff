"""Captures in a real Blender with a window agree with those of a camera, on every sample."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

CAPTURE = Path(__file__).resolve().parents[1] / "blender_addon" / "capture"


@pytest.mark.blender
@pytest.mark.slow
@pytest.mark.skipif("MAQUETTE_TEST_WINDOW" not in os.environ, reason="no Blender with a window")
@pytest.mark.parametrize("module", ["test_viewport.py", "test_untouched.py"])
def test_captures_inside_a_blender_with_a_window(module: str):
    command = [os.environ["MAQUETTE_TEST_WINDOW"], "--factory-startup", "-P"]
    command += [str(CAPTURE / "in_window.py"), "--", "-q", str(CAPTURE / module)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=900)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
