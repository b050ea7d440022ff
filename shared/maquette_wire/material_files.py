"""A material's folder: five maps as PNG, each of which says what it is.

The height map has 16 bits of grey, from the lowest to the highest place of the surface.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import metadata, png
from .errors import MaquetteError
from .material import MAPS, Material
from .recipe import Recipe

if TYPE_CHECKING:
    from typing_extensions import Buffer

ALBEDO, HEIGHT = "albedo", "height"
LEVELS = 65535
"""The height map's brightest value: a level is less than a thousandth of a millimetre for every
pattern's own relief."""


@dataclass(frozen=True)
class MaterialFiles:
    """A material on disk.

    Attributes:
        folder: with its maps.
        recipe: how it was painted; its prompt is empty where it was left out.
        material: what it is, with everything decided.
        heights: metres of the height map's black and white.
    """

    folder: Path
    recipe: Recipe
    material: Material
    heights: tuple[float, float]

    def path(self, name: str) -> Path:
        """The file of a map, named as in ``material.MAPS``."""
        return self.folder / file_of(name)


def file_of(name: str) -> str:
    """The name of a map's file."""
    return f"{name}.png"


def encode(
    maps: Mapping[str, Buffer],
    recipe: Recipe,
    material: Material,
    heights: tuple[float, float],
    *,
    software: str,
    prompt: bool = True,
) -> dict[str, bytes]:
    """A material's files by their names.

    Args:
        maps: all of ``material.MAPS``, uint8 as they come with a result; the height as big-endian
            uint16 [pixels, pixels], 0 at the first of ``heights`` and ``LEVELS`` at the second.
        material: as it came back with the result.
        prompt: False leaves the prompt out of the files.
    """
    files, side = {}, material.pixels
    for name in MAPS:
        said = metadata.MaterialMap(
            name=name, material=material, range=heights if name == HEIGHT else None
        )
        files[file_of(name)] = png.encode(
            maps[name],
            side,
            side,
            metadata.texts(recipe, of_material=said, software=software, prompt=prompt),
            bits=16 if name == HEIGHT else 8,
            linear=name != ALBEDO,
        )
    return files


def read(folder: Path) -> MaterialFiles:
    """The material in a folder, its maps' pixels apart.

    Raises MaquetteError("not-a-material") where one of its maps is missing or says nothing of a
    material, and what ``metadata.read`` raises.
    """
    missing = [file_of(name) for name in MAPS if not (folder / file_of(name)).is_file()]
    if missing:
        raise MaquetteError(
            "not-a-material",
            f"{folder} is no material's folder: {', '.join(missing)} is missing.",
            "Choose the albedo.png in a folder that Maquette made for a material.",
        )
    path = folder / file_of(HEIGHT)
    said = metadata.read(path)
    if said.of_material is None or said.of_material.range is None:
        raise MaquetteError(
            "not-a-material",
            f"{path} doesn't say which material it is of.",
            "Choose a material as Maquette wrote it: some programs drop the metadata when they "
            "save.",
        )
    return MaterialFiles(folder, said.recipe, said.of_material.material, said.of_material.range)
