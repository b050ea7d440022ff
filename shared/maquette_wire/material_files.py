"""A material's folder: five maps as PNG, each of which says what it is.

The height map has 16 bits of grey, from the lowest to the highest point of the surface; which
heights those are in metres stands in its texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from . import metadata, png
from .errors import MaquetteError
from .material import MAPS, Material
from .recipe import Recipe

if TYPE_CHECKING:
    from typing_extensions import Buffer

ALBEDO = "albedo"
LEVELS = 65535
"""The height map's brightest value."""


@dataclass(frozen=True)
class MaterialFiles:
    """A material on disk.

    Attributes:
        folder: with its maps.
        recipe: how it was painted; its prompt is empty where it was left out.
        material: what it is, with everything decided.
        heights: metres of the height map's darkest and brightest value.
    """

    folder: Path
    recipe: Recipe
    material: Material
    heights: tuple[float, float]

    def path(self, name: str) -> Path:
        """The file of a map, named as in ``material.MAPS``."""
        return path_of(self.folder, name)


def path_of(folder: Path, name: str) -> Path:
    """The file of a map in a material's folder."""
    return folder / f"{name}.png"


def write(
    folder: Path,
    maps: Mapping[str, Buffer],
    recipe: Recipe,
    material: Material,
    heights: tuple[float, float],
    *,
    software: str,
    prompt: bool = True,
) -> MaterialFiles:
    """Write a material's maps into a folder that is there.

    Args:
        maps: all of ``material.MAPS``, uint8 as they come with a result; the height as big-endian
            uint16 [pixels, pixels], 0 at the first of ``heights`` and ``LEVELS`` at the second.
        material: as it came back with the result.
        prompt: False leaves the prompt out of the files.

    Raises OSError.
    """
    texts = metadata.texts(recipe, software=software, prompt=prompt, material=material)
    for name in MAPS:
        own = dict(texts)
        if name == "height":
            own[png.HEIGHT_KEY] = msgspec.json.encode(heights).decode()
        png.write(path_of(folder, name), maps[name], material.pixels, material.pixels, own)
    return MaterialFiles(folder, recipe, material, heights)


def read(folder: Path) -> MaterialFiles:
    """The material in a folder, its maps' pixels apart.

    Raises MaquetteError("not-a-material") where one of its maps is missing or says nothing of a
    material, and what ``metadata.read`` raises.
    """
    missing = [path.name for name in MAPS if not (path := path_of(folder, name)).is_file()]
    if missing:
        raise MaquetteError(
            "not-a-material",
            f"{folder} is no material's folder: {', '.join(missing)} is missing.",
            "Choose the albedo.png in a folder that Maquette made for a material.",
        )
    found = metadata.read(path_of(folder, ALBEDO))
    heights = png.read_text(path_of(folder, "height")).get(png.HEIGHT_KEY, "")
    try:
        low, high = msgspec.json.decode(heights, type=tuple[float, float])
    except msgspec.MsgspecError as error:
        raise _unsaid(path_of(folder, "height")) from error
    if found.material is None:
        raise _unsaid(path_of(folder, ALBEDO))
    return MaterialFiles(folder, found.recipe, found.material, (low, high))


def _unsaid(path: Path) -> MaquetteError:
    return MaquetteError(
        "not-a-material",
        f"{path} doesn't say which material it is of.",
        "Choose a material as Maquette wrote it: some programs drop the metadata when they save.",
    )
