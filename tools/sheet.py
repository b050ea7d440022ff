"""A contact sheet: pictures on a grid of three columns, with captions, on paper white."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maquette.sheets.lettering import (
    INK,
    MEDIUM,
    MUTED,
    PAPER,
    REGULAR,
    RULE,
    SEMIBOLD,
    Type,
    wrap,
)
from PIL import Image, ImageDraw

WIDTH = 2400
MARGIN = 110
GUTTER = 44
COLUMNS = 3
COLUMN = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GUTTER) // COLUMNS


@dataclass(frozen=True)
class Tile:
    """A picture with its caption: a line in ink, wrapped where needed, and lines in grey."""

    picture: Image.Image
    caption: str
    details: tuple[str, ...] = ()


def blender_font(blender: Path) -> Path | None:
    """The Inter that Blender draws its interface with, beside the ``bpy`` of an interpreter."""
    found = sorted(blender.parent.parent.rglob("datafiles/fonts/Inter.woff2"))
    return found[0] if found else None


class _Page:
    """A page that grows downwards: ``y`` is where the next thing goes."""

    def __init__(self, letters: Type) -> None:
        self.letters = letters
        self.image = Image.new("RGB", (WIDTH, 20000), PAPER)
        self.draw = ImageDraw.Draw(self.image)
        self.y = MARGIN

    def text(self, x: int, y: int, text: str, size: int, weight: int = REGULAR, colour=INK) -> None:
        """One line, its ascender at ``y``."""
        face = self.letters.face(size, weight, text)
        self.draw.text((x, y), text, font=face, fill=colour, anchor="la")

    def paragraph(
        self, x: int, y: int, text: str, size: int, weight: int = REGULAR, colour=INK
    ) -> int:
        """Wrapped to a column; returns the ``y`` below it."""
        for line in wrap(text, self.letters.face(size, weight, text), COLUMN):
            self.text(x, y, line, size, weight, colour)
            y += round(size * 1.36)
        return y

    def tile(self, x: int, y: int, tile: Tile) -> int:
        """A picture in a column with its caption below; returns the ``y`` below it."""
        height = round(tile.picture.height * COLUMN / tile.picture.width)
        picture = tile.picture.convert("RGB").resize((COLUMN, height), Image.Resampling.LANCZOS)
        self.image.paste(picture, (x, y))
        y = self.paragraph(x, y + height + 26, tile.caption, 30, MEDIUM)
        y += 6
        for line in tile.details:
            y = self.paragraph(x, y, line, 25, REGULAR, MUTED)
        return y

    def row(self, tiles: Sequence[Tile]) -> None:
        bottoms = [
            self.tile(MARGIN + index * (COLUMN + GUTTER), self.y, tile)
            for index, tile in enumerate(tiles)
        ]
        self.y = max(bottoms) + 64

    def rule(self) -> None:
        self.draw.line((MARGIN, self.y, WIDTH - MARGIN, self.y), fill=RULE, width=2)
        self.y += 64


def contact_sheet(
    title: str,
    subtitle: str,
    concepts: Sequence[Tile],
    inputs: Sequence[Tile],
    notes: Sequence[tuple[str, str]],
    font: Path | None,
) -> Image.Image:
    """The sheet: title, concepts in rows of three, then the inputs with notes beside them.

    Args:
        inputs: at most two tiles; ``notes`` (heading, text) fill the last column beside them.
        font: a file of the Inter variable font, or None for one of the system's.
    """
    page = _Page(Type(font))
    page.text(MARGIN, page.y, title, 76, SEMIBOLD)
    page.y += 108
    page.text(MARGIN, page.y, subtitle, 30, REGULAR, MUTED)
    page.y += 92
    for start in range(0, len(concepts), COLUMNS):
        page.row(concepts[start : start + COLUMNS])
    page.rule()
    x, y = MARGIN + (COLUMNS - 1) * (COLUMN + GUTTER), page.y
    for heading, text in notes:
        page.text(x, y - 6, heading, 28, SEMIBOLD)
        y = page.paragraph(x, y + 36, text, 25, REGULAR, MUTED) + 30
    page.row(inputs[: COLUMNS - 1])
    bottom = max(y, page.y) - 64 + MARGIN
    return page.image.crop((0, 0, WIDTH, bottom))
