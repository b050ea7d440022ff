"""How long the add-on holds Blender's main thread during a job.

    blender --factory-startup -P benchmarks/main_thread.py -- [--jobs 6] [--side 1024] [--python P]

Runs in a Blender with a window. ``P`` is a Python with the backend (default: the checkout's
``.venv``); it serves with a worker that samples nothing, sends a preview with each of 20 steps, and
in the end a picture of side x side. Measured is each call of the add-on's timer from the Restyle to
the picture in the file: on the clock (which counts what other programs take of the processor as
well), and the processor time of the main thread alone. The goal is that no call holds Blender for
a frame of the display, 16 ms.

The baseline, in the same run, does with the same pictures what an add-on does that has no thread
and no budget: it writes the PNG, opens it and reads its pixels in the timer, and shows each preview
as an image whose pixels it sets.

The capture isn't in it (``benchmarks/capture.py``), nor is Blender's own drawing.
"""

from __future__ import annotations

import argparse
import os
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

STEPS = 20
STEP_SECONDS = 0.05
PREVIEW = 256
GOAL_MS = 16.0
START_SECONDS = JOB_SECONDS = 120.0


# --- the server, in a Python that has the backend -------------------------------------------------


def serve(folder: str) -> None:
    """``main_thread.py --serve HOME``: the server as it is, this file as its worker."""
    from maquette.server.service import Server, Settings
    from maquette_wire.home import Home

    class Models:
        def infos(self) -> tuple[Any, ...]:
            return ()

        def check(self, recipe: Any) -> None:
            pass

    home = Home(Path(folder))
    worker = (sys.executable, __file__, "--worker")
    Server(Settings(endpoint="tcp://127.0.0.1:*", home=home), worker, Models()).run()


def work_on_nothing() -> None:
    """``main_thread.py --worker``: previews at the pace of a fast device, and a picture."""
    from dataclasses import dataclass, field

    import numpy as np
    from maquette.server.worker import Equipment, work

    @dataclass
    class Painted:
        recipe: Any
        pictures: list[Any]
        encoded_depth: list[Any]
        warnings: list[str] = field(default_factory=list)
        seconds: dict[str, float] = field(default_factory=dict)
        pack: int = 1

    class Sampler:
        def run(self, recipe: Any, captures: Any, *, progress: Any, **_: Any) -> Painted:
            random = np.random.default_rng(1)
            preview = random.integers(0, 255, (PREVIEW, PREVIEW, 3), np.uint8)
            for step in range(1, STEPS + 1):
                progress("sampling", step, STEPS, {0: preview})
                time.sleep(STEP_SECONDS)
            width, height = captures[0].view.width, captures[0].view.height
            coarse = random.integers(0, 255, (height // 8, width // 8, 3), np.uint8)
            picture = coarse.repeat(8, 0).repeat(8, 1)
            picture += random.integers(0, 12, picture.shape, np.uint8)  # as a photograph compresses
            return Painted(recipe, [(0, 0, picture)], [picture[..., 0].copy()])

        def bake(self, *_: Any, **__: Any) -> Any:
            raise NotImplementedError("no textures here")

    sampler: Any = Sampler()  # of which no job asks for more
    work(lambda _: Equipment(sampler, RuntimeError, "cpu", ("cpu",), ("none",)))


# --- the add-on, in Blender -----------------------------------------------------------------------


class Held:
    """Calls of a function: milliseconds on the clock and of the thread's processor time."""

    def __init__(self) -> None:
        self.clock: list[float] = []
        self.processor: list[float] = []

    def around(self, function: Callable) -> Callable:
        def run(*arguments: Any) -> Any:
            clock, processor = time.perf_counter(), time.thread_time()
            try:
                return function(*arguments)
            finally:
                self.clock.append((time.perf_counter() - clock) * 1000)
                self.processor.append((time.thread_time() - processor) * 1000)

        return run

    def row(self, what: str) -> str:
        cells = [f"{what:28}{len(self.clock):7}"]
        for times in (self.clock, self.processor):
            ranked = sorted(times)
            late = ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))]
            cells.append(f"{statistics.median(ranked):9.2f}{late:9.2f}{ranked[-1]:9.2f}")
        return "".join(cells)


def a_capture(side: int) -> Any:
    """A capture of nothing in particular, of the size that a job has."""
    import numpy as np
    from maquette_wire.capture import Capture
    from maquette_wire.view import View

    identity: Any = tuple(float(index % 5 == 0) for index in range(16))
    view = View(
        view_matrix=identity, projection_matrix=identity, width=side, height=side, name="Street"
    )
    color = np.random.default_rng(2).integers(0, 255, (side, side, 3), np.uint8)
    return Capture(view, color, np.full((side, side), 5.0, np.float32))


