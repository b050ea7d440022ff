"""Pictures on their way to where they are to be: to a URL, a few at once, or no way at all."""

from __future__ import annotations

import contextlib
from concurrent.futures import CancelledError, Future
from pathlib import Path

from maquette_wire.errors import MaquetteError
from maquette_wire.source import Source

from .lease import TAKEN_OVER
from .outbox import SENDERS, Outbox
from .under_way import UnderWay
from .wanted import Output

Ended = list[tuple[Output, MaquetteError | None]]
"""Pictures, and why they can't be where they are to be."""


class Staying(contextlib.nullcontext[None]):
    """Pictures that are where they are to be when they are written: in their folder. Does what
    `Sending` does."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._pictures: list[Output] = []

    @property
    def pending(self) -> int:
        return len(self._pictures)

    def told(self, source: Source) -> Source:
        return source.seen_from(self._folder)

    def begin(self, output: Output, _colour: str) -> None:
        self._pictures.append(output)

    def ended(self) -> Ended:
        ended, self._pictures = self._pictures, []
        return [(output, None) for output in ended]

    def check(self) -> None: ...
    def give_up(self) -> None: ...
    def stop(self) -> None: ...


class Sending(UnderWay[Output]):
    """Brings files of a working folder to a URL, each picture after the colours of its capture."""

    def __init__(self, outbox: Outbox, folder: Path) -> None:
        super().__init__(SENDERS)
        self._outbox, self._folder = outbox, folder
        self._colours: dict[str, Future[None]] = {}

    def told(self, source: Source) -> Source:
        """A source as a picture tells of it."""
        return source.by_name()

    def begin(self, output: Output, colour: str) -> None:
        """Have a picture sent. colour: file of its capture's colour, which goes before it, once."""
        if colour not in self._colours and (self._folder / colour).exists():
            self._colours[colour] = self._executor.submit(self._outbox.send, colour)
        before = self._colours.get(colour)

        def send() -> None:
            if before is not None:
                before.result()  # which began before this did
            self._outbox.send(output.file)

        self._begin(output, send)

    def ended(self) -> Ended:
        """Pictures that are there since this was last asked, or why they can't be; without those
        that were stopped, which the next run sends."""
        ended: Ended = []
        for output, sending in self._ended():
            try:
                sending.result()
            except CancelledError:
                continue
            except MaquetteError as error:
                if error.code != TAKEN_OVER:
                    ended.append((output, error))
            else:
                ended.append((output, None))
        return ended

    def check(self) -> None:
        """Raises MaquetteError("batch-taken-over") where another run writes there, as is known."""
        self._outbox.check()

    def give_up(self) -> None:
        """Try nothing again any more: the user waits for the end."""
        self._outbox.give_up()

    def stop(self) -> None:
        """Begin no more, and wait for those that have begun."""
        self._executor.shutdown(cancel_futures=True)
