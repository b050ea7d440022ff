"""A textured surface as one binary glTF 2.0 file (Khronos glTF 2.0 specification, section 4.4).

glTF has Y up and V from the top; one mesh for each object, one material for each tile of the
texture, and the pictures inside. The material is light as it was painted: a rough dielectric
without a highlight.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .surface import Surface

_MAGIC, _VERSION, _JSON, _BINARY = 0x46546C67, 2, 0x4E4F534A, 0x004E4942
_FLOAT, _ARRAY_BUFFER, _LINEAR, _MIPMAPS, _CLAMP = 5126, 34962, 9729, 9987, 33071
_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


def make_glb(surface: Surface, names: Sequence[str], textures: Sequence[bytes]) -> bytes:
    """The file's bytes. names: of the objects, by number; textures: a PNG for each tile.

    Positions are about the middle of the model's foot, which glTF's single precision holds
    wherever in the world the model stands; the node of the whole says where that is.
    """
    low, high = surface.corners.min((0, 1)), surface.corners.max((0, 1))
    foot = np.array([*(low + high)[:2] / 2, low[2]])
    binary = _Binary()
    meshes, nodes = [], []
    normals = np.repeat(surface.normals(), 3, 0)
    tiles, flat = surface.within_tiles()
    for number, name in enumerate(names):
        primitives = []
        for tile in np.unique(tiles[surface.objects == number]):
            own = np.flatnonzero((surface.objects == number) & (tiles == tile))
            rows = (own[:, None] * 3 + np.arange(3)).ravel()
            positions = (surface.corners[own].reshape(-1, 3) - foot) @ _Y_UP.T
            uvs = flat[own].reshape(-1, 2) * [1.0, -1.0] + [0.0, 1.0]
            attributes = {
                "POSITION": binary.add(positions, bounds=True),
                "NORMAL": binary.add(normals[rows] @ _Y_UP.T),
                "TEXCOORD_0": binary.add(uvs),
            }
            primitives.append({"attributes": attributes, "material": max(int(tile), 0)})
        if primitives:
            nodes.append({"name": name, "mesh": len(meshes)})
            meshes.append({"name": name, "primitives": primitives})
    images = [binary.add_bytes(texture) for texture in textures]
    whole = {
        "name": "Maquette",
        "children": list(range(len(nodes))),
        "translation": (_Y_UP @ foot).tolist(),
    }
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "Maquette"},
        "scene": 0,
        "scenes": [{"nodes": [len(nodes)]}],
        "nodes": [*nodes, whole],
        "meshes": meshes,
        "materials": [
            {
                "name": "Maquette texture" if len(images) == 1 else f"Maquette texture {tile}",
                "doubleSided": True,
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": place},
                    "metallicFactor": 0.0,
                    "roughnessFactor": 1.0,
                },
            }
            for place, tile in enumerate(surface.tiles)
        ],
        "textures": [{"source": place, "sampler": 0} for place in range(len(images))],
        "samplers": [
            {"magFilter": _LINEAR, "minFilter": _MIPMAPS, "wrapS": _CLAMP, "wrapT": _CLAMP}
        ],
        "images": [{"bufferView": image, "mimeType": "image/png"} for image in images],
        "accessors": binary.accessors,
        "bufferViews": binary.views,
        "buffers": [{"byteLength": len(binary.data)}],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
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


class _Binary:
    """The buffer, and what says where things are in it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: NDArray[np.float64], *, bounds: bool = False) -> int:
        """Add rows of two or three numbers; returns the accessor's number."""
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
