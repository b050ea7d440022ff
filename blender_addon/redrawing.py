"""Having Blender draw again, and only what shows something else: a 3D view is expensive."""

from __future__ import annotations

from collections.abc import Iterator

import bpy

PANELS = {"VIEW_3D": "UI", "IMAGE_EDITOR": "UI", "PROPERTIES": "WINDOW"}
"""The region that has this add-on's panels, by the kind of area."""


def redraw_panels() -> None:
    """Draw the panels again."""
    for kind, region in PANELS.items():
        _redraw_regions(kind, region)


def redraw_views() -> None:
    """Draw the 3D views again, without their sidebars."""
    _redraw_regions("VIEW_3D", "WINDOW")


def redraw_areas(kind: str) -> None:
    """Draw all areas of a kind again, whole."""
    for area in _areas(kind):
        area.tag_redraw()


def _redraw_regions(kind: str, wanted: str) -> None:
    for area in _areas(kind):
        for region in area.regions:
            if region.type == wanted:
                region.tag_redraw()


def _areas(kind: str) -> Iterator[bpy.types.Area]:
    for window in bpy.context.window_manager.windows:
        yield from (area for area in window.screen.areas if area.type == kind)
