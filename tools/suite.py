"""The test run: parts side by side, each a pytest in the backend's environment or in a Blender.

The output of a part is shown whole when it ends, and all of them add up to one closing line.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import environments, extension, resuming
from .console import logs, root, say

E2E_TESTS = "tests/e2e"
ADDON_TESTS = "tests/blender_addon"
STUDIO_TESTS = "tests/studio"
"""These two import bpy and run inside Blender; all others run in the backend's environment."""
WINDOW_VARIABLE = "MAQUETTE_TEST_WINDOW"
"""Names programs that run Blender in a window; the tests with one are a part of their own."""
LANES = 3
"""How many parts run side by side at most: one more than the cores, since the parts that drive
processes wait for half of their time."""
CRASHES = 3
"""Of a part that goes on after one, in as many different tests."""
NO_TESTS_COLLECTED = 5
WIDTH = 100
PROGRESS_SECONDS = 20.0
PERCENT = re.compile(r"\[ *(\d+)%\]$", re.MULTILINE)


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


@dataclass(frozen=True)
class Part:
    """One pytest of the run.

    Attributes:
        pytest: the command that runs it.
        arguments: folders and options.
        extra: environment variables beside those that are there.
        goes_on: where a signal ends it, that is said, and it goes on with the test that was
            running: Blender as a Python module crashes now and then, anywhere.
    """

    title: str
    pytest: Sequence[str]
    arguments: Sequence[str]
    extra: Mapping[str, str]
    goes_on: bool = False


class Parts:
    """Runs parts and adds up their counts in ``outcome``; several threads may run one each."""

    def __init__(self, outcome: Outcome, *, live: bool) -> None:
        self.outcome = outcome
        self._live = live  # one at a time, and so its output can be watched
        self._lock = threading.Lock()

    def run(self, part: Part) -> None:
        """Run a part to its end."""
        name = re.sub(r"[^a-z0-9.]+", "-", part.title.lower())
        notes = logs() / f"tests-{name}.notes"
        notes.unlink(missing_ok=True)
        if part.goes_on:
            part = _resuming(part, notes)
        crashes: list[str] = []
        while True:
            before, _ = resuming.read(notes)
            status = self._run_once(part, name)
            ended, test = resuming.read(notes)
            if status >= 0 or not part.goes_on or test in crashes or len(crashes) == CRASHES:
                break
            crashes.append(test)
            sentence = f"{part.title}: crashed with {_signal(status)} in {test}, and went on"
            with self._lock:
                self.outcome.crashed.append(sentence)
                say(sentence)
        with self._lock:
            self.outcome.counts += before if status >= 0 else ended
            self._count(part.title, status, logs() / f"tests-{name}.xml")

    def _run_once(self, part: Part, name: str) -> int:
        """One pytest, shown; returns its exit status."""
        report, log = logs() / f"tests-{name}.xml", logs() / f"tests-{name}.log"
        report.unlink(missing_ok=True)
        options = [f"--junitxml={report}", "--continue-on-collection-errors"]
        command = [*part.pytest, *options, *part.arguments]
        environment = {**os.environ, **part.extra}
        if self._live:
            say(_headline(part.title))
            return subprocess.call(command, cwd=root(), env=environment)
        say(f"  {part.title}: begun")
        with log.open("wb") as sink:
            process = subprocess.Popen(
                command, cwd=root(), env=environment, stdout=sink, stderr=sink
            )
            status = _watched(process, part.title, log)
        with self._lock:
            said = log.read_text(encoding="utf-8", errors="replace")
            say(f"{_headline(part.title)}\n{said.rstrip()}")
        return status

    def _count(self, title: str, status: int, report: Path) -> None:
        if report.exists():
            self.outcome.counts += read_report(report)
        if status not in (0, 1, NO_TESTS_COLLECTED) or not report.exists():
            self.outcome.broken.append(f"{title}: pytest ended with exit status {status}")


