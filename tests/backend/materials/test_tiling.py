"""A tile knows no border: shifted noise on a shifted relief is a shifted picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from maquette.catalogue import Catalogue
from maquette.families.sd2_depth import Sd2Depth
from maquette.materials.patterns import lay
from maquette.materials.tiling import wrapped
from maquette.sampling import Sampler
from maquette_wire.capture import Capture
from maquette_wire.material import Material
from maquette_wire.recipe import Lora, Recipe
from numpy.typing import NDArray
from torch import nn

from tests.backend.sampling.jobs import OUT_OF_MEMORY, psnr
from tests.backend.sampling.test_trouble import failing

SHIFT = 64
"""Pixels, a multiple of both models' coarsest cell."""


def bricks(side: int, shift: int = 0) -> Capture:
    """What a tile of large bricks looks like, moved to the right and below."""
    material = Material(size=1.2, pixels=side, unit=(0.3, 0.15)).filled("red brick")
    capture = lay(material, side).capture()
    moved = (np.roll(np.asarray(each), (shift, shift), (0, 1)) for each in
             (capture.color, capture.depth))  # fmt: skip
    return Capture(capture.view, *map(np.ascontiguousarray, moved))


def painted(sampler: Sampler, recipe: Recipe, side: int, shift: int = 0) -> NDArray[np.uint8]:
    ((_, _, picture),) = sampler.run(recipe, [bricks(side, shift)], seamless=True).pictures
    return picture


def shift_noise(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    randn = torch.randn

    def shifted(*sizes: Any, **options: Any) -> torch.Tensor:
        return randn(*sizes, **options).roll((cells, cells), (-2, -1))

    monkeypatch.setattr(torch, "randn", shifted)


@pytest.mark.parametrize(
    ("recipe", "side"),
    [
        (Recipe(prompt="red brick", model="tiny", steps=3, strength=1.0), 128),
        (Recipe(prompt="red brick", model="tiny", steps=4, strength=0.5), 128),  # encodes the grey
        (Recipe(prompt="red brick", model="framed", steps=2, strength=1.0), 192),
        (Recipe(prompt="red brick", model="tiny", steps=2, loras=(Lora(name="surfaces"),)), 128),
        (Recipe(prompt="red brick", model="pocket"), 256),
    ],
    ids=["tiny", "encoded", "framed", "lora", "pocket"],
)
def test_shifted_noise_and_relief_are_a_shifted_picture(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch, recipe: Recipe, side: int
) -> None:
    first = painted(sampler, recipe, side)
    assert first.shape == (side, side, 3) and len(np.unique(first)) > 20
    shift_noise(monkeypatch, SHIFT // (4 if recipe.model == "pocket" else 8))
    second = painted(sampler, recipe, side, SHIFT)
    apart = np.abs(second.astype(int) - np.roll(first, (SHIFT, SHIFT), (0, 1)))
    assert apart.max() <= 1  # a rounding
    assert not np.array_equal(first, second)


def gradients(picture: NDArray[np.uint8], axis: int) -> NDArray[np.float64]:
    """Mean step from each line of pixels to the next one, the last being the seam."""
    values = picture.astype(np.float64)
    return np.abs(np.roll(values, -1, axis) - values).mean((1 - axis, 2))


def test_the_seam_is_as_strong_as_like_lines_inside(sampler: Sampler) -> None:
    """Courses repeat every 32 pixels, and so do the lines that lie to them as the seam does, amid
    bricks."""
    tile = bricks(256, 7)
    recipe = Recipe(prompt="red brick", model="pocket")
    ((_, _, picture),) = sampler.run(recipe, [tile], seamless=True).pictures
    ((_, _, plain),) = sampler.run(recipe, [tile]).pictures
    for axis in (0, 1):
        steps = gradients(picture, axis)
        assert steps[-1] <= 1.1 * steps[31:-1:32].mean()
        without = gradients(plain, axis)
        assert without[-1] > 2.0 * without[31:-1:32].mean()


def test_low_on_memory_a_tile_still_has_no_seam(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = Sampler("cpu", catalogue=catalogue, dtype=torch.float32)
    recipe = Recipe(prompt="red brick", model="tiny", steps=3, strength=0.9)
    whole = painted(sampler, recipe, 256)
    failing(monkeypatch, 1, OUT_OF_MEMORY["cpu"])
    result = sampler.run(recipe, [bricks(256)], seamless=True)
    assert any("ran out of memory" in warning for warning in result.warnings)
    picture = result.pictures[0][2]
    assert psnr(whole, picture) >= 20.0  # tiles are normalised one by one
    for axis in (0, 1):
        steps = gradients(picture, axis)
        assert steps[-1] <= 1.1 * steps[7:-1:8].mean()  # where latent cells meet, too


def test_everything_is_put_back(catalogue: Catalogue) -> None:
    sampler = Sampler("cpu", catalogue=catalogue, dtype=torch.float32)
    recipe = Recipe(prompt="red brick", model="tiny", steps=4, strength=0.5)
    before = sampler.run(recipe, [bricks(128)]).pictures[0][2]
    painted(sampler, recipe, 128)
    assert np.array_equal(before, sampler.run(recipe, [bricks(128)]).pictures[0][2])
    model: Sd2Depth = sampler._loaded[2]  # type: ignore[index]
    with pytest.raises(KeyError), wrapped(model.pipeline.unet, model.pipeline.vae):
        raise KeyError
    for part in (model.pipeline.unet, model.pipeline.vae):
        for module in part.modules():
            assert not module._forward_pre_hooks
            if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
                assert module.padding in ((1, 1), (0, 0)) and module.padding_mode == "zeros"
    halving = [m for m in model.pipeline.vae.encoder.modules() if isinstance(m, nn.Conv2d)]
    assert sum(m.padding == (0, 0) for m in halving if m.kernel_size == (3, 3)) == 3
