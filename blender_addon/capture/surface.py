"""The surface of the model: triangles of what is seen, in the world, with a UV map for a texture.

Everything is read from the evaluated scene, so that modifiers and instances are what is textured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from maquette_wire import surface as wire
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Texture
from numpy.typing import NDArray

from .. import layers
from . import uv_maps

FLAT = 0.01
"""A thing is ground when it is thinner than this share of its length."""
STEP = 1.0
"""Metres that ground may rise above the lowest foot of what stands on it."""
CONVERT = (
    "Convert curves and texts to meshes (Object > Convert), make instances real (Object > Apply > "
    "Make Instances Real) and linked objects local (Object > Relations > Make Local), where they "
    "are to have one."
)
"""What to do about what can't be given a layer."""
SOLID = ("MESH", "CURVE", "SURFACE", "META", "FONT")


@dataclass(frozen=True)
class Shape:
    """Triangles of a model.

    Attributes:
        corners: float64 [n, 3, 3], metres in the world, counter-clockwise seen from outside.
        objects: int32 [n], places in `names`, rising.
        names: of the objects; an instance is an object of its own.
        left_out: names of what was taken for ground.
    """

    corners: NDArray[np.float64]
    objects: NDArray[np.int32]
    names: list[str]
    left_out: list[str]


@dataclass(frozen=True)
class Surface(Shape):
    """Triangles of one texture.

    Attributes:
        uvs: float64 [n, 3, 2], in the tiles.
        tiles: UDIM numbers of the squares that the UVs lie in, rising.
        about_uvs: a sentence on why an object's own UV map is not what the texture uses, or that
            it is; empty where none has one.
        loops: int32 [n, 3], which corner of its object's evaluated mesh a triangle's corner is.
        loop_counts: how many corners the mesh of each object has.
        layered: for each object whether it can be given a layer.
    """

    uvs: NDArray[np.float64]
    tiles: tuple[int, ...]
    about_uvs: str
    loops: NDArray[np.int32]
    loop_counts: list[int]
    layered: list[bool]

    def loop_uvs(self) -> NDArray[np.float32]:
        """[corners of all meshes, 2], object by object."""
        starts = np.cumsum([0, *self.loop_counts])
        uvs = np.zeros((starts[-1], 2), np.float32)
        uvs[starts[self.objects][:, None] + self.loops] = self.uvs
        return uvs

    def on_wire(self, size: int) -> wire.Surface:
        """The surface as a job brings it, for a texture of this size."""
        low, high = self.corners.min((0, 1)), self.corners.max((0, 1))
        x, y, z = map(float, (low + high) / 2)
        counts = np.bincount(self.objects, minlength=len(self.names))
        texture = Texture(
            size=size, objects=tuple(map(int, counts)), origin=(x, y, z), tiles=self.tiles
        )
        return wire.Surface(
            texture,
            np.ascontiguousarray((self.corners - (x, y, z)).astype(np.float32)),
            np.ascontiguousarray(self.uvs.astype(np.float32)),
        )

    def write(self, path: Path) -> None:
        """One `.npz` with these arrays, the names as JSON. Raises OSError."""
        named = json.dumps(
            {
                "names": self.names,
                "left_out": self.left_out,
                "tiles": self.tiles,
                "loop_counts": self.loop_counts,
                "layered": self.layered,
            }
        ).encode()
        with path.open("wb") as file:
            np.savez(
                file,
                corners=self.corners,
                uvs=self.uvs,
                objects=self.objects,
                loop_uvs=self.loop_uvs(),
                named=np.frombuffer(named, np.uint8),
            )


