"""The pictures of the presets that come with Maquette, made by the pocket model.

  python -m tools.preset_thumbnails [--blender PROGRAM] [--extension ZIP] [PRESET ...]

Runs in the backend's environment, with shared and backend on the path. Sample massings are
captured in Blender, painted with each preset's words, cut to the building and written beside the
list of presets. Materials are tiles, lit and repeated: on buildings of that size they look alike.
Look at the pictures, and at ``out/presets.png``, before they are committed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from maquette import jobs
from maquette.console import ProgressLine
from maquette.extension import Extension
from maquette.materials.tiled import tiled
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.material import Material
from maquette_wire.presets.library import BUILTIN, built_in, picture_name
from maquette_wire.presets.words import CATEGORIES, Preset, composed
from maquette_wire.recipe import Recipe
from PIL import Image

from tools.console import root, say

SIDE, QUALITY = 144, 84
"""Of a thumbnail: pixels, and JPEG's measure."""
PAINTED = 256
SEED = 1


@dataclass(frozen=True)
class Scene:
    """What a preset is shown on.

    Attributes:
        sample, camera: the massing and how it is seen.
        cut: left, top and side of the square that is kept, as shares of the picture.
    """

    sample: str
    camera: str
    cut: tuple[float, float, float]


HOUSE = Scene("gabled_house", "Street", (0.13, 0.22, 0.68))
WINGS = Scene("gabled_house", "Two-point", (0.2, 0.2, 0.66))
BLOCK = Scene("courtyard", "Two-point", (0.06, 0.1, 0.84))
CORNER = Scene("courtyard", "Street", (0.08, 0.1, 0.84))
SLAB = Scene("office_slab", "Two-point", (0.14, 0.2, 0.72))
WIDE = Scene("office_slab", "Street", (0.2, 0.2, 0.66))
CHURCH = Scene("church", "Two-point", (0.16, 0.2, 0.66))
TOWER = Scene("street_tower", "Street", (0.18, 0.14, 0.76))
SCENES = {
    "Villa": WINGS,
    "Row houses": BLOCK,
    "Apartments": BLOCK,
    "City block": CORNER,
    "School": CORNER,
    "Offices": SLAB,
    "Library": WIDE,
    "Museum": WIDE,
    "Tower": TOWER,
    "Church": CHURCH,
    "Factory": SLAB,
}
"""Of what the house doesn't show."""

REST = {
    "project": "sunny day, lawn",
    "ground": "white render house, punched windows, sunny day",
    "season": "red brick house, punched windows, sunny day",
    "light": "pale brick house, punched windows, lawn",
    "style": "red brick house, punched windows, sunny day, lawn",
}
"""What is said beside a preset's words, by category, so that nothing else is left open."""
TILES = {
    "Red brick": ("red brick", 0.6),
    "Pale brick": ("pale brick", 0.6),
    "White render": ("white render", 1.2),
    "Concrete": ("grey concrete, panels", 0.8),
    "Timber": ("natural timber, boards", 0.6),
    "Stone": ("pale stone, ashlar", 1.2),
    "Metal": ("dark metal, standing seam", 1.2),
    "Glass": ("dark blue glass, panels", 0.8),
}
"""What a material's tile is asked for with, and its side in metres."""
TILE_PIXELS = 512


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="preset_thumbnails")
    parser.add_argument("--blender", type=Path, metavar="PROGRAM")
    parser.add_argument("--extension", type=Path, metavar="ZIP")
    parser.add_argument("presets", nargs="*", metavar="PRESET", help="names (all)")
    given = parser.parse_args(arguments)
    wanted = [p for p in built_in() if not given.presets or p.name in given.presets]
    try:
        run(wanted, given.blender, given.extension)
    except MaquetteError as error:
        print(f"preset_thumbnails: {error}", file=sys.stderr)
        return 1
    return 0


def run(presets: Sequence[Preset], program: Path | None, extension: Path | None) -> None:
    """Paint and write the pictures of presets, and a page of all. Raises MaquetteError."""
    with tempfile.TemporaryDirectory(prefix="maquette-presets-") as name, ProgressLine() as line:
        home = Home(Path(name))
        scenes = Extension.find(home, program, extension)
        captures: dict[Scene, Capture] = {}
        with jobs.Painter(home, None, line.show) as painter:
            for preset in presets:
                if preset.name in TILES:
                    _write(preset, _tile(painter, *TILES[preset.name]), line)
                    continue
                scene = SCENES.get(preset.name) or SCENES.get(preset.category, HOUSE)
                if scene not in captures:
                    words = ["--camera", scene.camera, "--size", f"{PAINTED}x{PAINTED}"]
                    sample = root() / "samples" / f"{scene.sample}.blend"
                    (captures[scene],) = scenes.capture(sample, words, line.say)
                _write(preset, _painted(painter, preset, captures[scene], scene), line)
    page = root() / "out" / "presets.png"
    page.parent.mkdir(exist_ok=True)
    _page().save(page)
    say(f"  {page}")


def _write(preset: Preset, thumbnail: Image.Image, line: ProgressLine) -> None:
    path = BUILTIN / picture_name(preset.category, preset.name)
    thumbnail.save(path, quality=QUALITY, optimize=True)
    line.clear()
    say(f"  {path.name}: {path.stat().st_size / 1000:.1f} KB")


def _tile(painter: jobs.Painter, prompt: str, metres: float) -> Image.Image:
    material = Material(size=metres, pixels=TILE_PIXELS)
    result, frames = painter.run(Recipe(prompt=prompt, seed=SEED), [], material=material)
    maps = {
        header.name: np.asarray(frame).reshape(header.shape)
        for header, frame in zip(result.frames, frames, strict=True)
        if header.dtype == "u1"
    }
    picture = tiled(maps["albedo"], maps["normal"], maps["occlusion"])
    painter.stored(result.job)
    return Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _painted(painter: jobs.Painter, preset: Preset, capture: Capture, scene: Scene) -> Image.Image:
    prompt, _negative = composed(REST[preset.category], "", [preset])
    result, frames = painter.run(Recipe(prompt=prompt, seed=SEED, geometry=1.0), [capture])
    concept = next(
        np.asarray(frame).reshape(header.shape)
        for header, frame in zip(result.frames, frames, strict=True)
        if header.name == "concept"
    )
    painter.stored(result.job)
    left, top, side = (round(share * PAINTED) for share in scene.cut)
    cut = Image.fromarray(concept).crop((left, top, left + side, top + side))
    return cut.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def _page() -> Image.Image:
    """All pictures, a category a row."""
    rows = [[preset for preset in built_in() if preset.category == each] for each in CATEGORIES]
    page = Image.new("RGB", (SIDE * max(map(len, rows)), SIDE * len(rows)))
    for y, row in enumerate(rows):
        for x, preset in enumerate(row):
            path = BUILTIN / picture_name(preset.category, preset.name)
            if path.is_file():
                page.paste(Image.open(path), (x * SIDE, y * SIDE))
    return page


if __name__ == "__main__":
    sys.exit(main())
