"""Keys in the image editor, for while it shows a picture of the gallery; otherwise they are
Blender's own."""

from __future__ import annotations

from typing import Any

import bpy

from .gallery import compare

Keymap = tuple[str, Any]
"""Name and kind of editor."""
# An editor asks Blender's general keymaps first: there the keys are, and the operators' polls let
# them pass where they aren't meant.
FRAMES: Keymap = ("Frames", "EMPTY")
SAMPLE: Keymap = ("Image Editor Tool: Sample", "IMAGE_EDITOR")
IMAGE: Keymap = ("Image", "IMAGE_EDITOR")
ITEMS: tuple[tuple[Keymap, str, str, dict[str, Any]], ...] = (
    (FRAMES, "maquette.step_picture", "LEFT_ARROW", {"by": -1}),
    (FRAMES, "maquette.step_picture", "RIGHT_ARROW", {"by": 1}),
    (SAMPLE, "maquette.wipe_pictures", "LEFTMOUSE", {}),
    (IMAGE, "maquette.wipe_pictures", "LEFTMOUSE", {}),  # where no tool is active
    (IMAGE, "maquette.end_compare", "ESC", {}),
    (IMAGE, "maquette.star_shown", "S", {}),
    (IMAGE, "maquette.delete_shown", "X", {}),
    (IMAGE, "maquette.delete_shown", "DEL", {}),
)

_registered: list[tuple[Any, Any]] = []


def register() -> None:
    config = bpy.context.window_manager.keyconfigs.addon  # pyright: ignore[reportOptionalMemberAccess]
    if config is None:  # without a window there are no keys
        return
    for (title, space), name, key, values in ITEMS:
        keymap: Any = config.keymaps.new(name=title, space_type=space)  # or the one there is
        item = keymap.keymap_items.new(name, key, "PRESS")
        for setting, value in values.items():
            setattr(item.properties, setting, value)
        _registered.append((keymap, item))


def unregister() -> None:
    compare.end()
    while _registered:
        keymap, item = _registered.pop()
        keymap.keymap_items.remove(item)
