"""The discriminator: whose gradient goes where, and what it tells apart."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from maquette.train.adversary import Pairs, PatchDiscriminator, contest
from maquette.train.attributes import REGIONS, UNKNOWN, Shown, labels_of
from maquette.train.recipe import Adversary

WIDTHS = (16, 16, 32)
NOTHING = Shown(torch.full((8, len(REGIONS)), UNKNOWN), *torch.zeros(2, 8, 1, 16, 16))
CLASSES = {"wall": ["brick", "render"], "ground": ["lawn", "street"], "style": ["pencil", "photo"]}


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
    contest(
        discriminator, Pairs(real, made, depth, text, text.flip(0), NOTHING), settings
    ).loss.backward()

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
            discriminator, Pairs(real, made, depth, text, text.roll(1, 0), NOTHING), Adversary()
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
        pairs = Pairs(grids(8, generator), mean, depth, text, text, NOTHING)
        optimizer.zero_grad()
        contest(discriminator, pairs, Adversary()).loss.backward()
        optimizer.step()
    with torch.no_grad():
        sharp = discriminator(grids(8, generator), depth, text).scores.mean()
        grey = discriminator(mean, depth, text).scores.mean()
    assert sharp > 0.7 and grey < 0.3


def test_it_asks_for_what_can_be_told_of_a_picture_where_that_is_seen():
    """The lower half is ground, of either of two colours; the generator's ground is in between, and
    is sent towards the one that was asked for, as long as there is ground in sight."""
    torch.manual_seed(4)
    discriminator = PatchDiscriminator(4, 8, WIDTHS, CLASSES)
    optimizer = torch.optim.AdamW(discriminator.parameters(), 2e-3)
    depth, text = torch.zeros(8, 1, 32, 32), torch.zeros(8, 5, 8)
    asked = [("lawn", "street")[number % 2] for number in range(8)]
    labels = torch.stack([labels_of({"ground": each}, CLASSES) for each in asked])
    ground = torch.zeros(8, 1, 32, 32)
    ground[:, :, 16:] = 1.0
    sign = torch.tensor([1.0 if each == "lawn" else -1.0 for each in asked])[:, None, None, None]
    settings = Adversary(weight=0.0, likeness=0.0, attributes=1.0)

    def contested(ground: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
        real = ground * sign + 0.2 * torch.randn(8, 4, 32, 32)
        made = (0.2 * torch.randn(8, 4, 32, 32)).requires_grad_()
        shown = Shown(labels, ground, 1.0 - ground)
        verdict = contest(discriminator, Pairs(real, made, depth, text, text, shown), settings)
        verdict.loss.backward()
        assert made.grad is not None
        return -made.grad, verdict.figures

    for _ in range(60):
        optimizer.zero_grad()
        contested(ground)
        optimizer.step()
    descent, figures = contested(ground)
    assert figures["unseen in real ones"] < 0.1 < figures["unseen"]
    assert (descent * sign)[:, :, 16:].mean() > 1e-5
    descent, figures = contested(torch.zeros_like(ground))
    assert not descent.any() and figures["unseen"] == 0.0


def test_a_drawing_says_nothing_of_stuff():
    photo = {"style": "photo", "wall": "render", "ground": "quicksand"}
    order = list(REGIONS)
    found = dict(zip(order, labels_of(photo, CLASSES).tolist(), strict=True))
    assert found == {"light": UNKNOWN, "style": 1, "ground": UNKNOWN, "wall": 1, "roof": UNKNOWN}
    drawn = dict(zip(order, labels_of({**photo, "style": "pencil"}, CLASSES).tolist(), strict=True))
    assert drawn == {**found, "style": 0, "wall": UNKNOWN}
