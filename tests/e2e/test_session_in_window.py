"""What an architect does all day doesn't hold Blender: a short session in a real window."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tools import windows
from tools.console import root

SECONDS = 300
HOLD_MS = 16.0
"""Processor time of one call of anything of the add-on's but a capture: a frame at 60 Hz."""


@pytest.mark.blender
@pytest.mark.slow
def test_nothing_but_captures_holds_blender_for_a_frame(
    window: Path, samples: Path, tmp_path: Path
):
    command = [window, "--factory-startup", "-P", root() / "benchmarks" / "session.py", "--"]
    # Each activity once.
    command += [samples / "church.blend", tmp_path, "--seconds", 0, "--python", sys.executable]
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path / "profile")}
    said = windows.run([str(word) for word in command], environment, SECONDS)
    line = next((line for line in said.splitlines() if line.startswith("SESSION ")), None)
    assert line is not None, said
    session = json.loads(line.removeprefix("SESSION "))
    longest = session["longest"]
    for cause in ("timers: session._tick", "panels: MAQUETTE_PT_restyle.draw"):
        assert cause in longest, said
    # With a software OpenGL the main thread itself compiles and fills what is drawn over the view.
    held = {
        cause: session["median"][cause] if cause.startswith("overlays") else longest[cause]
        for cause in longest
    }
    assert {cause: ms for cause, ms in held.items() if ms > HOLD_MS} == {}, said
    captured = {cause.partition(" at ")[0] for cause in session["captures"]}
    assert captured >= {"capture_camera", "capture_viewport"}
