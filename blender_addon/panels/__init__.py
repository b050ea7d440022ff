"""The sidebar tab "Maquette" of the 3D view, and a concept's Recipe in the image editor."""

from __future__ import annotations

import bpy

from . import gallery, jobs, presets, render, restyle, result, texture, viewport

CLASSES = (
    *presets.CLASSES,
    *restyle.CLASSES,
    *jobs.CLASSES,
    *viewport.CLASSES,
    *result.CLASSES,
    *gallery.CLASSES,
    *texture.CLASSES,
    *render.CLASSES,
)
"""In the order in which the tab shows them."""


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
