"""Which PyTorch build.py asks for."""

from __future__ import annotations

import sys

import pytest

from tools import torch_build


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    def set_up(platform: str, *, nvidia: bool = False, index: bool = True) -> None:
        monkeypatch.setattr(sys, "platform", platform)
        monkeypatch.setattr(torch_build, "has_nvidia", lambda: nvidia)
        monkeypatch.setattr(torch_build, "_reachable", lambda address: index)

    return set_up


def test_linux_without_a_card_prefers_the_cpu_build_wherever_it_can_be_had(machine):
    machine("linux")
    tries = torch_build.attempts("auto")
    assert tries[0] == ["torch==2.13.0+cpu"]
    assert tries[1][1:] == ["--extra-index-url", f"{torch_build.PYTORCH_INDEX}/cpu"]
    assert tries[-1] == ["torch==2.13.0"]


def test_an_index_that_is_out_of_reach_is_not_waited_for(machine):
    machine("linux", index=False)
    assert torch_build.attempts("auto") == [["torch==2.13.0+cpu"], ["torch==2.13.0"]]


@pytest.mark.parametrize(
    ("platform", "nvidia"), [("linux", True), ("darwin", False), ("win32", False)]
)
def test_elsewhere_the_registry_knows_best(machine, platform, nvidia):
    machine(platform, nvidia=nvidia)
    assert torch_build.attempts("auto") == [["torch==2.13.0"]]


def test_keep_leaves_a_build_of_the_users_own_alone(machine):
    machine("linux")
    assert torch_build.attempts("keep") == []


def test_an_index_of_the_users_choice_comes_first(machine):
    machine("linux", nvidia=False)
    address = "https://download.pytorch.org/whl/rocm6.4"
    assert torch_build.attempts(address)[0][:3] == ["torch==2.13.0", "--index-url", address]


def test_no_attempt_leaves_the_version_open(machine):
    machine("linux")
    for choice in ("auto", "cpu", "registry"):
        for arguments in torch_build.attempts(choice):
            assert arguments[0].startswith("torch==2.13.0")
