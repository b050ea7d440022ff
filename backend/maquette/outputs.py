"""Results on disk: PNG files with their Recipe inside, under names that a person can tell apart."""

from __future__ import annotations

import contextlib
import glob
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from maquette_wire import metadata, png
from maquette_wire.errors import MaquetteError
from maquette_wire.limits import FIRST_TILE
from maquette_wire.messages import Result
from maquette_wire.recipe import Recipe
from maquette_wire.source import Source
from maquette_wire.view import View

from . import __version__

SOFTWARE = f"Maquette {__version__}"
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
    except FileExistsError as error:
        raise MaquetteError(
            "output-unusable", f"{folder} is a file.", "Name a folder with --output."
        ) from error
    except OSError as error:
        raise MaquetteError(
            "output-unusable",
            f"The folder {folder} can't be made: {error.strerror}.",
            "Name another one with --output.",
        ) from error
    return folder


def check_room(folder: Path, views: Iterable[View]) -> None:
    """See that pictures of these views can be written, before hours are spent on painting them.

    Raises MaquetteError("output-unusable").
    """
    check_space(folder, sum(view.width * view.height * 3 for view in views))


def check_space(folder: Path, needed: int) -> None:
    """See that pictures of so many bytes can be written; a PNG is rarely larger than its pixels.

    Raises MaquetteError("output-unusable").
    """
    try:
        free = shutil.disk_usage(folder).free
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise MaquetteError(
            "output-unusable",
            f"Nothing can be written into the folder {folder}: {error.strerror}.",
            "Make it writable, or name another one with --output.",
        ) from error
    if free < needed:
        raise MaquetteError(
            "output-unusable",
            f"The pictures may take {needed / 1e6:.1f} MB, and the disk of the folder {folder} has "
            f"{free / 1e6:.1f} MB left.",
            "Free some space, or name another folder with --output.",
        )


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
    sources: Sequence[Source] | None = None,
    prompt: bool = True,
    depth: bool = False,
) -> list[Path]:
    """Write a result's concepts and, on request, the depth that the model saw.

    Args:
        stem: what every name begins with.
        views: of the job, in their order.
        sources: of the views' captures, in the same order, where they are known.
        prompt: False leaves the prompt out of the files and of their names.

    Returns:
        The files in the order they were written: concepts, then depths.

    Raises MaquetteError("output-unusable") naming the file that can't be written.
    """
    concepts: list[Path] = []
    depths: list[Path] = []
    words = slug(result.recipe.prompt) if prompt else ""
    for header, frame in zip(result.frames, frames, strict=True):
        height, width = header.shape[:2]
        if header.name == "concept":
            picture = result.pictures[header.index]
            view = views[picture.view]
            parts = [stem, _part(view, stem), words, str(picture.seed)]
            text = metadata.texts(
                picture_recipe(result.recipe, picture.seed),
                view,
                None if sources is None else sources[picture.view].seen_from(folder),
                software=SOFTWARE,
                prompt=prompt,
            )
            target = concepts
        elif header.name == "encoded_depth" and depth:
            parts, text, target = [stem, _part(views[header.index], stem), "depth"], {}, depths
        else:
            continue
        path = free_name(folder, "-".join(part for part in parts if part))
        _write(path, frame, width, height, text)
        target.append(path)
    return concepts + depths


def write_concept(
    path: Path,
    frame: memoryview,
    recipe: Recipe,
    view: View,
    source: Source,
    *,
    prompt: bool = True,
) -> None:
    """Write one picture, uint8 [height, width, 3], over an older one, with all that made it.

    Args:
        source: as the picture is to tell of it.
        prompt: False leaves the prompt out of the file.

    Raises MaquetteError("output-unusable").
    """
    width, height = recipe.size or (view.width, view.height)
    text = metadata.texts(recipe, view, source, software=SOFTWARE, prompt=prompt)
    _write(path, frame, width, height, text)


def write_texture(
    folder: Path,
    stem: str,
    result: Result,
    frames: Sequence[memoryview],
    *,
    tiles: tuple[int, ...] = (FIRST_TILE,),
    prompt: bool = True,
) -> list[Path]:
    """Write a result's texture with its recipe, under a name that no file there begins with.

    Args:
        tiles: UDIM numbers of its pictures, which are in their names unless it is the first alone.
        prompt: False leaves the prompt out of the files.

    Returns a file for each tile. Raises MaquetteError("output-unusable").
    """
    name, number = stem, 2
    while any(folder.glob(f"{glob.escape(name)}.*")):
        name, number = f"{stem}-{number}", number + 1
    text = metadata.texts(result.recipe, software=SOFTWARE, prompt=prompt)
    paths = []
    for header, frame in zip(result.frames, frames, strict=True):
        if header.name == "texture":
            ending = "" if tiles == (FIRST_TILE,) else f".{tiles[header.index]}"
            paths.append(folder / f"{name}{ending}.png")
            height, width = header.shape[:2]
            bits = 8
            if header.dtype == "u2":
                bits, frame = 16, np.frombuffer(frame, "<u2").astype(">u2").data
            _write(paths[-1], frame, width, height, text, bits)
    return paths


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all. Raises MaquetteError("output-unusable")."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        hint = "Free some space or name another folder with --output, then run the command again."
        if isinstance(error, PermissionError):  # on Windows what a program has open stays
            hint = "Close it in other programs or make it writable, then run the command again."
        raise MaquetteError(
            "output-unusable", f"{path} can't be written: {error.strerror}.", hint
        ) from error


def write_folder(place: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files, by name, into a new folder: all of them or nothing; returns their paths.

    Raises MaquetteError("output-unusable").
    """
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    try:
        temporary.mkdir()
        for name, content in files.items():
            (temporary / name).write_bytes(content)
        temporary.rename(place)
    except OSError as error:
        with contextlib.suppress(OSError):  # the error that led here is the one to tell
            shutil.rmtree(temporary)
        raise MaquetteError(
            "output-unusable",
            f"The folder {place} can't be written: {error.strerror}.",
            "Free some space or name another folder with --output, then run the command again: "
            "the same recipe gives the same pictures.",
        ) from error
    return [place / name for name in files]


def _part(view: View, stem: str) -> str:
    """A view's part of a file's name; a picture's view is called as its file is."""
    part = slug(view.name) if view.name else ""
    return "" if part == stem else part


def _write(
    path: Path,
    pixels: memoryview,
    width: int,
    height: int,
    text: dict[str, str],
    bits: Literal[8, 16] = 8,
) -> None:
    try:
        png.write(path, pixels, width, height, text, bits=bits)
    except OSError as error:
        raise MaquetteError(
            "output-unusable",
            f"The picture {path} can't be written: {error.strerror}.",
            "Free some space or name another folder with --output, then run the command again: "
            "the same recipe gives the same picture.",
        ) from error
