"""Lays a texture on a copy of a file without a window, for the command line.

``blender -b SCENE.blend --command maquette_texture --surface FILE --texture PNG --output COPY``
saves the file that is open under another name, with a texture on the surface that
``maquette_capture --surface`` wrote of it. The file itself stays as it is. With ``--job`` what the
texture was made of is kept beside it, so that it can be baked again. With the ``bpy`` module,
``main`` does the same.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import bpy
import numpy as np
from maquette_wire import container
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Submit
from maquette_wire.png import read_recipe

from . import layers, textures
from .command import say
from .command_words import texture_parser
from .models import open_model
from .notices import listed
from .results import load_texture
from .textures import UDIM


def main(argv: Sequence[str]) -> int:
    """Run the command on the file that is open; returns the exit status.

    An error is one line on standard error that starts with ``maquette:``.
    """
    try:
        arguments = texture_parser().parse_args(argv)
        if arguments.model is not None:
            open_model(arguments.model, arguments.up, arguments.unit, lambda _sentence: None)
        _save_with_texture(arguments)
    except MaquetteError as error:
        say(str(error))
        return 1
    return 0


def _save_with_texture(arguments: argparse.Namespace) -> None:
    fit, bare = _fit(arguments.surface)
    image = _image(arguments.texture, fit.tiles)
    kept = None
    if fit.names:
        layer, _missing = layers.put_on(fit, image)
        layers.light(layer, not arguments.unlit)
        if arguments.job is not None:
            kept = _kept(arguments.job, arguments.texture[0].resolve(), fit)
            layers.set_folder(layer, kept.name)
    if bare:
        say(
            f"Without the texture in {arguments.output.name}: {listed(bare)}. Instances, curves, "
            "texts and objects of other files can't carry one there; the .glb has it on them."
        )
    try:
        # Relative paths, the texture's among them, are made to fit where the copy is.
        bpy.ops.wm.save_as_mainfile(
            filepath=str(arguments.output), copy=True, relative_remap=True, check_existing=False
        )
    except RuntimeError as error:
        if kept is not None:
            shutil.rmtree(kept, ignore_errors=True)
        reason = str(error).strip().splitlines()[-1].removeprefix("Error: ").rstrip(".")
        raise MaquetteError(
            "output-failed",
            f"The scene could not be saved as {arguments.output}: {reason}.",
            "Choose a folder that exists and has room.",
        ) from error
    if kept is not None:
        say(f"Retouch the views' pictures in {kept} and press Bake Again in Blender.")


def _kept(job: Path, texture: Path, fit: layers.Fit) -> Path:
    """The folder beside a texture that has what it was made of. Raises MaquetteError."""
    try:
        packet = container.read(job, kind=Submit)
        return textures.keep(texture.parent, texture.name.partition(".")[0], packet, fit)
    except OSError as error:
        raise MaquetteError(
            "output-failed",
            f"What the texture was made of could not be kept in {texture.parent}: "
            f"{error.strerror or error}.",
            "Choose a folder that exists and has room.",
        ) from error


def _fit(path: Path) -> tuple[layers.Fit, list[str]]:
    """How the texture lies on the objects that can have a layer, and the names of the others."""
    try:
        with np.load(path, allow_pickle=False) as file:
            named = json.loads(file["named"].tobytes())
            uvs = file["loop_uvs"]
        names, counts, layered = (named[key] for key in ("names", "loop_counts", "layered"))
        parts = np.split(uvs, np.cumsum(counts)[:-1])
        kept = [number for number, can in enumerate(layered) if can]
        fit = layers.Fit(
            [names[number] for number in kept],
            [counts[number] for number in kept],
            np.concatenate([parts[number] for number in kept] or [uvs[:0]]),
            tuple(named["tiles"]),
        )
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise MaquetteError(
            "bad-surface", f"The surface in {path} can't be read: {error}.", "Capture it again."
        ) from error
    bare = [
        f"instances of {name}" if name in fit.names else name
        for name, can in zip(names, layered, strict=True)
        if not can
    ]
    return fit, list(dict.fromkeys(bare))


def _image(paths: Sequence[Path], tiles: tuple[int, ...]) -> bpy.types.Image:
    if len(paths) != len(tiles):
        raise MaquetteError(
            "bad-arguments",
            f"The surface has {len(tiles)} tiles, and {len(paths)} textures were given.",
            "Give one for each.",
        )
    first = paths[0].resolve()
    if not first.is_file():
        raise MaquetteError("no-texture", f"There is no file {first}.", "Correct its name.")
    name = first.name
    if name.endswith(f".{tiles[0]}.png"):
        name = name.removesuffix(f"{tiles[0]}.png") + f"{UDIM}.png"
    image = load_texture(first.with_name(name), read_recipe(first), tiles)
    if bpy.data.filepath:
        # On another drive its whole path is the only one.
        with contextlib.suppress(ValueError):
            image.filepath = bpy.path.relpath(image.filepath)
    return image
