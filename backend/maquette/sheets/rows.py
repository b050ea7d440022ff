"""What there is to show: one Row for each output of a batch, or for each PNG that Maquette made."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from maquette_wire import png
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe
from maquette_wire.view import View

from .. import remote

MANIFEST = "manifest.jsonl"
"""A batch's record in its folder: one Row as JSON on each line."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One output; where it comes from a manifest, its line.

    Attributes:
        number: of the output in its batch.
        source: the model or picture that was restyled.
        view, frame: what of it was seen.
        source_picture, file: the plain render and the concept, relative to the folder of the rows.
        state: "done", "failed" or "waiting".
        error: why it failed, for a user.
        seconds: that it took.
        recipe: of this one output.
    """

    number: int | None = None
    source: str | None = None
    view: str | None = None
    frame: int | None = None
    source_picture: str | None = None
    file: str | None = None
    state: str = "done"
    error: str | None = None
    seconds: float | None = None
    recipe: Recipe | None = None


@dataclass
class Found:
    """The rows of a folder, or of several places, and what was left out of them.

    Attributes:
        folder: what the rows' paths are relative to.
        without_recipe: how many PNGs have no recipe inside.
        unreadable: a sentence for each picture or line that can't be read.
    """

    folder: Path
    rows: list[Row] = field(default_factory=list)
    without_recipe: int = 0
    unreadable: list[str] = field(default_factory=list)


def rows_of(*places: Path) -> Found:
    """The outputs in folders and among PNG files, in the order given.

    A folder with a manifest.jsonl has the outputs that it lists; where two lines have the same
    number, the later one counts. Any other folder has its PNGs with a recipe inside, by name.

    Raises MaquetteError("no-pictures") where there is nothing to show, naming the way out.
    """
    for place in places:
        if not place.exists():
            raise MaquetteError(
                "no-pictures", f"There is no file or folder {place}.", "Correct its name."
            )
    found = Found(_common_folder(places))
    for place in places:
        if not place.is_dir():
            _add_pictures(found, [place])
        elif (place / MANIFEST).is_file():
            _add_manifest(found, place)
        else:
            names = (path for path in _entries(place) if path.suffix.lower() == ".png")
            _add_pictures(found, sorted(names, key=_natural))
    if not found.rows:
        raise MaquetteError("no-pictures", *_nothing(places, found))
    return found


def _common_folder(places: Sequence[Path]) -> Path:
    folders = [place if place.is_dir() else place.parent for place in places]
    if len(set(folders)) == 1:
        return folders[0]
    try:
        return Path(os.path.commonpath([folder.resolve() for folder in folders]))
    except ValueError as error:  # Windows: two drives
        raise MaquetteError(
            "no-pictures",
            "The pictures are on different drives, so that no page could link to them all.",
            "Make a sheet of each drive's pictures.",
        ) from error


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from (path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise MaquetteError(
            "no-pictures",
            f"The folder {folder} can't be read: {error.strerror}.",
            "Make it readable, or name another one.",
        ) from error


def _natural(path: Path) -> list[str | int]:
    """A key that sorts 2 before 10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def _add_pictures(found: Found, paths: Sequence[Path]) -> None:
    for path in paths:
        try:
            texts = png.read_text(path)
            if png.RECIPE_KEY not in texts:
                found.without_recipe += 1
                continue
            recipe = Recipe.from_json(texts[png.RECIPE_KEY])
        except MaquetteError as error:
            named = "" if str(path) in error.sentence else f"{path}: "
            found.unreadable.append(f"{named}{error.sentence}")
        except OSError as error:
            found.unreadable.append(f"{path} can't be read: {error.strerror}.")
        else:
            row = Row(
                number=len(found.rows) + 1,
                view=_view_name(texts.get(png.VIEW_KEY, "")),
                file=_relative(found.folder, path.parent, path.name),
                recipe=recipe,
            )
            found.rows.append(row)


def _view_name(text: str) -> str | None:
    try:
        return msgspec.json.decode(text, type=View).name or None
    except msgspec.MsgspecError:
        return None


def _add_manifest(found: Found, folder: Path) -> None:
    path = folder / MANIFEST
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise MaquetteError(
            "no-pictures", f"{path} can't be read: {error.strerror}.", "Make it readable."
        ) from error
    rows: dict[object, Row] = {}
    for count, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line, type=Row)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            found.unreadable.append(f"{path}: line {count} is no output: {error}.")
            continue
        rows[("line", count) if row.number is None else row.number] = msgspec.structs.replace(
            row,
            view=None if row.view == remote.place(row.source or "").stem else row.view,  # its own
            file=_relative(found.folder, folder, row.file),
            source_picture=_relative(found.folder, folder, row.source_picture),
        )
    found.rows += rows.values()


def _relative(base: Path, folder: Path, name: str | None) -> str | None:
    """A file of a folder as seen from ``base``."""
    if name is None or base == folder:
        return name
    return os.path.relpath(folder / name, base)


def _nothing(places: Sequence[Path], found: Found) -> tuple[str, str]:
    """Sentence and hint where no row was found."""
    where = str(places[0]) if len(places) == 1 else "what you named"
    if found.unreadable:
        more = f" {len(found.unreadable) - 1} more are like it." if found.unreadable[1:] else ""
        return f"{found.unreadable[0]}{more}", "Name a folder with pictures as Maquette wrote them."
    if found.without_recipe:
        return (
            f"None of the {found.without_recipe} PNG files in {where} has a recipe inside.",
            "Name pictures as Maquette wrote them: some programs drop the recipe when they save.",
        )
    return (
        f"There is neither a PNG nor a {MANIFEST} in {where}.",
        "Name a folder that Maquette wrote pictures into; its subfolders are not searched.",
    )
