"""The docs' pictures of concepts: the demo's sheet, seeds of one prompt, and kinds of windows.

Each is what the demo, ``maquette batch`` and ``maquette sheet`` make with the pocket model. What
``maquette evaluate`` wrote, which needs a dataset, is shown too where it is given.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

from .console import root, run_logged, say

DEMO, SEEDS, FACADES = Path("docs/demo.jpg"), Path("docs/seeds.jpg"), Path("docs/facades.jpg")
EVALUATED = {"sheet": 1152, "captures": 1152, "geometry": 1008, "strength": 1008}
"""The evaluation's sheets, and how wide the docs show them."""
SEED_WIDTH = 256
QUALITY = 86


def make(extension: Path, blender: Path) -> None:
    """Make the three. Raises BuildError."""
    given: list[str | Path] = ["--blender", blender, "--extension", extension]
    run_logged("demo", [sys.executable, "-m", "tools.demo", *given], "docs")
    _save(_narrowed(Image.open(root() / "out" / "demo" / "sheet.png"), 1200), DEMO)
    with tempfile.TemporaryDirectory(prefix="maquette-docs-") as name:
        folder = Path(name)
        wanted = ["--camera", "Street", "--prompt", "housing block", "--seed", "0-3"]
        _batch("seeds", folder / "seeds", ("courtyard",), [*wanted, *given])
        pictures = [Image.open(path) for path in sorted((folder / "seeds").glob("*.png"))]
        small = [_narrowed(picture, SEED_WIDTH) for picture in pictures]
        row = Image.new("RGB", (SEED_WIDTH * len(small), small[0].height))
        for number, picture in enumerate(small):
            row.paste(picture, (SEED_WIDTH * number, 0))
        _save(row, SEEDS)
        wanted = ["--camera", "Two-point", "--prompt", "pale brick building, plaza, day"]
        wanted += ["--windows", "punched,tall,ribbon,grid,curtain-wall", "--seed", "1"]
        _batch("façades", folder / "facades", ("office_slab", "courtyard"), [*wanted, *given])
        poster = folder / "facades.png"
        laid: list[str | Path] = ["--output", poster, "--title", "Façades"]
        laid += ["--rows", "source", "--columns", "windows"]
        command: list[str | Path] = [sys.executable, "-m", "maquette", "sheet", folder / "facades"]
        run_logged("façades on a poster", [*command, *laid], "docs")
        _save(_narrowed(Image.open(poster), 1500), FACADES)


def evaluated(folder: Path) -> None:
    """Show what ``maquette evaluate`` wrote into a folder."""
    for name, width in EVALUATED.items():
        _save(_narrowed(Image.open(folder / f"{name}.png"), width), Path(f"docs/pocket-{name}.jpg"))


def _batch(what: str, output: Path, samples: tuple[str, ...], options: list[str | Path]) -> None:
    command: list[str | Path] = [sys.executable, "-m", "maquette", "batch", "--output", output]
    sources = [root() / "samples" / f"{sample}.blend" for sample in samples]
    run_logged(what, [*command, *sources, *options], "docs")


def _narrowed(picture: Image.Image, width: int) -> Image.Image:
    height = round(picture.height * width / picture.width)
    return picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)


def _save(picture: Image.Image, target: Path) -> None:
    picture.convert("RGB").save(root() / target, quality=QUALITY, optimize=True)
    say(f"    {target}: written")
