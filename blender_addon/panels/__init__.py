"""The sidebar tab "Maquette" of the 3D view and its menu, a concept's Recipe in the image editor,
and Render Properties of the engine."""

from __future__ import annotations

from typing import Any

import bpy

from . import (
    gallery,
    image,
    jobs,
    material,
    menu,
    presets,
    prompts,
    render,
    rendering,
    restyle,
    texture,
    viewport,
)

CLASSES = (
    *presets.CLASSES,
    *restyle.CLASSES,
    *prompts.CLASSES,
    *jobs.CLASSES,
    *viewport.CLASSES,
    *image.CLASSES,
    *gallery.CLASSES,
    *texture.CLASSES,
    *material.CLASSES,
    *rendering.CLASSES,
    *render.CLASSES,
    *menu.CLASSES,
)
"""In the order in which the tab shows them."""
VIEW_MENU: Any = bpy.types.VIEW3D_MT_view


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    VIEW_MENU.append(menu.draw_entry)


def unregister() -> None:
    VIEW_MENU.remove(menu.draw_entry)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
