"""Capture: what a camera or the viewport sees, as colour and metric depth of one View.

A camera is rendered (``render``): the same with and without a window, and render visibility
decides. A viewport is drawn off screen (``offscreen``): what the user sees in it, without
overlays. Either way the .blend is afterwards as it was before.
"""

from __future__ import annotations

from . import offscreen, render
from .surface import Surface, surface, views_around
from .view import camera_size, size_for

capture_camera = render.capture
capture_viewport = offscreen.capture
capture_view = render.capture_view

__all__ = [
    "Surface",
    "camera_size",
    "capture_camera",
    "capture_view",
    "capture_viewport",
    "size_for",
    "surface",
    "views_around",
]
