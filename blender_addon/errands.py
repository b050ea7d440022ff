"""Slow work without bpy, in a thread; what follows it, on the main thread. No bpy here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Errands:
    """One thread, which begins with the first errand."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._open: list[tuple[Future[Any], Callable[[Future[Any]], None]]] = []

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, work: Callable[[], Any]) -> Future[Any]:
        """Have the thread do something; who asks looks after its end."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "maquette")
        return self._thread.submit(work)

    def do(self, work: Callable[[], Any], done: Callable[[Future[Any]], None]) -> None:
        """Have the thread do something; ``collect`` calls ``done`` when it has."""
        self._open.append((self.begin(work), done))

    def collect(self) -> bool:
        """Do what follows on errands that have ended; true where there are any."""
        ended = [errand for errand in self._open if errand[0].done()]
        for future, follow in ended:
            self._open.remove((future, follow))
            follow(future)
        return bool(ended)

    def finish(self) -> None:
        """Wait for all that was begun."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)
