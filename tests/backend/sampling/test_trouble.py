"""Memory that runs out, numbers that overflow, weights that change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from maquette.catalogue import Catalogue
from maquette.families.autoencoder import Autoencoder
from maquette.families.loop import Denoising
from maquette.families.sd2_depth import Sd2Depth
from maquette.sampling import Sampler
from maquette_wire.errors import MaquetteError

from tests.backend.sampling.jobs import OUT_OF_MEMORY, psnr, recipe, same, small
from tests.backend.tiny import make_tiny_sd2_depth


def failing(
    monkeypatch: pytest.MonkeyPatch, times: int, error: Callable[[], BaseException]
) -> list[int]:
    """Makes the next `times` batches raise in the middle; returns the sizes of all batches."""
    sizes: list[int] = []
    denoise = Sd2Depth.denoise

    def trouble(self: Sd2Depth, tasks: Any, **options: Any) -> Denoising:
        sizes.append(len(tasks))
        if len(sizes) <= times:
            raise error()
        return denoise(self, tasks, **options)

    monkeypatch.setattr(Sd2Depth, "denoise", trouble)
    return sizes


@pytest.mark.parametrize("kind", OUT_OF_MEMORY)
def test_out_of_memory_is_tried_once_more_at_a_lower_cost(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    sampler = Sampler("cpu", catalogue=catalogue, batch_size=4)
    whole = sampler.run(recipe(count=4), [small()])
    sizes = failing(monkeypatch, 1, OUT_OF_MEMORY[kind])
    result = sampler.run(recipe(count=4), [small()])
    assert sizes == [4, 1, 1, 1, 1]
    assert any("ran out of memory" in warning for warning in result.warnings)
    for (_, _, a), (_, _, b) in zip(whole.pictures, result.pictures, strict=True):
        assert psnr(a, b) >= 40.0
    monkeypatch.undo()
    assert same(whole, sampler.run(recipe(count=4), [small()]))  # at full speed again


def test_out_of_memory_twice_fails_with_a_hint(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = Sampler("cpu", catalogue=catalogue)
    failing(monkeypatch, 2, OUT_OF_MEMORY["cuda"])
    with pytest.raises(MaquetteError, match="smaller size") as caught:
        sampler.run(recipe(), [small()])
    assert caught.value.code == "out-of-memory"
    monkeypatch.undo()
    assert sampler.run(recipe(), [small()]).pictures


def test_another_error_is_not_taken_for_memory(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, 1, lambda: RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        sampler.run(recipe(), [small()])


def test_overflow_is_made_again_in_full_precision(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = Sampler("cpu", catalogue=catalogue, dtype=torch.float32).run(recipe(), [small()])
    sampler = Sampler("cpu", catalogue=catalogue, dtype=torch.float16)
    half = sampler.run(recipe(), [small()])
    decode = Autoencoder.decode

    def overflowing(self: Autoencoder, latents: torch.Tensor) -> np.ndarray | None:
        return decode(self, latents if self.vae.dtype == torch.float32 else latents * 1e9)

    monkeypatch.setattr(Autoencoder, "decode", overflowing)
    again = sampler.run(recipe(), [small()])
    assert any("full precision" in warning for warning in again.warnings)
    assert psnr(again.pictures[0][2], exact.pictures[0][2]) >= 40.0
    monkeypatch.undo()
    assert same(half, sampler.run(recipe(), [small()]))


def test_a_model_that_wants_full_precision_gets_it(catalogue: Catalogue, tmp_path: Path) -> None:
    """The same picture on a device that would run others in 16 bits."""
    folder = make_tiny_sd2_depth(tmp_path / "exact", settings={"precision": "full"})
    models = Catalogue(catalogue.home, extra=[folder])
    runs = [
        Sampler("cpu", catalogue=models, dtype=dtype).run(recipe(model="exact"), [small()])
        for dtype in (torch.float32, torch.bfloat16)
    ]
    assert same(*runs)


def test_mixed_precision_sees_depth_below_the_grain_of_half(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    """Two captures whose depth differs by less than bfloat16 tells apart near 1 are two pictures,
    also after an overflow that was made again in full precision."""
    folder = make_tiny_sd2_depth(tmp_path / "mixed", settings={"precision": "mixed"})
    models = Catalogue(catalogue.home, extra=[folder])
    sampler = Sampler("cpu", catalogue=models, dtype=torch.bfloat16)
    sampler.run(recipe(model="mixed"), [small()])
    model = sampler._model(models.present("mixed"), lambda *_: None)[0]
    assert model.dtype == torch.bfloat16
    weights = {name: tensor.clone() for name, tensor in model.pipeline.unet.state_dict().items()}
    assert weights.pop("conv_in.weight").dtype == torch.float32
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32, torch.bfloat16}
    found: list[torch.Tensor] = []
    model.pipeline.unet.conv_in.register_forward_hook(lambda _, given, out: found.append(out))
    for depth in (0.75, 0.751):
        channel = torch.full((1, 1, 8, 8), depth)
        embeds = torch.zeros(1, 77, model.pipeline.unet.config.cross_attention_dim)
        predict = model.pipeline.predictor(1, channel, embeds, None, 1.0)
        predict(torch.zeros(1, 4, 8, 8), torch.tensor(500), 0.0)
    assert not torch.equal(*found)
    with model.full_precision():
        assert {part.dtype for part in model.parts} == {torch.float32}
    after = model.pipeline.unet.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in weights.items())


def test_values_that_are_no_numbers_in_full_precision_fail_clearly(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    broken = make_tiny_sd2_depth(tmp_path / "broken")
    weights = broken / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    save_file({name: t * float("nan") for name, t in tensors.items()}, weights, {"format": "pt"})
    sampler = Sampler("cpu", catalogue=Catalogue(catalogue.home, extra=[broken]))
    with pytest.raises(MaquetteError, match="not numbers") as caught:
        sampler.run(recipe(model="broken"), [small()])
    assert caught.value.code == "bad-numbers"


def test_changed_weights_are_loaded_again(catalogue: Catalogue, tmp_path: Path) -> None:
    folder = make_tiny_sd2_depth(tmp_path / "mine", seed=1)
    sampler = Sampler("cpu", catalogue=Catalogue(catalogue.home, extra=[folder]))
    first = sampler.run(recipe(model="mine"), [small()])
    make_tiny_sd2_depth(folder, seed=2)
    second = sampler.run(recipe(model="mine"), [small()])
    assert first.recipe.model_hash != second.recipe.model_hash
    assert not same(first, second)
