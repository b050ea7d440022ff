"""The surface of the model: triangles of what is seen, in the world, with a UV map for one texture.

Everything is read from the evaluated scene, so that modifiers and instances are what is textured.
The UV map is made on a mesh of its own: nothing of the user's is unwrapped, and nothing is left
behind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray

from .scope import Scope

NAME = "Maquette surface"
ANGLE = 66.0
"""Degrees between faces of one island, as Blender's own default."""
FLAT = 0.01
"""A thing is ground when it is thinner than this share of its length."""
STEP = 1.0
"""Metres that ground may rise above the lowest foot of what stands on it."""
SOLID = ("MESH", "CURVE", "SURFACE", "META", "FONT")


@dataclass(frozen=True)
class Surface:
    """Triangles of one texture.

    Attributes:
        corners: float64 [n, 3, 3], metres in the world, counter-clockwise seen from outside.
        uvs: float64 [n, 3, 2].
        objects: int32 [n], places in `names`.
        names: of the objects; an instance is an object of its own.
        left_out: names of what was taken for ground.
    """

    corners: NDArray[np.float64]
    uvs: NDArray[np.float64]
    objects: NDArray[np.int32]
    names: list[str]
    left_out: list[str]

    def write(self, path: Path) -> None:
        """One `.npz` with these arrays, the names as JSON. Raises OSError."""
        named = json.dumps({"names": self.names, "left_out": self.left_out}).encode()
        with path.open("wb") as file:
            np.savez(
                file,
                corners=self.corners,
                uvs=self.uvs,
                objects=self.objects,
                named=np.frombuffer(named, np.uint8),
            )


@dataclass(frozen=True)
class _Piece:
    """One object's vertices [v, 3] in the world and triangles [t, 3]."""

    name: str
    vertices: NDArray[np.float64]
    triangles: NDArray[np.int32]

    def is_flat(self) -> bool:
        size = np.ptp(self.vertices, axis=0)
        return bool(size[2] < FLAT * max(size[0], size[1]))

    def is_ground(self, foot: float) -> bool:
        """Flat, and not higher than the foot of what stands there."""
        return self.is_flat() and bool(self.vertices[:, 2].max() < foot + STEP)


def surface(context: bpy.types.Context, chosen: Sequence[str] = ()) -> Surface:
    """The surface of the objects named, or of all that renders but the ground that it stands on.

    Raises MaquetteError("no-faces", "unknown-object", "bad-mesh").
    """
    pieces = list(_pieces(context, set(chosen)))
    missing = sorted(set(chosen) - {piece.name for piece in pieces})
    if missing:
        raise MaquetteError(
            "unknown-object",
            f"The scene has no visible object with faces called {missing[0]!r}.",
            "Correct the name, or make the object visible in renders.",
        )
    foot = min((p.vertices[:, 2].min() for p in pieces if not p.is_flat()), default=-np.inf)
    # By piece: an instance's pieces share a name, and may be ground and house.
    kept = [piece for piece in pieces if chosen or not piece.is_ground(foot)]
    left_out = [piece.name for piece in pieces if not chosen and piece.is_ground(foot)]
    if not kept:
        raise MaquetteError(
            "no-faces",
            "There is nothing to texture: the scene shows no object with faces.",
            "Make one visible in renders.",
        )
    corners = np.concatenate([piece.vertices[piece.triangles] for piece in kept])
    owners = np.repeat(np.arange(len(kept), dtype=np.int32), [len(p.triangles) for p in kept])
    names = [piece.name for piece in kept]
    return Surface(corners, _unwrapped(context, kept), owners, names, sorted(set(left_out)))


