"""Prompts in a file: one a line, or a table whose columns are fields of the recipe."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Lines, Recipe, Windows

SUFFIXES = (".txt", ".csv")
DELIMITERS = (",", ";", "\t")
"""Between the cells of a table; programs in countries with decimal commas write semicolons."""
KINDS: dict[str, tuple[str, ...]] = {"windows": get_args(Windows), "lines": get_args(Lines)}
WHOLE = ("seed", "steps")
WORDS = ("prompt", "negative_prompt", "model", "sampler", *KINDS)
"""Columns that hold whole numbers, and those that hold none; all others hold any."""
BREAK = re.compile(r"\s*[\r\n]+\s*")


def is_file(text: str) -> bool:
    """Whether a text names a file of prompts rather than being one."""
    return Path(text).suffix.lower() in SUFFIXES and "\n" not in text


def rows_of(path: Path, axes: Sequence[str]) -> list[dict[str, Any]]:
    """Fields of the recipe, by prompt.

    Args:
        axes: fields that a table may have beside the prompt.

    Raises MaquetteError("bad-table").
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _bad(path, f"can't be read: {error.strerror}", "Correct its name.") from error
    except UnicodeDecodeError as error:
        hint = "Save it as UTF-8, a table in Excel as 'CSV UTF-8'."
        raise _bad(path, "is not UTF-8 text", hint) from error
    if path.suffix.lower() == ".csv":
        return _table(path, text, ("prompt", *axes))
    lines = [line.strip() for line in text.splitlines()]
    return [{"prompt": line} for line in lines if line and not line.startswith("#")]


def _table(path: Path, text: str, allowed: Sequence[str]) -> list[dict[str, Any]]:
    head = next(iter(text.splitlines()), "")
    delimiter = max(DELIMITERS, key=head.count)
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    try:
        heads = [name.strip().lower() for name in reader.fieldnames or ()]
        columns = [re.sub(r"[\s-]+", "_", name) for name in heads]
        reader.fieldnames = columns
        _check(path, columns, allowed)
        rows = [_row(path, reader.line_num, line, delimiter) for line in reader]
    except csv.Error as error:
        what = f"line {reader.line_num + 1} has a quote too many or too few"  # it begins there
        raise _bad(path, what, 'Write quotes within a text twice: "an ""old"" hall".') from error
    return [row for row in rows if row]


def _check(path: Path, columns: Sequence[str], allowed: Sequence[str]) -> None:
    if "prompt" not in columns:
        what = f"has the columns {', '.join(columns) or '(none)'} and no 'prompt'"
        raise _bad(path, what, "Give each column a name in its first line.")
    if unknown := [name for name in columns if name not in allowed]:
        hint = f"Use {', '.join(allowed)}."
        raise _bad(path, f"has an unknown column {unknown[0]!r}", hint)
    if doubled := [name for name in columns if columns.count(name) > 1]:
        raise _bad(path, f"has the column {doubled[0]!r} twice")


def _row(path: Path, number: int, line: dict[str | Any, Any], delimiter: str) -> dict[str, Any]:
    """What a line says; nothing where it is empty."""
    if None in line:
        hint = "Put quotes around a text with commas." if delimiter == "," else "Correct it."
        raise _bad(path, f"line {number} has more cells than there are columns", hint)
    cells = {name: (cell or "").strip() for name, cell in line.items()}
    given = {name: BREAK.sub(" ", cell) for name, cell in cells.items() if cell}
    if given and not cells["prompt"]:
        raise _bad(path, f"line {number} has no prompt")
    return {name: _value(path, number, name, cell, delimiter) for name, cell in given.items()}


def _value(path: Path, number: int, name: str, cell: str, delimiter: str) -> Any:
    if delimiter != "," and name not in WORDS and re.fullmatch(r"-?\d+,\d+", cell):
        cell = cell.replace(",", ".")
    try:
        # Cells are text; the recipe's types say what they are read as.
        recipe = msgspec.convert({"prompt": "", name: cell}, Recipe, strict=False)
    except msgspec.ValidationError as error:
        number_like = "a whole number" if name in WHOLE else "a number like 0.5"
        hint = f"Use {', '.join(KINDS[name])}." if name in KINDS else f"Write {number_like}."
        what = f"line {number} is not right: the {name} can't be {cell!r}"
        raise _bad(path, what, hint) from error
    return getattr(recipe, name)


def _bad(path: Path, what: str, hint: str = "Correct it.") -> MaquetteError:
    return MaquetteError("bad-table", f"{path} {what}.", hint)
