"""Folders of pictures with recipes, and of a batch with its manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from maquette.sheets import Row
from maquette.sheets.rows import MANIFEST
from maquette_wire import png
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray
from PIL import Image

from tests.backend.scenes import massing

PROMPTS = ("red brick, dusk", "white render, day", "timber in snow", "concrete, night")


def plain(color: Sequence[int], width: int = 60, height: int = 40) -> NDArray[np.uint8]:
    """A picture of one colour."""
    return np.full((height, width, 3), color, np.uint8)


def mottled(seed: int, width: int = 384, height: int = 256) -> NDArray[np.uint8]:
    """A picture with as much in it as a concept has: its thumbnail takes as many bytes."""
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 14, width // 14, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def save(
    path: Path, pixels: NDArray[np.uint8], recipe: Recipe | None = None, view: str | None = None
) -> Path:
    """A PNG as Maquette writes it; without a recipe as others do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = {png.RECIPE_KEY: recipe.to_json()} if recipe else {}
    if view:
        seen = massing(16, 16, name=view).view
        text[png.VIEW_KEY] = msgspec.json.encode(seen).decode()
    png.write(path, np.ascontiguousarray(pixels).data, pixels.shape[1], pixels.shape[0], text)
    return path


def write_manifest(folder: Path, rows: Sequence[Row | dict[str, Any]]) -> Path:
    """The manifest of a batch; returns its folder."""
    lines = [json.dumps(msgspec.to_builtins(row)) + "\n" for row in rows]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).write_text("".join(lines), encoding="utf-8")
    return folder


def batch(folder: Path, number: int, files: int = 40, failed: int = 3) -> Path:
    """A batch: 5 sources with a view each, 4 prompts, seeds; the last outputs failed.

    Outputs share ``files`` pictures, which saves the time of writing them; on a page each has a
    thumbnail of its own.
    """
    for file in range(files):
        save(folder / f"concept {file}#.png", mottled(file))
    for source in range(5):
        save(folder / f"sources/model{source}.png", mottled(1000 + source))
    rows = [
        Row(
            number=n,
            source=f"models/model{n % 5}.blend",
            view="Street" if n % 5 else "Bird",
            source_picture=f"sources/model{n % 5}.png",
            file=f"concept {n % files}#.png" if n < number - failed else None,
            state="done" if n < number - failed else "failed",
            error=None if n < number - failed else "There is no camera Street in model.blend.",
            seconds=0.8,
            recipe=Recipe(prompt=PROMPTS[n // 5 % 4], seed=n // 20, model_hash="ab" * 32),
        )
        for n in range(number)
    ]
    return write_manifest(folder, rows)