def _pieces(context: bpy.types.Context, chosen: set[str]) -> Iterator[_Piece]:
    depsgraph = context.evaluated_depsgraph_get()
    instances: Any = depsgraph.object_instances
    for instance in instances:
        thing = instance.object
        original = thing.original
        if thing.type not in SOLID or original.hide_render or not instance.show_self:
            continue
        parent = instance.parent.original.name if instance.is_instance else original.name
        if chosen and not {original.name, parent} & chosen:
            continue
        name = original.name if original.name in chosen or not instance.is_instance else parent
        mesh = thing.to_mesh()
        try:
            piece = _piece(name, mesh, np.array(instance.matrix_world, np.float64))
        finally:
            thing.to_mesh_clear()
        if piece is not None:
            yield piece


def _piece(name: str, mesh: Any, matrix: NDArray[np.float64]) -> _Piece | None:
    if mesh is None:
        return None
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    if not count:
        return None
    vertices = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", vertices)
    triangles = np.empty(count * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    world = vertices.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    if not np.isfinite(world).all():
        raise MaquetteError(
            "bad-mesh",
            f"The object {name!r} has vertices that are not numbers.",
            "Remove them in Blender (Mesh > Clean Up).",
        )
    corners = triangles.reshape(-1, 3)
    if np.linalg.det(matrix[:3, :3]) < 0:
        corners = corners[:, ::-1]  # a mirror turns faces inside out
    return _Piece(name, world, np.ascontiguousarray(corners))


def _unwrapped(context: bpy.types.Context, pieces: Sequence[_Piece]) -> NDArray[np.float64]:
    """[n, 3, 2]: islands of even density, packed into one square, by Blender's own unwrapper."""
    starts = np.cumsum([0, *(len(piece.vertices) for piece in pieces)])
    vertices = np.concatenate([piece.vertices for piece in pieces])
    triangles = np.concatenate([p.triangles + s for p, s in zip(pieces, starts, strict=False)])
    # Near the origin, where single precision holds them.
    vertices = vertices - (vertices.min(0) + vertices.max(0)) / 2
    with Scope() as scope:
        mesh: Any = bpy.data.meshes.new(NAME)
        scope.remove_later(bpy.data.meshes, mesh)
        mesh.vertices.add(len(vertices))
        mesh.vertices.foreach_set("co", vertices.astype(np.float32).ravel())
        mesh.loops.add(triangles.size)
        mesh.loops.foreach_set("vertex_index", triangles.ravel().astype(np.int32))
        mesh.polygons.add(len(triangles))
        mesh.polygons.foreach_set("loop_start", np.arange(0, triangles.size, 3, dtype=np.int32))
        mesh.update(calc_edges=True)
        mesh.uv_layers.new(name=NAME)
        thing = bpy.data.objects.new(NAME, mesh)
        scope.remove_later(bpy.data.objects, thing)
        stage = bpy.data.scenes.new(NAME)
        scope.remove_later(bpy.data.scenes, stage)
        stage.collection.objects.link(thing)
        _smart_project(stage, thing)
        layer = mesh.uv_layers[NAME]
        uvs = np.empty(triangles.size * 2, np.float32)
        layer.uv.foreach_get("vector", uvs)
    return uvs.reshape(-1, 3, 2).astype(np.float64)


def _smart_project(stage: bpy.types.Scene, thing: bpy.types.Object) -> None:
    """Unwrap in edit mode, for which the window shows `stage` meanwhile."""
    window: Any = bpy.context.window_manager.windows[0]
    with Scope() as scope:
        # Not `scope.set`, which would keep a copy of the scene.
        scope.callback(setattr, window, "scene", window.scene)
        window.scene = stage
        view_layer: Any = stage.view_layers[0]
        view_layer.objects.active = thing
        thing.select_set(True, view_layer=view_layer)
        with bpy.context.temp_override(window=window):
            bpy.ops.object.mode_set(mode="EDIT")
            try:
                bpy.ops.mesh.select_all(action="SELECT")
                bpy.ops.uv.smart_project(
                    angle_limit=np.radians(ANGLE), island_margin=0.003, scale_to_bounds=False
                )
            finally:
                bpy.ops.object.mode_set(mode="OBJECT")
