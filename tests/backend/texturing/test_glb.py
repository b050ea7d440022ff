"""The .glb of a textured model, read back by the format's own rules."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import numpy as np
from maquette.texturing.glb import make_glb

from tests.backend.texturing.models import box, surface_of

PNG = b"\x89PNG\r\n\x1a\n" + bytes(7)


def read(data: bytes) -> tuple[dict, bytes]:
    magic, version, size = struct.unpack_from("<4sII", data)
    assert (magic, version, size) == (b"glTF", 2, len(data))
    length, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON" and length % 4 == 0
    rest = 20 + length
    body, kind = struct.unpack_from("<I4s", data, rest)
    assert kind == b"BIN\0" and rest + 8 + body == len(data)
    return json.loads(data[20:rest]), data[rest + 8 :]


def values(document: dict, binary: bytes, number: int) -> np.ndarray:
    accessor = document["accessors"][number]
    view = document["bufferViews"][accessor["bufferView"]]
    assert view["byteOffset"] % 4 == 0
    columns = int(accessor["type"][-1])
    flat = np.frombuffer(binary, "<f4", accessor["count"] * columns, view["byteOffset"])
    return flat.reshape(-1, columns)


def test_each_object_is_a_mesh_with_the_texture():
    away = np.array([121_000.0, 487_000.0, 3.0])
    quads = [q + away for q in (*box((0, 0, 0), (2, 4, 6)), *box((5, 0, 0), (6, 1, 1)))]
    surface = surface_of(quads, [0] * 6 + [1] * 6)
    document, binary = read(make_glb(surface, ["House", "Shed"], [PNG]))
    assert "extensionsUsed" not in document
    unlit, same = read(make_glb(surface, ["House", "Shed"], [PNG], unlit=True))
    assert unlit.pop("extensionsUsed") == ["KHR_materials_unlit"] and same == binary
    assert [each.pop("extensions") for each in unlit["materials"]] == [{"KHR_materials_unlit": {}}]
    assert unlit == document
    assert [mesh["name"] for mesh in document["meshes"]] == ["House", "Shed"]
    whole = document["nodes"][document["scenes"][0]["nodes"][0]]
    image = document["bufferViews"][document["images"][0]["bufferView"]]
    start = image["byteOffset"]
    assert binary[start : start + image["byteLength"]] == PNG
    corners, uvs = [], []
    for node in (document["nodes"][child] for child in whole["children"]):
        (part,) = document["meshes"][node["mesh"]]["primitives"]
        position = values(document, binary, part["attributes"]["POSITION"])
        normal = values(document, binary, part["attributes"]["NORMAL"])
        assert np.allclose(np.linalg.norm(normal, axis=1), 1.0, atol=1e-5)
        bounds = document["accessors"][part["attributes"]["POSITION"]]
        assert np.allclose(position.min(0), bounds["min"]) and np.abs(position).max() < 10
        corners.append(position.astype(np.float64) + whole["translation"])
        uvs.append(values(document, binary, part["attributes"]["TEXCOORD_0"]))
    # glTF's y is up, and its z the world's backwards.
    x, y, z = np.concatenate(corners).T
    world = np.stack([x, -z, y], 1)
    assert np.allclose(world, surface.corners.reshape(-1, 3), atol=1e-3)
    flipped = np.concatenate(uvs) * [1, -1] + [0, 1]
    assert np.allclose(flipped, surface.uvs.reshape(-1, 2), atol=1e-6)


def test_each_tile_is_a_picture_with_a_material_of_its_own():
    quads = [*box((0, 0, 0), (2, 4, 6)), *box((5, 0, 0), (6, 1, 1))]
    shared = surface_of(quads, [0] * 6 + [1] * 6)
    moved = shared.uvs + np.outer(shared.objects, (3, 0))[:, None]
    document, binary = read(
        make_glb(
            replace(shared, uvs=moved, tiles=(1001, 1004)), ["House", "Shed"], [PNG, PNG + b"2"]
        )
    )
    assert [each["name"] for each in document["materials"]] == [
        "Maquette texture 1001",
        "Maquette texture 1004",
    ]
    used, uvs = [], []
    for mesh in document["meshes"]:
        (part,) = mesh["primitives"]
        used.append(part["material"])
        uvs.append(values(document, binary, part["attributes"]["TEXCOORD_0"]))
    assert used == [0, 1]
    flipped = np.concatenate(uvs) * [1, -1] + [0, 1]
    assert np.allclose(flipped, shared.uvs.reshape(-1, 2), atol=1e-6), "within its own picture"
    for material, content in zip(document["materials"], (PNG, PNG + b"2"), strict=True):
        place = material["pbrMetallicRoughness"]["baseColorTexture"]["index"]
        view = document["bufferViews"][document["images"][place]["bufferView"]]
        assert binary[view["byteOffset"] :][: view["byteLength"]] == content


def test_an_object_without_triangles_is_left_out():
    document, _ = read(make_glb(surface_of(box((0, 0, 0), (1, 1, 1))), ["House", "Nothing"], [PNG]))
    assert [mesh["name"] for mesh in document["meshes"]] == ["House"]
