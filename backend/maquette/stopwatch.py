"""How long the stages of a job take."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator


class Stopwatch:
    """Seconds by stage; several threads may count at once."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._threads = 1
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Count the time inside as a stage's."""
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = (time.perf_counter() - start) / self._threads
            with self._lock:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + elapsed

    @contextlib.contextmanager
    def shared_by(self, threads: int) -> Iterator[None]:
        """Inside, so many are at work, and the time of each counts for a part of a stage's."""
        self._threads = threads
        try:
            yield
        finally:
            self._threads = 1
