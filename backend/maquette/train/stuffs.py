"""Stuffs: known materials, by word, and how each is painted on the units of a relief.

What a word doesn't say (which brick is the darkest, where a vein runs) is chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from maquette_wire.material import PatternName
from numpy.typing import NDArray

from ..materials.layouts import Cells
from ..materials.patterns import JOINT, Relief

Rgb = tuple[int, int, int]
Field = NDArray[np.floating]


@dataclass(frozen=True)
class Canvas:
    """What is painted on. rng decides what is chance; every field repeats as the tile does."""

    rng: np.random.Generator
    cells: Cells
    relief: Relief
    upright: NDArray[np.bool_]
    """[n, n], where units stand: their grain runs upwards."""

    @property
    def pixels(self) -> int:
        return self.relief.height.shape[0]

    def noise(self, finest: float, coarsest: float, slope: float = 1.0, long: float = 1.0) -> Field:
        """Noise of deviation 1, of wavelengths between two in metres, weaker by 1/frequency^slope
        where it is finer; `long`: so many times as long across as up and down."""
        count, size = self.pixels, self.relief.size
        down = np.fft.fftfreq(count, size / count)[:, None]
        across = np.fft.rfftfreq(count, size / count)[None, :] * long
        frequency = np.hypot(down, across)
        frequency[0, 0] = np.inf
        weight = frequency**-slope
        weight *= (frequency <= 1.0 / finest) * (frequency >= 1.0 / coarsest)
        if not weight.any():
            return np.zeros((count, count), np.float32)
        white = np.fft.rfft2(self.rng.standard_normal((count, count)))
        field = np.fft.irfft2(white * weight, (count, count))
        return (field / max(float(field.std()), 1e-9)).astype(np.float32)

    def each(self, deviation: float) -> Field:
        """A normal number for each unit, [n, n]."""
        many = int(self.cells.units.max()) + 1
        return (self.rng.standard_normal(many) * deviation).astype(np.float32)[self.cells.units]

    def cut(self, field: Field) -> Field:
        """A field that every unit shows another part of, turned where units stand."""
        many, count = int(self.cells.units.max()) + 1, self.pixels
        down, across = self.rng.integers(0, count, (2, many))
        y, x = np.indices((count, count))
        rows = np.where(self.upright, x, y) + down[self.cells.units]
        columns = np.where(self.upright, y, x) + across[self.cells.units]
        return field[rows % count, columns % count]


# --- what materials are like: brightness about 1, [n, n] ----------------------------------------


def _fired(c: Canvas) -> Field:
    """Brick and tile: sandy, blotched, some burnt darker."""
    burnt = 1.0 - 0.25 * (c.each(1.0) > 1.4)
    return (1.0 + 0.05 * c.noise(0.004, 0.02, 0.5) + 0.05 * c.cut(c.noise(0.02, 0.2))) * burnt


def _smooth(c: Canvas) -> Field:
    """Render, paint, glaze: hardly anything."""
    return 1.0 + 0.018 * c.noise(0.004, 0.03, 0.3) + 0.02 * c.noise(0.2, 2.0, 1.5)


def _cloudy(c: Canvas) -> Field:
    """Concrete: clouds and pores."""
    pores = c.noise(0.008, 0.03, 0.2) > 2.6
    clouds = 0.06 * c.noise(0.1, 2.0, 1.6) + 0.02 * c.noise(0.004, 0.05, 0.5)
    return (1.0 + clouds) * (1.0 - 0.3 * pores)


def _grained(c: Canvas) -> Field:
    """Wood: rings that run along a board, and fine fibres."""
    waves = c.noise(0.05, 1.2, 1.6, long=7.0)
    rings = np.sin(7.0 * waves + 2.0 * c.noise(0.02, 0.4, 1.2, long=12.0))
    fibres = c.noise(0.002, 0.03, 0.4, long=24.0)
    return c.cut((1.0 + 0.1 * rings + 0.05 * fibres).astype(np.float32))


def _bedded(c: Canvas) -> Field:
    """Cut stone: beds, stains and a coarse grain."""
    beds = c.cut(c.noise(0.02, 0.5, 1.4, long=4.0))
    return 1.0 + 0.055 * beds + 0.035 * c.noise(0.004, 0.04, 0.4) + 0.03 * c.noise(0.2, 2.0)


def _speckled(c: Canvas) -> Field:
    """Granite, asphalt: grains of several minerals."""
    grain = c.noise(0.004, 0.015, 0.1)
    return 1.0 + 0.16 * np.tanh(grain) + 0.03 * c.noise(0.1, 1.5)


def _veined(c: Canvas) -> Field:
    """Marble: thin dark veins in clouds."""
    field = c.cut(c.noise(0.02, 1.2, 1.7))
    veins = np.exp(-((field / 0.09) ** 2)) * (0.5 + 0.5 * np.tanh(c.noise(0.2, 1.5)))
    return (1.0 + 0.03 * c.cut(c.noise(0.05, 1.0, 1.5)) - 0.28 * veins).astype(np.float32)


def _rolled(c: Canvas) -> Field:
    """Sheets of metal: almost even, faintly streaked."""
    streaks = c.noise(0.01, 0.3, 0.8, long=0.1)
    return 1.0 + 0.015 * streaks + 0.03 * c.noise(0.3, 2.4, 1.4)


def _rusty(c: Canvas) -> Field:
    """Weathered steel: spots and runs of rust."""
    runs = c.noise(0.02, 0.6, 1.2, long=0.3)
    return 1.0 + 0.16 * np.tanh(runs) + 0.08 * c.noise(0.006, 0.06, 0.6)


def _grassy(c: Canvas) -> Field:
    """Blades of grass."""
    return 1.0 + 0.22 * c.noise(0.004, 0.03, 0.3, long=0.35) + 0.1 * c.noise(0.1, 1.0)


# --- materials by word ------------------------------------------------------------------------


@dataclass(frozen=True)
class Stuff:
    """A material. colors: by word, the first one being what it has where a prompt says none;
    second: what it is mixed with, in part; joint: of what is between units, None for darker than
    they are; variety: how much units differ."""

    patterns: tuple[PatternName, ...]
    colors: dict[str, Rgb]
    look: Callable[[Canvas], Field]
    variety: float
    second: Rgb | None = None
    joint: Rgb | None = None


MORTAR: Rgb = (178, 170, 158)

STUFFS: dict[str, Stuff] = {
    "brick": Stuff(
        ("running-bond", "running-bond", "stack-bond", "herringbone"),
        {
            "red": (158, 74, 52),
            "pale": (214, 186, 142),
            "yellow": (206, 164, 92),
            "white": (226, 221, 211),
            "grey": (138, 134, 130),
            "dark": (78, 62, 56),
            "brown": (122, 84, 62),
        },
        _fired,
        0.09,
        (96, 58, 50),
        MORTAR,
    ),
    "render": Stuff(
        ("plain",),
        {
            "white": (238, 235, 228),
            "pale": (224, 214, 196),
            "yellow": (226, 192, 128),
            "grey": (166, 164, 160),
            "terracotta": (190, 120, 88),
            "blue": (140, 164, 184),
            "green": (150, 168, 138),
        },
        _smooth,
        0.0,
    ),
    "concrete": Stuff(
        ("plain", "tiles", "stack-bond", "boards"),
        {"grey": (156, 154, 150), "pale": (194, 191, 184), "dark": (98, 97, 95)},
        _cloudy,
        0.03,
        (140, 134, 124),
    ),
    "timber": Stuff(
        ("planks", "boards", "planks", "herringbone", "shingles"),
        {
            "natural": (178, 122, 72),
            "pale": (212, 174, 124),
            "dark": (92, 60, 40),
            "grey": (146, 138, 128),
            "red": (142, 62, 44),
            "white": (224, 218, 208),
        },
        _grained,
        0.1,
        (120, 76, 44),
    ),
    "stone": Stuff(
        ("ashlar", "ashlar", "tiles", "cobbles", "running-bond"),
        {
            "pale": (208, 198, 176),
            "yellow": (204, 172, 122),
            "grey": (150, 148, 144),
            "dark": (96, 94, 94),
            "red": (164, 112, 92),
        },
        _bedded,
        0.07,
        (160, 140, 112),
        (168, 160, 144),
    ),
    "granite": Stuff(
        ("tiles", "cobbles", "ashlar", "plain"),
        {"grey": (140, 138, 138), "dark": (74, 74, 78), "red": (158, 116, 104)},
        _speckled,
        0.05,
        (110, 104, 100),
        (104, 100, 96),
    ),
    "marble": Stuff(
        ("plain", "tiles", "hexagons"),
        {"white": (232, 230, 226), "green": (72, 104, 88), "dark": (62, 60, 62)},
        _veined,
        0.02,
        None,
        (190, 188, 182),
    ),
    "slate": Stuff(
        ("shingles", "shingles", "tiles"),
        {"grey": (84, 90, 98), "dark": (56, 60, 66), "green": (86, 100, 92), "red": (112, 78, 78)},
        _bedded,
        0.12,
        (104, 98, 92),
    ),
    "clay tile": Stuff(
        ("roof-tiles", "roof-tiles", "shingles", "tiles", "hexagons"),
        {
            "red": (180, 88, 56),
            "terracotta": (196, 114, 76),
            "brown": (124, 78, 58),
            "dark": (82, 66, 60),
            "grey": (128, 122, 118),
        },
        _fired,
        0.09,
        (128, 70, 52),
        (168, 150, 134),
    ),
    "glazed tile": Stuff(
        ("tiles", "stack-bond", "running-bond", "hexagons", "herringbone"),
        {
            "white": (236, 235, 230),
            "blue": (54, 96, 142),
            "green": (66, 112, 92),
            "dark": (48, 50, 54),
            "red": (148, 50, 42),
            "yellow": (222, 184, 92),
        },
        _smooth,
        0.06,
        None,
        (204, 202, 196),
    ),
    "zinc": Stuff(
        ("standing-seam", "standing-seam", "tiles", "shingles"),
        {"grey": (150, 158, 164), "dark": (86, 92, 98)},
        _rolled,
        0.03,
    ),
    "metal": Stuff(
        ("corrugated", "standing-seam", "corrugated", "tiles"),
        {
            "grey": (168, 172, 176),
            "dark": (66, 70, 76),
            "white": (226, 228, 228),
            "red": (146, 56, 46),
            "green": (86, 112, 94),
            "blue": (74, 104, 136),
        },
        _rolled,
        0.02,
    ),
    "copper": Stuff(
        ("standing-seam", "tiles", "shingles"),
        {"green": (118, 164, 146), "brown": (142, 88, 62)},
        _rusty,
        0.06,
        (150, 150, 126),
    ),
    "rusty steel": Stuff(
        ("plain", "tiles", "corrugated", "standing-seam"),
        {"brown": (136, 74, 46)},
        _rusty,
        0.05,
        (92, 54, 40),
    ),
    "paving": Stuff(
        ("tiles", "herringbone", "running-bond", "cobbles", "hexagons"),
        {
            "grey": (150, 148, 144),
            "pale": (196, 190, 178),
            "dark": (92, 92, 92),
            "red": (150, 92, 74),
        },
        _speckled,
        0.06,
        (128, 122, 114),
        (112, 106, 98),
    ),
    "asphalt": Stuff(("plain",), {"dark": (70, 70, 72), "grey": (110, 110, 110)}, _speckled, 0.0),
    "lawn": Stuff(("plain",), {"green": (92, 122, 58), "dry": (150, 144, 90)}, _grassy, 0.0),
}


def paint(canvas: Canvas, stuff: Stuff, color: Rgb, age: str = "") -> NDArray[np.uint8]:
    """A material's albedo, uint8 sRGB [n, n, 3]."""
    worn = {"": 1.0, "old": 1.9, "new": 0.55}[age]
    base = np.array(color, np.float32)
    tone = 1.0 + canvas.each(stuff.variety * worn)
    picture = base * (tone * (1.0 + worn * (stuff.look(canvas) - 1.0)))[..., None]
    if stuff.second is not None:
        share = (0.12 * worn * np.abs(canvas.each(1.0)))[..., None].clip(0.0, 0.6)
        # As bright as the material, so that pale things stay pale.
        other = np.array(stuff.second, np.float32)
        picture += share * (other * (base.mean() / other.mean()) - base)
    if age == "old":
        picture *= 1.0 - 0.07 * (1.0 + np.tanh(canvas.noise(0.1, 2.0, 1.3)))[..., None]
    joints = canvas.relief.units == JOINT
    filling = 0.42 * base if stuff.joint is None else np.array(stuff.joint, np.float32)
    grain = 1.0 + 0.06 * canvas.noise(0.004, 0.05, 0.5) - 0.04 * (worn - 1.0)
    picture = np.where(joints[..., None], filling * grain[..., None], picture)
    return np.rint(picture.clip(0.0, 255.0)).astype(np.uint8)
