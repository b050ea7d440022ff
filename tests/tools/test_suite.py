"""The test run adds up, and a part that fails fails all of it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tools import suite

QUICK = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@pytest.fixture
def run_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run one pytest over the text of a test module, in a project of its own."""
    monkeypatch.setattr(suite, "root", lambda: tmp_path)
    monkeypatch.setattr(suite, "logs", lambda: tmp_path)

    def run(outcome: suite.Outcome, text: str, goes_on: bool = False) -> None:
        path = tmp_path / "test_part.py"
        path.write_text(text)
        pytest = suite._pytest(Path(sys.executable))
        part = suite.Part("part", pytest, ["-q", str(path)], QUICK, goes_on)
        suite.Parts(outcome, live=False).run(part)

    return run


def test_the_parts_add_up(run_part):
    outcome = suite.Outcome()
    run_part(outcome, "def test_a(): pass\ndef test_b(): pass\n")
    run_part(outcome, "import pytest\n@pytest.mark.skip\ndef test_c(): pass\n")
    assert outcome.status == 0
    line = outcome.closing_line()
    assert re.search(r"^=+ 2 passed, 0 failed, 1 skipped in \d+\.\d\ds =+$", line)


def test_a_failed_test_fails_the_run(run_part):
    outcome = suite.Outcome()
    run_part(outcome, "def test_a(): pass\n")
    run_part(outcome, "def test_b(): assert False\n")
    assert outcome.status == 1
    assert "1 passed, 1 failed, 0 skipped" in outcome.closing_line()


def test_a_part_that_can_not_be_collected_fails_the_run(run_part):
    outcome = suite.Outcome()
    run_part(outcome, "import a_module_that_is_not_there\n")
    assert outcome.status == 1
    assert "error" in outcome.closing_line()


def test_a_part_that_dies_fails_the_run(run_part):
    outcome = suite.Outcome()
    run_part(outcome, "import os\ndef test_a(): os._exit(0)\n")
    assert outcome.status == 1
    assert "error" in outcome.closing_line()


def test_a_long_part_says_how_far_it_is(run_part, monkeypatch, capsys):
    monkeypatch.setattr(suite, "PROGRESS_SECONDS", 0.1)
    text = "import pytest, time\n@pytest.mark.parametrize('n', range(160))\n"
    run_part(suite.Outcome(), text + "def test_a(n): time.sleep(0.02)\n")
    said = capsys.readouterr().out
    assert "  part: begun\n" in said
    assert re.search(r"^  part: \d+ %$", said.split(" part ---")[0], re.MULTILINE)


CRASH = """
import os, pathlib, signal
def test_a(): pass
def test_b():
    seen = pathlib.Path(__file__).with_name("seen")
    if {condition}:
        seen.touch()
        os.kill(os.getpid(), signal.SIGSEGV)
"""


def test_a_crash_is_said_and_the_part_goes_on_where_it_was(run_part):
    outcome = suite.Outcome()
    run_part(outcome, CRASH.format(condition="not seen.exists()"), goes_on=True)
    assert outcome.status == 0
    (said,) = outcome.crashed
    assert said == "part: crashed with SIGSEGV in test_part.py::test_b, and went on"
    assert "2 passed, 0 failed" in outcome.closing_line()


def test_a_test_that_crashes_twice_fails_the_run(run_part):
    outcome = suite.Outcome()
    run_part(outcome, CRASH.format(condition="True"), goes_on=True)
    assert outcome.status == 1 and len(outcome.crashed) == 1


def test_what_failed_before_a_crash_is_counted(run_part):
    outcome = suite.Outcome()
    wrong = "def test_0(): assert False\nimport pytest\n@pytest.mark.skip\ndef test_1(): pass\n"
    run_part(outcome, wrong + CRASH.format(condition="not seen.exists()"), goes_on=True)
    assert outcome.status == 1
    assert "2 passed, 1 failed, 1 skipped" in outcome.closing_line()


def test_every_test_may_crash_once_but_not_many(run_part):
    outcome = suite.Outcome()
    many = """
import os, pathlib, pytest, signal
@pytest.mark.parametrize("n", range(9))
def test_a(n):
    seen = pathlib.Path(__file__).with_name(f"seen{n}")
    if n and not seen.exists():
        seen.touch()
        os.kill(os.getpid(), signal.SIGSEGV)
"""
    run_part(outcome, many, goes_on=True)
    assert outcome.status == 1 and len(outcome.crashed) == suite.CRASHES
    assert "4 passed" in outcome.closing_line()


def test_a_crash_after_the_last_test_costs_none(run_part):
    outcome = suite.Outcome()
    text = "import atexit, os, signal\ndef test_a():\n"
    text += "    atexit.register(lambda: os.kill(os.getpid(), signal.SIGSEGV))\n"
    run_part(outcome, text, goes_on=True)
    assert outcome.status == 0 and "1 passed" in outcome.closing_line()


def test_fixtures_that_fail_count_once_each(run_part):
    outcome = suite.Outcome()
    text = "import pytest\n@pytest.fixture\ndef f(): raise OSError\ndef test_a(f): pass\n"
    run_part(outcome, text)
    assert outcome.status == 1
    assert outcome.counts["passed"] == 0


def test_parts_side_by_side_are_shown_whole_and_counted_once(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(suite, "root", lambda: tmp_path)
    monkeypatch.setattr(suite, "logs", lambda: tmp_path)
    parts = []
    for name in "ab":
        path = tmp_path / f"test_{name}.py"
        path.write_text(
            "import time\n"
            f"def test_slow(): print('{name} begins'); time.sleep(1); print('{name} ends')\n"
            "def test_wrong(): assert False\n"
        )
        pytest = suite._pytest(Path(sys.executable))
        parts.append(suite.Part(f"Part {name}", pytest, ["-sq", path.name], QUICK))
    monkeypatch.setattr(suite, "parts_of", lambda *_: parts)
    monkeypatch.setattr(suite.os, "cpu_count", lambda: 2)
    assert suite.run(Path(sys.executable), [], [], []) == 1
    said = capfd.readouterr().out
    for name, other in ("ab", "ba"):
        whole = said[said.index(f"{name} begins") : said.index(f"{name} ends")]
        assert other not in whole.replace("begins", "")
    closing = [line for line in said.splitlines() if re.match(r"=+ \d+ passed", line)]
    assert len(closing) == 1 and "2 passed, 2 failed, 0 skipped" in closing[0]


@pytest.mark.parametrize("window", ["", "/somewhere/blender-window"])
def test_what_needs_a_window_is_a_part_of_its_own_and_no_test_is_left_out(
    window, tmp_path, monkeypatch
):
    monkeypatch.setenv(suite.WINDOW_VARIABLE, window)
    monkeypatch.setattr(suite.extension, "build", lambda _: tmp_path / "extension.zip")
    for name in ("blender", "blender_tests"):
        monkeypatch.setattr(suite.environments, name, lambda _: Path(sys.executable))
    parts = suite.parts_of(Path(sys.executable), ["4.5", "4.2"], [], ["-x"])
    ends = [part.extra.get("MAQUETTE_TEST_ONLY") for part in parts if "tests/e2e" in part.arguments]
    assert ends == (["windows", "others"] if window else [None])
    folders = {word for part in parts for word in part.arguments if word.startswith("tests/")}
    there = {f"tests/{path.parent.name}" for path in (suite.root() / "tests").glob("*/test_*.py")}
    assert there <= folders
