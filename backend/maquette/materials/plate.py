"""A material as one binary glTF file: an upright plate, one tile large, that carries all its maps.

glTF packs occlusion, roughness and metalness into the channels of one picture; a tile's corner is
the plate's, its top the plate's top.
"""

from __future__ import annotations

import numpy as np
from maquette_wire import png
from numpy.typing import NDArray

from ..gltf import Binary, pack, sampler


def make_plate(name: str, size: float, albedo: bytes, normal: bytes, packed: bytes) -> bytes:
    """The file's bytes. size: side in metres. albedo, normal, packed: PNGs, the last one as
    `packed_maps` makes it."""
    binary = Binary()
    half = size / 2
    corners = np.array([[-half, 0, 0], [half, 0, 0], [half, size, 0],
                        [-half, 0, 0], [half, size, 0], [-half, size, 0]])  # fmt: skip
    uvs = np.stack([corners[:, 0] / size + 0.5, 1.0 - corners[:, 1] / size], 1)
    attributes = {
        "POSITION": binary.add(corners, bounds=True),
        "NORMAL": binary.add(np.tile([0.0, 0.0, 1.0], (6, 1))),
        "TANGENT": binary.add(np.tile([1.0, 0.0, 0.0, 1.0], (6, 1))),
        "TEXCOORD_0": binary.add(uvs),
    }
    images = [binary.add_bytes(each) for each in (albedo, normal, packed)]
    document = {
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": name, "mesh": 0}],
        "meshes": [{"name": name, "primitives": [{"attributes": attributes, "material": 0}]}],
        "materials": [
            {
                "name": name,
                "doubleSided": True,
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicRoughnessTexture": {"index": 2},
                    "metallicFactor": 0.0,
                    "roughnessFactor": 1.0,
                },
                "normalTexture": {"index": 1},
                "occlusionTexture": {"index": 2},
            }
        ],
        "textures": [{"source": number, "sampler": 0} for number in range(3)],
        "samplers": [sampler(repeat=True)],
        "images": [{"bufferView": view, "mimeType": "image/png"} for view in images],
    }
    return pack(document, binary)


def packed_maps(occlusion: NDArray[np.uint8], roughness: NDArray[np.uint8]) -> bytes:
    """A PNG with occlusion in red, roughness in green, and no metalness in blue."""
    height, width = occlusion.shape
    pixels = np.stack([occlusion, roughness, np.zeros_like(occlusion)], -1)
    return png.encode(pixels.data, width, height, linear=True)