@dataclass(frozen=True)
class Piece:
    """One object's evaluated mesh.

    Attributes:
        vertices: float64 [v, 3], in the world.
        faces: int32 [f], where each face's corners begin.
        corners: int32 [c], the vertex of each corner.
        triangles: int32 [t, 3], corners, counter-clockwise seen from outside.
        uvs: float32 [c, 2], the UV map that renders use; None without one.
        layered: whether it is an object that can be given a layer.
    """

    name: str
    vertices: NDArray[np.float64]
    faces: NDArray[np.int32]
    corners: NDArray[np.int32]
    triangles: NDArray[np.int32]
    uvs: NDArray[np.float32] | None = None
    layered: bool = False

    @property
    def vertex_triangles(self) -> NDArray[np.int32]:
        """[t, 3], vertices."""
        return self.corners[self.triangles]

    def is_flat(self) -> bool:
        size = np.ptp(self.vertices, axis=0)
        return bool(size[2] < FLAT * max(size[0], size[1]))

    def is_ground(self, foot: float) -> bool:
        """Flat, and not higher than the foot of what stands there."""
        return self.is_flat() and bool(self.vertices[:, 2].max() < foot + STEP)


def surface(
    context: bpy.types.Context,
    chosen: Sequence[str] = (),
    instances: bool = True,
    *,
    own_uvs: bool = True,
    each: bool = False,
) -> Surface:
    """The surface of the objects named, or of all that renders but the ground that it stands on.

    Args:
        instances: whether instances count, and curves, texts and objects of other files: all that
            can't be given a layer.
        own_uvs: use the objects' own UV maps where these are fit for it.
        each: a tile of the texture for each object, rather than one that they share.

    Raises MaquetteError("no-faces", "unknown-object", "bad-mesh", "too-many-objects").
    """
    kept, left_out = _standing(context, chosen, instances, own_uvs)
    plain = _shape(kept, left_out)
    maps = uv_maps.of(context, kept, own=own_uvs, each=each)
    return Surface(
        plain.corners,
        plain.objects,
        plain.names,
        plain.left_out,
        np.concatenate([uvs[p.triangles] for uvs, p in zip(maps.uvs, kept, strict=True)]),
        maps.tiles,
        maps.said,
        np.concatenate([piece.triangles for piece in kept]),
        [len(piece.corners) for piece in kept],
        [piece.layered for piece in kept],
    )


def shape(context: bpy.types.Context, chosen: Sequence[str] = (), instances: bool = True) -> Shape:
    """What `surface` is of, without a UV map.

    Raises MaquetteError("no-faces", "unknown-object", "bad-mesh").
    """
    return _shape(*_standing(context, chosen, instances, False))


def _standing(
    context: bpy.types.Context, chosen: Sequence[str], instances: bool, with_uvs: bool
) -> tuple[list[Piece], list[str]]:
    """The pieces named, or all but the ground; and names of what was taken for ground."""
    depsgraph = context.evaluated_depsgraph_get()
    pieces = list(pieces_of(depsgraph, set(chosen), instances, with_uvs))
    missing = sorted(set(chosen) - {piece.name for piece in pieces})
    if missing and not instances and missing[0] in bare_of(depsgraph):
        raise not_layered(missing[0])
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
            "There is nothing to see: the scene shows no object with faces.",
            "Make one visible in renders.",
        )
    return kept, sorted(set(left_out))


def _shape(kept: Sequence[Piece], left_out: list[str]) -> Shape:
    corners = np.concatenate([piece.vertices[piece.vertex_triangles] for piece in kept])
    if not np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).any():
        raise MaquetteError(
            "no-faces",
            f"There is nothing to see: no face of {kept[0].name!r} has an area.",
            "Choose an object with faces, or scale it up.",
        )
    return Shape(
        corners,
        np.repeat(np.arange(len(kept), dtype=np.int32), [len(p.triangles) for p in kept]),
        [piece.name for piece in kept],
        left_out,
    )


def carries_modifiers(thing: bpy.types.Object) -> bool:
    """Whether an object is a mesh of this file, or overridden in it: one that can be given a
    layer."""
    return thing.type == "MESH" and thing.library is None


