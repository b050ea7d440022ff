"""The files of a texture: what it is made from, its views' pictures, and the texture itself.

Each texture has a folder of its own. It is begun when the job is, so that a result finds everything
it needs, also in another Blender after a crash, and so that a picture that the user retouches can
be baked again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from maquette_wire import container, metadata, png
from maquette_wire.capture import Capture, captures_of
from maquette_wire.errors import MaquetteError
from maquette_wire.limits import FIRST_TILE
from maquette_wire.messages import Result, Submit
from maquette_wire.packing import Packet
from maquette_wire.recipe import Recipe
from maquette_wire.submission import submission
from maquette_wire.surface import Surface, surface_of
from maquette_wire.view import View
from numpy.typing import NDArray

from .folders import new_folder
from .layers import Fit
from .pictures import read_pixels
from .results import SOFTWARE, slug

JOB, FIT, TEXTURE = "job.maquette", "fit.npz", "texture"
UDIM = "<UDIM>"


@dataclass(frozen=True)
class SavedTexture:
    """A texture on disk.

    Attributes:
        path: its file; with other tiles than the first alone `<UDIM>` stands for their numbers in
            it, as in Blender.
        recipe: what it was made with.
        tiles: UDIM numbers of its pictures.
    """

    path: Path
    recipe: Recipe
    tiles: tuple[int, ...]

    @property
    def folder(self) -> Path:
        return self.path.parent


def begin(folders: Sequence[Path], packet: Packet, fit: Fit) -> Path:
    """Make a texture's folder in the first of `folders` that takes it, with all that its job is
    made of.

    Raises MaquetteError("output-unusable").
    """

    stem = f"texture-{slug(packet.message.recipe.prompt)}"
    reason = ""
    for folder in folders:
        try:
            return new_folder(folder, stem, lambda own: _write_made(own, packet, fit))
        except OSError as error:
            reason = error.strerror or str(error)
    raise MaquetteError(
        "output-unusable",
        f"Nothing can be saved in {' or '.join(map(str, folders))}: {reason}.",
        "Free some space or choose another output folder in the preferences.",
    )


def keep(parent: Path, stem: str, packet: Packet, fit: Fit) -> Path:
    """Make the folder of a texture that is finished already and lies in ``parent``, so that it can
    be baked again: with what its job was made of and the pictures of its views, which are those
    that ``packet`` gives.

    Raises OSError.
    """
    submit = packet.message
    surface, pictures = surface_of(submit, packet.frames)
    made = submission(submit.recipe, captures_of(submit, packet.frames), surface)

    def fill(own: Path) -> None:
        _write_made(own, made, fit)
        for number, picture in pictures.items():
            _write_picture(own, number, picture, submit.recipe, submit.views)

    return new_folder(parent, stem, fill)


def _write_made(folder: Path, packet: Packet, fit: Fit) -> None:
    container.write(folder / JOB, packet.message, packet.frames)
    fit.write(folder / FIT)


def discard(folder: Path) -> None:
    """Remove a texture's folder where there is nothing in it but what `begin` wrote: its job was
    cancelled or failed before there was a picture."""
    try:
        if {path.name for path in folder.iterdir()} <= {JOB, FIT}:
            for name in (JOB, FIT):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()
    except OSError:
        pass  # a folder too many is in nobody's way


def save(
    result: Result, frames: Sequence[memoryview], views: Sequence[View], folder: Path
) -> list[SavedTexture]:
    """Write a result's pictures and texture. What is in the folder stays: an older texture, and a
    view's picture, which the user may have retouched.

    Raises MaquetteError("output-unusable").
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tiles = fit_of(folder).tiles
        saved = SavedTexture(_free_name(folder, tiles), result.recipe, tiles)
        for header, frame in zip(result.frames, frames, strict=True):
            if header.name == "concept":
                number = result.pictures[header.index].view
                if not picture_of(folder, number).exists():
                    _write_picture(folder, number, frame, result.recipe, views)
            elif header.name == "texture":
                height, width = header.shape[:2]
                text = metadata.texts(result.recipe, software=SOFTWARE)
                bits = 8
                if header.dtype == "u2":
                    bits, frame = 16, np.frombuffer(frame, "<u2").astype(">u2").data
                png.write(tile_of(saved, header.index), frame, width, height, text, bits=bits)
    except OSError as error:
        raise MaquetteError(
            "output-unusable",
            f"The texture can't be saved in {folder}: {error.strerror}.",
            "Free some space there; the server keeps the texture until then.",
        ) from error
    return [saved]


