"""A reader of latent pictures: what walls, ground and light are seen to be, where they are.

A squared error is content with a dark ground where a street was asked for, and a discriminator with
any that might be real. What a reader of attributes can't tell costs the UNet as well (Odena et al.,
"Conditional Image Synthesis with Auxiliary Classifier GANs", ICML 2017). It learns from real
pictures alone, and reads them under noise, so that what it misses in a made one is more than a
pattern that nobody sees (Dhariwal and Nichol, "Diffusion Models Beat GANs on Image Synthesis",
NeurIPS 2021, whose classifiers guide through noise).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from maquette_wire.errors import MaquetteError
from torch import Tensor, nn

from .recipe import Attribute

Region = Literal["all", "ground", "subject"]

REGIONS: dict[Attribute, Region] = {
    "light": "all",
    "style": "all",
    "ground": "ground",
    "wall": "subject",
    "roof": "subject",
}
"""Where each attribute is looked for."""
UNKNOWN = -1
_LEAST_SEEN = 0.02
"""Share of a picture that a region takes at least, for its attribute to be seen."""
_GROUPS = 8
_HIDDEN = 128


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
        said = name == "style" or not drawn
        numbers.append(known.index(str(value)) if said and value in known else UNKNOWN)
    return torch.tensor(numbers)


class AttributeReader(nn.Module):
    """Scores for the classes of each attribute, from all of a picture and, through gates that leave
    out what says little, as a wall's windows do, from its region at three sizes of detail.

    channels: of the latents; classes: of each attribute. Raises MaquetteError("no-attributes").
    """

    def __init__(
        self, channels: int, classes: Mapping[str, list[str]], widths: tuple[int, int, int]
    ) -> None:
        super().__init__()
        self.levels = nn.ModuleList()
        before = channels
        for index, width in enumerate(widths):
            layers: list[nn.Module] = []
            for stride in (1, 1) if index == 0 else (2, 1):
                layers += [
                    nn.Conv2d(before, width, 3, stride, 1),
                    nn.GroupNorm(_GROUPS, width),
                    nn.SiLU(),
                ]
                before = width
            self.levels.append(nn.Sequential(*layers))
        counts = {name: len(classes.get(name, [])) for name in REGIONS}
        self.known: list[Attribute] = [name for name in REGIONS if counts[name]]
        if not self.known:
            raise MaquetteError(
                "no-attributes",
                "The dataset doesn't say what its pictures show, so a reader has nothing to learn.",
                "Leave [unet.reading] out of the recipe, or give finishes attributes "
                f"({', '.join(REGIONS)}).",
            )
        self.gates = nn.ModuleDict(
            {name: nn.ModuleList(nn.Conv2d(width, 1, 1) for width in widths) for name in self.known}
        )
        self.heads = nn.ModuleDict(
            {
                name: nn.Sequential(
                    nn.Linear(sum(widths) + before, _HIDDEN),
                    nn.SiLU(),
                    nn.Linear(_HIDDEN, counts[name]),
                )
                for name in self.known
            }
        )

    def forward(self, latents: Tensor, shown: Shown) -> dict[Attribute, Tensor]:
        """latents [n, c, h, w] → scores [n, classes] of each attribute."""
        maps = [latents]
        for level in self.levels:
            maps.append(level(maps[-1]))
        whole = maps[-1].mean((2, 3))
        scores: dict[Attribute, Tensor] = {}
        for name in self.known:
            seen = [whole]
            gates: Any = self.gates[name]
            for gate, each in zip(gates, maps[1:], strict=True):
                weight = torch.sigmoid(gate(each))
                if REGIONS[name] != "all":
                    region = getattr(shown, REGIONS[name])
                    weight = weight * F.adaptive_avg_pool2d(region, (each.shape[2], each.shape[3]))
                total = weight.sum((2, 3)).clamp(min=1e-3)
                seen.append((each * weight).sum((2, 3)) / total)
            scores[name] = self.heads[name](torch.cat(seen, 1)).float()
        return scores

    def loss(
        self, latents: Tensor, shown: Shown, weights: Mapping[Attribute, float] | None = None
    ) -> tuple[Tensor, float]:
        """The mean over attributes of the cross entropy of what can be seen and is known, times the
        attribute's weight (1 where it has none), and the share that is read rightly."""
        losses, right, count = [], 0, 0
        order = list(REGIONS)
        for name, scores in self(latents, shown).items():
            labels = shown.labels[:, order.index(name)]
            if REGIONS[name] != "all":
                seen = getattr(shown, REGIONS[name]).mean((1, 2, 3)) >= _LEAST_SEEN
                labels = labels.where(seen, UNKNOWN)
            known = int((labels != UNKNOWN).sum())
            summed = F.cross_entropy(scores, labels, ignore_index=UNKNOWN, reduction="sum")
            losses.append((weights or {}).get(name, 1.0) * summed / max(1, known))
            right += int((scores.argmax(1) == labels).sum())
            count += known
        return torch.stack(losses).mean(), right / max(1, count)


def read(
    reader: AttributeReader,
    real: Tensor,
    made: Tensor,
    veil: Tensor,
    shown: Shown,
    weights: Mapping[Attribute, float],
) -> tuple[Tensor, dict[str, float]]:
    """The loss of a batch of real latents, and of made ones of the same scenes and captions, both
    under the noise `veil`, and the shares that are read rightly. One backward pass gives the reader
    the gradient of what it misses in real pictures, and `made` that of what it misses in them, as
    the `weights` of attributes have it."""
    own, right = reader.loss(real + veil, shown)
    leaf = made.detach().requires_grad_()
    missed, told = reader.loss(leaf + veil, shown, weights)
    (slope,) = torch.autograd.grad(missed, leaf)
    surrogate = ((made - leaf.detach()) * slope).sum()
    return own + surrogate, {"read": right, "read in made": told}
