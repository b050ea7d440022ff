"""What of a prompt a model can't use: words beyond the encoder's window, words it never learned."""

from __future__ import annotations

import re
from typing import Any

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SHOWN_WORDS, _SHOWN_CHARACTERS, _SHOWN_UNKNOWN = 5, 60, 12
"""How much of a prompt a warning repeats."""


def warnings(
    text: str, label: str, tokenizer: Any, window: int, vocabulary: frozenset[str] | None
) -> list[str]:
    """Sentences for the user, [] where all is well.

    label: how to call the text ("prompt"). tokenizer: transformers' tokenizer. window: tokens that
    the encoder reads, with its two end marks. vocabulary: the words the model was trained on, None
    for an open one.
    """
    if not text.strip():
        return []
    found = []
    cut = beyond_window(text, tokenizer, window)
    if cut:
        begin = " ".join(cut.split()[:_SHOWN_WORDS])[:_SHOWN_CHARACTERS]
        found.append(
            f'The {label} is too long for this model, which did not read its end, from "{begin}" '
            "on; shorten it."
        )
    if vocabulary is not None:
        unknown = unknown_words(text, vocabulary)
        if len(unknown) == len(unknown_words(text, frozenset())):
            found.append(
                f"This model was trained on no word of the {label}, so the picture follows the "
                "depth alone; name materials, surroundings and light in English."
            )
        elif unknown:
            listed = ", ".join(f'"{word}"' for word in unknown[:_SHOWN_UNKNOWN])
            if len(unknown) > _SHOWN_UNKNOWN:
                listed += f" and {len(unknown) - _SHOWN_UNKNOWN} more"
            found.append(
                f"This model was not trained on these words of the {label}, which have little or "
                f"no effect: {listed}."
            )
    return found


def beyond_window(text: str, tokenizer: Any, window: int) -> str:
    """The end of a text that doesn't fit into the encoder's window, from its first cut word on."""
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    offsets = encoded["offset_mapping"]
    room = window - 2
    if len(offsets) <= room:
        return ""
    limit = int(offsets[room][0])
    start = limit
    # A word whose pieces straddle the limit is lost as a whole.
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    # A script without spaces has no such words.
    return text[start or limit :].strip()


def unknown_words(text: str, vocabulary: frozenset[str]) -> list[str]:
    """Words of a text that are not in a vocabulary (lower case), each once, in their order.

    A plural counts as known where its singular is.
    """
    seen: dict[str, None] = {}
    for word in _WORD.findall(text.lower()):
        stems = {word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("'s")}
        if not stems & vocabulary:
            seen[word] = None
    return list(seen)
