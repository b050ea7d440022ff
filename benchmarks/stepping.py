"""A scenario in a Blender with a window: one step of it for each call of a timer of its own."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator


def run(steps: Iterator[float]) -> None:
    """Run a scenario, each of whose steps yields the seconds until the next, and end Blender with
    it; its exit status is 1 where a step raised."""
    import bpy

    def step() -> float:
        try:
            return next(steps)
        except StopIteration:
            status = 0
        except BaseException:  # noqa: BLE001  (nobody else would tell; Blender would go on running)
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

    bpy.app.timers.register(step, first_interval=1.0, persistent=True)
