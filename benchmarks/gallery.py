"""What a gallery of 500 pictures costs: Blender's memory, and the time to draw its panel.

    blender -P benchmarks/gallery.py -- [--pictures 500] [--side 512]

Runs in a Blender with a window, with the extension installed in its profile, or with the checkout's
own packages on its path. Pictures are added to the scene as results are; then every page of the
gallery is turned to, with its small pictures, and a hundred pictures are shown large; then all are
deleted and the trash is emptied. Printed is the resident memory before, with them, and after;
"before" is when one picture was shown once, small and large, and deleted again: what Blender makes
for the first one (shaders, threads) it keeps in any case. And the processor time of the panel's
draw, over all its calls.

The baseline, in the same run, is a panel over image datablocks, one for each picture: it looks
through them in each draw and asks for the file of each, and has read each once.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

from benchmarks import stepping  # noqa: E402

INSTALLED = "bl_ext.user_default.maquette"
GOAL_MS, GOAL_MB = 4.0, 50.0
SHOWN = 100
PATTERNS = 7
"""Different contents of files: what they show costs the same either way."""


def add_on() -> Callable[[str], ModuleType]:
    """Imports modules of the add-on: of the installed extension, or of the checkout."""
    name = INSTALLED
    if INSTALLED not in bpy.context.preferences.addons:
        name = "blender_addon"
        sys.path[:0] = [str(ROOT), str(ROOT / "shared")]
        bpy.ops.preferences.addon_enable(module=name)
    return lambda module: importlib.import_module(f"{name}.{module}")


def megabytes() -> float:
    """The memory of this process that is in the machine's RAM."""
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource  # the most there was: without a falling edge, but the only portable one

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def write_pictures(folder: Path, count: int, side: int, results: ModuleType) -> list[Any]:
    """Files as the add-on saves them."""
    from maquette_wire import metadata, png
    from maquette_wire.recipe import Recipe
    from maquette_wire.view import View

    identity: Any = tuple(float(index % 5 == 0) for index in range(16))
    view = View(
        view_matrix=identity,
        projection_matrix=identity,
        width=side,
        height=side * 3 // 4,
        name="Street",
    )
    random = np.random.default_rng(1)
    coarse = random.integers(0, 255, (PATTERNS, view.height // 8, side // 8, 3), np.uint8)
    saved = []
    for seed in range(count):
        pixels = coarse[seed % PATTERNS].repeat(8, 0).repeat(8, 1)
        pixels[:, : seed % side] = seed % 251
        recipe = Recipe(prompt=f"red brick library at dusk, variation {seed}", seed=seed)
        path = folder / f"concept-street-seed{seed}.png"
        text = metadata.texts(recipe, view, software="Maquette")
        png.write(path, pixels, view.width, view.height, text)
        key, made = results.new_key(), results.date_of(time.time())
        saved.append(results.Saved(path, None, recipe, view, f"job{seed}", None, key, made))
    return saved


class Drawing:
    """Processor milliseconds of each call of a function."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def around(self, function: Callable) -> Callable:
        def run(*arguments: Any) -> Any:
            began = time.thread_time()
            try:
                return function(*arguments)
            finally:
                self.times.append((time.thread_time() - began) * 1000)

        return run

    def row(self, what: str) -> str:
        ranked = sorted(self.times)
        late = ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))]
        middle = statistics.median(ranked)
        return f"{what:34}{len(ranked):7}{middle:9.2f}{late:9.2f}{ranked[-1]:9.2f}"


def scenario(arguments: argparse.Namespace) -> Iterator[float]:
    """The gallery's life; yields the seconds until it wants to go on."""
    module = add_on()
    results, panel = module("results"), module("panels.gallery")
    entries, shown, session = (
        module("gallery.entries"),
        module("gallery.shown"),
        module("session").current(),
    )
    drawing = Drawing()
    panel.draw_gallery = drawing.around(panel.draw_gallery)
    folder = Path(tempfile.mkdtemp(prefix="maquette-gallery-"))
    (folder / "maquette").mkdir()
    saved = write_pictures(folder / "maquette", 1, arguments.side, results)
    scene, manager = bpy.context.scene, bpy.context.window_manager
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "house.blend"))
    window = manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    editor = next(area for area in window.screen.areas if area.type == "PROPERTIES")
    editor.ui_type = "IMAGE_EDITOR"
    area.spaces.active.show_region_ui = True
    yield 2
    sidebar = next(region for region in area.regions if region.type == "UI")
    sidebar.active_panel_category = "Maquette"
    yield 2
    bare = megabytes()

    def fill(pictures: list[Any]) -> None:
        for each in pictures:
            entries.add(scene, each)
            session.delivery.concepts.add(scene, each)
        session.gallery.arrived()

    def clear() -> Iterator[float]:
        bpy.ops.maquette.delete_unstarred()
        bpy.ops.maquette.empty_trash()
        editor.spaces.active.image = None
        shown.sweep()
        end = time.monotonic() + 30
        while session.gallery.busy and time.monotonic() < end:
            yield 0.2
        view.page = 0
        yield 3

    view = manager.maquette_gallery
    # What the first small and the first large picture cost once (shaders, the previews' threads).
    fill(saved[:1])
    yield 2
    with bpy.context.temp_override(window=window, area=editor):
        bpy.ops.maquette.choose_picture(picture=saved[0].key)
    yield 2
    yield from clear()
    before = megabytes()

    saved = write_pictures(folder / "maquette", arguments.pictures, arguments.side, results)
    fill(saved)
    filled = megabytes()
    drawing.times.clear()
    for page in range(arguments.pictures // panel.ROWS):
        view.page = page
        sidebar.tag_redraw()
        yield 0.1
    with bpy.context.temp_override(window=window, area=editor):
        for each in saved[:SHOWN]:
            bpy.ops.maquette.choose_picture(picture=each.key)
            yield 0.05
    yield 1
    browsed = megabytes()
    datablocks = len([image for image in bpy.data.images if results.KEY in image])
    yield from clear()
    after = megabytes()
    left = len(list((folder / "maquette").iterdir()))
    assert not left and not len(scene.maquette.pictures), left

    naive = Drawing()
    saved = write_pictures(folder / "maquette", arguments.pictures, arguments.side, results)
    start = megabytes()
    for each in saved:
        image = results.load(each)
        image.use_fake_user = True
        image.pixels[0]  # pyright: ignore[reportUnusedExpression]  (as its size or icon do)
    datablocks_cost = megabytes() - start

    def look_through() -> int:
        own = [image for image in bpy.data.images if results.RECIPE in image]
        return sum(Path(bpy.path.abspath(image.filepath)).is_file() for image in own)

    for _ in range(20):
        naive.around(look_through)()

    print(
        f"\nBlender {bpy.app.version_string}: {arguments.pictures} pictures of {arguments.side} px"
    )
    print(f"{'resident memory, MB':34}{'':7}{'more':>9}")
    for what, value in (
        ("  before any picture", bare),
        ("  before, when one was shown once", before),
        ("  with their entries", filled),
        (f"  all pages seen, {SHOWN} shown large", browsed),
        ("  after the gallery was cleared", after),
    ):
        print(f"{what:34}{value:7.0f}{value - before:9.1f}")
    print(f"{'  baseline: a datablock each':34}{'':7}{datablocks_cost:9.1f}")
    print(f"datablocks at the most shown: {datablocks}")
    columns = "".join(f"{word:>9}" for word in ("median", "99 %", "longest"))
    print(f"{'drawing the panel, processor ms':34}{'calls':>7}{columns}")
    print(drawing.row("  the gallery"))
    print(naive.row("  baseline: all datablocks, files"))
    ratio = statistics.median(naive.times) / statistics.median(drawing.times)
    print(
        f"memory comes back to {after - before:.1f} MB over the start (goal: {GOAL_MB:.0f}); the "
        f"panel draws in {statistics.median(drawing.times):.2f} ms (goal: {GOAL_MS:.0f}), "
        f"{ratio:.1f} times faster than the baseline"
    )


def in_window() -> None:
    """Blender's side."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--side", type=int, default=512)
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    stepping.run(scenario(parser.parse_args(words)))


in_window()