def naive(folder: Path, side: int, jobs: int) -> tuple[Held, Held]:
    """(previews, pictures) handled at once on the main thread."""
    import bpy
    import numpy as np
    from maquette_wire import png

    random = np.random.default_rng(3)
    preview = random.integers(0, 255, (PREVIEW, PREVIEW, 3), np.uint8)
    coarse = random.integers(0, 255, (side // 8, side // 8, 3), np.uint8)
    picture = coarse.repeat(8, 0).repeat(8, 1) + random.integers(0, 12, (side, side, 3), np.uint8)
    image = bpy.data.images.new("preview", PREVIEW, PREVIEW)

    def show_preview() -> None:
        pixels = np.ones((PREVIEW, PREVIEW, 4), np.float32)
        pixels[..., :3] = preview[::-1] / np.float32(255)
        image.pixels.foreach_set(pixels.ravel())  # pyright: ignore[reportArgumentType]
        image.update()

    def take_picture() -> None:
        path = folder / "naive.png"
        png.write(path, picture.tobytes(), side, side)
        loaded = bpy.data.images.load(str(path))
        values = np.empty(side * side * 4, np.float32)
        loaded.pixels.foreach_get(values)
        bpy.data.images.remove(loaded)

    previews, pictures = Held(), Held()
    for _ in range(STEPS):
        previews.around(show_preview)()
    for _ in range(jobs):
        pictures.around(take_picture)()
    return previews, pictures


def scenario(arguments: argparse.Namespace) -> Iterator[float]:
    """The jobs one after the other; yields the seconds until it wants to look again."""
    import bpy
    from maquette_wire import local
    from maquette_wire.home import Home
    from maquette_wire.recipe import Recipe

    folder = Path(tempfile.mkdtemp(prefix="maquette-main-thread-"))
    os.environ["MAQUETTE_HOME"] = str(folder)
    home = Home(folder)
    home.make()
    server = subprocess.Popen([arguments.python, __file__, "--serve", str(folder)])
    bpy.ops.preferences.addon_enable(module="blender_addon")
    from blender_addon import delivery, session
    from blender_addon.backend import Local

    ticks, polls, deliveries = Held(), Held(), Held()
    session.Session.tick = ticks.around(session.Session.tick)
    session.Session._poll = polls.around(session.Session._poll)
    delivery.Delivery.step = deliveries.around(delivery.Delivery.step)
    current = session.current()
    try:
        end = time.monotonic() + START_SECONDS
        while local.running(home) is None:
            assert server.poll() is None and time.monotonic() < end, "the server didn't start"
            yield 0.2
        capture = a_capture(arguments.side)
        for number in range(arguments.jobs):
            current.want_server(Local(""))
            target = delivery.target_of(bpy.context.scene, folder / "concepts")
            current.restyle(Recipe(prompt="nothing", seed=number), capture, target)
            end = time.monotonic() + JOB_SECONDS
            while current.jobs:
                assert time.monotonic() < end, "a job wasn't done in time"
                yield 0.1
        assert not current.notices, list(current.notices)
        made = bpy.context.scene.maquette.pictures  # pyright: ignore[reportAttributeAccessIssue]
        assert len(made) == arguments.jobs, made
    finally:
        server.terminate()
        server.wait(30)
    previews, pictures = naive(folder, arguments.side, arguments.jobs)
    print(
        f"\nBlender {bpy.app.version_string}: {arguments.jobs} jobs of {arguments.side} px, "
        f"{STEPS} previews of {PREVIEW} px each"
    )
    print(f"{'':35}{'on the clock, ms':>27}{'processor, ms':>27}")
    columns = "".join(f"{word:>9}" for word in ("median", "99 %", "longest") * 2)
    print(f"{'':28}{'calls':>7}{columns}")
    for what, held in (
        ("the add-on's timer", ticks),
        ("  messages and previews", polls),
        ("  pictures", deliveries),
        ("baseline: a preview", previews),
        ("baseline: a picture", pictures),
    ):
        print(held.row(what))
    longest, baseline = max(ticks.processor), max(pictures.processor)
    over = [sum(each > GOAL_MS for each in held) for held in (ticks.processor, ticks.clock)]
    print(
        f"longest hold: {longest:.1f} ms of processor time, {baseline / longest:.0f} times shorter "
        f"than the baseline's {baseline:.0f} ms; over {GOAL_MS:.0f} ms were {over[0]} of "
        f"{len(ticks.clock)} calls by processor time, {over[1]} on the clock"
    )


def in_window() -> None:
    """Blender's side."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=6)
    parser.add_argument("--side", type=int, default=1024)
    inner = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    parser.add_argument("--python", default=str(ROOT / ".venv" / inner))
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    stepping.run(scenario(parser.parse_args(words)))


if "--serve" in sys.argv:
    serve(sys.argv[-1])
elif "--worker" in sys.argv:
    work_on_nothing()
elif __name__ == "__main__":
    in_window()
