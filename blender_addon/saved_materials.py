"""Materials on disk: a folder for each, with its maps, made of a result or read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from maquette_wire import material_files
from maquette_wire.errors import MaquetteError
from maquette_wire.material import MAPS
from maquette_wire.material_files import MaterialFiles
from maquette_wire.messages import Result
from numpy.typing import NDArray

from . import material_maps
from .folders import new_folder
from .pictures import read_pixels
from .results import SOFTWARE, slug

FOLDER = "materials"


@dataclass(frozen=True)
class SavedMaterial:
    """A material on disk, with what Blender shows of it before it has read the maps.

    Attributes:
        color: the albedo's mean in linear light.
        swatch: sRGB float32 [n, n, 4], row 0 at the bottom.
    """

    files: MaterialFiles
    color: tuple[float, float, float]
    swatch: NDArray[np.float32]

    @property
    def path(self) -> Path:
        return self.files.path(material_files.ALBEDO)


def save(
    result: Result, frames: Sequence[memoryview], folder: Path, fallback: Path
) -> list[SavedMaterial]:
    """Write a result's maps into a folder of their own in ``folder``; where that can't be written
    to, in ``fallback``.

    Raises MaquetteError("output-unusable", "bad-message").
    """
    try:
        return [_save(result, frames, folder)]
    except OSError:
        # As with concepts: nothing is lost for a read-only place.
        try:
            return [_save(result, frames, fallback)]
        except OSError as error:
            raise MaquetteError(
                "output-unusable",
                f"The material can't be saved in {folder} or {fallback}: {error.strerror}.",
                "Free some space or choose another output folder in the preferences; the server "
                "keeps the material until then.",
            ) from error


def read(albedo: Path) -> SavedMaterial:
    """The material whose albedo this is, or that another map is of, in a folder of its own.

    Raises MaquetteError("not-a-material", "bad-picture", ...) or OSError.
    """
    files = material_files.read(albedo.parent)
    color, normal, occlusion = (
        read_pixels(files.path(name)) for name in (material_files.ALBEDO, "normal", "occlusion")
    )
    return _saved(files, color, normal, occlusion[..., 0])


def _save(result: Result, frames: Sequence[memoryview], folder: Path) -> SavedMaterial:
    material = result.material
    maps: dict[str, Any] = {
        header.name: np.frombuffer(frame, "<f4" if header.dtype == "f4" else "u1").reshape(
            header.shape
        )
        for header, frame in zip(result.frames, frames, strict=True)
    }
    if material is None or maps.keys() != MAPS.keys():
        raise MaquetteError(
            "bad-message", "The server's material has not all of its maps.", "Update the server."
        )
    levels, heights = material_maps.levels_of(maps["height"])
    files = material_files.encode(
        {**maps, "height": levels}, result.recipe, material, heights, software=SOFTWARE
    )

    def fill(own: Path) -> None:
        for name, content in files.items():
            (own / name).write_bytes(content)

    own = new_folder(folder / FOLDER, slug(result.recipe.prompt) or "material", fill)
    written = MaterialFiles(own, result.recipe, material, heights)
    return _saved(written, maps["albedo"], maps["normal"], maps["occlusion"])


def _saved(
    files: MaterialFiles,
    albedo: NDArray[np.uint8],
    normal: NDArray[np.uint8],
    occlusion: NDArray[np.uint8],
) -> SavedMaterial:
    return SavedMaterial(
        files,
        material_maps.mean_color(albedo),
        material_maps.swatch(albedo, normal, occlusion, files.material),
    )
