"""Folders that a texture or a material has of its own. No bpy here."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path

UNFINISHED = ".maquette-"
"""Names of folders that aren't whole yet begin with it."""
LEFT_SECONDS = 24 * 3600
"""Age from which an unfinished folder is what a killed Blender left, wherever that ran."""


def new_folder(parent: Path, stem: str, fill: Callable[[Path], object]) -> Path:
    """Make a folder that ``fill`` writes what belongs there into. It gets its name, one that is
    free, also where another Blender makes one now, only when it is whole.

    Raises OSError and what ``fill`` does; nothing is left behind then.
    """
    parent.mkdir(parents=True, exist_ok=True)
    _clear(parent)
    unfinished = parent / f"{UNFINISHED}{secrets.token_hex(8)}"
    try:
        unfinished.mkdir()
        fill(unfinished)
        return _named(unfinished, stem)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)  # the error that led here is the one to tell
        raise


def _named(folder: Path, stem: str) -> Path:
    path, number = folder.with_name(stem), 1
    while True:
        if not path.exists():
            try:
                return folder.rename(path)
            except OSError:
                if not path.exists():
                    raise
        number += 1
        path = folder.with_name(f"{stem}-{number}")


def _clear(parent: Path) -> None:
    """Remove what a Blender left that was killed while it filled a folder."""
    for left in parent.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(OSError):  # another Blender was first, or it may not be deleted
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(left)
