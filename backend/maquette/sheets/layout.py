"""Where everything on a poster is: a grid with labelled axes, or pictures one after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from maquette_wire.errors import MaquetteError

from .axes import Axes, Section, arrange, choose_axes
from .fields import Field, Value, varying
from .lettering import INK, MUTED, SEMIBOLD, Type, wrap
from .rows import Row

PIXELS = 100e6
"""Of a poster at most: Pillow, browsers and printers' programs refuse much larger ones."""
CELL_MAX, CELL_MIN = 512, 128
"""Width of a picture on the poster; never wider than the pictures are."""
LANDSCAPE = 1.4
"""Width over height that a poster comes as near to as its pictures allow."""
SOURCE = "source"

Color = tuple[int, int, int]


@dataclass(frozen=True)
class Text:
    """One line of text, its ascender at y."""

    x: int
    y: int
    line: str
    size: int
    weight: int
    color: Color


@dataclass(frozen=True)
class Placed:
    """A picture, fitted into a box of the layout's cell size at its top left."""

    x: int
    y: int
    name: str


@dataclass
class Layout:
    """Where everything is, before anything is drawn; sizes in pixels.

    ``cell`` is the width of a picture, ``tall`` its height over its width.
    """

    cell: int
    tall: float
    letters: Type
    width: int = 0
    height: int = 0
    texts: list[Text] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    rules: list[int] = field(default_factory=list)

    @property
    def unit(self) -> int:
        """The size of a label's letters; margins and gutters are multiples of it."""
        return max(13, min(30, round(self.cell / 16)))

    @property
    def gutter(self) -> int:
        return round(self.unit * 0.9)

    @property
    def margin(self) -> int:
        return self.unit * 4

    @property
    def cell_height(self) -> int:
        return round(self.cell * self.tall)

    def paragraph(
        self,
        x: int,
        y: int,
        text: str,
        width: int,
        scale: float = 1.0,
        weight: int = 400,
        color: Color = INK,
    ) -> int:
        """Lines of at most ``width``; returns the y below them."""
        size = round(self.unit * scale)
        for line in wrap(text, self.letters.face(size, weight, text), width):
            self.texts.append(Text(x, y, line, size, weight, color))
            y += round(size * 1.36)
        return y


def plan(
    rows: Sequence[Row],
    sizes: dict[str, tuple[int, int]],
    title: str,
    subtitle: str,
    down: str | None = None,
    across: str | None = None,
    *,
    sources: bool = False,
) -> Layout:
    """Lay the pictures out, as large as they are and as the poster's pixels allow.

    Args:
        sizes: (width, height) in pixels of each file; a source picture without one is left out.

    Raises MaquetteError("bad-axis", "poster-too-large").
    """
    axes = choose_axes(rows, down, across)
    concepts = [sizes[row.file] for row in rows if row.file]
    cell = min(CELL_MAX, max(width for width, _ in concepts))
    tall = max(height / width for width, height in concepts)
    while True:
        layout = Layout(cell, tall, Type())
        if axes:
            _grid(layout, rows, axes, title, subtitle, sizes, sources)
        else:
            _flow(layout, rows, title, subtitle, sizes, sources)
        total = layout.width * layout.height
        if total <= PIXELS:
            return layout
        if cell <= CELL_MIN:
            raise MaquetteError(
                "poster-too-large",
                f"A poster of these {len(rows)} pictures would have {total / 1e6:.0f} megapixels; "
                f"{PIXELS / 1e6:.0f} is the most.",
                "Name fewer pictures, or make a page: --output sheet.html takes any number.",
            )
        cell = max(CELL_MIN, math.floor(cell * min(0.95, math.sqrt(PIXELS / total))))


def _head(layout: Layout, title: str, subtitle: str, width: int) -> int:
    y = layout.paragraph(layout.margin, layout.margin, title, width, 2.4, SEMIBOLD)
    y += layout.unit // 2
    return layout.paragraph(layout.margin, y, subtitle, width, color=MUTED) + layout.unit * 2


def _grid(
    layout: Layout,
    rows: Sequence[Row],
    axes: Axes,
    title: str,
    subtitle: str,
    sizes: dict[str, tuple[int, int]],
    sources: bool,
) -> None:
    sections = arrange(rows, axes)
    block = _Block(layout, axes, sections, rows, sizes, sources)
    apart = layout.unit * 3
    abreast = _abreast(len(sections), len(block.down) * layout.cell_height, block.width)
    inner = abreast * (block.width + apart) - apart
    layout.width = inner + 2 * layout.margin
    y = _head(layout, title, subtitle, inner)
    for start in range(0, len(sections), abreast):
        if start:
            layout.rules.append(y + layout.unit)
            y += apart
        y = max(
            block.place(section, layout.margin + column * (block.width + apart), y)
            for column, section in enumerate(sections[start : start + abreast])
        )
    layout.height = y - layout.gutter + layout.margin