def not_layered(name: str) -> MaquetteError:
    """What there is to say of an object that can't be given a layer."""
    return MaquetteError("not-a-mesh", f"{name!r} can't carry a texture.", CONVERT)


def bare_of(depsgraph: bpy.types.Depsgraph) -> list[str]:
    """Names of what renders and can't be given a layer: curves, texts, objects of other files, and
    what shows instances."""
    names: dict[str, None] = {}
    each: Any
    for each in depsgraph.object_instances:
        original = each.object.original
        shown = original.type in SOLID and not original.hide_render and each.show_self
        if shown and (each.is_instance or not carries_modifiers(original)):
            names[(each.parent.original if each.is_instance else original).name] = None
    return list(names)


def pieces_of(
    depsgraph: bpy.types.Depsgraph,
    chosen: set[str],
    with_instances: bool = True,
    with_uvs: bool = False,
) -> Iterator[Piece]:
    """The evaluated meshes that render, of the objects named or of all where none is."""
    instances: Any = depsgraph.object_instances
    for instance in instances:
        original = instance.object.original
        if not with_instances and (instance.is_instance or not carries_modifiers(original)):
            continue
        parent = instance.parent.original.name if instance.is_instance else original.name
        if chosen and not {original.name, parent} & chosen:
            continue
        name = original.name if original.name in chosen or not instance.is_instance else parent
        with rendered_mesh(instance) as mesh:
            piece = piece_of(name, mesh, np.array(instance.matrix_world, np.float64))
            if piece is None:
                continue
            layered = carries_modifiers(original) and not instance.is_instance
            uvs = _own_uvs(original, mesh) if with_uvs else None
        yield replace(piece, uvs=uvs, layered=layered)


def _own_uvs(original: bpy.types.Object, mesh: Any) -> NDArray[np.float32] | None:
    """The UV map [c, 2] that renders of an evaluated mesh use, without what layers put there; None
    where there is none."""
    if any(layers.is_layer(each) and each.show_viewport for each in original.modifiers):
        # In the layers' stead what lies below them, which is known where no other modifier has
        # changed the number of corners.
        below: Any = original.data
        if len(below.loops) != len(mesh.loops):
            return None
        mesh = below
    used = next((layer for layer in mesh.uv_layers if layer.active_render), None)
    if used is None:
        return None
    uvs = np.empty(len(mesh.loops) * 2, np.float32)
    used.uv.foreach_get("vector", uvs)
    return uvs.reshape(-1, 2)


@contextmanager
def rendered_mesh(instance: bpy.types.DepsgraphObjectInstance) -> Iterator[Any]:
    """The evaluated mesh of an instance; None where it has none, or renders don't show it."""
    thing: Any = instance.object
    if thing.type not in SOLID or thing.original.hide_render or not instance.show_self:
        yield None
        return
    try:
        yield thing.to_mesh()
    finally:
        thing.to_mesh_clear()


def piece_of(name: str, mesh: Any, matrix: NDArray[np.float64]) -> Piece | None:
    """A mesh in the world; None where it has no face. Raises MaquetteError("bad-mesh")."""
    if mesh is None:
        return None
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    if not count:
        return None
    vertices = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", vertices)
    faces = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_start", faces)
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    triangles = np.empty(count * 3, np.int32)
    mesh.loop_triangles.foreach_get("loops", triangles)
    world = vertices.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    if not np.isfinite(world).all():
        raise MaquetteError(
            "bad-mesh",
            f"The object {name!r} has vertices that are not numbers, or stands at none.",
            "Undo what made them; or make it the active object, and run "
            "bpy.context.object.data.validate() in Blender's Python Console.",
        )
    triangles = triangles.reshape(-1, 3)
    if np.linalg.det(matrix[:3, :3]) < 0:
        triangles = triangles[:, ::-1]  # a mirror turns faces inside out
    return Piece(name, world, faces, corners, np.ascontiguousarray(triangles))
