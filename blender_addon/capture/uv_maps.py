"""Which UV map a texture has: the objects' own where these are fit for it, else a new one.

A new one is made on a mesh of its own by Blender's unwrapper: nothing of the user's is unwrapped,
and nothing is left behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from maquette_wire.errors import MaquetteError
from maquette_wire.limits import FIRST_TILE
from numpy.typing import NDArray

from . import fitness
from .pieces import Piece
from .scope import Scope
from .windowed import windowed

NAME = "Maquette surface"
ANGLE = 66.0
"""Degrees between faces of one island, as Blender's own default."""


@dataclass(frozen=True)
class Maps:
    """UV maps for one texture.

    Attributes:
        uvs: [c, 2] for each piece, a UV for each of its corners.
        tiles: UDIM numbers of the squares that they lie in, rising.
        said: a sentence for the user, empty where there is nothing to say.
    """

    uvs: list[NDArray[np.float64]]
    tiles: tuple[int, ...]
    said: str


def of(context: bpy.types.Context, pieces: Sequence[Piece], *, own: bool, each: bool) -> Maps:
    """Maps for all pieces together, or for `each` in a tile of its own.

    own: use the pieces' own maps where these are fit. Raises MaquetteError("too-many-objects").
    """
    if not each:
        tiles, fault = _judged(pieces) if own else ((), "")
        if tiles:
            uvs = [piece.uvs.astype(np.float64) for piece in pieces if piece.uvs is not None]
            return Maps(uvs, tiles, f"The texture uses the {_of(pieces)}.")
        return Maps(_unwrapped(context, pieces), (FIRST_TILE,), _unused(pieces, fault))
    if len(pieces) > fitness.MOST_TILES:
        raise MaquetteError(
            "too-many-objects",
            f"A picture for each of {len(pieces)} objects is too many: there can be "
            f"{fitness.MOST_TILES}.",
            "Select fewer, or let them share one.",
        )
    uvs, unfit, fault = [], [], ""
    for number, piece in enumerate(pieces):
        tiles, found = _judged([piece]) if own else ((), "")
        if tiles and tiles != (FIRST_TILE,):
            tiles, found = (), "it has several tiles"
        if found:
            unfit, fault = [*unfit, piece], fault or found
        kept = piece.uvs if tiles else None
        made = _unwrapped(context, [piece])[0] if kept is None else kept.astype(np.float64)
        uvs.append(made + divmod(number, fitness.ROW)[::-1])
    tiles = tuple(range(FIRST_TILE, FIRST_TILE + len(pieces)))
    return Maps(uvs, tiles, _unused(unfit, fault))


def _judged(pieces: Sequence[Piece]) -> tuple[tuple[int, ...], str]:
    """The tiles that the pieces' own maps lie in together; none, and their fault, where they are
    not fit."""
    if any(piece.uvs is None for piece in pieces):
        return (), ""
    corners = [piece.vertices[piece.vertex_triangles] for piece in pieces]
    uvs = [piece.uvs[piece.triangles] for piece in pieces if piece.uvs is not None]
    found = fitness.measures(np.concatenate(corners), np.concatenate(uvs).astype(np.float64))
    fault = found.fault()
    return ((), fault) if fault else (found.tiles, "")


def _unused(pieces: Sequence[Piece], fault: str) -> str:
    if not fault:
        return ""
    return f"The texture has a UV map of its own, not the {_of(pieces)}: there {fault}."


def _of(pieces: Sequence[Piece]) -> str:
    names = list(dict.fromkeys(piece.name for piece in pieces))
    listed = ", ".join(map(repr, names[:2])) + (f" and {len(names) - 2} more" if names[2:] else "")
    return f"UV map{'s' if names[1:] else ''} of {listed}"


def _unwrapped(context: bpy.types.Context, pieces: Sequence[Piece]) -> list[NDArray[np.float64]]:
    """[c, 2] for each piece: islands of even density, packed into one square, by Blender's own
    unwrapper."""
    starts = np.cumsum([0, *(len(piece.vertices) for piece in pieces)])
    ends = np.cumsum([len(piece.corners) for piece in pieces])
    vertices = np.concatenate([piece.vertices for piece in pieces])
    corners = np.concatenate([p.corners + s for p, s in zip(pieces, starts, strict=False)])
    faces = np.concatenate([p.faces + s for p, s in zip(pieces, (0, *ends[:-1]), strict=True)])
    # Near the origin, where single precision holds them.
    vertices = vertices - (vertices.min(0) + vertices.max(0)) / 2
    with Scope() as scope:
        mesh: Any = bpy.data.meshes.new(NAME)
        scope.remove_later(bpy.data.meshes, mesh)
        mesh.vertices.add(len(vertices))
        mesh.vertices.foreach_set("co", vertices.astype(np.float32).ravel())
        mesh.loops.add(len(corners))
        mesh.loops.foreach_set("vertex_index", corners.astype(np.int32))
        mesh.polygons.add(len(faces))
        mesh.polygons.foreach_set("loop_start", faces.astype(np.int32))
        mesh.update(calc_edges=True)
        mesh.uv_layers.new(name=NAME)
        thing = bpy.data.objects.new(NAME, mesh)
        scope.remove_later(bpy.data.objects, thing)
        stage = bpy.data.scenes.new(NAME)
        scope.remove_later(bpy.data.scenes, stage)
        stage.collection.objects.link(thing)
        _smart_project(stage, thing)
        layer = mesh.uv_layers[NAME]
        flat = np.empty(len(corners) * 2, np.float32)
        layer.uv.foreach_get("vector", flat)
        turned = np.empty(len(corners), np.int32)
        mesh.loops.foreach_get("vertex_index", turned)
    # A face that was turned has its corners the other way round.
    of_face = np.repeat(np.arange(len(faces)), np.diff([*faces, len(corners)]))
    uvs = np.empty((len(corners), 2))
    uvs[np.lexsort((corners, of_face))] = flat.reshape(-1, 2)[np.lexsort((turned, of_face))]
    return np.split(uvs, ends[:-1])


def _smart_project(stage: bpy.types.Scene, thing: bpy.types.Object) -> None:
    """Unwrap in edit mode, for which the window shows `stage` meanwhile."""
    with windowed(), Scope() as scope:
        window: Any = bpy.context.window
        # Not `scope.set`, which would keep a copy of the scene.
        scope.callback(setattr, window, "scene", window.scene)
        window.scene = stage
        view_layer: Any = stage.view_layers[0]
        view_layer.objects.active = thing
        thing.select_set(True, view_layer=view_layer)
        bpy.ops.object.mode_set(mode="EDIT")
        try:
            bpy.ops.mesh.select_all(action="SELECT")
            # The unwrapper folds faces onto their neighbours that face the other way.
            bpy.ops.mesh.normals_make_consistent(inside=False)
            bpy.ops.uv.smart_project(
                angle_limit=np.radians(ANGLE), island_margin=0.003, scale_to_bounds=False
            )
        finally:
            bpy.ops.object.mode_set(mode="OBJECT")
