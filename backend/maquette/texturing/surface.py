"""The surface of a model as a texture sees it: triangles in the world and in UV space."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import maquette_wire.surface
import numpy as np
from maquette_wire.errors import MaquetteError
from maquette_wire.limits import FIRST_TILE
from maquette_wire.messages import Texture
from numpy.typing import NDArray

ROW = 10
"""UDIM tiles beside each other, before the next ones lie above."""


@dataclass(frozen=True)
class Surface:
    """Triangles of all objects that share one texture.

    Attributes:
        corners: float64 [n, 3, 3], world positions in metres, counter-clockwise seen from outside.
        uvs: float64 [n, 3, 2], in the tiles.
        objects: int32 [n], the number of the object that a triangle belongs to.
        tiles: UDIM numbers of the squares that the texture has.
    """

    corners: NDArray[np.float64]
    uvs: NDArray[np.float64]
    objects: NDArray[np.int32]
    tiles: tuple[int, ...] = (FIRST_TILE,)

    def __post_init__(self) -> None:
        count = len(self.corners)
        shapes = (self.corners.shape, self.uvs.shape, self.objects.shape)
        if shapes != ((count, 3, 3), (count, 3, 2), (count,)):
            raise MaquetteError(
                "bad-surface",
                f"A surface has frames of shapes {shapes}, which don't belong together.",
                "Give corners [n, 3, 3], uvs [n, 3, 2] and objects [n].",
            )
        if not count:
            raise MaquetteError(
                "no-faces", "There is no face to texture.", "Select a mesh that has faces."
            )
        if not (np.isfinite(self.corners).all() and np.isfinite(self.uvs).all()):
            raise MaquetteError(
                "bad-surface",
                "The model has vertices or UVs that are not numbers.",
                "Undo what made them, or give the model another UV map.",
            )

    def normals(self) -> NDArray[np.float64]:
        """[n, 3] unit normals of the triangles; zero where a triangle has no area."""
        first, second, third = self.corners.transpose(1, 2, 0)
        # Coordinate by coordinate, which is much faster than np.cross.
        along, up = (np.subtract(each, first, order="C") for each in (second, third))
        across = along[[1, 2, 0]] * up[[2, 0, 1]] - along[[2, 0, 1]] * up[[1, 2, 0]]
        length = np.sqrt((across**2).sum(0))
        return np.divide(across, length, out=np.zeros_like(across), where=length > 0).T

    def within_tiles(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """For each triangle the place of its tile in `tiles`, -1 where it lies in none, and its
        UVs [n, 3, 2] in that tile."""
        squares = np.array(self.tiles) - FIRST_TILE
        if len(squares) == 1:
            own = np.zeros(len(self.uvs), np.int64)
        else:
            across, up = np.floor(self.uvs.mean(1)).astype(np.int64).T
            own = np.full(len(self.uvs), -1)
            for place, square in enumerate(squares):
                own[(up * ROW + across == square) & (across >= 0) & (across < ROW)] = place
        corner = np.stack([squares[own] % ROW, squares[own] // ROW], 1)
        return own, self.uvs - corner[:, None]


def read_surface(path: Path) -> tuple[Surface, list[str], list[str]]:
    """What the extension wrote: the surface, its objects' names, and what was left out as ground.

    Raises MaquetteError("bad-surface").
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            named = json.loads(file["named"].tobytes())
            tiles = tuple(map(int, named["tiles"]))
            surface = Surface(file["corners"], file["uvs"], file["objects"], tiles)
        return surface, list(named["names"]), list(named["left_out"])
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise MaquetteError(
            "bad-surface", f"The surface in {path} can't be read: {error}.", "Capture it again."
        ) from error


def of_wire(surface: maquette_wire.surface.Surface) -> Surface:
    """The surface that a job brings. Raises MaquetteError("bad-surface", "no-faces")."""
    counts = surface.texture.objects
    return Surface(
        np.asarray(surface.corners).astype(np.float64) + surface.texture.origin,
        np.asarray(surface.uvs).astype(np.float64),
        np.repeat(np.arange(len(counts), dtype=np.int32), counts),
        surface.texture.tiles,
    )


def to_wire(
    surface: Surface,
    size: int,
    bits: Literal[8, 16] = 8,
    *,
    painted: int | None = None,
    even: bool = False,
) -> maquette_wire.surface.Surface:
    """The surface as a job brings it, for a texture of `size` with so many `bits`; objects are in
    the order of their numbers. painted, even: see `Texture`."""
    low, high = surface.corners.min((0, 1)), surface.corners.max((0, 1))
    origin = (low + high) / 2
    order = np.argsort(surface.objects, kind="stable")
    counts = np.bincount(surface.objects)
    texture = Texture(
        size=size,
        objects=tuple(int(count) for count in counts if count),
        origin=(float(origin[0]), float(origin[1]), float(origin[2])),
        tiles=surface.tiles,
        bits=bits,
        painted=painted,
        even=even,
    )
    return maquette_wire.surface.Surface(
        texture,
        np.ascontiguousarray((surface.corners[order] - origin).astype(np.float32)),
        np.ascontiguousarray(surface.uvs[order].astype(np.float32)),
    )
