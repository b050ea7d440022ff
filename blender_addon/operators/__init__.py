"""What the buttons do; each is also found by F3 search where that makes sense."""

from __future__ import annotations

import bpy

from ..session import current
from . import notify, picture, recipe, rendering, restyle, server, texture

CLASSES = (
    *restyle.CLASSES,
    *recipe.CLASSES,
    *picture.CLASSES,
    *texture.CLASSES,
    *rendering.CLASSES,
    *server.CLASSES,
    *notify.CLASSES,
)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    current().notices.on_notice = notify.report


def unregister() -> None:
    current().notices.on_notice = lambda _notice: None
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
