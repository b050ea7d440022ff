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
HEADER_BYTES = 2**20
"""More than the header that Blender writes, metadata included."""
TILED_OR_PARTS = 0x200 | 0x1000


def read_channels(path: Path) -> dict[str, NDArray[np.float32]]:
    """The channels of a file by name, each float32 [height, width] with row 0 at the top.

    Raises ValueError where the file is of another kind than the one described above.
    """
    raw = np.fromfile(path, np.uint8)
    data = raw[:HEADER_BYTES].tobytes()
    magic, version = struct.unpack_from("<II", data)
    if magic != MAGIC or version & TILED_OR_PARTS:
        raise ValueError(f"{path} is no OpenEXR file with a single part in scan lines")
    header, position = _header(data, 8)
    names, types = _channels(header["channels"])
    if header["compression"] != b"\0" or set(types) != {FLOAT}:
        raise ValueError(f"{path} is compressed or has other channels than float32")
    left, top, right, bottom = struct.unpack("<4i", header["dataWindow"])
    row, height = 4 * (right - left + 1), bottom - top + 1
    # One block for each scan line, in any order: its y, its size, then the row of each channel.
    block = 8 + row * len(names)
    first = position + 8 * height
    blocks = raw[first : first + block * height].reshape(height, block)
    lines = blocks[:, :4].copy().view("<i4")[:, 0] - top
    channels = {}
    for index, name in enumerate(names):
        start = 8 + row * index
        values = np.empty((height, row), np.uint8)
        values[lines] = blocks[:, start : start + row]
        channels[name] = values.view("<f4")
    return channels


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
