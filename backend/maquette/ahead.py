"""What is needed one after the other, made by threads of their own before it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Ahead(Generic[Value]):
    """The values of 0 to `count`, in that order, made while earlier ones are used.

    make: is called once for each, by one of so many threads; what it raises is raised where that
    value is asked for. A single value, of which there is nothing to be ahead, is made at once.
    """

    def __init__(self, make: Callable[[int], Value], count: int, threads: int = 1) -> None:
        self._values: list[Future[Value]] = []
        if count == 1:
            self._values.append(Future())
            self._values[0].set_result(make(0))
            return
        makers = ThreadPoolExecutor(threads, thread_name_prefix="ahead")
        self._values += [makers.submit(make, number) for number in range(count)]
        makers.shutdown(wait=False)  # of no more than these

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, number: int) -> Value:
        """A value, once it is made."""
        return self._values[number].result()

    def give_up(self) -> None:
        """Make no more; those that aren't made must not be asked for."""
        for value in self._values:
            value.cancel()
