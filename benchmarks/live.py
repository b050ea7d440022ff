"""How fast Live follows a view that is orbited, and what it costs while the view rests.

    blender --factory-startup -P benchmarks/live.py -- [SCENE.blend] [--seconds 15] [--python P]

Runs in a Blender with a window. ``P`` is a Python with the backend (default: the checkout's
``.venv``), which serves the pocket model. The view is turned a little ten times a second, as an
orbit with the mouse does. The baseline, in the same run, is the pocket model alone: ``Sampler.run``
in a loop on one capture of the same size, in a process without Blender or a server. The goal is 1.5
pictures a second at 256 px on two cores, and no capture while nothing changes.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "shared"), str(ROOT / "backend")]

from benchmarks import stepping  # noqa: E402

START_SECONDS = 120.0
REST_SECONDS = 5.0
TURN = 0.02
EVERY_SECONDS = 0.1
PROMPT = "red brick church at dusk, wet plaza"


def plain(width: int, height: int, seconds: float) -> None:
    """``live.py --plain WIDTH HEIGHT SECONDS``: prints pictures a second of the model alone."""
    from maquette.sampling import Sampler
    from maquette_wire.recipe import Recipe

    from tests.backend.scenes import massing

    sampler, recipe, capture = Sampler(), Recipe(prompt=PROMPT), massing(width, height)
    sampler.run(recipe, [capture])
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        sampler.run(recipe, [capture])
        count += 1
    print(count / (time.perf_counter() - began))


class Timed:
    """Milliseconds that calls of a function hold the main thread."""

    def __init__(self) -> None:
        self.held: list[float] = []

    def around(self, function: Callable) -> Callable:
        def run(*words: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*words, **named)
            finally:
                self.held.append((time.perf_counter() - began) * 1000)

        return run

    def row(self, what: str) -> str:
        ranked = sorted(self.held) or [0.0]
        return f"{what:28}{len(self.held):7}{statistics.median(ranked):9.1f}{ranked[-1]:9.1f}"


def scenario(arguments: argparse.Namespace) -> Iterator[float]:
    """Yields the seconds until it wants to look again."""
    import bpy
    from maquette_wire import local
    from maquette_wire.home import Home
    from maquette_wire.installed import note_backend
    from mathutils import Quaternion

    folder = Path(tempfile.mkdtemp(prefix="maquette-live-"))
    os.environ["MAQUETTE_HOME"] = str(folder)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "shared"), str(ROOT / "backend")])
    home = Home(folder)
    note_backend(home, [arguments.python, "-m", "maquette"])
    bpy.context.preferences.view.show_splash = False
    bpy.ops.wm.open_mainfile(filepath=str(arguments.scene))
    yield 1.0
    bpy.ops.preferences.addon_enable(module="blender_addon")
    from blender_addon import live_view, session

    captures, looks, steps = Timed(), Timed(), Timed()
    live_view.LiveView.capture = captures.around(live_view.LiveView.capture)
    live_view.LiveView.wish = looks.around(live_view.LiveView.wish)
    live_view.LiveView.show = steps.around(live_view.LiveView.show)
    live = session.current().live
    settings = bpy.context.scene.maquette
    settings.prompt, settings.live_side = PROMPT, arguments.side
    window = bpy.context.window_manager.windows[0]
    area = next(each for each in window.screen.areas if each.type == "VIEW_3D")
    region_3d: Any = area.spaces.active.region_3d
    region_3d.view_perspective = "PERSP"
    with bpy.context.temp_override(window=window, area=area):
        assert bpy.ops.maquette.live() == {"FINISHED"}
    end = time.monotonic() + START_SECONDS
    while live.shown is None:
        assert live.on and time.monotonic() < end, live.error or "no picture came"
        yield 0.2
    shown, pictures = live.shown, 0
    drawn: list[float] = []
    counting = bpy.types.SpaceView3D.draw_handler_add(
        lambda: drawn.append(0.0), (), "WINDOW", "POST_PIXEL"
    )
    before, began = len(captures.held), time.perf_counter()
    while time.perf_counter() - began < arguments.seconds:
        region_3d.view_rotation = Quaternion((0, 0, 1), TURN) @ region_3d.view_rotation
        turned = time.perf_counter()
        while time.perf_counter() - turned < EVERY_SECONDS:
            if live.shown is not shown:
                shown, pictures = live.shown, pictures + 1
            yield 0.01
    spent = time.perf_counter() - began
    bpy.types.SpaceView3D.draw_handler_remove(counting, "WINDOW")
    rate = pictures / spent
    made = len(captures.held) - before
    stopped = time.perf_counter()
    while live.noticed() or live.busy:
        yield 0.01
    delay = time.perf_counter() - stopped
    yield 1.0
    before, looked = len(captures.held), len(looks.held)
    yield REST_SECONDS
    resting, looking = len(captures.held) - before, len(looks.held) - looked
    size = shown.wish.view.width, shown.wish.view.height
    bpy.ops.maquette.live()
    session.current().close()
    server = local.running(home)
    assert server is not None
    os.kill(server.pid, signal.SIGTERM)
    words = [arguments.python, __file__, "--plain", *map(str, size), str(arguments.seconds)]
    baseline = float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    print(f"\nBlender {bpy.app.version_string}, {arguments.scene.name}, {size[0]} x {size[1]}")
    print(f"{'':28}{'calls':>7}{'median':>9}{'longest':>9}   ms")
    print(captures.row("captures"))
    print(looks.row("looks for changes"))
    print(steps.row("pictures shown"))
    # Answers are taken up between two drawings of the view, which software graphics makes slow.
    print(f"the view was drawn {len(drawn) / spent:.1f} times a second")
    print(f"{made} captures for {pictures} pictures; the last one {delay:.2f} s after the orbit")
    print(f"{resting} captures and {looking} looks in {REST_SECONDS:.0f} s of rest")
    print(
        f"live {rate:.2f} pictures/s, the model alone {baseline:.2f}: {rate / baseline:.2f} of it"
    )


def in_window() -> None:
    """Blender's side."""
    parser = argparse.ArgumentParser()
    parser.add_argument("scene", nargs="?", type=Path, default=ROOT / "samples/church.blend")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--side", type=int, default=256)
    inner = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    parser.add_argument("--python", default=str(ROOT / ".venv" / inner))
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    stepping.run(scenario(parser.parse_args(words)))


if "--plain" in sys.argv:
    plain(int(sys.argv[-3]), int(sys.argv[-2]), float(sys.argv[-1]))
else:
    in_window()
