"""A training that is stopped, killed or gone astray: what it keeps, and how it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from maquette_wire.errors import MaquetteError

from tests.backend.train.recipes import ADVERSARY, write_small
from tests.backend.train.runs import give_tokenizer, train, weights

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "changed",
    [{}, {"optimizer": "muon"}, {"precision": "bf16"}, {"unet_settings": ADVERSARY}],
)
def test_a_run_that_was_stopped_goes_on_bit_identically(
    scenes: Path, tmp_path: Path, changed: dict[str, str]
):
    for name, steps in (("whole", (6,)), ("parts", (2, 4, 6))):
        for until in steps:
            recipe = write_small(tmp_path / "recipe.toml", unet=until, **changed)
            assert train(recipe, scenes, tmp_path / name) == 0
        give_tokenizer(tmp_path / "whole", tmp_path / "parts")
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_bit_identically(scenes: Path, tmp_path: Path):
    recipe = write_small(tmp_path / "recipe.toml", unet=20, save_every=4)
    command = [
        sys.executable,
        "-m",
        "maquette.train",
        str(recipe),
        "--data",
        str(scenes),
        "--device",
        "cpu",
        "--threads",
        "1",
        "--out",
    ]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'backend'}{os.pathsep}{ROOT / 'shared'}"}
    subprocess.run([*command, str(tmp_path / "whole")], check=True, env=environment)

    give_tokenizer(tmp_path / "whole", tmp_path / "killed")
    killed = subprocess.Popen([*command, str(tmp_path / "killed")], env=environment)
    deadline = time.monotonic() + 240
    while not list((tmp_path / "killed" / "unet").glob("step_*")):
        assert killed.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    subprocess.run([*command, str(tmp_path / "killed")], check=True, env=environment)

    for part in ("vae", "text_encoder", "unet"):
        whole, resumed = weights(tmp_path / "whole", part), weights(tmp_path / "killed", part)
        assert all(torch.equal(whole[key], resumed[key]) for key in whole), part


def test_a_deadline_stops_with_the_state_saved(scenes: Path, tmp_path: Path):
    recipe = write_small(tmp_path / "recipe.toml", vae=10_000)
    assert train(recipe, scenes, tmp_path / "out", "--minutes", "0.02") == 0
    assert list((tmp_path / "out" / "vae").glob("step_*"))
    assert not (tmp_path / "out" / "unet").exists()


def test_a_diverging_loss_stops_with_the_last_good_state_kept(scenes: Path, tmp_path: Path):
    recipe = write_small(tmp_path / "recipe.toml", unet=2)
    train(recipe, scenes, tmp_path / "out")
    before = sorted(path.name for path in (tmp_path / "out" / "unet").glob("step_*"))
    recipe = write_small(tmp_path / "recipe.toml", unet=60, rate=1e30, save_every=1000)
    with pytest.raises(MaquetteError, match="became") as caught:
        train(recipe, scenes, tmp_path / "out")
    assert "rate" in caught.value.hint
    assert sorted(path.name for path in (tmp_path / "out" / "unet").glob("step_*")) == before
