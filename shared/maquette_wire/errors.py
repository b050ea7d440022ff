"""The one error type that crosses rooms: what happened, and what to do about it."""

from __future__ import annotations


class MaquetteError(Exception):
    """An error that a user can act on.

    Args:
        code: a stable, machine-readable name in kebab-case (``"unknown-model"``); clients may
            switch on it, so a code is never renamed.
        sentence: what happened and where, as one sentence for a user.
        hint: what to do about it, as one sentence; empty only where the sentence says it.
    """

    def __init__(self, code: str, sentence: str, hint: str = "") -> None:
        super().__init__(f"{sentence} {hint}".strip())
        self.code = code
        self.sentence = sentence
        self.hint = hint
