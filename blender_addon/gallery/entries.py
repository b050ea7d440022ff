"""The entries of a scene's gallery: which pictures there are, and where their files lie.

An entry's paths are relative to the .blend where they can be. What they are relative to is kept
beside them, so that they lead to the same files in a scene that was appended to another file, and
while a file is saved in another folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import bpy
import msgspec
import numpy as np
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe
from maquette_wire.view import View

from .. import results
from ..gallery_settings import MaquetteGalleryView, MaquettePicture
from ..properties import settings_of
from ..results import Saved
from . import files

FILES = ("path", "depth", "capture")
"""The properties of an entry that name files."""
DISMISSED = "-"
"""Key of a datablock whose picture the user deleted for good."""


def editable() -> list[bpy.types.Scene]:
    """The scenes of this file that a gallery can be kept in: not those of a library."""
    return [scene for scene in bpy.data.scenes if scene.library is None]


def get(scene: bpy.types.Scene, key: str) -> MaquettePicture | None:
    """The entry with this key."""
    return settings_of(scene).pictures.get(key)


def add(scene: bpy.types.Scene, saved: Saved) -> MaquettePicture:
    """Give a picture its entry; one that it has already stays as it is."""
    settings = settings_of(scene)
    there = settings.pictures.get(saved.key)
    if there is not None:
        return there
    if not len(settings.pictures):
        settings.pictures_base = _blend_folder()
    entry = settings.pictures.add()
    entry.name = saved.key
    entry.title = f"{saved.view.name or 'Viewport'} – seed {saved.recipe.seed}"
    base = settings.pictures_base
    entry.path = _written(saved.path, base)
    entry.depth = _written(saved.depth, base) if saved.depth else ""
    entry.capture = _written(saved.capture, base) if saved.capture else ""
    entry.job = saved.job
    entry.camera = saved.view.name
    entry.prompt = saved.recipe.prompt
    entry.seed = str(saved.recipe.seed)
    entry.made = saved.made
    entry.width, entry.height = saved.recipe.size or (saved.view.width, saved.view.height)
    return entry


def remove(scene: bpy.types.Scene, keys: set[str]) -> None:
    """Take entries out; files stay."""
    pictures = settings_of(scene).pictures
    for index in reversed([i for i, entry in enumerate(pictures) if entry.name in keys]):
        pictures.remove(index)


def base_of(scene: bpy.types.Scene) -> str:
    """The folder that a scene's relative paths begin at; empty in a file that was never saved."""
    if scene.library is not None:
        return str(Path(os.path.normpath(bpy.path.abspath(scene.library.filepath))).parent)
    return settings_of(scene).pictures_base


def place(scene: bpy.types.Scene, text: str) -> Path | None:
    """The file that an entry's property names; None where it names none."""
    return Path(resolved(base_of(scene), text)) if text else None


def resolved(base: str, text: str) -> str:
    """The absolute path of what an entry says; empty where it says nothing."""
    return f"{base}/{text[2:]}".replace("/", os.sep) if text.startswith("//") else text


def files_of(scene: bpy.types.Scene, entry: MaquettePicture) -> list[Path]:
    """The files of a picture: itself, and what there is of its depth and its capture."""
    found = [place(scene, getattr(entry, name)) for name in FILES]
    return [path for path in found if path is not None]


def saved_of(scene: bpy.types.Scene, entry: MaquettePicture) -> Saved:
    """A picture with what its file says.

    Raises MaquetteError("picture-missing", "no-view", "no-recipe", "bad-recipe", "bad-picture").
    """
    path = place(scene, entry.path)
    assert path is not None, "every entry has a path"
    depth, capture = place(scene, entry.depth), place(scene, entry.capture)
    return files.saved_at(path, depth, capture, entry.job, entry.name, entry.made)


def shown(scene: bpy.types.Scene, view: MaquetteGalleryView) -> list[int]:
    """The places of the entries that the gallery shows now, the newest first."""
    pictures = settings_of(scene).pictures
    trashed, starred = (np.empty(len(pictures), bool) for _ in range(2))
    pictures.foreach_get("trashed", trashed)
    pictures.foreach_get("starred", starred)
    if view.shown == "TRASH":
        wanted = trashed
    else:
        wanted = ~trashed & starred if view.shown == "STARRED" else ~trashed
    places = np.flatnonzero(wanted)[::-1].tolist()
    words = view.search.lower().split()
    if not words:
        return places
    return [place for place in places if all(word in _text(pictures[place]) for word in words)]


def chosen(scene: bpy.types.Scene, view: MaquetteGalleryView) -> MaquettePicture | None:
    """The picture that the gallery's buttons are for: the one the user chose, else the newest."""
    pictures = settings_of(scene).pictures
    entry = pictures.get(view.chosen) if view.chosen else None
    if entry is not None:
        return entry
    places = shown(scene, view)
    return pictures[places[0]] if places else None


