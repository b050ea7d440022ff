"""What threads do for a batch at the same time, and what has ended of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")
"""What a task is done for."""


class UnderWay(Generic[Item]):
    """Tasks of a few threads, each done for an item. A context manager, which waits for all at its
    end."""

    def __init__(self, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads)
        self._tasks: list[tuple[Item, Future[None]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()

    @property
    def pending(self) -> int:
        """Items whose end has still to be told."""
        return len(self._tasks)

    def _begin(self, item: Item, task: Callable[[], None]) -> None:
        self._tasks.append((item, self._executor.submit(task)))

    def _ended(self) -> Iterator[tuple[Item, Future[None]]]:
        """Items whose task has ended, each once, with what tells how."""
        for each in [each for each in self._tasks if each[1].done()]:
            self._tasks.remove(each)
            yield each

    def stop(self) -> None:
        """Wait for all, and take no more."""
        self._executor.shutdown()
