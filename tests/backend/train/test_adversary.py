"""The discriminator: whose gradient goes where, and what it tells apart."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from maquette.train.adversary import Pairs, PatchDiscriminator, contest
from maquette.train.recipe import Adversary

WIDTHS = (16, 16, 32)


def grids(count: int, generator: torch.Generator) -> torch.Tensor:
    """[count, 4, 16, 16] stripes whose place differs: their mean is an even grey."""
    places = torch.randint(4, (count,), generator=generator)
    columns = (torch.arange(16)[None] + places[:, None]) % 4 < 2
    return (columns.float() * 2 - 1)[:, None, None].expand(count, 4, 16, 16).clone()


def test_each_side_gets_the_gradient_of_its_own_loss():
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(4, 8, WIDTHS)
    real, depth, text = torch.randn(2, 4, 16, 16), torch.randn(2, 1, 16, 16), torch.randn(2, 5, 8)
    made = torch.randn(2, 4, 16, 16, requires_grad=True)
    settings = Adversary(weight=0.3, likeness=0.7)
    contest(discriminator, Pairs(real, made, depth, text, text.flip(0)), settings).loss.backward()

    judged, truth = discriminator(made, depth, text), discriminator(real, depth, text)
    apart = [F.l1_loss(a, b) for a, b in zip(judged.features, truth.features, strict=True)]
    generator = 0.3 * (judged.scores - 1).square().mean() + 0.7 * torch.stack(apart).mean()
    assert made.grad is not None
    wanted = torch.autograd.grad(generator, made, retain_graph=True)[0]
    assert torch.allclose(made.grad, wanted, atol=1e-7) and bool(wanted.any())

    mistaken = discriminator(real, depth, text.flip(0)).scores
    false = (judged.scores.square().mean() + mistaken.square().mean()) / 2
    telling = ((truth.scores - 1).square().mean() + false) / 2
    parameters = dict(discriminator.named_parameters())
    grads = torch.autograd.grad(telling, list(parameters.values()))
    for (name, parameter), grad in zip(parameters.items(), grads, strict=True):
        assert parameter.grad is not None
        assert torch.allclose(parameter.grad, grad, atol=1e-6), name


def test_it_tells_whether_a_picture_is_the_one_that_was_asked_for():
    torch.manual_seed(2)
    discriminator = PatchDiscriminator(4, 8, WIDTHS)
    optimizer = torch.optim.AdamW(discriminator.parameters(), 2e-3)
    depth, made = torch.zeros(8, 1, 16, 16), torch.randn(8, 4, 16, 16)
    text = torch.zeros(8, 5, 8)
    text[::2, :, 0], text[1::2, :, 1] = 1.0, 1.0
    real = torch.ones(8, 4, 16, 16)
    real[1::2] = -1.0
    for _ in range(150):
        optimizer.zero_grad()
        contest(
            discriminator, Pairs(real, made, depth, text, text.roll(1, 0)), Adversary()
        ).loss.backward()
        optimizer.step()
    with torch.no_grad():
        asked = discriminator(real, depth, text).scores.mean()
        other = discriminator(real, depth, text.roll(1, 0)).scores.mean()
    assert asked > 0.7 and other < 0.4


def test_it_tells_a_picture_from_the_mean_of_all_pictures():
    """The mean has the least squared error of all answers, and is what it must not accept."""
    generator = torch.Generator().manual_seed(1)
    torch.manual_seed(1)
    discriminator = PatchDiscriminator(4, 8, WIDTHS)
    optimizer = torch.optim.AdamW(discriminator.parameters(), 2e-3)
    depth, text = torch.zeros(8, 1, 16, 16), torch.zeros(8, 5, 8)
    mean = torch.zeros(8, 4, 16, 16)
    for _ in range(30):
        pairs = Pairs(grids(8, generator), mean, depth, text, text)
        optimizer.zero_grad()
        contest(discriminator, pairs, Adversary()).loss.backward()
        optimizer.step()
    with torch.no_grad():
        sharp = discriminator(grids(8, generator), depth, text).scores.mean()
        grey = discriminator(mean, depth, text).scores.mean()
    assert sharp > 0.7 and grey < 0.3
