"""The gallery's files, without Blender's data: a thread of the session works here."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from maquette_wire import container, metadata
from maquette_wire.errors import MaquetteError

from .. import results
from ..results import Saved


def saved_at(
    path: Path,
    depth: Path | None = None,
    capture: Path | None = None,
    job: str = "",
    key: str = "",
    made: str = "",
) -> Saved:
    """A concept's file with what it says of itself.

    Raises MaquetteError("picture-missing", "no-view", "no-recipe", "bad-recipe", "bad-picture").
    """
    try:
        said = metadata.read(path)
    except OSError as error:
        raise MaquetteError(
            "picture-missing",
            f"The picture {path} can't be read: {error.strerror}.",
            "Put the file back, or choose Find This Picture to say where it is now.",
        ) from error
    if said.view is None:
        raise MaquetteError(
            "no-view",
            f"{path.name} does not say where it was seen from.",
            "Choose a concept: a texture is seen from everywhere.",
        )
    return Saved(path, depth, said.recipe, said.view, job, capture, key, made)


def sizes_of(paths: Iterable[str]) -> dict[str, int]:
    """The bytes of each file that is there."""
    sizes = {}
    for path in paths:
        try:
            sizes[path] = Path(path).stat().st_size
        except OSError:
            continue  # gone, or behind a drive that isn't there: missing either way
    return sizes


def delete(paths: Iterable[str]) -> list[str]:
    """Delete files; returns what the system says of those that it doesn't."""
    refused = []
    for path in paths:
        try:
            Path(path).unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            refused.append(f"{path}: {error.strerror}")
    return refused


def concepts_in(folder: Path, known: set[str]) -> tuple[list[Saved], list[Path]]:
    """The concepts in a folder, the oldest first, and the PNG files that are damaged.

    Args:
        known: files that are in a gallery already.

    Raises OSError where the folder can't be read.
    """
    found, damaged = [], []
    dated = []
    for path in folder.glob("*.png"):
        if str(path) not in known and not path.name.startswith("."):
            dated.append((path.stat().st_mtime, path))
    for seconds, path in sorted(dated):
        beside = [path.with_name(f"{path.stem}-depth.png")]
        beside.append(path.with_name(f"{path.stem}-capture{container.SUFFIX}"))
        depth, capture = (each if each.is_file() else None for each in beside)
        made = results.date_of(seconds)
        try:
            found.append(saved_at(path, depth, capture, "", results.new_key(), made))
        except MaquetteError as error:
            if error.code in ("bad-picture", "picture-missing"):
                damaged.append(path)
            # Any other is a picture of another program, a depth map or a texture.
    return found, damaged


def copy_into(folder: Path, paths: Iterable[Path]) -> tuple[dict[Path, Path], list[str]]:
    """Copy files into a folder, under names that are free there.

    Returns old places to new ones, and what the system says of the files that it didn't copy.
    """
    places, refused = {}, []
    for path in paths:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            new = results.free_name(folder, path.stem, path.suffix)
            shutil.copy2(path, new)
        except OSError as error:
            refused.append(f"{path}: {error.strerror}")
        else:
            places[path] = new
    return places, refused
