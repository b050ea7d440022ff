"""A poster: outputs on one picture, as its layout has them, in a file."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from maquette_wire.errors import MaquetteError
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from .. import images, outputs
from .fields import FIELDS, varying
from .layout import Layout, plan
from .lettering import PAPER, RULE
from .rows import Row

SOFTWARE = "Maquette sheet"
Progress = Callable[[int, int], None]


def write_poster(
    folder: Path,
    rows: Sequence[Row],
    path: Path,
    title: str,
    progress: Progress | None = None,
    *,
    down: str | None = None,
    across: str | None = None,
    sources: bool = False,
) -> list[str]:
    """Write the poster of the finished outputs.

    Args:
        folder: what the rows' paths are relative to.
        path: of the PNG; a poster of an earlier run is replaced, nothing else is.
        progress: called with the number of pictures drawn, and of all.
        down, across: names of the fields of rows and columns; see ``axes.choose_axes``.
        sources: with the source pictures, as the first column or before their concepts.

    Returns:
        A sentence for each picture that can't be read: its cell stays white.

    Raises MaquetteError("bad-axis", "no-pictures", "poster-too-large", "output-unusable").
    """
    _check_target(path)
    sizes: dict[str, tuple[int, int]] = {}
    unreadable: list[str] = []
    for row in rows:
        for name in (row.file if row.state == "done" else None, row.source_picture):
            if name is None or name in sizes:
                continue
            try:
                sizes[name] = _size(folder / name)
            except (OSError, Image.DecompressionBombError):
                unreadable.append(f"{folder / name} can't be read as a picture.")
    made = [row for row in rows if row.state == "done" and row.file in sizes]
    if not made:
        raise MaquetteError(
            "no-pictures",
            f"None of the {len(rows)} outputs has a picture yet.",
            "Make the poster when some are done.",
        )
    layout = plan(made, sizes, title, _subtitle(made, rows), down, across, sources=sources)
    poster = draw(layout, folder, unreadable, progress)
    packed = io.BytesIO()
    text = PngInfo()
    text.add_text("Software", SOFTWARE)
    poster.save(packed, "PNG", pnginfo=text)
    outputs.write_bytes(path, packed.getvalue())
    return list(dict.fromkeys(unreadable))


def draw(
    layout: Layout, folder: Path, unreadable: list[str], progress: Progress | None = None
) -> Image.Image:
    """The poster in RGB; what can't be read stays paper, and ``unreadable`` says so."""
    poster = Image.new("RGB", (layout.width, layout.height), PAPER)
    pen = ImageDraw.Draw(poster)
    for y in layout.rules:
        pen.line((layout.margin, y, layout.width - layout.margin, y), fill=RULE, width=2)
    for text in layout.texts:
        face = layout.letters.face(text.size, text.weight, text.line)
        pen.text((text.x, text.y), text.line, font=face, fill=text.color, anchor="la")
    for count, placed in enumerate(layout.placed, 1):
        try:
            picture = Image.fromarray(images.read_color(folder / placed.name))
        except MaquetteError as error:
            unreadable.append(error.sentence)
        else:
            scale = min(layout.cell / picture.width, layout.cell_height / picture.height)
            size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
            if size != picture.size:
                picture = picture.resize(size, Image.Resampling.LANCZOS)
            poster.paste(picture, (placed.x, placed.y))
        if progress:
            progress(count, len(layout.placed))
    return poster


def _check_target(path: Path) -> None:
    """No picture is replaced but a poster. Raises MaquetteError("output-unusable")."""
    if not path.exists():
        return
    try:
        with Image.open(path) as image:
            ours = image.info.get("Software") == SOFTWARE
    except (OSError, Image.DecompressionBombError):
        ours = False
    if not ours:
        raise MaquetteError(
            "output-unusable",
            f"{path} is there already, and is no poster of Maquette's.",
            "Name another file with --output.",
        )


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def _subtitle(made: Sequence[Row], rows: Sequence[Row]) -> str:
    """How many pictures, and the settings that all of them share."""
    told = varying(made)
    shared = [
        entry.label(value)
        for entry in FIELDS
        if entry not in told
        and len({entry.value(row) for row in made}) == 1
        and (value := entry.value(made[0])) not in (None, entry.usual)
    ]
    failed = sum(row.state == "failed" for row in rows)
    number = f"{len(made)} {'picture' if len(made) == 1 else 'pictures'}"
    return " · ".join([number, *([f"{failed} failed"] if failed else []), *shared])
