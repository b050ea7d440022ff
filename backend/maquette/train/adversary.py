"""A discriminator of latent pictures, against which a UNet learns to decide for one picture.

Where depth and text leave several pictures possible (where does the first window stand?), a squared
error asks for their mean, which is a blur. The discriminator sees latents beside depth and text and
knows the mean from a picture: a patch discriminator with least squares (Isola et al., "Image-to-
Image Translation with Conditional Adversarial Networks", CVPR 2017), text by projection (Miyato and
Koyama, "cGANs with Projection Discriminator", ICLR 2018) and held against wrong texts (Reed et al.,
"Generative Adversarial Text to Image Synthesis", ICML 2016), and its features as a measure of
likeness (Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional
GANs", CVPR 2018).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .recipe import Adversary

_GROUPS = 8
_SLOPE = 0.2


class Judged(NamedTuple):
    """scores [n, 1, h/4, w/4], near 1 for what is held for real; features of each layer."""

    scores: Tensor
    features: list[Tensor]


class PatchDiscriminator(nn.Module):
    """Scores each part of a latent picture by its surroundings of 36 latent pixels.

    channels: of the latents; text: width of the text encoder. Four pixels go into one score.
    """

    def __init__(self, channels: int, text: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        first, second, third = widths
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(channels + 1, first, 3, padding=1),
                nn.Sequential(
                    nn.Conv2d(first, second, 4, stride=2, padding=1), nn.GroupNorm(_GROUPS, second)
                ),
                nn.Sequential(
                    nn.Conv2d(second, third, 4, stride=2, padding=1), nn.GroupNorm(_GROUPS, third)
                ),
                nn.Sequential(nn.Conv2d(third, third, 3, padding=1), nn.GroupNorm(_GROUPS, third)),
            ]
        )
        self.score = nn.Conv2d(third, 1, 3, padding=1)
        self.text = nn.Linear(text, third)

    def forward(self, latents: Tensor, depth: Tensor, text: Tensor) -> Judged:
        """latents [n, c, h, w]; depth [n, 1, h, w]; text [n, tokens, width]."""
        x = torch.cat([latents, depth], 1)
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), _SLOPE)
            features.append(x)
        return Judged(self.scores(x, text), features)

    def scores(self, last: Tensor, text: Tensor) -> Tensor:
        """Scores of a picture's last features beside a text."""
        asked = self.text(text.mean(1))[:, :, None, None]
        agreement = (last * asked).mean(1, keepdim=True)
        return (self.score(last) + agreement).float()


class Pairs(NamedTuple):
    """real and made latents [n, c, h, w] of the same depth [n, 1, h, w] and text [n, tokens, w];
    other: another picture's text for each."""

    real: Tensor
    made: Tensor
    depth: Tensor
    text: Tensor
    other: Tensor


class Verdict(NamedTuple):
    """loss: the discriminator's, and a surrogate whose gradient is the generator's."""

    loss: Tensor
    figures: dict[str, float]


def contest(discriminator: PatchDiscriminator, pairs: Pairs, settings: Adversary) -> Verdict:
    """The adversarial losses of a batch, in one pass through the discriminator for each side.

    One backward pass of the result gives the discriminator the gradient of its own loss, and
    `made` that of `weight` times passing for real plus `likeness` times the distance of features.
    Neither gradient reaches the other.
    """
    leaf = pairs.made.detach().requires_grad_()
    truth = discriminator(pairs.real, pairs.depth, pairs.text)
    judged = discriminator(leaf, pairs.depth, pairs.text)
    fooling = (judged.scores - 1.0).square().mean()
    layers = zip(judged.features, truth.features, strict=True)
    distance = torch.stack([F.l1_loss(a.float(), b.detach().float()) for a, b in layers]).mean()
    wanted = settings.weight * fooling + settings.likeness * distance
    (slope,) = torch.autograd.grad(wanted, leaf, retain_graph=True)
    surrogate = ((pairs.made - leaf.detach()) * slope).sum() + wanted.detach()
    # A real picture beside another one's text is no answer either.
    differs = (pairs.other != pairs.text).flatten(1).any(1).float()
    mistaken = discriminator.scores(truth.features[-1], pairs.other).square().mean((1, 2, 3))
    false = (judged.scores.square().mean() + (mistaken * differs).mean()) / 2.0
    telling = ((truth.scores - 1.0).square().mean() + false) / 2.0
    figures = {"fooling": fooling, "likeness": distance, "telling": telling}
    return Verdict(surrogate + telling, {k: float(v.detach()) for k, v in figures.items()})
