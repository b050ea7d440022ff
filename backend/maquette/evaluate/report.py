"""The report of an evaluation: a table for the terminal, and a sheet to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from maquette_wire.capture import Capture
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..console import table

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_CELL = 192
_HEAD = 40
_LETTERS = 13


class Row(msgspec.Struct, frozen=True):
    """One figure of the model beside the same figure of others.

    renders: of the scenes' finished renders, which is as good as it gets; for responses, how often
        the judge is right about held-out renders.
    wrong: of the model's pictures held against another scene, which is what no following at all
        would give.
    """

    name: str
    model: float | None
    renders: float | None = None
    wrong: float | None = None


def rows_as_table(rows: Sequence[Row]) -> str:
    """The rows for a terminal."""

    def shown(value: float | None) -> str:
        return "" if value is None else f"{value:.3g}"

    heads = ("", "THIS MODEL", "FINISHED RENDERS", "WRONG SCENE")
    cells = [(row.name, shown(row.model), shown(row.renders), shown(row.wrong)) for row in rows]
    return table(heads, cells)


def write_sheet(
    path: Path,
    captures: Sequence[Capture],
    seen: Sequence[NDArray[np.uint8]],
    columns: Sequence[tuple[str, Sequence[NDArray[np.uint8]]]],
) -> None:
    """Captures down, prompts across: massing, what the model saw, then a picture of each prompt.

    seen: encoded depth [h, w] of each capture. columns: (prompt, a picture of each capture).
    """
    font = ImageFont.load_default(_LETTERS)
    heads = ["massing", "depth seen", *(prompt for prompt, _ in columns)]
    sheet = Image.new("RGB", (len(heads) * _CELL, _HEAD + len(captures) * _CELL), "white")
    draw = ImageDraw.Draw(sheet)
    for column, text in enumerate(heads):
        draw.multiline_text(
            (column * _CELL + 4, 4), _folded(text, draw, font), fill="black", font=font
        )
    for row, capture in enumerate(captures):
        pictures = [np.asarray(capture.color), seen[row], *(made[row] for _, made in columns)]
        for column, picture in enumerate(pictures):
            cell = Image.fromarray(picture).convert("RGB")
            cell.thumbnail((_CELL, _CELL), Image.Resampling.LANCZOS)
            if max(cell.size) < _CELL:
                ratio = _CELL / max(cell.size)
                cell = cell.resize((round(cell.width * ratio), round(cell.height * ratio)))
            sheet.paste(cell, (column * _CELL, _HEAD + row * _CELL))
    sheet.save(path, optimize=True)


def _folded(
    text: str, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> str:
    """A text on as many lines as a cell's width asks for."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font=font) > _CELL - 8 and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)
