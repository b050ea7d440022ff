"""The docs' pictures, made by the window tests' own scenarios: ``python build.py docs``.

Those of concepts are made by `concepts`, of textured samples by `turntables`, of materials by
`swatches`.

A scenario names what it shows (``picture("first-steps-tab", ...)``), and a page shows
``images/first-steps-tab.jpg``. A file is written again only where a reader would see a difference.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from maquette_wire.errors import MaquetteError
from PIL import Image

from . import concepts, swatches, turntables, windows
from .console import BuildError, Step, root, say

SCENARIOS = (
    "architect.py",
    "texturing.py",
    "tiling.py",
    "showing.py",
    "gridding.py",
    "presetting.py",
    "rendering.py",
)
"""What has pictures for the docs; a later one may take a picture of an earlier one again."""
SAMPLES = {"showing.py": "office_slab.blend"}
"""What the scenarios open that don't open the windows' usual sample."""
SCREENS = {"showing.py": "1400x1200x24"}
"""The displays of those whose panels are higher than the usual one."""
MODELLED = {
    "concepts": concepts.make,
    "textures": turntables.make,
    "materials": lambda extension, blender: swatches.make(blender),
}
"""What ``--only`` takes for the pictures that need no window."""
IMAGES = Path("docs/images")
USUAL = Path.home() / ".cache" / "maquette-blender-sid" / "blender-window"
"""Where ``.ci/install_blender.sh`` puts Blender 5.2."""
USUAL_SCREEN = "1400x900x24"
MOST_BYTES = 140_000
QUALITIES = (92, 88, 82, 75, 65)
CHANGED, CHANGED_PIXELS = 40, 60
"""A pixel has changed by so much, of 255; so many of them are a word."""


def encoded(picture: Image.Image) -> bytes:
    """A JPEG of at most ``MOST_BYTES``, as good as that allows."""
    content = b""
    for quality in QUALITIES:
        sink = io.BytesIO()
        picture.convert("RGB").save(sink, "JPEG", quality=quality, subsampling=0)
        content = sink.getvalue()
        if len(content) <= MOST_BYTES:
            return content
    raise BuildError(f"A picture of {picture.size} takes {len(content)} bytes; crop it.")


def differ(one: Image.Image, other: Image.Image) -> bool:
    """Whether a reader would see that these are two pictures."""
    if one.size != other.size:
        return True
    first, second = (np.asarray(each.convert("RGB")).astype(np.int16) for each in (one, other))
    return int((np.abs(first - second).max(2) > CHANGED).sum()) > CHANGED_PIXELS


def keep(shot: Path, target: Path) -> bool:
    """Write a screenshot as ``target`` where it shows something else than that does."""
    content = encoded(Image.open(shot))
    if target.exists() and not differ(Image.open(target), Image.open(io.BytesIO(content))):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return True


def missing(folder: Path) -> list[str]:
    """Pictures that the pages of a folder show and that aren't there, as ``page: picture``."""
    return [
        f"{page.name}: {name}"
        for page in sorted(folder.glob("*.md"))
        for name in re.findall(r"!\[[^\]]*\]\(([^)\s:]+)\)", page.read_text(encoding="utf-8"))
        if not (folder / name).is_file()
    ]


def program(given: Path | None) -> Path:
    """The Blender with a window to use: ``given``, the first of the tests', or the usual place."""
    chosen = given or next(iter(windows.programs()), USUAL)
    if not chosen.is_file():
        raise BuildError(
            f"The docs' pictures need a Blender with a window, and there is no {chosen}.\n"
            f"Install one with '.ci/install_blender.sh' (Debian, as root), or name its "
            f"blender-window with --blender-window or {windows.VARIABLE}."
        )
    return chosen


def make(window: Path, extension: Path, scenarios: Sequence[str]) -> None:
    """Run the scenarios one after the other and keep their pictures. Raises BuildError."""
    with tempfile.TemporaryDirectory(prefix="maquette-docs-") as name:
        for number, script in enumerate(scenarios):
            folder = Path(name) / str(number)
            folder.mkdir()
            os.environ["MAQUETTE_SCREEN"] = SCREENS.get(script, USUAL_SCREEN)
            with Step(f"{script} in {windows.blender_of(window)}"):
                try:
                    visit = windows.visit(
                        window,
                        *(script, extension, folder, folder / "shots"),
                        sample=SAMPLES.get(script, windows.SAMPLE),
                    )
                except windows.ScenarioFailed as error:
                    raise BuildError(str(error)) from error
            for shot in sorted((visit.shots / "docs").glob("*.png")):
                target = root() / IMAGES / f"{shot.stem}.jpg"
                word = "written" if keep(shot, target) else "as it was"
                say(f"    {target.relative_to(root())}: {word}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="docs")
    parser.add_argument("--extension", type=Path, required=True)
    parser.add_argument("--blender-window", type=Path)
    parser.add_argument("--blender", type=Path, required=True, help="a Python with bpy")
    parser.add_argument("--only", action="append", choices=(*SCENARIOS, *MODELLED))
    parser.add_argument(
        "--evaluated", type=Path, metavar="FOLDER", help="what `maquette evaluate` wrote"
    )
    given = parser.parse_args(arguments)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["MAQUETTE_DOCS"] = "1"  # scenarios take their time for pictures that are looked at
    try:
        wanted = given.only or (*SCENARIOS, *MODELLED)
        scenarios = [name for name in wanted if name not in MODELLED]
        if scenarios:
            make(program(given.blender_window), given.extension, scenarios)
        for name, make_pictures in MODELLED.items():
            if name in wanted:
                make_pictures(given.extension, given.blender)
        if given.evaluated:
            concepts.evaluated(given.evaluated)
        gaps = missing(root() / "docs")
        if gaps:
            raise BuildError(f"The docs show pictures that no scenario makes: {', '.join(gaps)}")
    except MaquetteError as error:
        print(f"docs: {error.sentence} {error.hint}".rstrip(), file=sys.stderr)
        return 1
    except BuildError as error:
        print(f"docs: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
