"""Results on disk: PNG files with their Recipe inside, under names that a person can tell apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
from maquette_wire import png
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Result
from maquette_wire.recipe import Recipe
from maquette_wire.view import View

from . import __version__

SLUG_WORDS = 5
SLUG_CHARACTERS = 48


def slug(text: str, words: int = SLUG_WORDS) -> str:
    """The first words of a text as part of a file's name, in any script."""
    found = re.findall(r"\w+", text)[:words]
    return "-".join(found)[:SLUG_CHARACTERS].strip("-_") or "untitled"


def free_name(folder: Path, stem: str, suffix: str = ".png") -> Path:
    """``stem`` in ``folder``, numbered where that name is taken: no picture is ever replaced."""
    path = folder / f"{stem}{suffix}"
    number = 2
    while path.exists():
        path = folder / f"{stem}-{number}{suffix}"
        number += 1
    return path


def prepared(folder: Path) -> Path:
    """Make the folder for results. Raises MaquetteError("output-unusable")."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MaquetteError(
            "output-unusable",
            f"The folder {folder} can't be made: {error.strerror}.",
            "Name another one with --output.",
        ) from error
    return folder


def picture_recipe(recipe: Recipe, seed: int) -> Recipe:
    """The recipe that makes this one picture of a job again."""
    return msgspec.structs.replace(recipe, seed=seed, count=1)


def write_result(
    result: Result,
    frames: Sequence[memoryview],
    folder: Path,
    stem: str,
    views: Sequence[View],
    *,
    depth: bool = False,
) -> list[Path]:
    """Write a result's concepts and, on request, the depth that the model saw.

    Args:
        stem: what every name begins with.
        views: of the job, in their order.

    Returns:
        The files in the order they were written: concepts, then depths.

    Raises MaquetteError("output-unusable") naming the file that can't be written.
    """
    concepts: list[Path] = []
    depths: list[Path] = []
    words = slug(result.recipe.prompt)
    for header, frame in zip(result.frames, frames, strict=True):
        height, width = header.shape[:2]
        if header.name == "concept":
            picture = result.pictures[header.index]
            view = views[picture.view]
            parts = [stem, _part(view, stem), words, str(picture.seed)]
            text = {
                png.RECIPE_KEY: picture_recipe(result.recipe, picture.seed).to_json(),
                png.VIEW_KEY: msgspec.json.encode(view).decode(),
                "Software": f"Maquette {__version__}",
            }
            target = concepts
        elif header.name == "encoded_depth" and depth:
            parts, text, target = [stem, _part(views[header.index], stem), "depth"], {}, depths
        else:
            continue
        path = free_name(folder, "-".join(part for part in parts if part))
        _write(path, frame, width, height, text)
        target.append(path)
    return concepts + depths


def _part(view: View, stem: str) -> str:
    """A view's part of a file's name; a picture's view is called as its file is."""
    part = slug(view.name) if view.name else ""
    return "" if part == stem else part


def _write(path: Path, pixels: memoryview, width: int, height: int, text: dict[str, str]) -> None:
    try:
        png.write(path, pixels, width, height, text)
    except OSError as error:
        raise MaquetteError(
            "output-unusable",
            f"The picture {path} can't be written: {error.strerror}.",
            "Free some space or name another folder with --output; the server keeps the result.",
        ) from error
