"""Painted pictures on their way to files of the batch's folder, two at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

from maquette_wire.messages import Result
from maquette_wire.source import Source

from .. import outputs
from .captured import Taken
from .under_way import UnderWay
from .wanted import Output

WRITERS = 2


class Writing(UnderWay[tuple[Output, Result]]):
    """Writes pictures.

    Args:
        told: a source as a picture tells of it.
        prompt: False leaves the prompt out of the files.
    """

    def __init__(self, folder: Path, told: Callable[[Source], Source], *, prompt: bool) -> None:
        super().__init__(WRITERS)
        self._folder, self._told, self._prompt = folder, told, prompt

    def begin(self, output: Output, taken: Taken, result: Result, frame: memoryview) -> None:
        """Have a picture written. taken: its capture; frame: its pixels."""
        write = functools.partial(
            outputs.write_concept,
            self._folder / output.file,
            frame,
            result.recipe,
            taken.view,
            self._told(taken.source),
            prompt=self._prompt,
        )
        self._begin((output, result), write)

    def ended(self) -> Iterator[tuple[Output, Result]]:
        """Pictures that are in their files, each with its result. Raises MaquetteError for one that
        can't be; the others are told of when this is asked again."""
        for written, writing in self._ended():
            writing.result()
            yield written
