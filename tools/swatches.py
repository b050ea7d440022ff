"""The docs' pictures of materials: a sheet of tiles, and houses that wear some of them.

Each material is what one call of ``maquette material`` makes with the pocket model.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from .console import BuildError, root, run_logged, say

SHEET = Path("docs/materials.jpg")
HOUSES = Path("docs/materials-blender.jpg")
COLUMNS, SIDE, GAP = 4, 300, 6
QUALITY = 88
SEED = 3


@dataclass(frozen=True)
class Swatch:
    """A prompt, and the side of its tile in metres."""

    prompt: str
    size: float


SWATCHES = (
    Swatch("red brick", 1.8),
    Swatch("pale brick, herringbone", 1.6),
    Swatch("white glazed tile, stack bond", 1.2),
    Swatch("pale stone, ashlar", 2.4),
    Swatch("natural timber, planks", 1.8),
    Swatch("dark timber, boards", 1.8),
    Swatch("natural timber, herringbone", 1.6),
    Swatch("grey slate", 1.5),
    Swatch("red clay tile, roof tiles", 1.8),
    Swatch("grey concrete", 2.4),
    Swatch("grey zinc, standing seam", 2.5),
    Swatch("white marble, tiles", 1.8),
    Swatch("green glazed tile, hexagons", 1.0),
    Swatch("grey granite, cobbles", 1.2),
    Swatch("brown rusty steel", 1.8),
    Swatch("green lawn", 1.8),
)
WORN = {
    "brick": "red-brick",
    "stone": "pale-stone-ashlar",
    "timber": "dark-timber-boards",
    "tiles": "red-clay-tile-roof-tiles",
    "slate": "grey-slate",
    "paving": "grey-granite-cobbles",
}
"""Which folder each part of the houses wears."""


def command(swatch: Swatch, folder: Path) -> list[str | Path]:
    """The call that makes a material."""
    wanted: list[str | Path] = [sys.executable, "-m", "maquette", "material"]
    wanted += ["--prompt", swatch.prompt, "--size", str(swatch.size), "--seed", str(SEED)]
    return [*wanted, "--output", folder]


def sheet(folders: list[Path]) -> Image.Image:
    """Every material's colours, in rows."""
    rows = -(-len(folders) // COLUMNS)
    step = SIDE + GAP
    page = Image.new("RGB", (COLUMNS * step - GAP, rows * step - GAP), "white")
    for number, folder in enumerate(folders):
        with Image.open(folder / "albedo.png") as tile:
            small = tile.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        page.paste(small, (number % COLUMNS * step, number // COLUMNS * step))
    return page


def make(blender: Path) -> None:
    """Make the materials and both pictures. Raises BuildError."""
    with tempfile.TemporaryDirectory(prefix="maquette-docs-") as name:
        made = Path(name) / "materials"
        for swatch in SWATCHES:
            run_logged(f"material: {swatch.prompt}", command(swatch, made), "docs")
        folders = sorted(made.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        missing = set(WORN.values()) - {path.name for path in folders}
        if missing:
            raise BuildError(f"No material was made for {', '.join(sorted(missing))}.")
        sheet(folders).save(root() / SHEET, quality=QUALITY, optimize=True)
        picture = Path(name) / "houses.png"
        given: list[str | Path] = [blender, root() / "tools/wearing.py", picture]
        given += [f"{part}={made / folder}" for part, folder in WORN.items()]
        # Beside the interpreter, where `environments.blender_tests` puts what the add-on needs.
        environment = {**os.environ, "PYTHONPATH": str(blender.absolute().parents[1] / "testing")}
        run_logged("houses that wear them", given, "docs", environment=environment)
        with Image.open(picture) as rendered:
            rendered.convert("RGB").save(root() / HOUSES, quality=QUALITY, optimize=True)
    for target in (SHEET, HOUSES):
        say(f"    {target}: written")
