"""Sampler names, and that every sampler is a function of its seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from maquette import samplers, schedulers
from maquette.families.family import PictureTask
from maquette.families.sd2_depth import Sd2Depth
from maquette.families.settings import ModelSettings
from maquette_wire.errors import MaquetteError

NOISY = ("euler-a", "dpm++-2m-sde", "dpm++-2m-sde-karras", "lcm", "tcd")


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Sd2Depth:
    return Sd2Depth.load(tiny_model, ModelSettings(), torch.device("cpu"), torch.float32)


def paint(model: Sd2Depth, sampler: str, seeds: tuple[int, ...], steps: int = 6) -> torch.Tensor:
    init, depth = torch.zeros(1, 4, 8, 8), np.zeros((8, 8), np.float32)
    run = model.denoise(
        [PictureTask(init, depth, seed, "red brick") for seed in seeds],
        negative_prompt="", sampler=sampler, steps=steps, strength=0.8,
        guidance=3.0, on_step=lambda *_: None,
    )  # fmt: skip
    with pytest.raises(StopIteration) as end:
        next(run)
    return end.value.value


def configuration(name: str, config: dict[str, Any]) -> dict[str, Any]:
    scheduler: Any = schedulers.make(name, config)
    return dict(scheduler.config)


@pytest.mark.parametrize("name", samplers.NAMES)
def test_every_sampler_is_a_function_of_the_seed(model: Sd2Depth, name: str) -> None:
    first = paint(model, name, (1, 2))
    torch.manual_seed(99)  # the global generator has no part in it
    assert torch.equal(first, paint(model, name, (1, 2)))
    assert torch.isfinite(first).all()
    alone = paint(model, name, (2,))
    assert torch.allclose(first[1:], alone, atol=1e-4)  # nor has the neighbour
    assert not torch.allclose(first[:1], alone, atol=1e-2)


def test_the_samplers_differ(model: Sd2Depth) -> None:
    plain = paint(model, "dpm++-2m", (1,))
    for noisy in NOISY:
        assert not torch.allclose(plain, paint(model, noisy, (1,)), atol=1e-3)


def test_deterministic_samplers_agree_in_the_limit(model: Sd2Depth) -> None:
    """They solve one equation: with many steps they come to one picture."""
    start = paint(model, "ddim", (1,), steps=40)
    for name in ("euler", "dpm++-2m"):
        other = paint(model, name, (1,), steps=40)
        assert (other - start).abs().mean() < 0.15 * start.abs().mean()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("DPM++ 2M Karras", "dpm++-2m-karras"),
        ("Euler a", "euler-a"),
        ("euler_a", "euler-a"),
        (" DDIM ", "ddim"),
    ],
)
def test_common_spellings(given: str, name: str) -> None:
    assert samplers.canonical(given) == name


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(MaquetteError, match=r"warp.*ddim.*dpm\+\+-2m"):
        samplers.canonical("warp")


def test_the_models_noise_schedule_stays() -> None:
    config = {
        "beta_start": 0.001, "beta_end": 0.02, "prediction_type": "v_prediction",
        "timestep_spacing": "trailing", "rescale_betas_zero_snr": True,
    }  # fmt: skip
    for name in ("ddim", "euler", "dpm++-2m", "unipc", "lcm", "tcd"):
        used = configuration(name, config)
        assert {key: used[key] for key in config} == config


def test_samplers_that_cannot_start_at_pure_noise_are_refused() -> None:
    with pytest.raises(MaquetteError, match=r"karras.*pure noise.*ddim"):
        schedulers.make("dpm++-2m-karras", {"rescale_betas_zero_snr": True})


def test_latents_are_never_clipped() -> None:
    assert configuration("ddim", {})["clip_sample"] is False
