"""Threads that share the work of a bake, or of a job's pictures.

NumPy and PyTorch let go of the interpreter while they compute, so threads that each work on a chunk
or a picture of their own keep as many cores busy. PyTorch's own threads don't: they share every
single operation, of which most here take a few microseconds, and wait for each other after each. So
each thread computes alone, or with few. How work is cut never depends on how many there are, nor
does its result.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

import torch

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@contextmanager
def computing_with(threads: int) -> Iterator[int]:
    """Inside, PyTorch computes with so many threads, in the calling one and those that begin
    meanwhile. Gives how many it had."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield before
    finally:
        torch.set_num_threads(before)


_KEPT = (1 << 25) - (1 << 14)
"""Bytes of the largest piece of memory that glibc may keep: 32 MiB with what it adds."""


def keep_memory() -> None:
    """Have pieces of memory up to `_KEPT` used again when they are freed. Else their pages go back
    to the system and are touched anew for each array, a tenth of a bake's time. glibc keeps pieces
    as large as the largest that was ever freed; where another allocator is, nothing changes."""
    torch.empty(_KEPT, dtype=torch.uint8)


_AHEAD = 2
"""Pieces of work for each thread that are begun before what came before them was taken."""


class Workers:
    """`count` threads, or the calling one alone."""

    def __init__(self, pool: ThreadPoolExecutor | None = None, count: int = 1) -> None:
        self._pool, self.count = pool, count

    @staticmethod
    @contextmanager
    def hired(count: int | None = None, threads: int = 1) -> Iterator[Workers]:
        """`count` of them, each with so many of PyTorch's threads, as the caller has meanwhile; as
        many as the caller's are enough for where None. Nothing goes on at the end."""
        with computing_with(threads) as before:
            if count is None:
                count = max(1, before // threads)
            if count == 1:
                yield Workers()
                return
            pool = ThreadPoolExecutor(count, "worker", torch.set_num_threads, (threads,))
            try:
                yield Workers(pool, count)
            finally:
                pool.shutdown(cancel_futures=True)

    def each(self, work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
        """What `work` makes of each item, in their order. When one fails, or no more are taken, no
        other begins, and those that have begun are waited for."""
        if self._pool is None:
            yield from map(work, items)
            return
        begun: deque[Future[_Result]] = deque()
        try:
            for item in items:
                begun.append(self._pool.submit(work, item))
                if len(begun) > _AHEAD * self.count:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            wait([future for future in begun if not future.cancel()])

    def all(self, work: Callable[[_Item], object], items: Iterable[_Item]) -> None:
        """Have `work` done on each item."""
        deque(self.each(work, items), 0)


ALONE = Workers()
"""The calling thread."""
