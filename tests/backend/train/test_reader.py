"""The reader of attributes: what it reads where, and what it asks of a picture."""

from __future__ import annotations

import pytest
import torch
from maquette.train.reader import REGIONS, UNKNOWN, AttributeReader, Shown, labels_of, read
from maquette.train.recipe import Attribute
from maquette_wire.errors import MaquetteError

CLASSES = {"wall": ["brick", "render"], "ground": ["lawn", "street"], "style": ["pencil", "photo"]}
WIDTHS = (8, 16, 16)
EVEN: dict[Attribute, float] = dict.fromkeys(REGIONS, 1.0)


def test_it_asks_for_what_can_be_read_of_a_picture_where_that_is_seen():
    """The lower half is ground, of either of two colours; the generator's ground is in between, and
    is sent towards the one that was asked for, as long as there is ground in sight."""
    torch.manual_seed(4)
    reader = AttributeReader(4, CLASSES, WIDTHS)
    optimizer = torch.optim.AdamW(reader.parameters(), 5e-3)
    asked = [("lawn", "street")[number % 2] for number in range(8)]
    labels = torch.stack([labels_of({"ground": each}, CLASSES) for each in asked])
    ground = torch.zeros(8, 1, 32, 32)
    ground[:, :, 16:] = 1.0
    sign = torch.tensor([1.0 if each == "lawn" else -1.0 for each in asked])[:, None, None, None]

    def asks(ground: torch.Tensor, weight: float = 1.0) -> tuple[torch.Tensor, dict[str, float]]:
        made = torch.zeros(8, 4, 32, 32, requires_grad=True)
        shown = Shown(labels, ground, 1.0 - ground)
        veil = 0.2 * torch.randn(8, 4, 32, 32)
        loss, figures = read(reader, ground * sign, made, veil, shown, {**EVEN, "ground": weight})
        loss.backward()
        assert made.grad is not None
        return -made.grad, figures

    for _ in range(40):
        optimizer.zero_grad()
        asks(ground)
        optimizer.step()
    before = [each.clone() for each in reader.parameters()]
    descent, figures = asks(ground)
    assert figures["read"] == 1.0 and figures["read in made"] < 0.8
    towards = (descent * sign).sum(1)
    assert towards[:, 16:].mean() > 1e-3
    for unseen in (asks(torch.zeros_like(ground)), asks(ground, 0.0)):
        assert not unseen[0].any()
    assert all(map(torch.equal, before, reader.parameters()))


def test_what_is_made_teaches_the_reader_nothing():
    torch.manual_seed(5)
    reader = AttributeReader(4, CLASSES, WIDTHS)
    labels = torch.stack([labels_of({"wall": "brick"}, CLASSES)] * 2)
    shown = Shown(labels, torch.zeros(2, 1, 16, 16), torch.ones(2, 1, 16, 16))
    real, veil = torch.randn(2, 4, 16, 16), torch.zeros(2, 4, 16, 16)
    grads = []
    for made in torch.randn(2, 2, 4, 16, 16):
        reader.zero_grad()
        read(reader, real, made.requires_grad_(), veil, shown, EVEN)[0].backward()
        grads.append([p.grad.clone() for p in reader.parameters() if p.grad is not None])
    assert grads[0] and all(map(torch.equal, *grads))


def test_a_drawing_says_nothing_of_stuff():
    order = list(REGIONS)
    photo = {"style": "photo", "wall": "render", "ground": "quicksand"}
    found = dict(zip(order, labels_of(photo, CLASSES).tolist(), strict=True))
    assert found == {"light": UNKNOWN, "style": 1, "ground": UNKNOWN, "wall": 1, "roof": UNKNOWN}
    drawn = dict(zip(order, labels_of({**photo, "style": "pencil"}, CLASSES).tolist(), strict=True))
    assert drawn == {**found, "style": 0, "wall": UNKNOWN}


def test_a_dataset_without_attributes_is_refused():
    with pytest.raises(MaquetteError, match="nothing to learn"):
        AttributeReader(4, {"type": ["church", "barn"]}, WIDTHS)
