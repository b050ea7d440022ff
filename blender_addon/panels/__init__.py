"""The sidebar tab "Maquette" of the 3D view, a concept's Recipe in the image editor, and Render
Properties of the engine."""

from __future__ import annotations

import bpy

from . import gallery, image, jobs, presets, prompts, render, rendering, restyle, texture, viewport

CLASSES = (
    *presets.CLASSES,
    *restyle.CLASSES,
    *prompts.CLASSES,
    *jobs.CLASSES,
    *viewport.CLASSES,
    *image.CLASSES,
    *gallery.CLASSES,
    *texture.CLASSES,
    *rendering.CLASSES,
    *render.CLASSES,
)
"""In the order in which the tab shows them."""


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