def compared(
    scene: bpy.types.Scene, view: MaquetteGalleryView, entry: MaquettePicture
) -> MaquettePicture | None:
    """The picture that one is compared with: the one the user marked, else the one before it from
    the same camera, else any other one from there."""
    pictures = settings_of(scene).pictures
    marked = pictures.get(view.marked) if view.marked else None
    if marked is not None and marked != entry:
        return marked
    own = pictures.find(entry.name)
    for place in (*range(own - 1, -1, -1), *range(own + 1, len(pictures))):
        each = pictures[place]
        if each.camera == entry.camera and not each.trashed:
            return each
    return None


def of_job(scene: bpy.types.Scene, job: str) -> list[MaquettePicture]:
    """The pictures of a job that aren't in the trash, in the order of their making."""
    pictures = settings_of(scene).pictures
    return [entry for entry in pictures if job and entry.job == job and not entry.trashed]


def total(scene: bpy.types.Scene) -> tuple[int, int]:
    """How many pictures a scene's gallery has, and how many more are in its trash."""
    pictures = settings_of(scene).pictures
    trashed = np.empty(len(pictures), bool)
    pictures.foreach_get("trashed", trashed)
    count = int(trashed.sum())
    return len(pictures) - count, count


def take_in() -> int:
    """Give an entry to each concept that has only a datablock, as an earlier version of the add-on
    left it, or as it came from another file. Returns how many there were.
    """
    known = {entry.name for scene in bpy.data.scenes for entry in settings_of(scene).pictures}
    count = 0
    for image in bpy.data.images:
        if image.library is not None or results.JOB not in image or results.RECIPE not in image:
            continue
        if image.get(results.KEY) in (DISMISSED, *known):
            continue
        scene, saved = _scene_of(image), saved_in(image)
        if scene is not None and saved is not None:
            image[results.KEY] = add(scene, saved).name
            count += 1
    return count


def rebase(folder: str, moved: bool = False) -> None:
    """Have all paths relative to the folder of the .blend.

    Args:
        folder: where the .blend is, or is about to be; empty where it is nowhere.
        moved: the file may have come there with its pictures: those that lie beside it count.
    """
    for scene in editable():
        settings = settings_of(scene)
        if settings.pictures_base == folder or not len(settings.pictures):
            continue
        old, settings.pictures_base = settings.pictures_base, folder
        for entry in settings.pictures:
            for name in FILES:
                text = getattr(entry, name)
                beside = moved and text.startswith("//") and Path(resolved(folder, text)).exists()
                if text and not beside:
                    setattr(entry, name, _written(Path(resolved(old, text)), folder))


def move(scene: bpy.types.Scene, places: dict[Path, Path]) -> None:
    """Files lie elsewhere now: old place to new one."""
    base = base_of(scene)
    for entry in settings_of(scene).pictures:
        for name in FILES:
            new = places.get(place(scene, getattr(entry, name)) or Path())
            if new is not None:
                setattr(entry, name, _written(new, base))


def every() -> Iterator[tuple[bpy.types.Scene, MaquettePicture]]:
    """All entries of the file's own scenes."""
    for scene in editable():
        for entry in settings_of(scene).pictures:
            yield scene, entry


def _text(entry: MaquettePicture) -> str:
    return f"{entry.prompt} {entry.camera} {entry.title} {entry.seed}".lower()


def _written(path: Path, base: str) -> str:
    if base and path.is_relative_to(base):
        return "//" + path.relative_to(base).as_posix()
    return str(path)


def _blend_folder() -> str:
    return str(Path(bpy.data.filepath).parent) if bpy.data.filepath else ""


def _scene_of(image: bpy.types.Image) -> bpy.types.Scene | None:
    """The scene whose last concept is of the same job; else the one that is open."""
    scenes: Sequence[bpy.types.Scene] = editable()
    for scene in scenes:
        last = settings_of(scene).last_result
        if last is not None and last.get(results.JOB) == image[results.JOB]:
            return scene
    open_one = bpy.context.scene
    return open_one if open_one in scenes else next(iter(scenes), None)


def saved_in(image: bpy.types.Image) -> Saved | None:
    """What a datablock says of its picture; None where that can't be read."""
    try:
        recipe = Recipe.from_json(image[results.RECIPE])
        view = msgspec.json.decode(image.get(results.VIEW, ""), type=View)
    except (MaquetteError, msgspec.MsgspecError, TypeError):
        return None
    path = Path(results.absolute(image.filepath))
    depth = image.get(results.DEPTH)
    try:
        made = results.date_of(path.stat().st_mtime)
    except OSError:
        made = ""
    return Saved(
        path=path,
        depth=Path(results.absolute(depth)) if depth else None,
        recipe=recipe,
        view=view,
        job=image[results.JOB],
        key=image.get(results.KEY) or results.new_key(),
        made=made,
    )