def _resuming(part: Part, notes: Path) -> Part:
    """The part with notes of how far it is, which the plugin takes and reads."""
    here = str(Path(__file__).resolve().parents[1])
    paths = [path for path in (part.extra.get("PYTHONPATH"), here) if path]
    extra = {"PYTHONPATH": os.pathsep.join(paths), resuming.VARIABLE: str(notes)}
    options = ["-p", resuming.__name__, *part.arguments]
    return replace(part, arguments=options, extra={**part.extra, **extra})


def _watched(process: subprocess.Popen[bytes], title: str, log: Path) -> int:
    """Wait for a part's end, and say now and then how far pytest is, by the log's last per cent."""
    said = ""
    while True:
        try:
            return process.wait(PROGRESS_SECONDS)
        except subprocess.TimeoutExpired:
            reached = PERCENT.findall(log.read_text(encoding="utf-8", errors="replace"))
            if reached and reached[-1] != said:
                said = reached[-1]
                say(f"  {title}: {said} %")


def _headline(title: str) -> str:
    return f"\n{f' {title} '.center(WIDTH, '-')}"


def _signal(status: int) -> str:
    return signal.Signals(-status).name


def _pytest(python: Path) -> list[str]:
    return [str(python), "-m", "pytest"]


def _backend_tests() -> list[str]:
    """Every folder of tests but the end-to-end ones and those that run inside Blender."""
    apart = {E2E_TESTS, ADDON_TESTS, STUDIO_TESTS}
    folders = [path for path in sorted((root() / "tests").iterdir()) if any(path.rglob("test_*"))]
    names = [path.relative_to(root()).as_posix() for path in folders if path.is_dir()]
    return [name for name in names if name not in apart]


def parts_of(
    python: Path, blenders: Sequence[str], applications: Sequence[Path], options: Sequence[str]
) -> list[Part]:
    """The parts of a run, the longest first; installs what they need."""
    found = {series: str(environments.blender(series)) for series in blenders}
    found |= {f"application-{index}": str(path) for index, path in enumerate(applications)}
    extra = {
        "MAQUETTE_TEST_BLENDERS": json.dumps(found),
        "MAQUETTE_TEST_EXTENSION": str(extension.build(blenders[0])),
        # Small models gain nothing from threads, which wait for one another on busy cores.
        "OMP_NUM_THREADS": "1",
    }
    parts = []
    end_to_end = _pytest(python), [E2E_TESTS, *options]
    if os.environ.get(WINDOW_VARIABLE):
        parts.append(Part("In a window", *end_to_end, extra | {"MAQUETTE_TEST_ONLY": "windows"}))
        parts.append(Part("End to end", *end_to_end, extra | {"MAQUETTE_TEST_ONLY": "others"}))
    else:
        parts.append(Part("End to end", *end_to_end, extra))
    parts.append(Part("Backend and wire", _pytest(python), [*_backend_tests(), *options], extra))
    for number, series in enumerate(blenders):
        inside = {"PYTHONPATH": str(environments.blender_tests(series))}
        folders = [ADDON_TESTS, STUDIO_TESTS] if number == 0 else [ADDON_TESTS]
        folders = [name for name in folders if (root() / name).exists()]
        command = _pytest(environments.blender(series))
        title = f"Inside Blender {series}"
        parts.append(Part(title, command, [*folders, *options], inside, goes_on=True))
    return parts


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
    parts = parts_of(python, blenders, applications, options)
    cores = os.cpu_count() or 1
    lanes = min(LANES, cores + 1 if cores > 1 else 1, len(parts))
    runner = Parts(outcome, live=lanes == 1)
    with ThreadPoolExecutor(lanes) as pool:
        for done in [pool.submit(runner.run, part) for part in parts]:
            done.result()
    for sentence in outcome.crashed + outcome.broken:
        say(sentence)
    say("\n" + outcome.closing_line())
    return outcome.status
