"""Reads the uncompressed OpenEXR files that Blender writes for a capture.

Blender's Python can't read the passes of a multi-layer file (``Image.pixels`` is empty, and not
every build brings OpenImageIO). What is written here is known: one part, scan lines, float32, no
compression, which takes a page to read. Layout: openexr.com, "OpenEXR File Layout".
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAGIC = 20000630
FLOAT = 2
TILED_OR_PARTS = 0x200 | 0x1000


def read_channels(path: Path) -> dict[str, NDArray[np.float32]]:
    """The channels of a file by name, each float32 [height, width] with row 0 at the top.

    Raises ValueError where the file is of another kind than the one described above.
    """
    data = path.read_bytes()
    magic, version = struct.unpack_from("<II", data)
    if magic != MAGIC or version & TILED_OR_PARTS:
        raise ValueError(f"{path} is no OpenEXR file with a single part in scan lines")
    header, position = _header(data, 8)
    names, types = _channels(header["channels"])
    if header["compression"] != b"\0" or set(types) != {FLOAT}:
        raise ValueError(f"{path} is compressed or has other channels than float32")
    left, top, right, bottom = struct.unpack("<4i", header["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    offsets = np.frombuffer(data, "<u8", height, position)
    # One block for each row: its y, its size, then the row of each channel.
    block = 8 + 4 * width * len(names)
    first = int(offsets.min())
    blocks = np.frombuffer(data, np.uint8, block * height, first).reshape(height, block)
    rows = ((offsets.astype(np.int64) - first) // block).astype(np.intp)
    values = blocks[rows, 8:].copy().view("<f4").reshape(height, len(names), width)
    return {name: values[:, index] for index, name in enumerate(names)}


def _header(data: bytes, position: int) -> tuple[dict[str, bytes], int]:
    """Attributes by name, and where the header ends."""
    attributes = {}
    while data[position]:
        name, position = _text(data, position)
        _, position = _text(data, position)
        (size,) = struct.unpack_from("<i", data, position)
        attributes[name] = data[position + 4 : position + 4 + size]
        position += 4 + size
    return attributes, position + 1


def _channels(data: bytes) -> tuple[list[str], list[int]]:
    names, types, position = [], [], 0
    while data[position]:
        name, position = _text(data, position)
        names.append(name)
        types.append(struct.unpack_from("<i", data, position)[0])
        position += 16
    return names, types


def _text(data: bytes, position: int) -> tuple[str, int]:
    end = data.index(0, position)
    return data[position:end].decode(), end + 1
