"""What pictures show, as classes that are recognised in the places where they can be seen.

A discriminator that also tells what is in a picture asks a generator for pictures in which that can
be told (Odena et al., "Conditional Image Synthesis with Auxiliary Classifier GANs", ICML 2017): for
a street that is seen to be one, where a squared error is content with a dark ground.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Region = Literal["all", "ground", "subject"]

REGIONS: dict[str, Region] = {
    "light": "all",
    "style": "all",
    "ground": "ground",
    "wall": "subject",
    "roof": "subject",
}
"""The attributes (docs/dataset.md) that are recognised, and where each of them is looked for."""
UNKNOWN = -1
_LEAST_SEEN = 0.02
"""Share of a picture that a region takes at least, for its attribute to be seen."""


class Shown(NamedTuple):
    """labels: [n, attributes], class numbers or UNKNOWN; ground, subject: [n, 1, h, w], 1 where the
    ground is seen and where something stands on it."""

    labels: Tensor
    ground: Tensor
    subject: Tensor


def labels_of(attributes: Mapping[str, Any], classes: Mapping[str, list[str]]) -> Tensor:
    """The class numbers [attributes] of one finish, in the order of ``REGIONS``. A drawing has a
    style alone, since it shows stuff and light in colours of its own."""
    drawn = attributes.get("style") not in (None, "photo")
    numbers = []
    for name in REGIONS:
        known, value = classes.get(name, []), attributes.get(name)
        said = value in known and (name == "style" or not drawn)
        numbers.append(known.index(value) if said else UNKNOWN)
    return torch.tensor(numbers)


class AttributeHeads(nn.Module):
    """Scores for the classes of each attribute from a network's feature maps. What is seen at each
    place counts as much as a learned gate lets it: a wall's windows say little about the wall.

    width: channels of the maps; classes: of each attribute.
    """

    def __init__(self, width: int, classes: Mapping[str, list[str]]) -> None:
        super().__init__()
        self.counts = {name: len(classes.get(name, [])) for name in REGIONS}
        self.places = nn.ModuleDict(
            {name: nn.Conv2d(width, count + 1, 1) for name, count in self.counts.items() if count}
        )

    def loss(self, maps: Tensor, shown: Shown) -> Tensor:
        """The mean cross entropy of what can be seen and is known, over maps [n, c, h, w]."""
        size = (maps.shape[2], maps.shape[3])
        losses = []
        for number, (name, region) in enumerate(REGIONS.items()):
            if not self.counts[name]:
                continue
            found = self.places[name](maps).float()
            scores, gate = found[:, :-1], torch.sigmoid(found[:, -1:])
            if region != "all":
                where = F.adaptive_avg_pool2d(getattr(shown, region), size)
                gate = gate * where
                seen = where.mean((1, 2, 3)) >= _LEAST_SEEN
            else:
                seen = torch.ones(len(maps), dtype=torch.bool, device=maps.device)
            pooled = (scores * gate).sum((2, 3)) / gate.sum((2, 3)).clamp(min=1e-3)
            labels = shown.labels[:, number].where(seen, UNKNOWN)
            summed = F.cross_entropy(pooled, labels, ignore_index=UNKNOWN, reduction="sum")
            losses.append(summed / (labels != UNKNOWN).sum().clamp(min=1))
        return torch.stack(losses).mean()
