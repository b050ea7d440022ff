"""Pieces of a scene: the evaluated meshes that viewports and renders show, each in the world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import bpy
import numpy as np
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray

from .. import layers
from .visibility import SOLID, Shown

FLAT = 0.01
"""A thing is ground when it is thinner than this share of its length."""
STEP = 1.0
"""Metres that ground may rise above the lowest foot of what stands on it."""
WIDE = 4.0
"""Times the area of what stands there, from which what is flat is ground above its cellars, too."""
CONVERT = (
    "Convert curves and texts to meshes (Object > Convert), make instances real (Object > Apply > "
    "Make Instances Real) and linked objects local (Object > Relations > Make Local), where they "
    "are to have one."
)
"""What to do about what can't be given a layer."""


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

    def is_ground(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> bool:
        """Flat, and no higher than the foot of what stands there, or spread widely around its lower
        half. low, high: [3], its bounds."""
        if not self.is_flat():
            return False
        (west, south, _), (east, north, top) = self.vertices.min(0), self.vertices.max(0)
        if top < low[2] + STEP:
            return True
        around = west <= low[0] and south <= low[1] and east >= high[0] and north >= high[1]
        wide = (east - west) * (north - south) >= WIDE * np.prod((high - low)[:2])
        return bool(around and wide and top < (low[2] + high[2]) / 2)


def carries_modifiers(thing: bpy.types.Object) -> bool:
    """Whether an object is a mesh of this file, or overridden in it: one that can be given a
    layer."""
    return thing.type == "MESH" and thing.library is None


def not_layered(name: str) -> MaquetteError:
    """What there is to say of an object that can't be given a layer."""
    return MaquetteError("not-a-mesh", f"{name!r} can't carry a texture.", CONVERT)


def bare_of(depsgraph: bpy.types.Depsgraph) -> list[str]:
    """Names of what is shown and can't be given a layer: curves, texts, objects of other files, and
    what shows instances."""
    names: dict[str, None] = {}
    both = Shown(depsgraph)
    each: Any
    for each in depsgraph.object_instances:
        original = each.object.original
        shown = original.type in SOLID and both.has(each) and each.show_self
        if shown and (each.is_instance or not carries_modifiers(original)):
            names[(each.parent.original if each.is_instance else original).name] = None
    return list(names)


def pieces_of(
    depsgraph: bpy.types.Depsgraph,
    chosen: set[str],
    with_instances: bool = True,
    with_uvs: bool = False,
) -> Iterator[Piece]:
    """The evaluated meshes that viewports and renders both show, of the objects named or of all
    where none is."""
    instances: Any = depsgraph.object_instances
    both = Shown(depsgraph)
    for instance in instances:
        original = instance.object.original
        if not both.has(instance):
            continue
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
    """The evaluated mesh of an instance; None where it has none, or shows none itself."""
    thing: Any = instance.object
    if thing.type not in SOLID or not instance.show_self:
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
