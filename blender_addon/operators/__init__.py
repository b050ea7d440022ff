"""What the buttons do; each is also found by F3 search where that makes sense."""

from __future__ import annotations

import bpy

from .. import prompt_editor
from ..session import current
from . import (
    again,
    compare,
    coverage,
    gallery,
    gallery_files,
    grid,
    keys,
    looking,
    material,
    notify,
    picture,
    presets,
    prompt,
    queue,
    recipe,
    rendering,
    restyle,
    server,
    texture,
    texture_layers,
    viewport,
)

CLASSES = (
    *restyle.CLASSES,
    *queue.CLASSES,
    *recipe.CLASSES,
    *prompt.CLASSES,
    *presets.CLASSES,
    *picture.CLASSES,
    *gallery.CLASSES,
    *looking.CLASSES,
    *gallery_files.CLASSES,
    *compare.CLASSES,
    *again.CLASSES,
    *grid.CLASSES,
    *texture.CLASSES,
    *texture_layers.CLASSES,
    *material.CLASSES,
    *coverage.CLASSES,
    *rendering.CLASSES,
    *viewport.CLASSES,
    *server.CLASSES,
    *keys.CLASSES,
    *notify.CLASSES,
)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    current().notices.on_notice = notify.report


def unregister() -> None:
    current().notices.on_notice = lambda _notice: None
    prompt_editor.end_all()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
