"""How long each way to capture takes, and how long it holds Blender's main thread.

    blender -b --factory-startup -P benchmarks/capture.py -- [SCENE.blend] [--long-side 512]
    blender --factory-startup -P benchmarks/capture.py -- [SCENE.blend]       (viewport as well)
    python benchmarks/capture.py [SCENE.blend]                                (a Python with bpy)

A capture runs on the main thread from its start to its end, so its time is how long Blender is
held. The baseline is in a window a plain redraw of the moving viewport at the same size, and
without one what a render of the same camera and size costs by itself: one Workbench render in the
user's own scene, which brings colour alone. All are measured in turn, again and again.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "shared")]


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
    from benchmarks import redraws
    from blender_addon.capture import camera_size, capture_camera, capture_viewport

    bpy.ops.wm.open_mainfile(filepath=str(arguments.scene), load_ui=False, use_scripts=False)
    scene = bpy.context.scene
    size = camera_size(scene, arguments.long_side)
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
        screen = bpy.context.window_manager.windows[0].screen
        area = next(area for area in screen.areas if area.type == "VIEW_3D")
        actions["viewport"] = lambda: capture_viewport(bpy.context, area, *size)
    medians = redraws.medians_ms(list(actions.values()), arguments.runs)
    return list(zip(actions, medians, strict=True))


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
    print(f"{'':28}{'ms':>8}{'ratio':>8}")
    for what, milliseconds in rows:
        print(f"{what:28}{milliseconds:8.0f}{milliseconds / one:8.2f}", flush=True)
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
