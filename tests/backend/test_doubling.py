"""Doubling and convolving at once: the same as one after the other, whatever is done to a layer."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.upsampling import Upsample2D
from maquette.families.doubling import double_at_once
from maquette.materials.tiling import wrapped


def both(layer: Upsample2D, maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What the layer makes of maps, and what it makes in two steps."""
    return layer(maps), Upsample2D.forward(layer, maps)


@pytest.fixture
def layer() -> Upsample2D:
    torch.manual_seed(0)
    made = Upsample2D(8, use_conv=True, out_channels=12)
    double_at_once(made)
    return made.requires_grad_(False)


@pytest.mark.parametrize("size", [(1, 1), (5, 6), (16, 9)])
def test_it_is_the_two_steps_up_to_rounding(layer: Upsample2D, size: tuple[int, int]):
    maps = torch.randn(2, 8, *size)
    at_once, wanted = both(layer, maps)
    assert at_once.shape == (2, 12, 2 * size[0], 2 * size[1])
    assert torch.allclose(at_once, wanted, atol=1e-5)


def test_it_runs_as_one_transposed_convolution(layer: Upsample2D, monkeypatch: pytest.MonkeyPatch):
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the map was doubled first")

    monkeypatch.setattr(torch.nn.functional, "interpolate", refused)
    layer(torch.randn(1, 8, 4, 4))


def test_changed_weights_count(layer: Upsample2D):
    maps = torch.randn(1, 8, 4, 4)
    before = layer(maps)
    assert layer.conv is not None
    layer.conv.weight.mul_(2.0)
    at_once, wanted = both(layer, maps)
    assert torch.allclose(at_once, wanted, atol=1e-5) and not torch.allclose(at_once, before)
    layer.to(torch.float64)
    at_once, wanted = both(layer, maps.double())
    assert at_once.dtype == torch.float64 and torch.allclose(at_once, wanted, atol=1e-5)


def test_circular_padding_is_kept(layer: Upsample2D):
    maps = torch.randn(1, 8, 4, 4)
    with wrapped(layer):
        moved = layer(maps.roll(1, 3))
        assert torch.allclose(moved, layer(maps).roll(2, 3), atol=1e-5)
    assert not torch.allclose(layer(maps.roll(1, 3)), layer(maps).roll(2, 3), atol=1e-5)
