"""How long each way to capture takes, and how long it holds Blender's main thread.

    blender -b --factory-startup -P benchmarks/capture.py -- [SCENE.blend] [--long-side 512]
    blender --factory-startup -P benchmarks/capture.py -- [SCENE.blend]       (viewport as well)
    blender --factory-startup -P benchmarks/capture.py -- [SCENE.blend] --first
    python benchmarks/capture.py [SCENE.blend]                                (a Python with bpy)

A capture runs on the main thread from its start to its end, so its time is how long Blender is
held. The baseline is in a window a plain redraw of the moving viewport at the same size, and
without one what a render of the same camera and size costs by itself: one Workbench render in the
user's own scene, which brings colour alone. All are measured in turn, again and again.

The first drawing of a Blender takes far longer, as the graphics driver compiles Blender's shaders.
``--first`` measures that: the first call of each, the redraw's as well, in a Blender of its own
that has shown the scene in its window before. Medians of ``--runs`` Blenders each.
"""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "shared")]
FIRST = "FIRST CALL "
SHOWN_SECONDS = 2.0
"""Until the window has drawn what was opened."""


def baseline(camera: bpy.types.Object, width: int, height: int) -> Callable[[], Any]:
    scene = bpy.context.scene
    scene.camera = camera
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    scene.render.use_compositing = scene.render.use_sequencer = False
    return lambda: bpy.ops.render.render()


def actions_on(scene: bpy.types.Scene, long_side: int) -> dict[str, Callable[[], Any]]:
    """What is measured, by name, the baseline first."""
    from benchmarks import redraws
    from blender_addon.capture import camera_size, capture_camera, capture_viewport

    size = camera_size(scene, long_side)
    cameras = [thing for thing in scene.objects if thing.type == "CAMERA"]
    actions: dict[str, Callable[[], Any]] = {}
    if not bpy.app.background:
        actions["redraw of the moving view"] = redraws.plain(*size)[0]
    actions["one Workbench render"] = baseline(cameras[0], *size)
    for kind in ("PERSP", "ORTHO"):
        camera = next((each for each in cameras if each.data.type == kind), None)
        if camera is not None:
            name = f"camera, {kind.lower()}"
            actions[name] = lambda camera=camera: capture_camera(bpy.context, camera, *size)
    if not bpy.app.background:
        window = bpy.context.window_manager.windows[0]
        area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
        actions["viewport"] = lambda: capture_viewport(window, area, *size)
    return actions


def first_ms(name: str, runs: int) -> float:
    """The median of first calls of an action, each in a Blender of its own."""
    taken = []
    for _ in range(runs):
        said = subprocess.run([*sys.argv, "--only", name], capture_output=True, text=True).stdout
        (line,) = (line for line in said.splitlines() if line.startswith(FIRST))
        taken.append(float(line.removeprefix(FIRST)))
    return statistics.median(taken)


def report(rows: list[tuple[str, float]], what: str) -> None:
    """Print a line for each (what, milliseconds), against the first of them."""
    one = rows[0][1]
    print(f"\nBlender {bpy.app.version_string}, {what}")
    print(f"{'':28}{'ms':>8}{'ratio':>8}")
    for name, milliseconds in rows:
        print(f"{name:28}{milliseconds:8.0f}{milliseconds / one:8.2f}", flush=True)


def steps() -> Iterator[float]:
    """Opens the scene, lets the window show it, and measures."""
    from benchmarks import redraws

    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    parser = argparse.ArgumentParser()
    parser.add_argument("scene", nargs="?", type=Path, default=ROOT / "samples/gabled_house.blend")
    parser.add_argument("--long-side", type=int, default=512)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    arguments = parser.parse_args(words if not bpy.app.binary_path or "--" in sys.argv else [])
    if arguments.first and bpy.app.background:
        parser.error("--first is about a Blender with a window")
    bpy.context.preferences.view.show_splash = False
    bpy.ops.wm.open_mainfile(filepath=str(arguments.scene), load_ui=False, use_scripts=False)
    yield SHOWN_SECONDS
    actions = actions_on(bpy.context.scene, arguments.long_side)
    what = f"{arguments.scene.name}, {arguments.long_side} px"
    if arguments.only:
        start = time.perf_counter()
        actions[arguments.only]()
        print(f"{FIRST}{(time.perf_counter() - start) * 1000:.1f}", flush=True)
    elif arguments.first:
        report([(name, first_ms(name, arguments.runs)) for name in actions], f"{what}, the first")
    else:
        medians = redraws.medians_ms(list(actions.values()), arguments.runs)
        report(list(zip(actions, medians, strict=True)), what)


if bpy.app.background:
    for _ in steps():
        pass
else:
    from benchmarks import stepping

    stepping.run(steps())
