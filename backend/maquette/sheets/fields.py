"""The settings that outputs differ in: what a page filters by and a poster has on its axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maquette_wire.recipe import Recipe

from .. import remote
from .rows import Row

Value = str | int | float | None
USUAL = Recipe(prompt="")


@dataclass(frozen=True)
class Field:
    """A setting by its name on the command line.

    ``spoken`` is what its values are called by in a caption, empty where a value speaks for itself:
    "seed 3", but "red brick library". ``unit`` follows a number, ``short`` makes a text fit for it.
    ``usual`` is a value that need not be told where all have it.
    """

    name: str
    title: str
    spoken: str
    value: Callable[[Row], Value]
    short: Callable[[str], str] = str
    unit: str = ""
    usual: Value = None

    def label(self, value: Value) -> str:
        """A value as a caption has it."""
        if value is None:
            return f"no {self.title.lower()}"
        text = self.short(value) if isinstance(value, str) else f"{value:.10g}{self.unit}"
        return f"{self.spoken} {text}".strip()

    def values(self, rows: Sequence[Row]) -> list[Value]:
        """The different values: numbers by size, texts as they appear, nothing at all last."""
        found = list(dict.fromkeys(self.value(row) for row in rows))
        numeric = all(value is None or not isinstance(value, str) for value in found)
        return sorted(
            found,
            key=lambda value: (
                value is None,
                value if numeric and isinstance(value, int | float) else 0,
            ),
        )


def _of_row(name: str) -> Callable[[Row], Value]:
    return lambda row: getattr(row, name)


def _of_recipe(name: str) -> Callable[[Row], Value]:
    return lambda row: getattr(row.recipe, name, None)


def _windows(kind: str) -> str:
    """Windows as a person calls them."""
    others = {"auto": "windows as prompted", "free": "the model's windows", "curtain wall": kind}
    return others.get(kind, f"{kind} windows")


def _lines(kind: str) -> str:
    """Lines as a person calls them."""
    others = {"none": "no lines", "lineart": "line art", "mlsd": "straight lines"}
    return others.get(kind, f"{kind} lines")


MAIN = (
    Field("source", "Source", "", _of_row("source"), lambda path: remote.place(path).stem or path),
    Field("view", "View", "", _of_row("view")),
    Field("frame", "Frame", "frame", _of_row("frame")),
    Field("prompt", "Prompt", "", _of_recipe("prompt")),
    Field("model", "Model", "", _of_recipe("model")),
    Field("seed", "Seed", "seed", _of_recipe("seed")),
)
FINE = (
    Field("geometry", "Geometry", "geometry", _of_recipe("geometry")),
    Field("steps", "Steps", "steps", _of_recipe("steps")),
    Field("guidance", "Guidance", "guidance", _of_recipe("guidance")),
    Field("sampler", "Sampler", "", _of_recipe("sampler")),
    Field("strength", "Strength", "strength", _of_recipe("strength")),
    Field("windows", "Windows", "", _of_recipe("windows"), _windows, usual=USUAL.windows),
    Field("storey", "Storey", "storey", _of_recipe("storey"), unit=" m", usual=USUAL.storey),
    Field("bay", "Bay", "bay", _of_recipe("bay"), unit=" m", usual=USUAL.bay),
    Field("lines", "Lines", "", _of_recipe("lines"), _lines),
    Field("lines_influence", "Lines influence", "lines hold", _of_recipe("lines_influence")),
    Field("depth_influence", "Depth influence", "depth holds", _of_recipe("depth_influence")),
)
FIELDS = (*MAIN, *FINE)
BY_NAME = {field.name: field for field in FIELDS}


def varying(rows: Sequence[Row]) -> list[Field]:
    """The fields that tell these rows apart.

    A fine setting that only follows another one, as strength follows geometry, is left out.
    """
    found: list[Field] = []
    for field in FIELDS:
        if len({field.value(row) for row in rows}) < 2:
            continue
        if field in MAIN or not any(_tells_the_same(field, other, rows) for other in found):
            found.append(field)
    return found


def _tells_the_same(field: Field, other: Field, rows: Sequence[Row]) -> bool:
    """Whether each value of one goes with one value of the other, both ways."""
    pairs = {(field.value(row), other.value(row)) for row in rows}
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
