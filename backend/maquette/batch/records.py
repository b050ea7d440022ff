"""A manifest as others read it: a line of JSON for each output, and the same as a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from maquette_wire.recipe import Recipe
from maquette_wire.source import Source
from maquette_wire.view import View

from .. import outputs
from .task import AXES

JSONL, CSV = "manifest.jsonl", "manifest.csv"

Row = dict[str, Any]
"""A line of manifest.jsonl."""


def write_rows(folder: Path, rows: Sequence[Row]) -> None:
    """Write the rows as JSON lines and as a table. Raises MaquetteError("output-unusable")."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    outputs.write_bytes(folder / JSONL, lines.encode())
    columns = ["number", "state", "file", "source", "view", "frame", "prompt", *AXES]
    columns += ["seconds", "error"]
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, columns, extrasaction="ignore")
    table.writeheader()
    table.writerows({**row, **(row["recipe"] or {})} for row in rows)
    outputs.write_bytes(folder / CSV, text.getvalue().encode("utf-8-sig"))  # for Excel


def output_row(
    *,
    state: str,
    file: str,
    source: Source,
    view: View,
    recipe: Recipe,
    number: int | None = None,
    picture: str | None = None,
    seconds: float | None = None,
    warnings: Sequence[str] = (),
    error: str | None = None,
) -> Row:
    """A line of manifest.jsonl. picture: file of the source's colour."""
    return {
        "number": number,
        "state": state,
        "file": file,
        "source": source.file,
        "source_sha256": source.sha256,
        "source_picture": picture,
        "view": view.name,
        "frame": source.frame,
        "seconds": seconds,
        "warnings": list(warnings),
        "error": error,
        "recipe": json.loads(recipe.to_json()),
        "captured": msgspec.to_builtins(source),
        "size": [view.width, view.height],
    }


def failed_row(source: str, error: str) -> Row:
    """Of a source that gave nothing, which has neither a number nor a recipe."""
    empty = dict.fromkeys(
        ("number", "file", "source_sha256", "source_picture", "view", "frame", "seconds", "recipe")
    )
    return {**empty, "state": "failed", "source": source, "warnings": [], "error": error}
