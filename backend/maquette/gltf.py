"""What binary glTF 2.0 files are made of (Khronos glTF 2.0 specification, section 4.4)."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAGIC, _VERSION, _JSON, _BINARY = 0x46546C67, 2, 0x4E4F534A, 0x004E4942
_FLOAT, _ARRAY_BUFFER = 5126, 34962
_LINEAR, _MIPMAPS, _CLAMP, _REPEAT = 9729, 9987, 33071, 10497


def pack(document: Mapping[str, Any], binary: Binary) -> bytes:
    """The file's bytes. document: all of it but what says where things are in the buffer."""
    whole = {
        "asset": {"version": "2.0", "generator": "Maquette"},
        **document,
        "accessors": binary.accessors,
        "bufferViews": binary.views,
        "buffers": [{"byteLength": len(binary.data)}],
    }
    text = json.dumps(whole, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    body = bytes(binary.data)
    size = 12 + 8 + len(text) + 8 + len(body)
    return b"".join(
        [
            struct.pack("<III", _MAGIC, _VERSION, size),
            struct.pack("<II", len(text), _JSON),
            text,
            struct.pack("<II", len(body), _BINARY),
            body,
        ]
    )


def sampler(*, repeat: bool) -> dict[str, int]:
    """How a texture is looked up: smoothly, and beyond its edge from the opposite one or not."""
    wrap = _REPEAT if repeat else _CLAMP
    return {"magFilter": _LINEAR, "minFilter": _MIPMAPS, "wrapS": wrap, "wrapT": wrap}


class Binary:
    """The buffer, and what says where things are in it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: NDArray[np.float64], *, bounds: bool = False) -> int:
        """Add rows of two to four numbers; returns the accessor's number."""
        rows = np.ascontiguousarray(values, "<f4")
        view = self.add_bytes(rows.tobytes(), target=_ARRAY_BUFFER)
        accessor: dict[str, Any] = {
            "bufferView": view,
            "componentType": _FLOAT,
            "count": len(rows),
            "type": f"VEC{rows.shape[1]}",
        }
        if bounds:
            accessor["min"], accessor["max"] = rows.min(0).tolist(), rows.max(0).tolist()
        self.accessors.append(accessor)
        return len(self.accessors) - 1

    def add_bytes(self, content: bytes, **extra: int) -> int:
        """Add bytes at a multiple of four; returns the view's number."""
        self.views.append(
            {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(content), **extra}
        )
        self.data += content
        self.data += bytes(-len(self.data) % 4)
        return len(self.views) - 1
