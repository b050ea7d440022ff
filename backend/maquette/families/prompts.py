"""What of a prompt a model can't use: words beyond the encoder's window, words it never learned."""

from __future__ import annotations

import re
from typing import Any

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def warnings(
    text: str, label: str, tokenizer: Any, window: int, vocabulary: frozenset[str] | None
) -> list[str]:
    """Sentences for the user, [] where all is well.

    label: how to call the text ("prompt"). tokenizer: transformers' tokenizer. window: tokens that
    the encoder reads, with its two end marks. vocabulary: the words the model was trained on, None
    for an open one.
    """
    found = []
    cut = beyond_window(text, tokenizer, window)
    if cut:
        found.append(f'The {label} is too long for this model, which did not read: "{cut}".')
    if vocabulary is not None:
        unknown = unknown_words(text, vocabulary)
        if unknown:
            listed = ", ".join(f'"{word}"' for word in unknown)
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
    start = int(offsets[room][0])
    # A word whose pieces straddle the limit is lost as a whole.
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    return text[start:].strip()


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
