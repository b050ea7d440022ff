"""Captions say what differs from the default, in words of the vocabulary."""

from __future__ import annotations

import random
from typing import Any

from studio.captions import VOCABULARY, caption, defaults, words_of
from studio.facade import WINDOWS
from studio.ground import GROUNDS
from studio.massing import TYPES
from studio.palette import ROOFS, WALLS
from studio.sky import LIGHTS
from studio.words import LIGHT_WORDS, WALL_WORDS


def _attributes(rng: random.Random) -> dict[str, Any]:
    return {
        "type": rng.choice(list(TYPES)),
        "wall": rng.choice(list(WALLS)),
        "roof": rng.choice(list(ROOFS)),
        "windows": rng.choice(list(WINDOWS)),
        "ground": rng.choice(GROUNDS),
        "light": rng.choice(list(LIGHTS)),
        "style": rng.choice(["photo", "white card", "pencil", "watercolour", "blueprint"]),
        "view": rng.choice(["street", "two-point", "bird", "elevation"]),
        "extras": rng.sample(["trees", "people", "cars", "balconies", "context"], 2),
    }


def test_captions_use_only_the_vocabulary_and_vary() -> None:
    rng = random.Random(1)
    known, seen = set(VOCABULARY), set()
    for _ in range(3000):
        text = caption(_attributes(rng), rng)
        assert words_of(text) <= known, text
        seen.add(text)
    assert len(seen) > 2900


def test_what_differs_from_the_default_is_always_said() -> None:
    rng = random.Random(2)
    for _ in range(500):
        attributes = _attributes(rng)
        text = caption(attributes, rng)
        silent = defaults(attributes["type"])
        for key, words in (("wall", WALL_WORDS), ("light", LIGHT_WORDS)):
            if attributes[key] != silent[key]:
                assert any(phrase in text for phrase in words[attributes[key]]), (
                    key,
                    attributes,
                    text,
                )


def test_a_caption_follows_from_its_generator() -> None:
    attributes = _attributes(random.Random(3))
    assert caption(attributes, random.Random(4)) == caption(attributes, random.Random(4))


def test_drawings_do_not_name_materials_or_light() -> None:
    attributes = _attributes(random.Random(5)) | {
        "wall": None,
        "roof": None,
        "ground": None,
        "light": None,
        "style": "pencil",
    }
    for seed in range(50):
        text = caption(attributes, random.Random(seed))
        assert any(word in text for word in ("pencil", "graphite"))
        assert "dusk" not in text and "brick" not in text
