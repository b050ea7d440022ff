"""Pictures of files as pixels, and small ones made of them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from maquette_wire import png
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray

THUMBNAIL = 144
"""Side of a preset's picture in pixels."""


def read_pixels(path: Path) -> NDArray[np.uint8]:
    """An image file as uint8 sRGB [height, width, 3], row 0 at the top.

    Raises MaquetteError("bad-picture").
    """
    try:
        image: Any = bpy.data.images.load(str(path), check_existing=False)
    except RuntimeError as error:
        raise MaquetteError(
            "bad-picture", f"The picture {path} can't be opened.", "Save it as a PNG."
        ) from error
    try:
        width, height = image.size
        pixels = np.empty(width * height * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
    finally:
        bpy.data.images.remove(image)
    colors = pixels.reshape(height, width, -1)[::-1, :, :3]
    if colors.shape[2] == 1:
        colors = np.repeat(colors, 3, 2)
    return np.ascontiguousarray(np.rint(colors * 255.0).clip(0, 255).astype(np.uint8))


def read_own(path: Path) -> NDArray[np.uint8] | None:
    """A concept's file as uint8 sRGB [height, width, 3], row 0 at the top, without bpy: a thread
    may read it. None where it isn't there, or isn't as ``maquette_wire.png`` writes it, with one
    filter for all rows (Blender reads it then)."""
    try:
        chunks = dict(png.read_chunks(path))
        width, height, *form = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
        size = height * (1 + 3 * width)
        data = zlib.decompressobj().decompress(chunks[b"IDAT"], size + 1)
    except (OSError, MaquetteError, KeyError, struct.error, zlib.error):
        return None
    if form != [8, 2, 0, 0, 0] or len(data) != size:
        return None
    rows = np.frombuffer(data, np.uint8).reshape(height, -1)
    filters, values = np.unique(rows[:, 0]).tolist(), rows[:, 1:].reshape(height, width, 3)
    if filters == [png.NONE]:
        return values
    if filters in ([png.SUB], [png.UP]):
        return np.cumsum(values, axis=1 if filters == [png.SUB] else 0, dtype=np.uint8)
    return None


def thumbnail(path: Path) -> bytes:
    """The middle of an image file as a small square PNG. Raises MaquetteError("bad-picture")."""
    pixels = read_pixels(path)
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = pixels[top : top + side, left : left + side]
    small = min(side, THUMBNAIL)
    starts = np.arange(small) * side // small
    sums = np.add.reduceat(np.add.reduceat(square.astype(np.float32), starts, 0), starts, 1)
    counts = np.diff(starts, append=side)
    means = sums / (counts[:, None, None] * counts[None, :, None])
    return png.encode(np.rint(means).astype(np.uint8).tobytes(), small, small)
