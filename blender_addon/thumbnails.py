"""Small pictures for the panels: concepts, and what a running job has so far.

Blender reads a picture's file in the background, when it draws it first. Those that weren't drawn
for longest are forgotten, so that a gallery of hundreds takes no more memory than a few pages.
"""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportArgumentType=false

from __future__ import annotations

from collections.abc import Iterable, Sequence

import bpy
import bpy.utils.previews
import numpy as np
from maquette_wire.messages import Progress

KEPT = 96
"""Pictures of files that are kept; each takes up to a quarter of a megabyte. What is on the screen
is far less, so that none of that is forgotten."""

_pictures: bpy.utils.previews.ImagePreviewCollection | None = None
_files: dict[str, None] = {}
"""The files whose pictures are kept, the one that was drawn last at the end."""


def register() -> None:
    global _pictures
    _pictures = bpy.utils.previews.new()


def unregister() -> None:
    global _pictures
    if _pictures is not None:
        bpy.utils.previews.remove(_pictures)
        _pictures = None
        _files.clear()


def clear() -> None:
    """Forget all pictures: another file is open."""
    if _pictures is not None:
        _pictures.clear()
        _files.clear()


def of_image(image: bpy.types.Image) -> int:
    """The icon of a picture's file; Blender reads it in the background. 0 where there is none."""
    if _pictures is None or not image.filepath:
        return 0
    return of_file(bpy.path.abspath(image.filepath, library=image.library))


def of_file(path: str) -> int:
    """The icon of a picture's file, likewise."""
    if _pictures is None:
        return 0
    if path not in _pictures:
        _pictures.load(path, path, "IMAGE")
    _files.pop(path, None)
    _files[path] = None
    while len(_files) > KEPT:
        oldest = next(iter(_files))
        forget([oldest])
    return _pictures[path].icon_id


def forget(paths: Iterable[str]) -> None:
    """Drop the pictures of files: they are gone, or other ones now."""
    for path in paths:
        if _pictures is not None and path in _pictures:
            del _pictures[path]
        _files.pop(path, None)


def of_job(job: str) -> int:
    """The icon of what a job has painted so far; 0 where there is nothing yet."""
    return _pictures[job].icon_id if _pictures is not None and job in _pictures else 0


def keep_preview(job: str, progress: Progress, frames: Sequence[memoryview]) -> None:
    """Keep the first preview that came with a progress message."""
    if _pictures is None:
        return
    for header, frame in zip(progress.frames, frames, strict=True):
        if header.name == "preview" and header.index == 0:
            height, width = header.shape[:2]
            pixels = np.ones((height, width, 4), np.float32)
            colors = np.frombuffer(frame, np.uint8).reshape(height, width, 3)
            pixels[..., :3] = colors[::-1] / np.float32(255)  # Blender's row 0 is at the bottom
            entry = _pictures[job] if job in _pictures else _pictures.new(job)
            entry.image_size = (width, height)  # pyright: ignore[reportAttributeAccessIssue]
            entry.image_pixels_float.foreach_set(pixels.ravel())


def drop_preview(job: str) -> None:
    """Forget what a job had painted."""
    if _pictures is not None and job in _pictures:
        del _pictures[job]
