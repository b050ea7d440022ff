"""Sentences for the user, which the panel shows until they are read or over. No bpy here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

KEPT = 5

Level = Literal["INFO", "WARNING", "ERROR"]


def counted(count: int, noun: str) -> str:
    """ "1 picture", "3 pictures"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(names: Sequence[str]) -> str:
    """ "a, b, c and 2 more"."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")


@dataclass(frozen=True)
class Notice:
    """A sentence for the user."""

    level: Level
    text: str


class Notices(deque[Notice]):
    """The last few notices, the newest last.

    Attributes:
        on_notice: called with each notice that no operator reports, to do it the Blender way.
    """

    def __init__(self) -> None:
        super().__init__(maxlen=KEPT)
        self.on_notice: Callable[[Notice], None] = lambda _notice: None
        self._outage: Notice | None = None

    def tell(self, level: Level, text: str) -> None:
        """Show a sentence and, as no operator is there to do it, report it."""
        notice = Notice(level, text)
        if notice in self:  # once is enough, whatever came in between
            self.remove(notice)
        self.append(notice)
        self.on_notice(notice)

    def tell_outage(self, level: Level, text: str) -> None:
        """Tell what is wrong with the connection, in place of what was said of it before."""
        if self._outage is not None and self._outage.text == text:
            return
        self.end_outage()
        self.tell(level, text)
        self._outage = self[-1]

    def end_outage(self) -> None:
        """The connection is there again: what was wrong with it is of no interest now."""
        if self._outage is not None and self._outage in self:
            self.remove(self._outage)
        self._outage = None
