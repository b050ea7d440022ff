"""Names of a batch's pictures: what each is of, and what tells it from the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from maquette_wire.recipe import Recipe

from .. import outputs
from .task import AXES

RESERVED = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])", re.IGNORECASE)
"""Names that Windows keeps for devices, whatever suffix follows."""
NAME_BYTES = 200
"""Of a file's name before its number and suffix; file systems take 255."""
SHORT = {
    "seed": "s",
    "geometry": "g",
    "guidance": "w",
    "strength": "a",
    "depth_influence": "d",
    "storey": "h",
    "bay": "b",
    "lines_influence": "l",
}


def name_of(stem: str, recipe: Recipe, recipes: Sequence[Recipe], *, prompt: bool) -> str:
    """What a picture is, and what of its recipe differs among all of them.

    Args:
        stem: what it is of.
        prompt: False leaves the prompt out.
    """
    parts = [stem, outputs.slug(recipe.prompt) if prompt else ""]
    for name in AXES:
        if len({getattr(other, name) for other in recipes}) > 1:
            parts.append(_part(name, getattr(recipe, name)))
    return joined(parts)


def joined(parts: Sequence[str]) -> str:
    """A file's name of its parts, as every file system takes it; without a suffix."""
    whole = "-".join(part for part in parts if part)
    whole = whole.encode()[:NAME_BYTES].decode(errors="ignore")
    return f"{whole}_" if RESERVED.fullmatch(whole) else whole


def _part(name: str, value: Any) -> str:
    """A varied field in a file's name, for instance `g0.5`."""
    if value is None:
        return ""
    if isinstance(value, str):
        return outputs.slug(value) if value else ""
    return f"{SHORT.get(name, name)}{value:.6g}" if name != "seed" else f"s{value}"
