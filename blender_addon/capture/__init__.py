"""Capture: what a camera or the viewport sees, as colour and metric depth of one View.

A camera is rendered (``render``): the same with and without a window, and render visibility
decides. A viewport is drawn off screen (``offscreen``): what the user sees in it, without
overlays. Either way the .blend is afterwards as it was before.
"""

from __future__ import annotations

from . import offscreen, render
from .alike import as_in_viewports, left_out, unlike
from .frames import check_frames, through
from .overview import overview
from .pieces import CONVERT, bare_of, carries_modifiers, not_layered, pieces_of
from .planning import Plan, plan
from .surface import Surface, shape, surface
from .view import camera_pose, camera_size, camera_view, check_grid, resized, size_for
from .visibility import SOLID

capture_camera = render.capture
capture_viewport = offscreen.capture
capture_view = render.capture_view

__all__ = [
    "CONVERT",
    "SOLID",
    "Plan",
    "Surface",
    "as_in_viewports",
    "bare_of",
    "camera_pose",
    "camera_size",
    "camera_view",
    "capture_camera",
    "capture_view",
    "capture_viewport",
    "carries_modifiers",
    "check_frames",
    "check_grid",
    "left_out",
    "not_layered",
    "overview",
    "pieces_of",
    "plan",
    "resized",
    "shape",
    "size_for",
    "surface",
    "through",
    "unlike",
]
