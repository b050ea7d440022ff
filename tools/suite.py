"""The test run: one pytest in the backend's environment, one in each Blender, one closing line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import environments, extension
from .console import logs, root, say

ADDON_TESTS = "tests/blender_addon"
STUDIO_TESTS = "tests/studio"
"""These two import bpy and run inside Blender; all others run in the backend's environment."""
NO_TESTS_COLLECTED = 5
WIDTH = 100


@dataclass
class Outcome:
    """What the parts of a run add up to."""

    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def status(self) -> int:
        return 1 if self.broken or self.counts["failed"] or self.counts["errors"] else 0

    def closing_line(self) -> str:
        """In pytest's own form, with passed, failed and skipped always named."""
        shown = [f"{self.counts[word]} {word}" for word in ("passed", "failed", "skipped")]
        if self.counts["errors"] or self.broken:
            shown.append(f"{self.counts['errors'] + len(self.broken)} errors")
        seconds = time.monotonic() - self.began
        return f" {', '.join(shown)} in {seconds:.2f}s ".center(WIDTH, "=")


def read_report(path: Path) -> Counter[str]:
    """The counts of a JUnit report that pytest wrote."""
    counts: Counter[str] = Counter()
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        failed, errors, skipped, tests = (
            int(suite.get(key, "0")) for key in ("failures", "errors", "skipped", "tests")
        )
        counts["failed"] += failed
        counts["errors"] += errors
        counts["skipped"] += skipped
        counts["passed"] += tests - failed - errors - skipped
    return counts


def _run(
    outcome: Outcome,
    title: str,
    pytest: Sequence[str],
    arguments: Sequence[str],
    extra: dict[str, str],
    *,
    again: bool = False,
) -> None:
    """Run one pytest and add its counts to ``outcome``; ``pytest`` is the command that runs it.

    With ``again`` a run that a signal ended is said and done once more: Blender as a Python module
    crashes now and then, anywhere.
    """
    say(f"\n{f' {title} '.center(WIDTH, '-')}")
    report = logs() / "tests.xml"
    report.unlink(missing_ok=True)
    options = [f"--junitxml={report}", "--continue-on-collection-errors"]
    command = [*pytest, *options, *arguments]
    done = subprocess.run(command, cwd=root(), env={**os.environ, **extra}, check=False)
    if done.returncode < 0 and again:
        outcome.crashed.append(f"{title}: crashed with {_signal(done.returncode)}, and ran again")
        say(outcome.crashed[-1])
        _run(outcome, f"{title}, again", pytest, arguments, extra)
        return
    if report.exists():
        outcome.counts += read_report(report)
    if done.returncode not in (0, 1, NO_TESTS_COLLECTED) or not report.exists():
        outcome.broken.append(f"{title}: pytest ended with exit status {done.returncode}")


def _signal(status: int) -> str:
    return signal.Signals(-status).name


def _pytest(python: Path) -> list[str]:
    return [str(python), "-m", "pytest"]


def _backend_tests() -> list[str]:
    """Every folder of tests but those that run inside Blender."""
    inside = {ADDON_TESTS, STUDIO_TESTS}
    folders = [path for path in sorted((root() / "tests").iterdir()) if any(path.rglob("test_*"))]
    names = [path.relative_to(root()).as_posix() for path in folders if path.is_dir()]
    return [name for name in names if name not in inside]


def run(
    python: Path, blenders: Sequence[str], applications: Sequence[Path], options: Sequence[str]
) -> int:
    """Run all tests; prints the combined closing line last and returns the exit status.

    Args:
        python: interpreter of the backend's environment.
        blenders: series of ``bpy`` wheels to run in; the first also runs the studio's tests.
        applications: Blender programs for the end-to-end tests, beside the wheels.
        options: further arguments for each pytest.
    """
    outcome = Outcome()
    found = {series: str(environments.blender(series)) for series in blenders}
    found |= {f"application-{index}": str(path) for index, path in enumerate(applications)}
    extra = {
        "MAQUETTE_TEST_BLENDERS": json.dumps(found),
        "MAQUETTE_TEST_EXTENSION": str(extension.build(blenders[0])),
        # Small models gain nothing from threads, which wait for one another on busy cores.
        "OMP_NUM_THREADS": "1",
    }
    folders = _backend_tests()
    _run(outcome, "Backend, wire and end to end", _pytest(python), [*folders, *options], extra)
    for number, series in enumerate(blenders):
        inside = {"PYTHONPATH": str(environments.blender_tests(series))}
        if number > 0:  # the Blender with a window is the same one for all
            inside["MAQUETTE_TEST_WINDOW"] = ""
        folders = [ADDON_TESTS, STUDIO_TESTS] if number == 0 else [ADDON_TESTS]
        folders = [name for name in folders if (root() / name).exists()]
        title = f"Inside Blender {series}"
        blender = _pytest(environments.blender(series))
        _run(outcome, title, blender, [*folders, *options], inside, again=True)
    for sentence in outcome.crashed + outcome.broken:
        say(sentence)
    say("\n" + outcome.closing_line())
    return outcome.status
