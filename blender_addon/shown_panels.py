"""Blender's own panels that have a meaning for our render engine, and are shown for it."""

from __future__ import annotations

from typing import Any

import bpy

LIKE = "BLENDER_RENDER"
"""Panels that say so are for every engine that doesn't know better."""
USELESS = (
    "VIEWLAYER_PT_filter",
    "VIEWLAYER_PT_layer_passes",
    "freestyle",
    "gpencil",
    "grease_pencil",
)
"""Parts of the names of those that have none: what they draw isn't drawn."""
MORE = {
    "RENDER_PT_opengl_lighting",
    "RENDER_PT_opengl_color",
    "RENDER_PT_opengl_film",
    "VIEWLAYER_PT_workbench_layer_passes_data",
}
"""Of Workbench, whose settings a capture follows."""


def show_panels(engine: str) -> None:
    """Have Blender show what concerns an engine while it is chosen."""
    for panel in _panels():
        panel.COMPAT_ENGINES.add(engine)


def hide_panels(engine: str) -> None:
    """Undo `show_panels`."""
    for panel in _panels():
        panel.COMPAT_ENGINES.discard(engine)


def _panels() -> list[Any]:
    found: list[Any] = bpy.types.Panel.__subclasses__()
    return [
        panel
        for panel in found
        if panel.__name__ in MORE
        or (LIKE in getattr(panel, "COMPAT_ENGINES", ()) and not _useless(panel.__name__))
    ]


def _useless(name: str) -> bool:
    return any(part in name for part in USELESS)
