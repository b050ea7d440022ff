"""Painted pictures on their way to files of the batch's folder, two at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from maquette_wire.messages import Result
from maquette_wire.source import Source

from .. import outputs
from .captured import Taken
from .wanted import Output

WRITERS = 2


class Written(NamedTuple):
    """A picture, and the result that it is of."""

    output: Output
    result: Result
    future: Future[None]


class Writing:
    """Writes pictures. A context manager, which waits for all at its end.

    Args:
        told: a source as a picture tells of it.
        prompt: False leaves the prompt out of the files.
    """

    def __init__(self, folder: Path, told: Callable[[Source], Source], *, prompt: bool) -> None:
        self._folder, self._told, self._prompt = folder, told, prompt
        self._executor = ThreadPoolExecutor(WRITERS)
        self._pictures: list[Written] = []

    def __enter__(self) -> Writing:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()

    @property
    def pending(self) -> int:
        """Pictures that `ended` has still to tell of."""
        return len(self._pictures)

    def begin(self, output: Output, taken: Taken, result: Result, frame: memoryview) -> None:
        """Have a picture written. taken: its capture; frame: its pixels."""
        future = self._executor.submit(
            outputs.write_concept,
            self._folder / output.file,
            frame,
            result.recipe,
            taken.view,
            self._told(taken.source),
            prompt=self._prompt,
        )
        self._pictures.append(Written(output, result, future))

    def ended(self) -> Iterator[Written]:
        """Pictures that are in their files. Raises MaquetteError for one that can't be; the others
        are told of when this is asked again."""
        for written in [each for each in self._pictures if each.future.done()]:
            self._pictures.remove(written)
            written.future.result()
            yield written

    def stop(self) -> None:
        """Wait for all that have begun."""
        self._executor.shutdown()
