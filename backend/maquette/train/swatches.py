"""Swatches: squares of known materials, painted from a seed, for a model to learn materials from.

A swatch is a scene of the training dataset (docs/dataset.md): the relief of a pattern as depth, and
finishes that differ in what the units are made of and how it is coloured, each with captions. What
the captions don't say (which brick is the darkest, where a vein runs) is chance.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from maquette_wire.material import PATTERN, Material, PatternName
from numpy.typing import NDArray

from ..materials.layouts import Cells, cells_of
from ..materials.patterns import Relief, relief_of
from .scenes import FORMAT, write_scene
from .stuffs import STUFFS, Canvas, paint

FINISHES = 3
HELD_OUT = 50
"""A swatch whose seed it divides is never trained on."""
_SIZES = (0.5, 3.2)
"""Metres of a swatch's side."""

_CAPTIONS = (
    "{age} {color} {stuff}",
    "{age} {color} {stuff}, {laid}",
    "{laid} of {age} {color} {stuff}",
    "{color} {stuff}, {age}",
)
_AGES = {"": ("",), "old": ("old", "weathered"), "new": ("new", "clean")}


def write_swatches(
    folder: Path, seeds: Sequence[int], pixels: int, progress: Callable[[int, int], None]
) -> None:
    """Write the swatches of these seeds that a dataset's folder lacks. progress is called with how
    many are done, and all. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    described = json.dumps({"format": FORMAT, "generator": "swatches", "resolution": pixels})
    (folder / "dataset.json").write_text(described + "\n", "utf-8")
    for number, seed in enumerate(seeds):
        path = folder / f"scene_{seed:06d}.npz"
        if not path.exists():
            write_scene(path, *scene_of(seed, pixels))
        progress(number + 1, len(seeds))


def scene_of(seed: int, pixels: int) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays of a scene file, and its `meta`, docs/dataset.md. The same seed gives the same."""
    rng = np.random.default_rng((7, seed))
    names = list(STUFFS)
    # Every material in turn, so that any number of swatches shows all of them.
    stuff = STUFFS[names[seed % len(names)]]
    pattern = stuff.patterns[seed // len(names) % len(stuff.patterns)]
    material = _material(rng, pattern, pixels)
    cells = cells_of(material, pixels)
    relief = relief_of(cells, material)
    capture = relief.capture()
    fitting = [name for name in names if pattern in STUFFS[name].patterns]
    finishes = [names[seed % len(names)]]
    finishes += [fitting[int(rng.integers(len(fitting)))] for _ in range(FINISHES - 1)]
    painted = [_finish(rng, name, pattern, cells, relief) for name in finishes]
    depth = np.asarray(capture.depth)
    massing = np.asarray(capture.color)[None]
    meta = {
        "format": FORMAT,
        "seed": seed,
        "split": "scene" if seed % HELD_OUT == 0 else "train",
        "type": "material",
        "view": "square",
        "camera": {"kind": "orthographic", "ortho_scale": material.size},
        "looks": [{"name": "solid", "ground": True}],
        "finishes": [described for _picture, described in painted],
    }
    arrays: dict[str, NDArray[Any]] = {
        "massing": massing,
        "depth": depth,
        "finishes": np.stack([picture for picture, _described in painted]),
        "parts": np.full(depth.shape, 2, np.uint8),
        "objects": np.ones(depth.shape, np.uint8),
        "normals": np.zeros((*depth.shape, 3), np.int8),
        "edges": np.zeros(depth.shape, np.uint8),
    }
    return arrays, meta


def _material(rng: np.random.Generator, pattern: PatternName, pixels: int) -> Material:
    """A pattern at some scale, its units about as large as they are by default."""
    own = PATTERN[pattern]
    low, high = _SIZES
    # Small enough for units to be seen, large enough to hold one.
    high = min(high, max(low, 0.12 * pixels * min(own.unit)))
    size = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    scale = float(np.exp(rng.normal(0.0, 0.2)))
    return Material(
        size=size,
        pixels=max(128, pixels // 64 * 64),
        pattern=pattern,
        unit=(own.unit[0] * scale, own.unit[1] * scale * float(np.exp(rng.normal(0.0, 0.12)))),
        joint=own.joint * float(rng.uniform(0.5, 1.6)),
    ).filled("")


def _finish(
    rng: np.random.Generator, name: str, pattern: PatternName, cells: Cells, relief: Relief
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    stuff = STUFFS[name]
    words = list(stuff.colors)
    # The commonest colour as often as any two others.
    color = words[int(rng.integers(-1, len(words))) % len(words) if rng.random() < 0.8 else 0]
    age = str(rng.choice(["", "old", "new"], p=(0.6, 0.25, 0.15)))
    upright = np.broadcast_to(pattern in ("boards", "standing-seam"), cells.units.shape)
    if pattern == "herringbone":
        upright = cells.units % 2 == 1
    picture = paint(Canvas(rng, cells, relief, upright), stuff, stuff.colors[color], age)
    laid = PATTERN[pattern].title.lower()
    captions = [
        _caption(each, str(rng.choice(_AGES[age])), color, name, laid) for each in _CAPTIONS
    ]
    if color == words[0]:  # what it is where a prompt says no colour
        captions[2:] = [each.replace(f"{color} ", "") for each in captions[:2]]
    attributes = {"stuff": name, "color": color, "pattern": pattern, "age": age or None}
    return picture, {"attributes": attributes, "captions": captions}


def _caption(phrase: str, age: str, color: str, stuff: str, laid: str) -> str:
    text = phrase.format(age=age, color=color, stuff=stuff, laid=laid)
    return " ".join(text.split()).rstrip(" ,")
