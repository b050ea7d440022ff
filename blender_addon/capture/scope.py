"""Puts back what a capture changes, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import bpy

MUTED_HANDLERS = (
    "render_init", "render_pre", "render_post", "render_write", "render_stats",
    "render_complete", "render_cancel", "frame_change_pre", "frame_change_post",
)  # fmt: skip
"""A capture is no render of the user's: no add-on should act on it, and no frame changes."""


class Scope(ExitStack):
    """Changes that are taken back, the last one first, when the ``with`` block is left.

    Exceptions and KeyboardInterrupt included: each value is recorded before it is changed. A
    value that can't be put back doesn't keep the others from being put back.
    """

    def keep(self, owner: Any, *names: str) -> None:
        """Record properties of one RNA struct, which are about to change."""
        for name in names:
            value = getattr(owner, name)
            copied = value.copy() if hasattr(value, "copy") else value
            self.callback(setattr, owner, name, copied)

    def set(self, owner: Any, **values: Any) -> None:
        """Record and set properties; one that already has its value isn't touched."""
        for name, value in values.items():
            if getattr(owner, name) != value:
                self.keep(owner, name)
                setattr(owner, name, value)

    def remove_later(self, collection: Any, datablock: Any) -> None:
        """Remove a datablock that was made for the capture."""
        self.callback(collection.remove, datablock)


@contextmanager
def muted_handlers() -> Iterator[None]:
    """No handler that Python code registered for renders or frame changes runs inside."""
    kept: dict[str, list[Callable[..., Any]]] = {}
    try:
        for name in MUTED_HANDLERS:
            handlers = getattr(bpy.app.handlers, name)
            kept[name] = list(handlers)
            handlers.clear()
        yield
    finally:
        for name, functions in kept.items():
            getattr(bpy.app.handlers, name)[:] = functions


@contextmanager
def no_new_render_result() -> Iterator[None]:
    """Leave no Render Result where there was none; one that was there shows its own scene's."""
    before = _render_result()
    try:
        yield
    finally:
        made = _render_result()
        if before is None and made is not None:
            bpy.data.images.remove(made)


def _render_result() -> bpy.types.Image | None:
    return next((image for image in bpy.data.images if image.type == "RENDER_RESULT"), None)
