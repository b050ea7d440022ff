"""Material: a square of a surface that repeats without a seam, and how its units are laid.

A pattern is a relief: bricks and their joints, boards, tiles. The model paints on it as it paints
on the depth of a view, so that courses are straight and of true size with every model.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, get_args

import msgspec

from .errors import MaquetteError

PatternName = Literal[
    "plain",
    "running-bond",
    "stack-bond",
    "herringbone",
    "ashlar",
    "planks",
    "boards",
    "tiles",
    "hexagons",
    "roof-tiles",
    "shingles",
    "cobbles",
    "standing-seam",
    "corrugated",
]
PATTERNS: tuple[PatternName, ...] = get_args(PatternName)

SIZES = (0.1, 50.0)
"""Metres, of a tile's side."""
PIXELS = (128, 4096)
PIXELS_STEP = 64
MAPS: dict[str, tuple[Literal["u1", "f4"], tuple[int, ...]]] = {
    "albedo": ("u1", (3,)),
    "normal": ("u1", (3,)),
    "height": ("f4", ()),
    "roughness": ("u1", ()),
    "occlusion": ("u1", ()),
}
"""Type and channels of a material's frames [pixels, pixels, ...], in the order they come in."""


@dataclass(frozen=True)
class Pattern:
    """How the units of a pattern are by default.

    Attributes:
        title, description: for a menu.
        unit: width and height in metres, the joint included.
        joint: metres, its width.
        relief: metres, from the bottom of the joint to the top of the units.
        words: what a prompt says that names it.
        stuff: what is usually laid so, where a prompt names no pattern.
    """

    title: str
    description: str
    unit: tuple[float, float]
    joint: float
    relief: float
    words: tuple[str, ...] = ()
    stuff: tuple[str, ...] = ()


