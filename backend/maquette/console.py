"""What the command line shows: tables on standard output, progress on standard error."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
import time
from collections.abc import Sequence
from itertools import zip_longest
from typing import TextIO

BAR = 24
REDRAW_SECONDS = 0.1


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under their heads, each column as wide as its longest cell."""
    cells = [tuple(heads), *map(tuple, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def shown(text: str) -> str:
    """A text in one line, without control characters, which could steer a terminal: names of files
    may have any."""
    return re.sub(r"[\0-\x1f\x7f-\x9f]+", " ", text)


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """Names and what they stand for, long texts wrapped beside their name."""
    indent = max(len(name) for name, _ in rows) + 2
    width = max(shutil.get_terminal_size().columns - indent, 20)
    lines = []
    for name, text in rows:
        wrapped = textwrap.wrap(shown(text), width) or [""]
        lines += [
            f"{head:<{indent}}{part}" for head, part in zip_longest([name], wrapped, fillvalue="")
        ]
    return "\n".join(lines)


class ProgressLine:
    """One line that is drawn over again on a terminal; elsewhere a line for each new stage.

    A context manager: leaving it clears the line, so that what is printed next stands alone.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._began = time.monotonic()
        self._drawn = 0.0
        self._stage = ""

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the line away, so that something else can be printed."""
        if self._live and self._stage:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._stage = ""

    def say(self, sentence: str) -> None:
        """Print a sentence that stays, as the program's."""
        self.clear()
        print(f"maquette: {shown(sentence)}", file=self._stream, flush=True)

    def show(self, stage: str, done: float = 0, total: float = 0, detail: str = "") -> None:
        """Show that ``done`` of ``total`` is done in ``stage``; no bar where ``total`` is 0."""
        if stage != self._stage:
            self._began = time.monotonic()
        elif not self._live or time.monotonic() - self._drawn < REDRAW_SECONDS:
            return
        changed, self._stage = stage != self._stage, stage
        if not self._live:
            if changed:
                print(f"{stage} ...", file=self._stream, flush=True)
            return
        self._drawn = time.monotonic()
        seconds = f"{self._drawn - self._began:.0f} s"
        filled = round(BAR * min(done / total, 1)) if total else 0
        bar = f"  {'█' * filled}{'░' * (BAR - filled)}" if total else ""
        parts = f"{stage:<12}{bar}  {detail}  {seconds}"
        self._stream.write(f"\r\x1b[K{parts[: shutil.get_terminal_size().columns - 1]}")
        self._stream.flush()

    def bytes(self, name: str, done: int, total: int) -> None:
        """``show`` for a download of ``total`` bytes."""
        self.show(name, done, total, f"{done / 1e6:.0f} of {total / 1e6:.0f} MB")
