"""Captions from a grammar: several phrasings and synonyms for the attributes of a finish."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

from .massing.registry import TYPES

TYPE_WORDS: dict[str, tuple[str, ...]] = {
    "gabled house": (
        "gabled house",
        "house with a gable roof",
        "pitched roof house",
        "family house",
        "house",
    ),
    "office slab": ("office slab", "office building", "office block", "slab building", "offices"),
    "church": ("church", "church with a tower", "parish church", "village church"),
    "podium tower": (
        "tower on a podium",
        "high-rise on a podium",
        "skyscraper",
        "tower",
        "high-rise tower",
    ),
    "stacked villa": (
        "villa of stacked boxes",
        "modern villa",
        "stacked villa",
        "contemporary villa",
        "modern house",
    ),
    "street canyon": (
        "street of town houses",
        "city street",
        "street canyon",
        "urban street",
        "street with apartment buildings",
    ),
    "courtyard block": (
        "courtyard block",
        "perimeter block",
        "apartment block with a courtyard",
        "city block",
        "housing block",
    ),
    "row houses": (
        "row houses",
        "row of houses",
        "town houses in a row",
        "terrace of houses",
        "row of town houses",
    ),
    "balcony flats": (
        "apartment building",
        "block of flats",
        "residential building",
        "apartment block",
        "flats",
    ),
    "pavilion": ("pavilion", "glass pavilion", "pavilion with a thin roof", "low pavilion"),
    "setback tower": (
        "tower with setbacks",
        "stepped tower",
        "setback tower",
        "high-rise with setbacks",
        "tower",
    ),
    "hip-roofed house": (
        "hip-roofed house",
        "house with a hip roof",
        "villa with a hip roof",
        "country house",
        "house",
    ),
    "crescent": ("crescent", "curved building", "curved apartment building", "building on an arc"),
    "rotunda": ("rotunda", "round hall", "domed rotunda"),
    "library": (
        "library",
        "public library",
        "library with a colonnade",
        "building with a colonnade",
        "public building",
    ),
    "factory": (
        "factory",
        "factory with a saw-tooth roof",
        "workshop hall",
        "industrial building",
        "warehouse",
    ),
    "flat-roofed house": (
        "flat-roofed house",
        "cubic house",
        "modern house",
        "house with a flat roof",
        "house",
    ),
    "twisted tower": (
        "twisted tower",
        "twisting tower",
        "turning high-rise",
        "spiral tower",
        "tower",
    ),
    "canal houses": (
        "canal houses",
        "narrow gabled town houses",
        "old town houses",
        "row of canal houses",
        "merchant houses",
    ),
    "podium slab": (
        "slab on a podium",
        "office slab on a podium",
        "office building on a podium",
        "office building",
    ),
    "chapel": ("chapel", "small chapel", "small church", "country chapel"),
    "cantilevered villa": (
        "cantilevered villa",
        "villa with a cantilever",
        "modern villa",
        "cantilevered house",
        "modern house",
    ),
    "round tower": ("round tower", "cylindrical tower", "circular high-rise", "tower"),
    "museum": ("museum", "art museum", "gallery", "concert hall", "cultural centre"),
    "barn": ("barn", "farm building", "large barn", "farmhouse"),
    "corner building": (
        "corner building",
        "building with a round corner",
        "rounded corner building",
        "apartment building",
    ),
    "twin towers": ("twin towers", "two towers", "pair of towers", "pair of high-rises", "towers"),
    "L-shaped house": ("house with a wing", "house with a gabled wing", "family house", "house"),
    "office wings": (
        "office building with two wings",
        "school",
        "office building",
        "campus building",
    ),
    "terraced building": ("terraced building", "stepped building", "building with terraces"),
    "station hall": (
        "station hall",
        "market hall",
        "vaulted hall",
        "railway station",
        "hall with a barrel vault",
    ),
    "wave building": (
        "wave-shaped building",
        "undulating building",
        "curved building",
        "building with a wavy front",
    ),
    "gate building": (
        "gate building",
        "arch building",
        "building with a large opening",
        "bridge building",
    ),
}
WALL_WORDS: dict[str, tuple[str, ...]] = {
    "red brick": ("red brick", "brick", "red brick", "dark red brick"),
    "pale brick": ("pale brick", "yellow brick", "light brick", "buff brick"),
    "white render": ("white render", "white stucco", "white plaster", "white"),
    "concrete": ("concrete", "exposed concrete", "grey concrete", "fair-faced concrete"),
    "timber": ("timber", "wood", "timber cladding", "wooden"),
    "stone": ("stone", "natural stone", "limestone", "sandstone"),
    "metal": ("metal", "metal cladding", "dark metal", "steel"),
    "glass": ("glass", "glazed", "glass curtain wall", "all-glass"),
}
ADJECTIVES = {"white", "wooden", "glazed", "all-glass"}
ROOF_WORDS: dict[str, tuple[str, ...]] = {
    "clay tile": ("red tile roof", "clay tile roof", "tiled roof", "terracotta roof"),
    "slate": ("slate roof", "dark slate roof", "grey slate roof"),
    "zinc": ("zinc roof", "metal roof", "standing seam roof"),
    "flat": ("flat roof",),
    "green": ("green roof", "planted roof", "grass roof"),
}
WINDOW_WORDS: dict[str, tuple[str, ...]] = {
    "punched": ("punched windows", "square windows", "small windows"),
    "tall": ("tall windows", "french windows", "floor-to-ceiling windows"),
    "ribbon": ("ribbon windows", "strip windows", "bands of windows"),
    "grid": ("deep window grid", "grid of large windows", "gridded facade"),
    "curtain wall": ("curtain wall", "fully glazed facade", "glass facade"),
}
GROUND_WORDS: dict[str, tuple[str, ...]] = {
    "lawn": ("lawn", "green lawn", "grass", "on grass", "meadow", "in a garden"),
    "plaza": ("plaza", "paved plaza", "dry plaza", "stone paving", "on a paved square"),
    "wet plaza": (
        "wet plaza",
        "wet paving",
        "after rain",
        "rain-wet plaza",
        "reflections on wet paving",
    ),
    "street": ("street", "asphalt street", "on a street", "road in front", "by the road"),
    "water": ("water", "by the water", "waterfront", "reflected in water", "beside a canal"),
    "snow": ("snow", "in snow", "snowy winter", "covered in snow", "winter"),
}
LIGHT_WORDS: dict[str, tuple[str, ...]] = {
    "day": ("by day", "sunny day", "daylight", "clear day", "blue sky", "midday sun"),
    "golden hour": (
        "golden hour",
        "at golden hour",
        "warm evening light",
        "late afternoon sun",
        "low warm sun",
        "sunrise",
    ),
    "dusk": ("at dusk", "dusk", "sunset", "twilight with lit windows", "blue hour", "at sunset"),
    "night": ("at night", "night", "night with lit windows", "by night", "dark night sky"),
    "overcast": ("overcast", "overcast sky", "cloudy day", "grey sky", "soft overcast light"),
    "fog": ("fog", "in fog", "misty morning", "in mist", "foggy"),
}
STYLE_WORDS: dict[str, tuple[str, ...]] = {
    "photo": (
        "photo",
        "photograph",
        "architectural photograph",
        "render",
        "architectural visualisation",
        "photorealistic",
    ),
    "white card": (
        "white card model",
        "white model",
        "cardboard model",
        "white architectural model",
        "paper model",
    ),
    "pencil": ("pencil drawing", "pencil sketch", "graphite drawing", "hand-drawn pencil sketch"),
    "watercolour": (
        "watercolour",
        "watercolor",
        "watercolour painting",
        "watercolor sketch",
        "aquarelle",
    ),
    "blueprint": ("blueprint", "cyanotype"),
}
EXTRA_WORDS: dict[str, tuple[str, ...]] = {
    "trees": ("trees", "with trees", "green trees"),
    "people": ("people", "with people", "pedestrians"),
    "cars": ("cars", "parked cars", "with cars"),
    "balconies": ("balconies", "with balconies"),
    "context": ("city context", "among other buildings", "in the city"),
}
VIEW_WORDS: dict[str, tuple[str, ...]] = {
    "street": ("street level view", "eye level", "from the street"),
    "two-point": ("two-point perspective", "street view", "eye level view"),
    "bird": ("bird's eye view", "aerial view", "from above"),
    "elevation": ("elevation", "front elevation", "orthographic elevation"),
}
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