PATTERN: dict[PatternName, Pattern] = {
    "plain": Pattern("Plain", "One surface without joints", (1.0, 1.0), 0.0, 0.004),
    "running-bond": Pattern(
        "Running Bond",
        "Bricks, each course shifted by half a brick",
        (0.22, 0.075),
        0.01,
        0.006,
        ("running bond", "stretcher bond"),
        ("brick", "bricks", "brickwork", "masonry", "clinker", "blockwork"),
    ),
    "stack-bond": Pattern(
        "Stack Bond",
        "Bricks straight above each other",
        (0.22, 0.075),
        0.01,
        0.006,
        ("stack bond", "stacked bricks"),
    ),
    "herringbone": Pattern(
        "Herringbone",
        "Blocks at right angles to each other, as floors and paving are laid",
        (0.4, 0.1),
        0.004,
        0.003,
        ("herringbone", "parquet"),
    ),
    "ashlar": Pattern(
        "Ashlar",
        "Cut stones in courses, of differing lengths",
        (0.6, 0.3),
        0.012,
        0.012,
        ("ashlar",),
        ("stone", "sandstone", "limestone", "granite"),
    ),
    "planks": Pattern(
        "Planks",
        "Boards lying one above another",
        (2.4, 0.14),
        0.006,
        0.012,
        ("planks", "weatherboard", "decking"),
        ("timber", "wood", "wooden", "oak", "pine", "larch", "cedar"),
    ),
    "boards": Pattern(
        "Boards",
        "Boards standing side by side",
        (0.14, 2.4),
        0.006,
        0.012,
        ("boards", "boarding", "board and batten", "vertical timber"),
    ),
    "tiles": Pattern(
        "Tiles",
        "Squares or panels in a grid",
        (0.6, 0.6),
        0.006,
        0.004,
        ("panel", "panels", "slabs"),
        ("tile", "tiles", "tiled", "paving", "paved", "plaza", "terrazzo"),
    ),
    "hexagons": Pattern(
        "Hexagons",
        "Six-sided tiles",
        (0.2, 0.173),
        0.005,
        0.004,
        ("hexagon", "hexagons", "hexagonal"),
    ),
    "roof-tiles": Pattern(
        "Roof Tiles",
        "Curved tiles that overlap downwards",
        (0.3, 0.35),
        0.01,
        0.05,
        ("roof tiles", "roof tile", "pantile", "pantiles", "tile roof"),
        ("clay tile", "clay tiles"),
    ),
    "shingles": Pattern(
        "Shingles",
        "Flat slates or shingles that overlap downwards",
        (0.3, 0.2),
        0.005,
        0.012,
        ("shingle", "shingles"),
        ("slate", "slates", "slate roof"),
    ),
    "cobbles": Pattern(
        "Cobbles",
        "Rounded stones of differing shapes",
        (0.14, 0.14),
        0.02,
        0.03,
        ("cobble", "cobbles", "cobblestone", "cobblestones", "rubble", "fieldstone"),
    ),
    "standing-seam": Pattern(
        "Standing Seam",
        "Sheets of metal with upright seams",
        (0.5, 2.4),
        0.025,
        0.03,
        ("standing seam",),
        ("zinc",),
    ),
    "corrugated": Pattern(
        "Corrugated",
        "A sheet in waves",
        (0.076, 2.4),
        0.0,
        0.018,
        ("corrugated", "trapezoidal"),
    ),
}
"""Every pattern; where a prompt has words of several, those with more parts decide, then the first
in the prompt."""


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """What a material's job makes. ``None`` is the pattern's own, or follows the prompt; the
    material that comes back with a result has all of it filled in.

    Attributes:
        size: side of the tile in metres.
        pixels: side of its maps, a multiple of 64.
        pattern: how its units are laid.
        unit: width and height of a unit in metres, the joint included; made to fit the tile a
            whole number of times.
        joint: width of the joint in metres.
        relief: metres, from the bottom of the joint to the top of the units.
    """

    size: float = 2.4
    pixels: int = 1024
    pattern: PatternName | None = None
    unit: tuple[float, float] | None = None
    joint: float | None = None
    relief: float | None = None

    def filled(self, prompt: str) -> Material:
        """With everything decided. Raises MaquetteError("bad-material") naming the first value
        that is out of its range."""
        name = self.pattern or pattern_of(prompt)
        pattern = PATTERN[name]
        material = msgspec.structs.replace(
            self,
            pattern=name,
            unit=pattern.unit if self.unit is None else self.unit,
            joint=pattern.joint if self.joint is None else self.joint,
            relief=pattern.relief if self.relief is None else self.relief,
        )
        material.check()
        return material

    def check(self) -> None:
        """Raise MaquetteError("bad-material") naming the first value that is out of its range."""
        _within("side", self.size, *SIZES, " m")
        _within("maps' side", self.pixels, *PIXELS, " pixels")
        if self.pixels % PIXELS_STEP:
            raise MaquetteError(
                "bad-material",
                f"The material's maps have a side of {self.pixels} pixels.",
                f"Use a multiple of {PIXELS_STEP}.",
            )
        for side in self.unit or ():
            # More and smaller ones than a pixel each show nothing.
            _within("unit", side, 2.0 * self.size / self.pixels, SIZES[1], " m")
        if self.joint is not None:
            widest = min(self.unit or (self.size,)) * 0.9
            _within("joint", self.joint, 0.0, widest, " m")
        if self.relief is not None:
            _within("relief", self.relief, 0.0, 1.0, " m")


def pattern_of(prompt: str) -> PatternName:
    """The pattern that a prompt names, else the one that what it names is laid in, else plain."""
    text = " ".join(re.findall(r"[\w']+", prompt.lower()))
    for told in ([p.words for p in PATTERN.values()], [p.stuff for p in PATTERN.values()]):
        found: list[tuple[int, int, PatternName]] = [
            (-word.count(" "), place.start(), name)
            for name, words in zip(PATTERN, told, strict=True)
            for word in words
            if (place := re.search(rf"\b{re.escape(word)}\b", text))
        ]
        if found:
            return min(found)[2]
    return "plain"


def _within(name: str, value: float, low: float, high: float, unit: str) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise MaquetteError(
            "bad-material",
            f"The material's {name} is {value:g}{unit}.",
            f"Use {low:.4g} to {high:.4g}{unit}.",
        )
