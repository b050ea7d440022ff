"""Captions from a grammar: several phrasings and synonyms for the attributes of a finish."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

from .massing.registry import TYPES
from .words import (
    EXTRA_WORDS,
    GROUND_WORDS,
    LIGHT_WORDS,
    ROOF_WORDS,
    STYLE_WORDS,
    TYPE_WORDS,
    VIEW_WORDS,
    WALL_WORDS,
    WINDOW_WORDS,
)

ADJECTIVES = {"white", "wooden", "glazed", "all-glass"}
FILLERS = ("a", "an", "of", "in", "with", "and", "the", "view", "building", "made")


def defaults(building_type: str) -> dict[str, str]:
    """What a caption that stays silent means, for a building type."""
    kind = TYPES[building_type]
    return {
        "wall": kind.wall,
        "roof": kind.roof,
        "windows": kind.windows,
        "ground": kind.ground,
        "light": "day",
        "style": "photo",
    }


def default_windows(building_type: str, wall: str) -> str:
    """Windows that a wall brings when nothing is said: glass is a curtain wall, a curtain wall
    only glass."""
    if wall == "glass":
        return "curtain wall"
    windows = TYPES[building_type].windows
    return "grid" if windows == "curtain wall" else windows


def _mentioned(attributes: Mapping[str, Any], key: str, rng: random.Random, share: float) -> bool:
    value = attributes.get(key)
    if value is None:
        return False
    kind = attributes["type"]
    silent = (
        default_windows(kind, attributes["wall"] or "") if key == "windows" else defaults(kind)[key]
    )
    return value != silent or rng.random() < share


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


def _subject(attributes: Mapping[str, Any], rng: random.Random) -> str:
    noun = rng.choice(TYPE_WORDS[attributes["type"]])
    if attributes["wall"] is None or not _mentioned(attributes, "wall", rng, 0.75):
        return noun
    wall = rng.choice(WALL_WORDS[attributes["wall"]])
    if wall in ADJECTIVES or rng.random() < 0.72:
        return f"{wall} {noun}"
    return f"{noun} {rng.choice(('in', 'of', 'made of'))} {wall}"


def caption(attributes: Mapping[str, Any], rng: random.Random) -> str:
    """One caption for the attributes of a finish (as in docs/dataset.md).

    It names every attribute that differs from the building type's default, and some of the others;
    light comes with the subject or as a phrase of its own.
    """
    subject = _subject(attributes, rng)
    plural = subject.endswith("s") and not subject.endswith("ss")
    if not plural and rng.random() < 0.4:
        subject = f"{_article(subject)} {subject}"
    phrases = []
    light = (
        rng.choice(LIGHT_WORDS[attributes["light"]])
        if _mentioned(attributes, "light", rng, 0.6)
        else None
    )
    if light and light.startswith(("at ", "by ", "in ")) and rng.random() < 0.6:
        subject, light = f"{subject} {light}", None
    style = (
        rng.choice(STYLE_WORDS[attributes["style"]])
        if _mentioned(attributes, "style", rng, 0.15)
        else None
    )
    if style and style not in ("photorealistic",) and rng.random() < 0.5:
        subject, style = f"{style} of {subject}", None
    for key, words, share in (
        ("ground", GROUND_WORDS, 0.5),
        ("roof", ROOF_WORDS, 0.3),
        ("windows", WINDOW_WORDS, 0.25),
    ):
        if _mentioned(attributes, key, rng, share):
            phrases.append(rng.choice(words[attributes[key]]))
    phrases += [
        rng.choice(EXTRA_WORDS[extra]) for extra in attributes["extras"] if rng.random() < 0.4
    ]
    if rng.random() < 0.2:
        phrases.append(rng.choice(VIEW_WORDS[attributes["view"]]))
    phrases += [phrase for phrase in (light, style) if phrase]
    rng.shuffle(phrases)
    return ", ".join([subject, *phrases])


def words_of(text: str) -> set[str]:
    """Lower-case words of a caption."""
    return set(re.findall(r"[a-z][a-z'-]*", text.lower()))


def _vocabulary() -> tuple[str, ...]:
    tables = (
        TYPE_WORDS,
        WALL_WORDS,
        ROOF_WORDS,
        WINDOW_WORDS,
        GROUND_WORDS,
        LIGHT_WORDS,
        STYLE_WORDS,
        EXTRA_WORDS,
        VIEW_WORDS,
    )
    words: set[str] = set(FILLERS)
    for table in tables:
        for phrases in table.values():
            for phrase in phrases:
                words |= words_of(phrase)
    return tuple(sorted(words))


VOCABULARY = _vocabulary()
"""Every word that a caption can contain."""
