"""The surface of a model as a texture sees it: triangles in the world and in UV space."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import maquette_wire.surface
import numpy as np
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Texture
from numpy.typing import NDArray


@dataclass(frozen=True)
class Surface:
    """Triangles of all objects that share one texture.

    Attributes:
        corners: float64 [n, 3, 3], world positions in metres, counter-clockwise seen from outside.
        uvs: float64 [n, 3, 2], in [0, 1] within the texture.
        objects: int32 [n], the number of the object that a triangle belongs to.
    """

    corners: NDArray[np.float64]
    uvs: NDArray[np.float64]
    objects: NDArray[np.int32]

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
                "Remove them (in Blender: Mesh > Clean Up, or a new UV map).",
            )

    def normals(self) -> NDArray[np.float64]:
        """[n, 3] unit normals of the triangles; zero where a triangle has no area."""
        first, second, third = np.moveaxis(self.corners, 1, 0)
        across = np.cross(second - first, third - first)
        length = np.linalg.norm(across, axis=1, keepdims=True)
        return np.divide(across, length, out=np.zeros_like(across), where=length > 0)


def read_surface(path: Path) -> tuple[Surface, list[str], list[str]]:
    """What the extension wrote: the surface, its objects' names, and what was left out as ground.

    Raises MaquetteError("bad-surface").
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            named = json.loads(file["named"].tobytes())
            surface = Surface(file["corners"], file["uvs"], file["objects"])
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
    )


def to_wire(surface: Surface, size: int) -> maquette_wire.surface.Surface:
    """The surface as a job brings it, for a texture of `size`; objects are in the order of their
    numbers."""
    low, high = surface.corners.min((0, 1)), surface.corners.max((0, 1))
    origin = (low + high) / 2
    order = np.argsort(surface.objects, kind="stable")
    counts = np.bincount(surface.objects)
    texture = Texture(
        size=size,
        objects=tuple(int(count) for count in counts if count),
        origin=(float(origin[0]), float(origin[1]), float(origin[2])),
    )
    return maquette_wire.surface.Surface(
        texture,
        np.ascontiguousarray((surface.corners[order] - origin).astype(np.float32)),
        np.ascontiguousarray(surface.uvs[order].astype(np.float32)),
    )
