"""Keys in the image editor, for while it shows a picture of the gallery; otherwise they are
Blender's own."""

from __future__ import annotations

from typing import Any

import bpy

from .gallery import compare

ITEMS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("maquette.step_picture", "LEFT_ARROW", {"by": -1}),
    ("maquette.step_picture", "RIGHT_ARROW", {"by": 1}),
    ("maquette.wipe", "LEFTMOUSE", {}),
    ("maquette.end_compare", "ESC", {}),
)

_registered: list[tuple[Any, Any]] = []


def register() -> None:
    config = bpy.context.window_manager.keyconfigs.addon  # pyright: ignore[reportOptionalMemberAccess]
    if config is None:  # without a window there are no keys
        return
    keymap: Any = config.keymaps.new(name="Image", space_type="IMAGE_EDITOR")
    for name, key, values in ITEMS:
        item = keymap.keymap_items.new(name, key, "PRESS")
        for setting, value in values.items():
            setattr(item.properties, setting, value)
        _registered.append((keymap, item))


def unregister() -> None:
    compare.end()
    while _registered:
        keymap, item = _registered.pop()
        keymap.keymap_items.remove(item)