def tile_of(saved: SavedTexture, place: int) -> Path:
    """The file of one of its tiles."""
    return saved.path.with_name(saved.path.name.replace(UDIM, str(saved.tiles[place])))


def _free_name(folder: Path, tiles: tuple[int, ...]) -> Path:
    """A name for a texture that no other has: none is ever replaced."""
    name, number = TEXTURE, 1
    while any(folder.glob(f"{name}.*")):
        number += 1
        name = f"{TEXTURE}-{number}"
    return folder / (f"{name}.png" if tiles == (FIRST_TILE,) else f"{name}.{UDIM}.png")


def picture_of(folder: Path, view: int) -> Path:
    """The file with a view's picture."""
    return folder / f"view-{view + 1}.png"


def _write_picture(
    folder: Path, number: int, pixels: Any, recipe: Recipe, views: Sequence[View]
) -> None:
    view = views[number]
    text = metadata.texts(recipe, view, software=SOFTWARE)
    png.write(picture_of(folder, number), pixels, view.width, view.height, text)


@dataclass(frozen=True)
class Made:
    """What a texture was made from."""

    recipe: Recipe
    captures: list[Capture]
    surface: Surface
    pictures: dict[int, NDArray[np.uint8]]


def read(folder: Path) -> Made:
    """What a texture was made from, with its views' pictures as they are now.

    Raises MaquetteError("no-texture", "bad-picture").
    """
    try:
        submit, buffers = container.read(folder / JOB, kind=Submit)
    except (OSError, MaquetteError) as error:
        raise MaquetteError(
            "no-texture",
            f"What this texture was made from can't be read from {folder / JOB}: "
            f"{getattr(error, 'strerror', None) or error}.",
            "Put the folder back where it was, or texture the model again.",
        ) from error
    surface, _given = surface_of(submit, buffers)
    if surface is None:
        raise MaquetteError(
            "no-texture", f"The job in {folder} is not a texture's.", "Texture the model again."
        )
    captures = captures_of(submit, buffers)
    pictures = {
        number: pixels_of(path, capture.view.width, capture.view.height)
        for number, capture in enumerate(captures)
        if (path := picture_of(folder, number)).is_file()
    }
    return Made(submit.recipe, captures, surface, pictures)


def saved_at(path: Path) -> SavedTexture:
    """A texture that was saved before.

    path: of any of its tiles. Raises MaquetteError("not-an-output", "not-a-texture", "no-texture")
    or OSError.
    """
    if png.VIEW_KEY in png.read_text(path):
        raise MaquetteError(
            "not-a-texture",
            f"{path.name} is a picture of one view.",
            "Choose the texture itself, or use Bake Again after changing such a picture.",
        )
    tiles = fit_of(path.parent).tiles
    name = path.name
    if tiles != (FIRST_TILE,):
        name = re.sub(r"\.\d{4}\.png$", f".{UDIM}.png", name)
    return SavedTexture(path.with_name(name), png.read_recipe(path), tiles)


def fit_of(folder: Path) -> Fit:
    """How a texture lies on its objects. Raises MaquetteError("no-texture")."""
    try:
        return Fit.read(folder / FIT)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise MaquetteError(
            "no-texture",
            f"{folder} does not say which objects this texture is for: {error}.",
            "Choose a texture in the folder that Maquette made for it, or texture the model again.",
        ) from error


def pixels_of(path: Path, width: int, height: int) -> NDArray[np.uint8]:
    """An image file as uint8 sRGB [height, width, 3], row 0 at the top.

    Raises MaquetteError("bad-picture").
    """
    found = read_pixels(path)
    if found.shape[:2] != (height, width):
        raise MaquetteError(
            "bad-picture",
            f"The picture {path} has {found.shape[1]} x {found.shape[0]} pixels, its view has "
            f"{width} x {height}.",
            "Save it at that size.",
        )
    return found
