"""The surface of the model: triangles of what is seen, in the world, with a UV map for a texture.

Everything is read from the evaluated scene, so that modifiers and instances are what is textured.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from maquette_wire import surface as wire
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Texture
from numpy.typing import NDArray

from . import uv_maps
from .pieces import Piece, bare_of, not_layered, pieces_of
from .visibility import rendered

LARGEST = 1e5
"""Metres across; no model of a place is as large, so some vertices are astray."""
BLURRED = 2e-3
"""Share of a model's size: where coordinates in the world are coarser, its captures are too."""


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

    @property
    def layered_names(self) -> list[str]:
        """Of the objects that can be given a layer."""
        return [name for name, can in zip(self.names, self.layered, strict=True) if can]

    def loop_uvs(self) -> NDArray[np.float32]:
        """[corners of all meshes, 2], object by object."""
        starts = np.cumsum([0, *self.loop_counts])
        uvs = np.zeros((starts[-1], 2), np.float32)
        uvs[starts[self.objects][:, None] + self.loops] = self.uvs
        return uvs

    def on_wire(self, size: int, painted: int | None = None, even: bool = False) -> wire.Surface:
        """The surface as a job brings it, for a texture of this size. painted, even: as in
        `Texture`."""
        low, high = self.corners.min((0, 1)), self.corners.max((0, 1))
        x, y, z = map(float, (low + high) / 2)
        counts = np.bincount(self.objects, minlength=len(self.names))
        texture = Texture(
            size=size,
            objects=tuple(map(int, counts)),
            origin=(x, y, z),
            tiles=self.tiles,
            painted=painted,
            even=even,
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


def surface(
    context: bpy.types.Context,
    chosen: Sequence[str] = (),
    instances: bool = True,
    *,
    own_uvs: bool = True,
    each: bool = False,
) -> Surface:
    """The surface of the objects named, or of all but the ground that it stands on, as far as
    viewports and renders both show it.

    Args:
        instances: whether instances count, and curves, texts and objects of other files: all that
            can't be given a layer.
        own_uvs: use the objects' own UV maps where these are fit for it.
        each: a tile of the texture for each object, rather than one that they share.

    Raises MaquetteError("no-faces", "unknown-object", "bad-mesh", "too-far", "too-many-objects").
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

    Raises MaquetteError("no-faces", "unknown-object", "bad-mesh", "too-far").
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
        raise _missing(context.view_layer, missing[0])
    standing = [piece.vertices for piece in pieces if not piece.is_flat()]
    low = np.min([each.min(0) for each in standing], axis=0, initial=np.inf)
    high = np.max([each.max(0) for each in standing], axis=0, initial=-np.inf)
    # By piece: an instance's pieces share a name, and may be ground and house.
    ground = [not chosen and bool(standing) and piece.is_ground(low, high) for piece in pieces]
    kept = [piece for piece, is_ground in zip(pieces, ground, strict=True) if not is_ground]
    left_out = [piece.name for piece, is_ground in zip(pieces, ground, strict=True) if is_ground]
    if not kept:
        raise MaquetteError(
            "no-faces",
            "There is nothing to see: the scene shows no object with faces.",
            "Make one visible in the viewport and in renders.",
        )
    return kept, sorted(set(left_out))


def _missing(view_layer: bpy.types.ViewLayer, name: str) -> MaquetteError:
    """Why there is nothing to texture of an object that was named."""
    thing = view_layer.objects.get(name)
    if thing is None and name in bpy.data.objects:
        said = f"{name!r} is in another scene, or in a collection that this view layer excludes."
        hint = "Open the scene that shows it, or tick its collection in the Outliner."
    elif thing is not None and not thing.visible_get(view_layer=view_layer):
        said = f"{name!r} is hidden in the viewport."
        hint = "Show it: the eye and the monitor in the Outliner, of its collections too."
    elif thing is not None and thing not in rendered(view_layer):
        said = f"{name!r} is hidden in renders."
        hint = "Show it: the camera in the Outliner, of its collections too."
    else:
        said = f"The scene has no visible object with faces called {name!r}."
        hint = "Correct the name, or choose an object with faces."
    return MaquetteError("unknown-object", said, hint)


def _shape(kept: Sequence[Piece], left_out: list[str]) -> Shape:
    corners = np.concatenate([piece.vertices[piece.vertex_triangles] for piece in kept])
    if not np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).any():
        raise MaquetteError(
            "no-faces",
            f"There is nothing to see: no face of {kept[0].name!r} has an area.",
            "Choose an object with faces, or scale it up.",
        )
    _check_size(kept, corners)
    return Shape(
        corners,
        np.repeat(np.arange(len(kept), dtype=np.int32), [len(p.triangles) for p in kept]),
        [piece.name for piece in kept],
        left_out,
    )


def _check_size(kept: Sequence[Piece], corners: NDArray[np.float64]) -> None:
    """Refuse what no camera sees as it is. Raises MaquetteError("bad-mesh", "too-far")."""
    largest = max(kept, key=lambda piece: np.ptp(piece.vertices, axis=0).max())
    if np.ptp(largest.vertices, axis=0).max() > LARGEST:
        raise MaquetteError(
            "bad-mesh",
            f"The object {largest.name!r} is more than {LARGEST / 1e3:.0f} km across.",
            "Delete the vertices that lie far off (in Edit Mode, View > Frame Selected shows "
            "where), or choose other objects.",
        )
    low, high = corners.min((0, 1)), corners.max((0, 1))
    away = float(np.abs([low, high]).max())
    step = float(np.spacing(np.float32(away)))
    if step > BLURRED * np.linalg.norm(high - low):
        raise MaquetteError(
            "too-far",
            f"The model lies {away / 1e3:,.0f} km from the world's origin, where Blender holds "
            f"coordinates no finer than {step:.2g} m.",
            "Move it and its surroundings near the origin.",
        )
