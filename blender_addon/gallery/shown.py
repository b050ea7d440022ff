"""Image datablocks of the gallery's pictures: made when one is shown or used, gone afterwards."""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import results
from ..gallery_settings import MaquettePicture
from ..properties import settings_of
from . import compare, entries


def image_of(scene: bpy.types.Scene, entry: MaquettePicture) -> bpy.types.Image:
    """The datablock of a picture, made where there is none.

    Raises MaquetteError as ``entries.saved_of`` does.
    """
    there = datablock(entry.name)
    return there if there is not None else results.load(entries.saved_of(scene, entry))


def datablock(key: str) -> bpy.types.Image | None:
    """The datablock of the picture with this key, where there is one."""
    return next((image for image in _own() if image[results.KEY] == key), None)


def entry_of(scene: bpy.types.Scene, image: bpy.types.Image | None) -> MaquettePicture | None:
    """The picture that a datablock shows, where it is one of this scene's gallery."""
    key = image.get(results.KEY) if image is not None else None
    return entries.get(scene, key) if key else None


def sweep() -> None:
    """Remove the datablocks that nothing shows or uses and the user didn't want to keep."""
    kept, seen = compare.keys(), _in_editors()
    loose = [
        image
        for image in bpy.data.images
        if image.get(results.KEY, "") not in ("", *kept)
        and image.library is None
        and not image.use_fake_user
        and image not in seen
    ]
    # An editor that showed a picture once counts as a user for ever: the map knows better.
    used = bpy.data.user_map(subset=loose) if any(each.users for each in loose) else {}
    for image in loose:
        if not used.get(image):
            bpy.data.images.remove(image)


def used_paths() -> set[str]:
    """The files of datablocks that something in the .blend uses beside the gallery."""
    own = _own()
    used = bpy.data.user_map(subset=own) if own else {}
    last = {settings_of(scene).last_result for scene in bpy.data.scenes}
    return {results.absolute(image.filepath) for image in own if used.get(image) or image in last}


def needed_paths() -> set[str]:
    """The files that this .blend has: of its galleries, and of images of pictures."""
    pictures = {
        str(path) for scene, entry in entries.every() for path in entries.files_of(scene, entry)
    }
    return pictures | {
        results.absolute(image.filepath)
        for image in bpy.data.images
        if image.library is None and results.JOB in image and image.filepath
    }


def forget(keys: set[str]) -> None:
    """These pictures are gone: their datablocks go as well, where nothing uses them."""
    for image in _own():
        if image[results.KEY] in keys:
            image[results.KEY] = entries.DISMISSED
            image.use_fake_user = False
            if not bpy.data.user_map(subset=[image]).get(image) and image not in _in_editors():
                bpy.data.images.remove(image)


def point_to(places: dict[str, str]) -> None:
    """Files lie elsewhere now: datablocks of pictures read them there."""
    for image in _own():
        path = results.absolute(image.filepath)
        depth = results.absolute(image.get(results.DEPTH, ""))
        if path in places:
            image.filepath = results.relative(Path(places[path]))
        if depth in places:
            image[results.DEPTH] = results.relative(Path(places[depth]))


def _own() -> list[bpy.types.Image]:
    """The datablocks that have an entry in a gallery."""
    return [
        image
        for image in bpy.data.images
        if image.library is None and image.get(results.KEY, entries.DISMISSED) != entries.DISMISSED
    ]


def _in_editors() -> set[bpy.types.Image]:
    return {
        space.image
        for screen in bpy.data.screens
        for area in screen.areas
        for space in area.spaces
        if isinstance(space, bpy.types.SpaceImageEditor) and space.image is not None
    }
