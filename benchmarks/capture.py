"""How long each way to capture takes, and how long it holds Blender's main thread.

    blender -b --factory-startup -P benchmarks/capture.py -- [SCENE.blend] [--long-side 512]
    blender --factory-startup -P benchmarks/capture.py -- [SCENE.blend]       (viewport as well)
    python benchmarks/capture.py [SCENE.blend]                                (a Python with bpy)

A capture runs on the main thread from its start to its end, so its time is how long Blender is
held. The baseline is what a render of the same camera and size costs by itself: one Workbench
render in the user's own scene, which brings colour alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "shared")]


def median_ms(action: Callable[[], Any], count: int) -> float:
    """Median of ``count`` runs after one that compiles shaders."""
    action()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def baseline(camera: bpy.types.Object, width: int, height: int) -> Callable[[], Any]:
    scene = bpy.context.scene
    scene.camera = camera
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    scene.render.use_compositing = scene.render.use_sequencer = False
    return lambda: bpy.ops.render.render()


def measure(arguments: argparse.Namespace) -> list[tuple[str, float]]:
    """(what, milliseconds), the baseline first."""
    from blender_addon.capture import camera_size, capture_camera, capture_viewport

    bpy.ops.wm.open_mainfile(filepath=str(arguments.scene), load_ui=False, use_scripts=False)
    scene = bpy.context.scene
    size = camera_size(scene, arguments.long_side)
    rows = []
    cameras = [thing for thing in scene.objects if thing.type == "CAMERA"]
    for kind in ("PERSP", "ORTHO"):
        camera = next((each for each in cameras if each.data.type == kind), None)
        if camera is not None:
            shot = median_ms(
                lambda camera=camera: capture_camera(bpy.context, camera, *size), arguments.runs
            )
            rows.append((f"camera, {kind.lower()}", shot))
    if not bpy.app.background:
        screen = bpy.context.window_manager.windows[0].screen
        area = next(area for area in screen.areas if area.type == "VIEW_3D")
        shot = median_ms(lambda: capture_viewport(bpy.context, area, *size), arguments.runs)
        rows.append(("viewport", shot))
    rows.insert(0, ("one Workbench render", median_ms(baseline(cameras[0], *size), arguments.runs)))
    return rows


def main() -> int:
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    parser = argparse.ArgumentParser()
    parser.add_argument("scene", nargs="?", type=Path, default=ROOT / "samples/gabled_house.blend")
    parser.add_argument("--long-side", type=int, default=512)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args(words if not bpy.app.binary_path or "--" in sys.argv else [])
    rows = measure(arguments)
    one = rows[0][1]
    print(f"\nBlender {bpy.app.version_string}, {arguments.scene.name}, {arguments.long_side} px")
    print(f"{'':24}{'ms':>8}{'ratio':>8}")
    for what, milliseconds in rows:
        print(f"{what:24}{milliseconds:8.0f}{milliseconds / one:8.2f}", flush=True)
    return 0


def in_window() -> None:
    status = 1
    try:
        status = main()
    except BaseException:  # noqa: BLE001  (nobody else would tell; Blender would go on running)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


if bpy.app.background:
    main()
else:
    bpy.app.timers.register(in_window, first_interval=1.0)
