"""Runs pytest inside a Blender with a window, and ends Blender with pytest's exit status.

``blender -P tests/blender_addon/capture/in_window.py -- PYTEST-ARGUMENTS``
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import bpy

ROOT = Path(__file__).resolve().parents[3]
FIRST_DRAW_SECONDS = 1.0


def run() -> None:
    sys.path[:0] = [str(ROOT), str(ROOT / "shared")]
    os.chdir(ROOT)
    status = 1
    try:
        import pytest

        arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
        status = int(pytest.main(["-p", "no:cacheprovider", *arguments]))
    except BaseException:  # noqa: BLE001  (nobody else would tell; Blender would go on running)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


bpy.app.timers.register(run, first_interval=FIRST_DRAW_SECONDS)
