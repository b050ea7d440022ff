"""A plugin of pytest for runs that may crash: it notes which test begins and how each ends, and
leaves those out that have ended, so that the next run goes on where a crash was.

Loaded with ``-p tools.resuming`` by the test run (`suite`), also inside Blender, and so it needs
nothing but Python.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # build.py imports this before there is a pytest
    import pytest

VARIABLE = "MAQUETTE_TEST_NOTES"
"""Names the file of the notes: lines of a word and a test's id."""
BEGUN = "begun"

_outcome = ""


def read(notes: Path) -> tuple[Counter[str], str]:
    """How many tests have "passed", "failed", "errors" and "skipped", and the one that a crash
    ended."""
    said = _said(notes)
    ended = [(word, test) for word, test in said if word != BEGUN]
    last = said[-1] if said else (BEGUN, "")
    return Counter(word for word, _ in ended), last[1] if last[0] == BEGUN else ""


def _said(notes: Path) -> list[tuple[str, str]]:
    lines = notes.read_text("utf-8").splitlines() if notes.exists() else []
    return [(word, test) for word, _, test in (line.partition("\t") for line in lines)]


def _note(word: str, test: str) -> None:
    with Path(os.environ[VARIABLE]).open("a", encoding="utf-8") as notes:
        notes.write(f"{word}\t{test}\n")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    said = _said(Path(os.environ[VARIABLE]))
    ended = {test for word, test in said if word != BEGUN}
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in ended])
    items[:] = [item for item in items if item.nodeid not in ended]


def pytest_runtest_logstart(nodeid: str) -> None:
    global _outcome
    _outcome = "passed"
    _note(BEGUN, nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    global _outcome
    if report.failed:
        _outcome = "failed" if report.when == "call" else "errors"
    elif report.skipped:
        _outcome = "skipped"


def pytest_runtest_logfinish(nodeid: str) -> None:
    _note(_outcome, nodeid)