def _abreast(number: int, height: float, width: float) -> int:
    """How many boxes of that size stand side by side, for a poster that lies like a sheet."""
    return max(1, min(number, round(math.sqrt(LANDSCAPE * number * height / width))))


class _Block:
    """What all sections of a grid have in common: their columns and their width."""

    def __init__(
        self,
        layout: Layout,
        axes: Axes,
        sections: Sequence[Section],
        rows: Sequence[Row],
        sizes: dict[str, tuple[int, int]],
        sources: bool,
    ) -> None:
        self.layout, self.axes, self.sizes, self.sources = layout, axes, sizes, sources
        cells = [cell for section in sections for cell in section.cells]
        self.down = _along(axes.down, rows, [down for down, _ in cells])
        self.across = _along(axes.across, rows, [across for _, across in cells])
        self.pitch = layout.cell + layout.gutter
        self.labels = max(layout.unit * 9, layout.cell * 2 // 5) if axes.down else 0
        columns = len(self.across) + (1 if sources else 0)
        self.width = self.labels + columns * self.pitch - layout.gutter

    def place(self, section: Section, x: int, y: int) -> int:
        """A section with its heading and labels; returns the y below its gutter."""
        layout = self.layout
        if section.heading:
            y = layout.paragraph(x, y, section.heading, self.width, 1.3, SEMIBOLD)
            y += layout.unit
        first = x + self.labels
        heads: list[str] = [SOURCE] if self.sources else []
        heads += [
            self.axes.across.label(value) if self.axes.across else "" for value in self.across
        ]
        below = max(
            layout.paragraph(first + column * self.pitch, y, head, layout.cell, color=MUTED)
            for column, head in enumerate(heads)
        )
        y = below + (layout.gutter // 2 if below > y else 0)
        there = {down for down, _ in section.cells}
        for down in self.down:
            if down in there:
                y = self._row(section, down, x, y)
        return y

    def _row(self, section: Section, down: Value, x: int, y: int) -> int:
        """One row of pictures with its label; returns the y of the next."""
        layout, first = self.layout, x + self.labels
        bottom = y + layout.cell_height
        if self.axes.down:
            label, width = self.axes.down.label(down), self.labels - layout.unit
            bottom = max(bottom, layout.paragraph(x, y, label, width))
        cells = [section.cells.get((down, across)) for across in self.across]
        names = [cell.file if cell else None for cell in cells]
        if self.sources:
            seen = (cell.source_picture for cell in cells if cell)
            names.insert(0, next((name for name in seen if name in self.sizes), None))
        for column, name in enumerate(names):
            if name:
                layout.placed.append(Placed(first + column * self.pitch, y, name))
        return bottom + layout.gutter


def _along(entry: Field | None, rows: Sequence[Row], there: Sequence[Value]) -> Sequence[Value]:
    """The values of an axis in their order, numbers where it is of no setting."""
    return entry.values(rows) if entry else sorted({int(number or 0) for number in there})


def _flow(
    layout: Layout,
    rows: Sequence[Row],
    title: str,
    subtitle: str,
    sizes: dict[str, tuple[int, int]],
    sources: bool,
) -> None:
    told = varying(rows)
    tiles: list[tuple[str, str, str]] = []
    before: set[str] = set()
    for row in rows:
        source = row.source_picture
        if sources and source in sizes and source not in before:
            assert source
            before.add(source)
            tiles.append((source, row.source or SOURCE, SOURCE if row.source else ""))
        caption = row.recipe.prompt if row.recipe else ""
        labels = (entry.label(entry.value(row)) for entry in told if entry.name != "prompt")
        tiles.append((row.file or "", caption, " · ".join(labels)))
    number = _abreast(len(tiles), layout.cell_height + layout.unit * 5, layout.cell)
    pitch = layout.cell + layout.gutter
    inner = number * pitch - layout.gutter
    layout.width = inner + 2 * layout.margin
    y = _head(layout, title, subtitle, inner)
    for start in range(0, len(tiles), number):
        bottoms = []
        for column, (name, caption, details) in enumerate(tiles[start : start + number]):
            x = layout.margin + column * pitch
            layout.placed.append(Placed(x, y, name))
            below = y + layout.cell_height + layout.unit // 2
            below = layout.paragraph(x, below, caption, layout.cell)
            bottoms.append(layout.paragraph(x, below, details, layout.cell, 0.85, color=MUTED))
        y = max(bottoms) + layout.unit * 2
    layout.height = y - layout.unit * 2 + layout.margin
