"""A training's state survives what happens to disks and processes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import torch
from maquette.train import state as state_module
from maquette.train.state import TrainingState, load_state, save_state, states
from maquette_wire.errors import MaquetteError


def make(step: int) -> TrainingState:
    return TrainingState(step, {"unet.weight": torch.full((3, 5), float(step))}, {"names": ["a"]})


def test_what_is_saved_is_what_is_loaded(tmp_path: Path):
    save_state(tmp_path, make(7))
    loaded = load_state(tmp_path)
    assert loaded is not None
    assert loaded.step == 7 and loaded.facts == {"names": ["a"]}
    assert torch.equal(loaded.tensors["unet.weight"], make(7).tensors["unet.weight"])


def test_no_state_at_all_is_none(tmp_path: Path):
    assert load_state(tmp_path) is None


def test_old_states_are_removed_but_one(tmp_path: Path):
    for step in (1, 2, 3):
        save_state(tmp_path, make(step))
    assert [path.name for path in states(tmp_path)] == [
        "step_00000002.safetensors",
        "step_00000003.safetensors",
    ]


@pytest.mark.parametrize("kept", [0, 20, 200])
def test_a_state_cut_off_in_the_middle_falls_back_to_the_one_before(tmp_path: Path, kept: int):
    save_state(tmp_path, make(1))
    newest = save_state(tmp_path, make(2))
    os.truncate(newest, kept)
    loaded = load_state(tmp_path)
    assert loaded is not None and loaded.step == 1


def test_nothing_but_damaged_states_is_an_error_that_names_them(tmp_path: Path):
    os.truncate(save_state(tmp_path, make(2)), 30)
    with pytest.raises(MaquetteError, match=r"step_00000002\.safetensors"):
        load_state(tmp_path)


def test_a_full_disk_keeps_the_last_good_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save_state(tmp_path, make(1))

    def full(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half a state")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(state_module, "save_file", full)
    with pytest.raises(MaquetteError, match="disk is full") as caught:
        save_state(tmp_path, make(2))
    assert "step_00000001" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["step_00000001.safetensors"]
    loaded = load_state(tmp_path)
    assert loaded is not None and loaded.step == 1
