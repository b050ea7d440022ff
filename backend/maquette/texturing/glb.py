"""A textured surface as one binary glTF file.

glTF has Y up and V from the top; one mesh for each object, one material for each tile of the
texture, and the pictures inside. The material is as it was painted: a rough dielectric without a
highlight, or, for a picture with a light of its own, one that no light changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..gltf import Binary, pack, sampler
from .surface import Surface

_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])

_UNLIT = "KHR_materials_unlit"


def make_glb(
    surface: Surface, names: Sequence[str], textures: Sequence[bytes], *, unlit: bool = False
) -> bytes:
    """The file's bytes. names: of the objects, by number; textures: a PNG for each tile; unlit: by
    the extension KHR_materials_unlit, without which a program lights it all the same.

    Positions are about the middle of the model's foot, which glTF's single precision holds
    wherever in the world the model stands; the node of the whole says where that is.
    """
    low, high = surface.corners.min((0, 1)), surface.corners.max((0, 1))
    foot = np.array([*(low + high)[:2] / 2, low[2]])
    binary = Binary()
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
                **({"extensions": {_UNLIT: {}}} if unlit else {}),
            }
            for place, tile in enumerate(surface.tiles)
        ],
        "textures": [{"source": place, "sampler": 0} for place in range(len(images))],
        "samplers": [sampler(repeat=False)],
        "images": [{"bufferView": image, "mimeType": "image/png"} for image in images],
    }
    if unlit:
        document["extensionsUsed"] = [_UNLIT]
    return pack(document, binary)
