"""Sources on their way to captures: one after the other, in a thread ahead of the painting."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import NamedTuple

from .asked import Asked
from .captured import Captured
from .gather import Found, Gatherer


class Attempt(NamedTuple):
    """A source that is captured. `found`: its captures; None where it is as it was."""

    asked: Asked
    source: int
    """Its number in the manifest."""
    found: Future[list[Found] | None]


class Capturing:
    """Captures sources. A context manager, which waits for the one under way at its end."""

    def __init__(self, gatherer: Gatherer, captured: Captured) -> None:
        self._gatherer, self._captured = gatherer, captured
        self._executor = ThreadPoolExecutor(1)
        self._sources: deque[Asked] = deque()
        self._attempt: Attempt | None = None

    def __enter__(self) -> Capturing:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()

    def add(self, sources: Sequence[Asked]) -> None:
        """Have sources wait to be captured."""
        self._sources.extend(sources)

    @property
    def pending(self) -> int:
        """Sources of which nothing is known yet."""
        return len(self._sources) + (self._attempt is not None)

    def go_on(self) -> None:
        """Have the next source captured, where none is under way."""
        if self._attempt is None and self._sources:
            asked = self._sources.popleft()
            self._begin(asked, self._captured.number(asked), again=False)

    def again(self, attempt: Attempt) -> None:
        """Have a source captured that is as it was: the captures' files are gone."""
        self._begin(attempt.asked, attempt.source, again=True)

    def _begin(self, asked: Asked, source: int, again: bool) -> None:
        known = [taken.source for taken in self._captured.of(source)]
        found = self._executor.submit(self._gatherer.take, asked, known, source, again)
        self._attempt = Attempt(asked, source, found)

    def ended(self) -> Attempt | None:
        """What has ended since this was last asked."""
        if self._attempt is None or not self._attempt.found.done():
            return None
        ended, self._attempt = self._attempt, None
        return ended

    def wait(self, seconds: float) -> None:
        """Until the source under way has ended, or for so long."""
        if self._attempt is None:
            time.sleep(seconds)
        else:
            wait([self._attempt.found], seconds)

    def stop(self) -> None:
        """Begin no more."""
        self._executor.shutdown(wait=False, cancel_futures=True)
