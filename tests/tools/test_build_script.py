"""build.py itself, before any environment exists."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from types import ModuleType

import pytest

from tools.console import root


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    # -S: without site-packages, as on a fresh machine.
    command = [sys.executable, "-S", str(root() / "build.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_script", root() / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_help_needs_the_standard_library_alone_and_names_every_verb():
    done = _run("--help")
    assert done.returncode == 0, done.stderr
    for verb in ("demo", "test", "check", "extension", "serve", "docs", "setup"):
        assert f"build.py {verb}" in done.stdout


def test_without_a_verb_it_helps():
    done = _run()
    assert done.returncode == 2
    assert "python build.py demo" in done.stdout


def test_an_unknown_blender_is_refused_before_anything_is_installed():
    done = _run("test", "--blender", "3.6")
    assert done.returncode == 2
    assert "4.2" in done.stderr


def test_another_python_is_named_with_the_way_out(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    monkeypatch.setattr(script, "_other_python", lambda: None)
    assert script._ensure_python() == 1
    said = capsys.readouterr().err
    assert "this is Python 3.14" in said
    assert "Python 3.11" in said


def test_another_python_hands_over_where_the_right_one_is_installed(script, monkeypatch):
    called = []
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    monkeypatch.setattr(script, "_other_python", lambda: ["python3.11"])
    monkeypatch.setattr(script.subprocess, "call", lambda command: called.append(command) or 7)
    monkeypatch.setattr(sys, "argv", ["build.py", "test"])
    assert script._ensure_python() == 7
    assert called[0][0] == "python3.11"
    assert called[0][-1] == "test"
