"""The 3D viewport of the Blender with a window that these tests run in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy
import numpy as np
import pytest
from maquette_wire.view import View

from blender_addon.capture import offscreen
from blender_addon.capture.scope import Scope

needs_window = pytest.mark.skipif(bpy.app.background, reason="needs a Blender with a window")


def window() -> bpy.types.Window:
    """Which is there too where the context has none, as in a timer after a file was opened."""
    return bpy.context.window_manager.windows[0]


def viewport() -> tuple[bpy.types.Area, bpy.types.Region]:
    screen = window().screen
    area = next(area for area in screen.areas if area.type == "VIEW_3D")
    return area, next(region for region in area.regions if region.type == "WINDOW")


@contextmanager
def user() -> Iterator[None]:
    """The context that operators have where a user's mouse is over the viewport."""
    area, region = viewport()
    with bpy.context.temp_override(window=window(), area=area, region=region):
        yield


def draw(view: View) -> tuple[np.ndarray, np.ndarray]:
    """Colour and depth that a viewport draws of a View."""
    area, region = viewport()
    space: Any = area.spaces.active
    space.shading.type = "SOLID"
    for name in ("light", "color_type", "show_cavity", "cavity_type", "show_object_outline"):
        setattr(space.shading, name, getattr(bpy.context.scene.display.shading, name))
    with Scope() as scope:
        canvas = offscreen.Canvas(window(), space, region, view.width, view.height)
        scope.callback(canvas.free)
        scope.set(space.overlay, show_overlays=False)
        _, depth = offscreen.draw_depth(canvas, view)
        return offscreen.draw_color(canvas, view)[0], depth
