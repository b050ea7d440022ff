"""Names of a batch's pictures: what each is of, and what tells it from the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maquette_wire.recipe import Recipe

from .. import outputs
from .task import AXES

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
    whole = "-".join(part for part in parts if part)
    return whole.encode()[:NAME_BYTES].decode(errors="ignore")


def _part(name: str, value: Any) -> str:
    """A varied field in a file's name, for instance `g0.5`."""
    if value is None:
        return ""
    if isinstance(value, str):
        return outputs.slug(value) if value else ""
    return f"{SHORT.get(name, name)}{value:.6g}" if name != "seed" else f"s{value}"
