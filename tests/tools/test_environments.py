"""Environments are made once, and made again when what they are made from changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import environments
from tools.console import BuildError


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the pyproject files alone, in which nothing is really installed."""
    for name in ("shared", "backend"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "pyproject.toml").write_text(
        '[dependency-groups]\ntest = ["pytest"]\nlint = ["ruff"]\nblender-test = ["pytest"]\n'
    )
    monkeypatch.setattr(environments, "root", lambda: tmp_path)
    monkeypatch.setattr(environments, "logs", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have run, each as text; making a venv makes its interpreter."""
    seen: list[list[str]] = []

    def run(text: str, command: list[object], log: str, **_: object) -> None:
        seen.append([str(part) for part in command])
        if "venv" in seen[-1]:
            python = environments.python_of(Path(seen[-1][-1]))
            python.parent.mkdir(parents=True)
            python.touch()

    monkeypatch.setattr(environments, "run_logged", run)
    monkeypatch.setattr(environments, "_bpy_error", lambda python: "")
    return seen


def test_a_second_run_installs_nothing(checkout, commands):
    first = environments.backend("registry")
    assert commands
    commands.clear()
    assert environments.backend("registry") == first
    assert commands == []


@pytest.mark.parametrize("name", ["pyproject.toml", "shared/pyproject.toml"])
def test_a_changed_pyproject_installs_again_into_the_same_environment(checkout, commands, name):
    environments.backend("registry")
    commands.clear()
    with (checkout / name).open("a") as file:
        file.write("# changed\n")
    environments.backend("registry")
    assert not any("venv" in command for command in commands)
    assert any("backend[train]" in command for command in commands)


def test_another_choice_of_torch_installs_again(checkout, commands):
    environments.backend("registry")
    commands.clear()
    environments.backend("keep")
    assert any("backend[train]" in command for command in commands)
    assert not any(part.startswith("torch==") for command in commands for part in command)


def test_an_environment_with_the_lint_tools_serves_the_tests(checkout, commands):
    environments.backend("registry", lint=True)
    commands.clear()
    environments.backend("registry")
    assert commands == []


def test_an_install_that_failed_is_done_again(checkout, commands, monkeypatch):
    run = environments.run_logged

    def broken(text: str, command: list[str], log: str) -> None:
        run(text, command, log)
        if "shared" in command:
            raise BuildError("no network")

    monkeypatch.setattr(environments, "run_logged", broken)
    with pytest.raises(BuildError, match="no network"):
        environments.backend("registry")
    monkeypatch.setattr(environments, "run_logged", run)
    commands.clear()
    environments.backend("registry")
    assert any("backend[train]" in command for command in commands)


def test_blender_holds_nothing_that_the_extension_should_bring(checkout, commands):
    environments.blender("4.5")
    installed = [command[-1] for command in commands if "install" in command]
    assert installed == ["bpy==4.5.*"]


def test_a_blender_that_lacks_a_system_library_names_the_command(checkout, commands, monkeypatch):
    error = "ImportError: libSM.so.6: cannot open shared object file"
    monkeypatch.setattr(environments, "_bpy_error", lambda python: error)
    monkeypatch.setattr(environments.shutil, "which", lambda name: None)
    with pytest.raises(BuildError, match=r"apt-get install .*libsm6"):
        environments.blender("4.5")
    assert not (checkout / ".venv-bpy-4.5" / environments.STAMP).exists()
