"""Finished pictures: PNG files with their Recipe inside, and image datablocks made of them.

Files are written by a thread, as packing a large picture takes longer than a frame of the screen;
datablocks are made by the main thread.
"""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import msgspec
from maquette_wire import __version__, codecs, container, metadata, png
from maquette_wire.capture import Capture, captures_of
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.messages import Result, Submit
from maquette_wire.recipe import Recipe
from maquette_wire.submission import submission
from maquette_wire.view import View

RECIPE, VIEW, JOB, DEPTH = "maquette_recipe", "maquette_view", "maquette_job", "maquette_depth"
KEY = "maquette_picture"
"""Custom properties of a concept's image: Recipe and View as JSON, the job's name, the file with
the depth that the model saw, and the key of its entry in the gallery."""
SOFTWARE = f"Maquette {__version__}"
BESIDE = "//maquette/"
NAME_BYTES = 63
"""Blender's limit for a datablock's name up to 4.5."""


@dataclass(frozen=True)
class Saved:
    """A concept on disk.

    Attributes:
        depth: the file with the depth that the model saw.
        capture: the file with the capture that it was made of.
        key: of its entry in the gallery.
        made: when, as the gallery has it.
    """

    path: Path
    depth: Path | None
    recipe: Recipe
    view: View
    job: str
    capture: Path | None = None
    key: str = ""
    made: str = ""


def new_key() -> str:
    """A key that no other picture has."""
    return secrets.token_hex(8)


def date_of(seconds: float) -> str:
    """A time since the epoch as the gallery has it: it sorts, and people read it."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def folder_for(preference: str, blend: str, home: Home) -> Path:
    """The folder of a scene's pictures.

    Args:
        preference: the preferences' output folder; ``//`` stands for the folder of the .blend.
        blend: path of the .blend, empty where it was never saved.
    """
    preference = preference.strip() or BESIDE
    if not preference.startswith("//"):
        return Path(preference).expanduser()
    if not blend:
        return home.concepts
    return Path(blend).parent / preference[2:].replace("\\", "/")


def save(
    result: Result,
    frames: Sequence[memoryview],
    views: Sequence[View],
    folder: Path,
    fallback: Path,
    captures: Sequence[Capture] = (),
) -> list[Saved]:
    """Write a result's concepts, what the model saw, and the captures of the views where they are
    given; where ``folder`` can't be written to, into ``fallback``.

    Raises MaquetteError("output-unusable").
    """
    try:
        return _save(result, frames, views, folder, captures)
    except OSError:
        # A .blend from a read-only place, a full stick: the picture must not be lost for that.
        try:
            return _save(result, frames, views, fallback, captures)
        except OSError as error:
            raise MaquetteError(
                "output-unusable",
                f"The picture can't be saved in {folder} or {fallback}: {error.strerror}.",
                "Free some space or choose another output folder in the preferences; the server "
                "keeps the picture until then.",
            ) from error


def _save(
    result: Result,
    frames: Sequence[memoryview],
    views: Sequence[View],
    folder: Path,
    captures: Sequence[Capture],
) -> list[Saved]:
    folder.mkdir(parents=True, exist_ok=True)
    by_name = {
        (header.name, header.index): (header, frame)
        for header, frame in zip(result.frames, frames, strict=True)
    }
    saved = []
    depths: dict[int, Path] = {}
    kept: dict[int, Path] = {}
    made = date_of(time.time())
    for index, picture in enumerate(result.pictures):
        view = views[picture.view]
        recipe = msgspec.structs.replace(result.recipe, seed=picture.seed, count=1)
        stem = "-".join(filter(None, ["concept", slug(view.name), f"seed{picture.seed}"]))
        if picture.view not in depths and ("encoded_depth", picture.view) in by_name:
            header, frame = by_name["encoded_depth", picture.view]
            path = depths[picture.view] = free_name(folder, f"{stem}-depth")
            png.write(path, frame, header.shape[1], header.shape[0])
        if picture.view not in kept and captures:
            path = kept[picture.view] = free_name(folder, f"{stem}-capture", container.SUFFIX)
            write_capture(path, captures[picture.view], recipe)
        header, frame = by_name["concept", index]
        text = metadata.texts(recipe, view, software=SOFTWARE)
        path = free_name(folder, stem)
        png.write(path, frame, header.shape[1], header.shape[0], text)
        depth, capture = depths.get(picture.view), kept.get(picture.view)
        saved.append(
            Saved(path, depth, recipe, view, result.job, capture, key=new_key(), made=made)
        )
    return saved


def write_capture(path: Path, capture: Capture, recipe: Recipe) -> None:
    """Keep what a picture was made of, as small as this Python can make it. Raises OSError."""
    packet = submission(recipe, [capture])
    container.write(path, packet.message, packet.frames, codec=codecs.available()[-1])


def read_capture(path: Path) -> Capture:
    """What :func:`write_capture` wrote.

    Raises MaquetteError("bad-file", "no-codec", "bad-message") or OSError.
    """
    return captures_of(*container.read(path, kind=Submit))[0]


def slug(text: str, characters: int = 40) -> str:
    """A text as part of a file's name that every system takes."""
    return "-".join(re.findall(r"\w+", text.lower()))[:characters].strip("-")


