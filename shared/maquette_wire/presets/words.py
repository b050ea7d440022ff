"""What a preset is, and the prompt that a typed one and the chosen presets make together."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import msgspec

from ..errors import MaquetteError

Category = Literal["project", "material", "ground", "season", "light", "style"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
"""Kinds of presets, of which a prompt has one each at most, in the order of their words."""
NAME_CHARACTERS, WORDS_CHARACTERS, PICTURE_BYTES = 60, 1000, 512 * 1024
"""What a preset may have at most."""
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_END = " \t\n,;."


class Preset(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Words that are added to a prompt.

    Attributes:
        name: as the user reads it; in its category it is the only one of that name, in whatever
            case.
        category: what it decides of a picture.
        words: added to the prompt.
        negative: added to the negative prompt.
        picture: a small PNG or JPEG of what it does; empty where there is none.
    """

    name: str
    category: Category
    words: str
    negative: str = ""
    picture: bytes = b""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others."""
        return key_of(self.category, self.name)


def key_of(category: str, name: str) -> tuple[str, str]:
    """A category with a name in the form that equal ones have in common."""
    return category, unicodedata.normalize("NFC", name).casefold()


def checked(preset: Preset) -> Preset:
    """The preset with its texts tidied up. Raises MaquetteError("bad-preset")."""
    name, words, negative = (_tidy(text) for text in (preset.name, preset.words, preset.negative))
    title = name[:NAME_CHARACTERS] or "without a name"
    for fits, what, fix in (
        (name, "has no name", "Give it one"),
        (len(name) <= NAME_CHARACTERS, "has a long name", f"Use {NAME_CHARACTERS} characters"),
        (words.strip(_END), "has no words", "Say what it adds to a prompt"),
        (
            max(len(words), len(negative)) <= WORDS_CHARACTERS,
            "has too many words",
            f"Use {WORDS_CHARACTERS} characters",
        ),
        (
            not preset.picture or preset.picture.startswith(_PICTURES),
            "has a picture that is neither PNG nor JPEG",
            "Save it as one of these",
        ),
        (
            len(preset.picture) <= PICTURE_BYTES,
            "has a large picture",
            f"Use {PICTURE_BYTES // 1024} KB at most",
        ),
    ):
        if not fits:
            raise MaquetteError("bad-preset", f"The preset {title} {what}.", f"{fix}.")
    return msgspec.structs.replace(preset, name=name, words=words, negative=negative)


def composed(prompt: str, negative: str, presets: Sequence[Preset]) -> tuple[str, str]:
    """The prompt and the negative prompt with the words of presets, in the order of categories.

    Words that a text has already are not said twice.
    """
    ordered = sorted(presets, key=lambda preset: CATEGORIES.index(preset.category))
    return (
        _joined(prompt, [preset.words for preset in ordered]),
        _joined(negative, [preset.negative for preset in ordered]),
    )


def recognised(
    prompt: str, negative: str, presets: Sequence[Preset]
) -> tuple[str, str, tuple[Preset, ...]]:
    """What `composed` may have made a prompt of: the typed texts, and which of ``presets``.

    Only what gives the very same two texts again is recognised; else they are returned as they
    are, without presets.
    """
    typed, avoided, found = prompt, negative, []
    for category in reversed(CATEGORIES):
        of_category = [preset for preset in presets if preset.category == category]
        for preset in sorted(of_category, key=lambda preset: -len(preset.words)):
            shorter = _without(typed, preset.words), _without(avoided, preset.negative)
            if None not in shorter:
                typed, avoided = shorter[0] or "", shorter[1] or ""
                found.append(preset)
                break
    if composed(typed, avoided, found) != (prompt, negative):
        return prompt, negative, ()
    return typed, avoided, tuple(reversed(found))


def by_category(presets: Sequence[Preset]) -> Mapping[Category, list[Preset]]:
    """Presets, all categories named."""
    return {
        category: [preset for preset in presets if preset.category == category]
        for category in CATEGORIES
    }


def _joined(text: str, additions: Sequence[str]) -> str:
    text = text.strip()
    for words in additions:
        if not words or re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text, re.IGNORECASE):
            continue
        begun = text.rstrip(_END)
        text = f"{begun}, {words}" if begun else words
    return text


def _without(text: str, words: str) -> str | None:
    """A text without the words that end it; None where it doesn't end with them."""
    if not words:
        return text
    if text == words:
        return ""
    return text.removesuffix(f", {words}") if text.endswith(f", {words}") else None


def _tidy(text: str) -> str:
    seen = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in text)
    return " ".join(unicodedata.normalize("NFC", seen).split())
