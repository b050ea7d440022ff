"""The words a model was trained with: which attributes captions name, and which words occur.

Kept in the model's directory, so that words outside it can be named to the user.
"""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from .scenes import Dataset

log = logging.getLogger(__name__)

ATTRIBUTES = ("type", "wall", "roof", "windows", "ground", "light", "style", "view")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


class Vocabulary(msgspec.Struct, frozen=True):
    """classes: attribute → its values; words: every word of the training captions, lower case."""

    classes: dict[str, list[str]]
    words: list[str]


def described(dataset: Dataset, names: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """(caption, attributes) for every phrasing of every finish, without unpacking pictures."""
    examples: list[tuple[str, dict[str, Any]]] = []
    for name in names:
        with np.load(dataset.path(name), allow_pickle=False) as file:
            meta = json.loads(file["meta"].tobytes().decode())
        for finish in meta["finishes"]:
            examples.extend((caption, finish["attributes"]) for caption in finish["captions"])
    return examples


def words_of(text: str) -> list[str]:
    """The words of a caption or prompt, lower case."""
    return _WORD.findall(text.lower())


def make_vocabulary(examples: list[tuple[str, dict[str, Any]]]) -> Vocabulary:
    classes: dict[str, set[str]] = {name: set() for name in ATTRIBUTES}
    words: set[str] = set()
    for caption, attributes in examples:
        words.update(words_of(caption))
        for name in ATTRIBUTES:
            if attributes.get(name) is not None:
                classes[name].add(attributes[name])
    return Vocabulary({k: sorted(v) for k, v in classes.items() if len(v) > 1}, sorted(words))


def save_vocabulary(vocabulary: Vocabulary, path: Path) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(vocabulary), indent=1))


def load_vocabulary(path: Path) -> Vocabulary:
    return msgspec.json.decode(path.read_bytes(), type=Vocabulary)
