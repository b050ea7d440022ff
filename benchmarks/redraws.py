"""Plain redraws of the 3D view off screen, each waited for: the measure of what a capture takes."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import bpy
import gpu
from mathutils import Matrix

TURN = 0.001
"""Radians by which the view is turned each time, so that its model is drawn anew."""


def medians_ms(actions: Sequence[Callable[[], object]], count: int) -> list[float]:
    """Medians of ``count`` runs of each in turn, after one that compiles shaders."""
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(count + 1):
        for action, taken in zip(actions, times, strict=True):
            start = time.perf_counter()
            action()
            taken.append((time.perf_counter() - start) * 1000)
    return [statistics.median(taken[1:]) for taken in times]


def plain(width: int, height: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """What redraws the largest 3D view at this size: while it is orbited, and at rest.

    At rest nothing of the model is drawn again: Blender shows the samples that it has. While a view
    moves, it draws one sample, whatever the preferences say.
    """
    window = bpy.context.window_manager.windows[0]
    areas = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    area = max(areas, key=lambda each: each.width * each.height)
    region = next(each for each in area.regions if each.type == "WINDOW")
    space: Any = area.spaces.active
    system: Any = bpy.context.preferences.system
    matrices = Matrix(space.region_3d.view_matrix), Matrix(space.region_3d.window_matrix)
    turns = itertools.count()

    def draw(offscreen: Any, turned: float) -> None:
        view = matrices[0] @ Matrix.Rotation(turned, 4, "Z")
        scene, layer = window.scene, window.view_layer
        offscreen.draw_view3d(scene, layer, space, region, view, matrices[1])
        with offscreen.bind():
            gpu.state.active_framebuffer_get().read_color(0, 0, width, height, 4, 0, "UBYTE")

    orbited: Any = gpu.types.GPUOffScreen(width, height)
    resting: Any = gpu.types.GPUOffScreen(width, height)

    def moving() -> None:
        samples = system.viewport_aa
        system.viewport_aa = "OFF" if samples == "OFF" else "FXAA"
        draw(orbited, TURN * next(turns))
        system.viewport_aa = samples

    return moving, lambda: draw(resting, 0.0)
