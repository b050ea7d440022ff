"""What Blender tells the add-on: undo and redo, another file, a saved file."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
from bpy.app.handlers import persistent

from . import prompt_editor, thumbnails
from .gallery import compare, entries
from .overlay import coverage, pictures
from .session import current, wake


@persistent
def _before_undo(*_arguments: object) -> None:
    current().delivery.concepts.note()


@persistent
def _after_undo(*_arguments: object) -> None:
    wake()
    prompt_editor.follow()


@persistent
def _before_load(*_arguments: object) -> None:
    current().live.end()


@persistent
def _after_load(*_arguments: object) -> None:
    current().delivery.concepts.forget()
    thumbnails.clear()
    compare.end()
    pictures.clear()
    coverage.hide()
    prompt_editor.end_all()
    entries.rebase(_folder(bpy.data.filepath), moved=True)
    current().gallery.opened()
    wake()


@persistent
def _before_save(path: str, *_arguments: object) -> None:
    prompt_editor.put_away()
    # What is written must hold where it is written to; a copy may go elsewhere.
    entries.rebase(_folder(path or bpy.data.filepath))


@persistent
def _after_save(path: str, *_arguments: object) -> None:
    _after_failed_save()
    current().follow_file()
    current().gallery.note(Path(os.path.normpath(path or bpy.data.filepath)))
    wake()


@persistent
def _after_failed_save(*_arguments: object) -> None:
    prompt_editor.bring_back()
    entries.rebase(_folder(bpy.data.filepath))


def _folder(path: str) -> str:
    return str(Path(path).parent) if path else ""


HANDLERS = (
    ("undo_pre", _before_undo),
    ("redo_pre", _before_undo),
    ("undo_post", _after_undo),
    ("redo_post", _after_undo),
    ("load_pre", _before_load),
    ("load_post", _after_load),
    ("save_pre", _before_save),
    ("save_post", _after_save),
    ("save_post_fail", _after_failed_save),
)


def register() -> None:
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
