"""A working session in a real window, and what of the add-on holds Blender's main thread in it.

    blender-window --factory-startup -P benchmarks/session.py -- SCENE.blend SHOTS
        [--seconds 300] [--side 512] [--python P]

Mouse and keys are real events (``tests/e2e/in_blender/window.py``), and the server is that of
``benchmarks/main_thread.py``, which paints nothing, so that the processor is Blender's. In turn the
user does what ``ACTIVITIES`` lists, until the time is up. The table names every entry point of the
add-on that Blender called, with the processor time that it took of the main thread; what it called
in turn (a capture, say) counts for that alone. Goal: no call over 16 ms but captures, and captures
within 1.3 times a plain redraw of the moving viewport at the same size, measured in the same run.
The first capture compiles Blender's shaders, as the first redraw of its size does, against which
``benchmarks/capture.py --first`` holds it.

The last line is the result as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy

ROOT = Path(__file__).resolve().parents[1]
PATHS = ("", "shared", "backend", "benchmarks", "tests/e2e/in_blender")
sys.path[:0] = [str(ROOT / name) for name in PATHS]

from entry_points import Watch, table  # noqa: E402
from maquette_wire import local  # noqa: E402
from maquette_wire.home import Home  # noqa: E402

from benchmarks import redraws, stepping  # noqa: E402
from tests.e2e.in_blender import hands, screen, window  # noqa: E402

ADD_ON = "blender_addon"
GOAL_MS, CAPTURE_RATIO = 16.0, 1.3
START_SECONDS = JOB_SECONDS = 120.0
REDRAWS = 7


# --- what the user does ---------------------------------------------------------------------------


def orbiting() -> Iterator[float]:
    """Round the model and closer, by the middle button and the wheel."""
    box = screen.in_view_area()
    x, y = box.x + box.width // 3, box.y + box.height // 2
    for step in range(3):
        yield from hands.drag((x, y), (x + 60 - 40 * step, y + 20 * step - 10), button=2)
    hands.do("click", "--repeat", 3, "--delay", 30, 4)
    yield 0.3
    hands.do("click", "--repeat", 3, "--delay", 30, 5)
    yield 0.3


def typing() -> Iterator[float]:
    """Another prompt."""
    settings: Any = bpy.context.scene.maquette
    text = f"brick church number {int(time.monotonic()) % 1000}"
    yield from window.type_into("Prompt", text, lambda: settings.prompt, below=1)


def restyling(source: str) -> Iterator[float]:
    """Restyle, and orbit while it is painted."""
    from blender_addon.session import current

    settings: Any = bpy.context.scene.maquette
    yield from window.press(source, lambda: settings.source == source.upper())
    before = settings.last_result
    yield from window.press("Restyle", lambda: current().jobs or settings.last_result != before)
    end = time.monotonic() + JOB_SECONDS
    while current().jobs:
        assert time.monotonic() < end, "a job wasn't done in time"
        yield from orbiting()


def browsing() -> Iterator[float]:
    """Down and up the sidebar, a panel opened."""
    yield from window.open_panel("Fine Tuning")
    yield from hands.scroll(10)
    yield from hands.scroll(-60)


def living() -> Iterator[float]:
    """Live on, orbit, Live off."""
    from blender_addon.session import current

    live: Any = current().live
    yield from window.open_panel("Over the 3D View")
    yield from window.press("Live", lambda: live.on)
    for _ in range(3):
        yield from orbiting()
        yield from hands.wait(lambda: live.shown is not None, hands.SECONDS)
    yield from window.press("End Live", lambda: not live.on)


def looking_back() -> Iterator[float]:
    """The gallery, searched, and two pictures chosen in it."""
    settings: Any = bpy.context.scene.maquette
    state: Any = bpy.context.window_manager.maquette_gallery
    yield from window.open_panel("Gallery")
    yield from window.type_into("Search", "brick", lambda: state.search)
    yield from window.type_into("brick", "number", lambda: state.search)
    state.search = ""
    for entry in (settings.pictures[-2], settings.pictures[-1]):  # a camera's and a viewport's
        key, label = entry.name, entry.title.replace(" – seed ", " ")
        yield from window.press(label, lambda key=key: state.chosen == key, below=-2)
        yield from hands.rest()
        yield 0.5
    yield from hands.scroll(-60)


ACTIVITIES: tuple[Callable[[], Iterator[float]], ...] = (
    orbiting,
    typing,
    lambda: restyling("Camera"),
    browsing,
    lambda: restyling("Viewport"),
    living,
    looking_back,
)
"""What the user does in turn. A new part of the add-on adds what it is used by here."""


# --- the session ----------------------------------------------------------------------------------


def scenario(watch: Watch, arguments: argparse.Namespace) -> Iterator[float]:
    """The session; prints the table and the result."""
    folder = Path(tempfile.mkdtemp(prefix="maquette-session-"))
    os.environ["MAQUETTE_HOME"] = str(folder)
    home = Home(folder)
    home.make()
    command = [arguments.python, ROOT / "benchmarks" / "main_thread.py", "--serve", folder]
    server = subprocess.Popen([str(word) for word in command])
    try:
        watch.before_registration()
        bpy.ops.preferences.addon_enable(module=ADD_ON)
        watch.after_registration()
        end = time.monotonic() + START_SECONDS
        while local.running(home) is None:
            assert server.poll() is None and time.monotonic() < end, "the server didn't start"
            yield 0.2
            yield from window.begin()
        settings: Any = bpy.context.scene.maquette
        settings.long_side, settings.seed, settings.seed_locked = arguments.side, 7, True
        end, number = time.monotonic() + arguments.seconds, 0
        # Each activity at least once, and then as long as there is time.
        while number < len(ACTIVITIES) or time.monotonic() < end:
            yield from ACTIVITIES[number % len(ACTIVITIES)]()
            number += 1
        report(watch, arguments.seconds)
    finally:
        server.terminate()
        server.wait(30)


def report(watch: Watch, seconds: float) -> None:
    """Print the table, and the result as JSON."""
    print(
        f"\nBlender {bpy.app.version_string}, a session of {seconds:.0f} s\n{table(watch, GOAL_MS)}"
    )
    captures = {}
    for kind, name, calls in watch.rows():
        if kind == "captures":
            first, *later = calls.clock
            moving, still = (
                redraws.medians_ms([draw], REDRAWS)[0] for draw in redraws.plain(*watch.sizes[name])
            )
            held = statistics.median(later or [first])
            captures[name] = held / moving
            print(
                f"{name}: {held:.0f} ms (of {len(calls.clock)}; the first, {first:.0f}), "
                f"{captures[name]:.2f} times "
                f"a redraw of the moving view of {moving:.0f} ms (goal {CAPTURE_RATIO}), "
                f"{held / still:.2f} times one at rest of {still:.0f} ms"
            )
        elif kind == "shaders":
            print(f"shaders, compiled as the first job begins: {calls.clock[0]:.0f} ms")
    longest = {
        f"{kind}: {name}": max(calls.processor)
        for kind, name, calls in watch.rows()
        if kind not in ("captures", "shaders")
    }
    usual = {
        f"{kind}: {name}": statistics.median(calls.processor) for kind, name, calls in watch.rows()
    }
    over = {cause: held for cause, held in longest.items() if held > GOAL_MS}
    print(f"over {GOAL_MS:.0f} ms: {over or 'none'}")
    result = {"longest": longest, "median": usual, "captures": captures}
    print("SESSION " + json.dumps(result), flush=True)


def main() -> None:
    words = sys.argv[sys.argv.index("--") + 1 :]
    parser = argparse.ArgumentParser()
    parser.add_argument("scene")
    parser.add_argument("shots")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--python", default=str(ROOT / ".venv" / "bin" / "python"))
    stepping.run(scenario(Watch(ADD_ON), parser.parse_args(words)))


main()
