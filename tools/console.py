"""What a person sees while ``build.py`` works: one line for each step, the noise in a log."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

TAIL_LINES = 12


class BuildError(Exception):
    """Something that a person can act on; ``build.py`` prints it as one paragraph and exits 1."""


def root() -> Path:
    """The checkout that this file belongs to."""
    return Path(__file__).resolve().parent.parent


def logs() -> Path:
    """Where the output of the steps goes."""
    folder = root() / "out" / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def say(text: str) -> None:
    print(text, flush=True)


class Step:
    """Shows ``text`` while it is entered, and how long it took when it is left.

    On a terminal the line counts the seconds, so that a long download doesn't look like a hang.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.live = sys.stdout.isatty()
        self.began = 0.0

    def __enter__(self) -> Step:
        self.began = time.monotonic()
        print(f"  {self.text} ...", end="" if self.live else "\n", flush=True)
        return self

    def tick(self) -> None:
        """Refresh the seconds on a terminal."""
        if self.live:
            print(f"\r  {self.text} ... {self._seconds():.0f} s", end="", flush=True)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        word = "failed after" if kind else "done in"
        start = "\r" if self.live else ""
        print(f"{start}  {self.text}: {word} {self._seconds():.0f} s      ".rstrip(), flush=True)

    def _seconds(self) -> float:
        return time.monotonic() - self.began


def execute(
    command: Sequence[str | Path],
    log: str,
    *,
    environment: Mapping[str, str] | None = None,
    step: Step | None = None,
) -> None:
    """Run ``command`` in the checkout, its output at the end of ``out/logs/<log>.log``.

    Raises:
        BuildError: with the last lines of the output and the log's name, when it fails.
    """
    path = logs() / f"{log}.log"
    with path.open("a", encoding="utf-8") as sink:
        sink.write(f"\n$ {' '.join(map(str, command))}\n")
        sink.flush()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=sink,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=root(),
            env={**os.environ, **(environment or {})},
        )
        try:
            status = _wait(process, step)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if status != 0:
        raise BuildError(f"This failed with exit status {status}:\n{tail(path)}\nLog: {path}")


def _wait(process: subprocess.Popen[bytes], step: Step | None) -> int:
    while True:
        try:
            return process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            if step:
                step.tick()


def run_logged(
    text: str,
    command: Sequence[str | Path],
    log: str,
    *,
    environment: Mapping[str, str] | None = None,
) -> None:
    """``execute`` as a step that is shown."""
    with Step(text) as step:
        execute(command, log, environment=environment, step=step)


def tail(path: Path) -> str:
    """The last lines of a log, indented."""
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "\n".join(f"    {line}" for line in lines[-TAIL_LINES:])
