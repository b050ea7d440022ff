"""What a prompt leaves open, decided by the seed.

A model that paints in one step from depth and text gives every seed the same picture. What an
architect wants of another seed is another reading of the same words, so such a model's settings
list what prompts may leave open (light, ground, walls) and phrases that it knows for each.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import msgspec


class Opening(msgspec.Struct, frozen=True):
    """settled_by: words and phrases of a prompt that leave nothing open; choices: phrases of which
    a seed adds one, otherwise."""

    settled_by: tuple[str, ...]
    choices: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.choices:
            raise ValueError("an opening without choices; give some, or leave it out")

    def is_settled(self, prompt: str) -> bool:
        return names_any(prompt, self.settled_by)


def names_any(prompt: str, phrases: Sequence[str]) -> bool:
    """Whether a prompt has any of these words and phrases, or their plurals."""
    named = "|".join(re.escape(phrase.lower()) for phrase in phrases)
    return bool(named) and re.search(rf"\b(?:{named})s?\b", prompt.lower()) is not None


def completed(prompt: str, seed: int, openings: Sequence[Opening]) -> str:
    """The prompt with a phrase for everything it leaves open, a function of prompt and seed.

    What one opening gets does not depend on whether the others are settled, so that naming the
    light keeps the walls.
    """
    phrases = [prompt.strip().rstrip(",")] if prompt.strip() else []
    for number, opening in enumerate(openings):
        choice = random.Random(f"{seed} {number}").choice(opening.choices)
        if not opening.is_settled(prompt):
            phrases.append(choice)
    return ", ".join(phrases)
