"""What other runs have made at a batch's URL: by the manifest there, and by what pictures say.

A run on another machine knows neither this one's manifest nor its captures, so a picture is known
again by what it was made of: the bytes of its source, how that was captured, and the recipe.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from maquette_wire import metadata
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe
from maquette_wire.source import Source
from maquette_wire.view import View
from msgspec.structs import replace

from .. import remote
from ..samplers import canonical
from .records import Row, output_row

FILLED = (
    *("model_hash", "steps", "sampler", "guidance", "strength", "depth_influence"),
    *("lines", "lines_influence", "threads"),
)
"""Fields of a recipe that are filled in where nothing is asked."""


class Elsewhere:
    """Pictures at a URL that another run made.

    Args:
        rows: of those that are there and done.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows = {row["file"]: row for row in rows}
        self._alike: dict[tuple[Any, ...], list[Row]] = {}
        self._claimed: set[str] = set()
        for row in self.rows.values():
            source, recipe = _source(row), _recipe(row)
            if source is not None and recipe is not None:
                for made_of in (_bytes_of(source), _name_of(source)):
                    key = _key(made_of, tuple(row.get("size", ())), recipe)
                    self._alike.setdefault(key, []).append(row)

    def claim(self, source: Source, view: View, recipe: Recipe) -> Row | None:
        """A picture of a source as it is, by a recipe, once; None where there is none."""
        return self._claim(_bytes_of(source), view, recipe)

    def claim_older(self, source: Source, view: View, recipe: Recipe) -> Row | None:
        """Likewise of a source that is called the same, and was another then."""
        return self._claim(_name_of(source), view, recipe)

    def _claim(self, made_of: Source, view: View, recipe: Recipe) -> Row | None:
        for row in self._alike.get(_key(made_of, (view.width, view.height), recipe), ()):
            made = _recipe(row)
            if row["file"] not in self._claimed and made is not None and _fulfils(made, recipe):
                self._claimed.add(row["file"])
                return row
        return None

    def is_another(self, file: str, recipe: Recipe) -> bool:
        """Whether a file there is of another recipe, so that its name is not free."""
        made = _recipe(self.rows.get(file, {}))
        return made is not None and not _fulfils(made, recipe)


def rows_of_lines(text: str, files: Iterable[str]) -> list[Row]:
    """Done outputs of a manifest.jsonl whose files are there; what is no line of one is left out:
    its picture says the same."""
    there, rows = set(files), []
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and row.get("state") == "done" and row.get("file") in there:
            rows.append(row)
    return rows


def row_of_picture(path: Path) -> Row | None:
    """The row of a picture by what it says itself; None where it is none of a batch."""
    try:
        said = metadata.read(path)
    except MaquetteError:
        return None
    if said.source is None or said.view is None or said.prompt_left_out:
        return None
    return output_row(
        state="done",
        file=path.name,
        source=said.source.by_name(),
        view=said.view,
        recipe=said.recipe,
    )


def _source(row: Row) -> Source | None:
    try:
        return msgspec.convert(row.get("captured"), Source)
    except msgspec.ValidationError:
        return None


def _recipe(row: Row) -> Recipe | None:
    try:
        return msgspec.convert(row.get("recipe"), Recipe)
    except msgspec.ValidationError:
        return None


def _bytes_of(source: Source) -> Source:
    """A source by what its files hold, wherever they are. The capture doesn't count: another
    Blender rounds otherwise."""
    return replace(source, file="", capture="", depth=None)


def _name_of(source: Source) -> Source:
    """A source by its name, whatever its files hold."""
    named = replace(source, file=remote.place(source.file).name, sha256="", capture="")
    return replace(named, depth=None, depth_sha256=None)


def _key(made_of: Source, size: tuple[int, ...], recipe: Recipe) -> tuple[Any, ...]:
    return made_of, size, recipe.prompt, recipe.negative_prompt, recipe.model, recipe.seed


def _fulfils(made: Recipe, asked: Recipe) -> bool:
    """Whether a finished recipe is one that was asked for, with what a model fills in."""
    filled = {name: getattr(made, name) for name in FILLED if getattr(asked, name) is None}
    if asked.sampler is not None and asked.sampler != made.sampler:
        try:
            filled["sampler"] = canonical(asked.sampler)
        except MaquetteError:
            return False
    return replace(asked, **filled) == made
