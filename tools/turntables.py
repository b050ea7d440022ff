"""The docs' pictures of textured samples: each one turning, and all of them from four sides.

Each is what one call of ``maquette texture`` makes of a sample, turned in Blender by `turning`.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from .console import BuildError, root, run_logged, say

PAGE = Path("docs/textures.jpg")
TURNING = Path("docs/images")
FRAMES, SIZE = 12, (360, 270)
MILLISECONDS = 330
SIDES = 4
MOST_BYTES = 80_000
QUALITIES = (85, 75, 65, 50, 35)


@dataclass(frozen=True)
class Textured:
    """A sample, the objects of it that are one building, and the recipe."""

    sample: str
    prompt: str
    objects: tuple[str, ...]
    seed: int = 0


def _numbered(name: str, numbers: Sequence[object]) -> tuple[str, ...]:
    return tuple(f"{name} {number}" for number in numbers)


SAMPLES = (
    Textured(
        "gabled_house",
        "house, white render, slate roof, punched windows, plaza, overcast",
        (
            "Main body",
            "Main roof",
            "Wing",
            "Wing roof",
            "Chimney",
            "Porch roof",
            "Porch post",
            "Garage",
            "Terrace",
        ),
    ),
    Textured(
        "church",
        "church, stone, slate roof, plaza, overcast",
        (
            "Nave",
            "Nave roof",
            "North aisle",
            "South aisle",
            "Apse",
            "Apse roof",
            "Tower",
            "Tower cornice",
            "Spire",
            "Porch",
            "Steps",
            *_numbered("North buttress", (1, 2, 3)),
            *_numbered("South buttress", (1, 2, 3)),
        ),
    ),
    Textured(
        "courtyard",
        "apartment building, red brick, punched windows, plaza, overcast",
        (
            "Attic",
            "West wing storey",
            "West wing ledge",
            "Link",
            "Court pavilion",
            *_numbered("Curved wing", range(4)),
            *_numbered("Curved ledge", range(4)),
            *_numbered(
                "Flat",
                [
                    f"{row} {place}"
                    for row in range(5)
                    for place in range(8)
                    if row > 1 or place != 3
                ],
            ),
        ),
    ),
    Textured(
        "office_slab",
        "office building, white render, ribbon windows, plaza, overcast",
        (
            "Podium",
            "Arcade roof",
            "Recess",
            "Slab",
            "Stair core",
            "Plant",
            "Canopy",
            *_numbered("Column", range(1, 9)),
        ),
    ),
    Textured(
        "street_tower",
        "tower, white render, tall windows, street, overcast",
        ("Podium", "Shaft", "Upper shaft", "Crown", "Entrance canopy", "Fin west", "Fin east"),
    ),
)


def scene_of(textured: Textured) -> Path:
    """The file of a sample."""
    return root() / "samples" / f"{textured.sample}.blend"


def command(textured: Textured, extension: Path, blender: Path, folder: Path) -> list[str | Path]:
    """The call that textures a sample."""
    wanted: list[str | Path] = [sys.executable, "-m", "maquette", "texture"]
    wanted += [scene_of(textured), "--prompt", textured.prompt]
    wanted += ["--seed", str(textured.seed), "--output", folder]
    wanted += ["--no-blend", "--extension", extension, "--blender", blender]
    for name in textured.objects:
        wanted += ["--object", name]
    return wanted


def animated(frames: Sequence[Image.Image]) -> bytes:
    """Frames as a WebP that turns for ever, of at most ``MOST_BYTES``."""
    content = b""
    for quality in QUALITIES:
        sink = io.BytesIO()
        frames[0].save(
            sink,
            "WEBP",
            save_all=True,
            append_images=list(frames[1:]),
            duration=MILLISECONDS,
            loop=0,
            quality=quality,
            method=6,
        )
        content = sink.getvalue()
        if len(content) <= MOST_BYTES:
            return content
    raise BuildError(f"A turntable of {len(frames)} frames takes {len(content)} bytes.")


def sides(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """A page with a row for each sample: it from `SIDES` sides."""
    width, height = SIZE
    page = Image.new("RGB", (SIDES * width, len(rows) * height))
    for row, frames in enumerate(rows):
        for column in range(SIDES):
            page.paste(frames[column * len(frames) // SIDES], (column * width, row * height))
    return page


def make(extension: Path, blender: Path) -> None:
    """Texture the samples, turn them and write the pictures. Raises BuildError.

    blender: a Python with the bpy module.
    """
    rows = []
    for textured in SAMPLES:
        with tempfile.TemporaryDirectory(prefix="maquette-docs-") as name:
            folder = Path(name)
            made = command(textured, extension, blender, folder)
            run_logged(f"{textured.sample}: texturing", made, "docs")
            (model,) = folder.glob("*.glb")
            turn = [blender, root() / "tools" / "turning.py", model, folder / "turning"]
            turn += ["--frames", str(FRAMES), "--size", *map(str, SIZE)]
            run_logged(f"{textured.sample}: turning", turn, "docs")
            paths = sorted((folder / "turning").glob("*.png"))
            rows.append([Image.open(path).convert("RGB") for path in paths])
        target = root() / TURNING / f"turntable-{textured.sample}.webp"
        target.write_bytes(animated(rows[-1]))
        say(f"    {target.relative_to(root())}: written")
    sides(rows).save(root() / PAGE, "JPEG", quality=85, optimize=True)
    say(f"    {PAGE}: written")