def free_name(folder: Path, stem: str, suffix: str = ".png") -> Path:
    """``stem`` and suffix in the folder, numbered where that name is taken: nothing is replaced."""
    path, number = folder / f"{stem}{suffix}", 2
    while path.exists():
        path = folder / f"{stem}-{number}{suffix}"
        number += 1
    return path


def title(saved: Saved) -> str:
    """The datablock's name: "Concept – street – seed 12"."""
    ending = f" – seed {saved.recipe.seed}"
    name = f"Concept – {saved.view.name or 'viewport'}"
    room = NAME_BYTES - len(ending.encode())
    return name.encode()[:room].decode(errors="ignore") + ending


def load(saved: Saved) -> bpy.types.Image:
    """The image datablock of a concept, which Blender keeps as long as something uses it.

    Raises MaquetteError("bad-picture") where the file is gone.
    """
    try:
        image = bpy.data.images.load(relative(saved.path))
    except RuntimeError as error:
        raise MaquetteError(
            "bad-picture", f"The picture {saved.path} can't be opened.", "Restyle again."
        ) from error
    image.name = title(saved)
    image[RECIPE] = saved.recipe.to_json()
    image[VIEW] = msgspec.json.encode(saved.view).decode()
    image[JOB] = saved.job
    image[KEY] = saved.key
    if saved.depth is not None:
        image[DEPTH] = relative(saved.depth)
    return image


def load_texture(path: Path, recipe: Recipe, tiles: Sequence[int]) -> bpy.types.Image:
    """The image datablock of a texture; with tiles, not one plain picture, the path has ``<UDIM>``
    for their numbers. Raises MaquetteError("bad-picture")."""
    first = path.with_name(path.name.replace("<UDIM>", str(tiles[0])))
    try:
        image: Any = bpy.data.images.load(relative(first))
    except RuntimeError as error:
        raise MaquetteError(
            "bad-picture", f"The texture {first} can't be opened.", "Texture the model again."
        ) from error
    if first != path:
        image.source = "TILED"
        image.filepath = relative(path)
        there = {tile.number for tile in image.tiles}
        for number in tiles:
            if number not in there:
                image.tiles.new(tile_number=number)
        image.reload()
    ending = f" – seed {recipe.seed}"
    room = NAME_BYTES - len(ending.encode())
    image.name = f"Texture – {recipe.prompt}".encode()[:room].decode(errors="ignore") + ending
    image[RECIPE] = recipe.to_json()
    return image


def recipe_of_image(image: bpy.types.Image) -> Recipe:
    """The Recipe of a concept: the datablock's own, or the one in its file.

    Raises MaquetteError("no-recipe", "bad-recipe", "bad-picture").
    """
    stored = image.get(RECIPE)
    if isinstance(stored, str):
        return Recipe.from_json(stored)
    path = Path(bpy.path.abspath(image.filepath, library=image.library))
    if not image.filepath or not path.is_file():
        raise MaquetteError(
            "no-recipe",
            f"Maquette knows nothing about the image {image.name}.",
            "Choose a picture that Maquette made.",
        )
    return png.read_recipe(path)


def show(image: bpy.types.Image, window_manager: bpy.types.WindowManager) -> bool:
    """Show a picture in an image editor that is free for it: one that is empty or shows a render
    or another concept, and isn't pinned. False where there is none.
    """
    for area in free_editors(window_manager):
        area.spaces.active.image = image
        area.tag_redraw()
        return True
    return False


def free_editors(window_manager: bpy.types.WindowManager) -> Iterator[bpy.types.Area]:
    """The image editors that a concept may be shown in."""
    for window in window_manager.windows:
        for area in window.screen.areas:
            space = area.spaces.active
            if isinstance(space, bpy.types.SpaceImageEditor) and _is_free(area.ui_type, space):
                yield area


def _is_free(kind: str, space: bpy.types.SpaceImageEditor) -> bool:
    if kind != "IMAGE_EDITOR" or space.ui_mode != "VIEW" or space.use_image_pin:
        return False
    image = space.image
    return image is None or image.type == "RENDER_RESULT" or JOB in image


def absolute(text: str) -> str:
    """The path that a datablock's property leads to, without the detours that Blender makes after
    a Save As; empty for an empty one."""
    return os.path.normpath(bpy.path.abspath(text)) if text else ""


def relative(path: Path) -> str:
    """The path as the .blend should hold it: relative where it lies beside or below."""
    if bpy.data.filepath:
        base = Path(bpy.data.filepath).parent
        if path.is_relative_to(base):
            return "//" + path.relative_to(base).as_posix()
    return os.fspath(path)
