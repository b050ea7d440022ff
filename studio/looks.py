"""The massing as viewports show it: solid, cavity, matcap, coloured by object, clay, hidden line;
shaded from its maps.

Everything is shaded on maps of twice the picture's size and averaged, as a viewport's antialiasing
does.
"""

from __future__ import annotations

import random

import numpy as np

from .edges import edge_map
from .images import blur, halve, to_bytes
from .model import Part
from .render import Maps

NAMES = ("solid", "cavity", "matcap", "objects", "clay", "outline")
BACKGROUNDS = {
    "dark": (0.24, 0.24),
    "grey": (0.42, 0.36),
    "light": (0.80, 0.72),
    "white": (1.0, 1.0),
}


def _unit(x: float, y: float, z: float) -> np.ndarray:
    vector = np.array([x, y, z], np.float32)
    return vector / np.linalg.norm(vector)


def _studio(normals: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Three soft lights fixed to the camera, as in a viewport's solid mode."""
    key = np.clip(normals @ _unit(-0.45, 0.75, 0.55), 0.0, 1.0)
    fill = np.clip(normals @ _unit(0.75, 0.25, 0.6), 0.0, 1.0)
    rim = np.clip(normals @ _unit(0.1, -0.6, 0.5), 0.0, 1.0)
    light = 0.22 + 0.56 * key + 0.26 * fill + 0.08 * rim
    return np.clip(base * light[..., None], 0.0, 1.0)


def _matcap(
    normals: np.ndarray, dark: np.ndarray, middle: np.ndarray, bright: np.ndarray
) -> np.ndarray:
    """A painted ball looked up by the view-space normal."""
    t = np.clip(0.5 + 0.42 * normals[..., 1] - 0.3 * normals[..., 0], 0.0, 1.0)[..., None]
    body = np.where(
        t < 0.5, dark + (middle - dark) * t * 2, middle + (bright - middle) * (t * 2 - 1)
    )
    rim = (1.0 - np.clip(normals[..., 2:3], 0.0, 1.0)) ** 3
    return np.clip(body + 0.25 * rim * bright, 0.0, 1.0)


def _colours_by_object(objects: np.ndarray, rng: random.Random) -> np.ndarray:
    table = np.array(
        [
            (rng.uniform(0.35, 0.9), rng.uniform(0.35, 0.9), rng.uniform(0.35, 0.9))
            for _ in range(64)
        ],
        np.float32,
    )
    return table[objects % 64]


def _backdrop(height: int, width: int, name: str) -> np.ndarray:
    top, bottom = BACKGROUNDS[name]
    column = np.linspace(top, bottom, height, dtype=np.float32)[:, None, None]
    return np.broadcast_to(column, (height, width, 3)).copy()


def draw(maps: Maps, name: str, ground: bool, rng: random.Random) -> np.ndarray:
    """One look, uint8 [H/2, W/2, 3], from maps of twice that size."""
    height, width = maps.depth.shape
    normals = maps.normals
    grey = np.ones((height, width, 3), np.float32)
    background = "dark"
    if name == "solid":
        picture = _studio(normals, grey * 0.8)
    elif name == "cavity":
        background = rng.choice(("dark", "grey", "light"))
        picture = _studio(normals, grey * rng.choice((0.7, 0.8, 0.95)))
        height_field = np.where(
            np.isfinite(maps.depth), 1.0 / np.maximum(maps.depth, 1e-3), 0.0
        ).astype(np.float32)
        relief = (height_field - blur(height_field, 3.0)) / np.maximum(height_field, 1e-6)
        picture *= 1.0 + np.clip(relief * 3.0, -0.45, 0.3)[..., None]
        picture *= (
            1.0 - 0.5 * (edge_map(maps.depth, normals, maps.parts, maps.objects) > 0)[..., None]
        )
    elif name == "matcap":
        background = rng.choice(("dark", "grey", "light"))
        tone = np.array(
            rng.choice(
                ((0.62, 0.42, 0.32), (0.5, 0.5, 0.52), (0.36, 0.46, 0.58), (0.66, 0.62, 0.54))
            ),
            np.float32,
        )
        picture = _matcap(normals, tone * 0.3, tone, np.minimum(1.0, tone * 1.5))
    elif name == "objects":
        background = rng.choice(("dark", "grey", "white"))
        picture = _studio(normals, _colours_by_object(maps.objects, rng))
    elif name == "clay":
        background = rng.choice(("light", "white", "grey"))
        tone = np.array(
            rng.choice(((0.88, 0.86, 0.82), (0.82, 0.72, 0.62), (0.93, 0.93, 0.93))), np.float32
        )
        sun = np.clip(normals @ _unit(-0.6, 0.6, 0.5), 0.0, 1.0)[..., None]
        picture = tone * (0.52 + 0.5 * sun)
    else:
        background = "white"
        picture = 0.97 - 0.1 * np.clip(-normals[..., :1], 0.0, 1.0) * grey
        picture *= (
            1.0 - 0.85 * (edge_map(maps.depth, normals, maps.parts, maps.objects) > 0)[..., None]
        )
    is_ground = maps.parts == Part.GROUND
    if name == "objects":
        picture[is_ground] = np.float32(0.45)
    backdrop = _backdrop(height, width, background)
    hidden = maps.parts == Part.SKY
    if not ground:
        hidden = hidden | is_ground
    picture[hidden] = backdrop[hidden]
    return to_bytes(halve(picture))


def choose(rng: random.Random, count: int) -> list[tuple[str, bool]]:
    """`count` looks as (name, with ground): plain solid with ground first, the others at random."""
    others = rng.sample(NAMES[1:], count - 2)
    return [("solid", True), ("solid", False), *((name, rng.random() < 0.6) for name in others)]
