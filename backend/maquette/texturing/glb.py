"""A textured surface as one binary glTF file.

glTF has Y up and V from the top; one mesh for each object, one material for all, and the texture
inside. The material is unlit light as it was painted: a rough dielectric without a highlight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..gltf import Binary, pack, sampler
from .surface import Surface

_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


def make_glb(surface: Surface, names: Sequence[str], texture: bytes) -> bytes:
    """The file's bytes. names: of the objects, by number; texture: a PNG.

    Positions are about the middle of the model's foot, which glTF's single precision holds
    wherever in the world the model stands; the node of the whole says where that is.
    """
    low, high = surface.corners.min((0, 1)), surface.corners.max((0, 1))
    foot = np.array([*(low + high)[:2] / 2, low[2]])
    binary = Binary()
    meshes, nodes = [], []
    normals = np.repeat(surface.normals(), 3, 0)
    for number, name in enumerate(names):
        own = np.flatnonzero(surface.objects == number)
        if not len(own):
            continue
        rows = (own[:, None] * 3 + np.arange(3)).ravel()
        positions = (surface.corners[own].reshape(-1, 3) - foot) @ _Y_UP.T
        uvs = surface.uvs[own].reshape(-1, 2) * [1.0, -1.0] + [0.0, 1.0]
        attributes = {
            "POSITION": binary.add(positions, bounds=True),
            "NORMAL": binary.add(normals[rows] @ _Y_UP.T),
            "TEXCOORD_0": binary.add(uvs),
        }
        nodes.append({"name": name, "mesh": len(meshes)})
        meshes.append({"name": name, "primitives": [{"attributes": attributes, "material": 0}]})
    image = binary.add_bytes(texture)
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
                "name": "Maquette texture",
                "doubleSided": True,
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicFactor": 0.0,
                    "roughnessFactor": 1.0,
                },
            }
        ],
        "textures": [{"source": 0, "sampler": 0}],
        "samplers": [sampler(repeat=False)],
        "images": [{"bufferView": image, "mimeType": "image/png"}],
    }
    return pack(document, binary)
