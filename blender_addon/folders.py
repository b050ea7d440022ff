"""Folders that a texture or a material has of its own. No bpy here."""

from __future__ import annotations

from pathlib import Path


def new_folder(parent: Path, stem: str) -> Path:
    """Make a folder under a name that is free, also where another Blender makes one now.

    Raises OSError.
    """
    parent.mkdir(parents=True, exist_ok=True)
    path, number = parent / stem, 1
    while True:
        try:
            path.mkdir()
            return path
        except FileExistsError:
            number += 1
            path = parent / f"{stem}-{number}"
