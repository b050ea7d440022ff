"""Kinds of windows: how they fill their bay and storey, and the words that ask for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """How one kind of window fills its bay and its storey.

    width: share of the bay; 1 or more for a band without piers. sill, head: shares of the storey.
    words: phrases of a prompt that ask for it, the first one as a model reads it best.
    """

    width: float
    sill: float
    head: float
    words: tuple[str, ...]


KINDS: dict[str, Kind] = {
    "punched": Kind(0.44, 0.30, 0.80, ("punched windows", "square windows", "small windows")),
    "tall": Kind(0.42, 0.08, 0.86, ("tall windows", "french windows", "floor-to-ceiling windows")),
    "ribbon": Kind(1.0, 0.34, 0.82, ("ribbon windows", "strip windows", "bands of windows")),
    "grid": Kind(
        0.80,
        0.08,
        0.90,
        ("grid of large windows", "deep window grid", "gridded facade", "large windows"),
    ),
    "curtain wall": Kind(
        1.0,
        0.14,
        0.985,
        ("curtain wall", "fully glazed facade", "glazed facade", "glass facade", "all-glass"),
    ),
}
"""The measures are those of the training scenes, from which models know them."""
IMPLIED = {"tall": ("church", "chapel", "cathedral", "abbey")}
"""Buildings that have windows of a kind unless a prompt names others."""
PLAIN = "punched"
"""What a prompt that names no window gets, where the model's settings leave that open, too."""


def kind_of(prompt: str) -> str:
    """The kind of windows that a prompt names, by its last phrase for one; without any, that of the
    building that it names, or `PLAIN`."""
    found = _found(prompt, {name: kind.words for name, kind in KINDS.items()})
    found = found or _found(prompt, IMPLIED)
    return max(found)[1] if found else PLAIN


def names_windows(prompt: str) -> bool:
    """Whether a prompt says what windows it wants."""
    return bool(_found(prompt, {name: kind.words for name, kind in KINDS.items()}))


def _found(prompt: str, phrases: Mapping[str, Sequence[str]]) -> list[tuple[int, str]]:
    """Where in a prompt which kinds of windows are named by phrases of theirs."""
    return [
        (match.start(), name)
        for name, words in phrases.items()
        for phrase in words
        for match in re.finditer(rf"\b{re.escape(phrase)}s?\b", prompt.lower())
    ]
