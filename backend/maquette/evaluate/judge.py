"""The judge: a small classifier of attributes, trained on finished renders alone.

It never sees a generated picture in training, so what it recognises in one is what the studio's
renders of that wall, light, ground or style look like. Its accuracy on held-out renders is part of
every report: a response can't be trusted further than that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

log = logging.getLogger(__name__)

CLASSES: dict[str, tuple[str, ...]] = {
    "light": ("day", "golden hour", "dusk", "night", "overcast", "fog"),
    "wall": (
        "red brick", "pale brick", "white render", "concrete", "timber", "stone", "metal", "glass",
    ),
    "ground": ("lawn", "plaza", "wet plaza", "street", "water", "snow"),
    "style": ("photo", "white card", "pencil", "watercolour"),
}  # fmt: skip
SIDE = 128
_WIDTHS = (24, 48, 96, 160)
_BATCH = 32
_RATE = 2e-3
_FORMAT = "2"

Labelled = tuple[NDArray[np.uint8], Mapping[str, Any]]
"""A picture [H, W, 3] and its attributes; one that is None or unknown isn't judged."""


class _Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for index, width in enumerate(_WIDTHS):
            for stride in (2,) if index == 0 else (2, 1):
                layers += [
                    nn.Conv2d(before, width, 3, stride, 1),
                    nn.GroupNorm(8, width),
                    nn.SiLU(),
                ]
                before = width
        self.body = nn.Sequential(*layers)
        self.heads = nn.ModuleDict(
            {name: nn.Linear(2 * before, len(classes)) for name, classes in CLASSES.items()}
        )

    def features(self, pictures: Tensor) -> Tensor:
        maps = self.body(pictures)
        return torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1)

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        features = F.dropout(self.features(pictures), 0.2, self.training)
        return {name: head(features) for name, head in self.heads.items()}


@dataclass
class Judge:
    """A trained classifier.

    accuracy: on held-out finished renders, by attribute.
    """

    network: _Network
    accuracy: dict[str, float]

    @torch.no_grad()
    def features(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """[n, d] of pictures of any size."""
        batches = (pictures[start : start + 64] for start in range(0, len(pictures), 64))
        made = [self.network.features(_tensor(batch)) for batch in batches]
        return torch.cat(made).numpy()

    @torch.no_grad()
    def right(self, labelled: Sequence[Labelled]) -> dict[str, float]:
        """The share of pictures that are recognised, by attribute."""
        hits: dict[str, list[float]] = {name: [] for name in CLASSES}
        for start in range(0, len(labelled), 64):
            part = labelled[start : start + 64]
            found = self.network(_tensor([picture for picture, _ in part]))
            for name, scores in found.items():
                wanted = _labels(part, name)
                known = wanted >= 0
                hits[name] += (scores.argmax(1) == wanted)[known].float().tolist()
        return {name: float(np.mean(values)) for name, values in hits.items() if values}


def train_judge(
    training: Sequence[Labelled],
    held_out: Sequence[Labelled],
    steps: int,
    progress: Callable[[int, int], None] = lambda _step, _steps: None,
) -> Judge:
    """Train on finished renders, and measure on others."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    network = _Network()
    optimizer = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, steps)
    pictures = torch.cat([_tensor([picture]) for picture, _ in training])
    labels = {name: _labels(training, name) for name in CLASSES}
    network.train()
    for step in range(steps):
        pick = torch.from_numpy(rng.integers(0, len(training), _BATCH))
        scores = network(_augmented(pictures[pick], rng))
        loss = torch.stack(
            [_loss(found, labels[name][pick]) for name, found in scores.items()]
        ).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        progress(step + 1, steps)
    network.eval()
    judge = Judge(network, {})
    judge.accuracy = judge.right(held_out)
    return judge


def save_judge(judge: Judge, path: Path) -> None:
    """Raises MaquetteError("judge-not-saved")."""
    tensors = {name: value.contiguous() for name, value in judge.network.state_dict().items()}
    facts = {name: repr(share) for name, share in judge.accuracy.items()}
    temporary = path.with_suffix(".tmp")
    try:
        save_file(tensors, temporary, {"format": _FORMAT, **facts})
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        raise MaquetteError(
            "judge-not-saved",
            f"The judge could not be written to {path}: {error}.",
            "Free some space and make the dataset's folder writable, then evaluate again.",
        ) from error


def load_judge(path: Path) -> Judge:
    """Raises MaquetteError("bad-judge")."""
    network = _Network()
    try:
        with safe_open(path, "pt") as file:
            facts = dict(file.metadata() or {})
            if facts.pop("format", None) != _FORMAT:
                raise ValueError("it is of another version")
            network.load_state_dict({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118
            accuracy = {name: float(share) for name, share in facts.items()}
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise MaquetteError(
            "bad-judge",
            f"The judge {path} can't be used: {error}.",
            "Delete it; the next evaluation trains another.",
        ) from error
    network.eval()
    return Judge(network, accuracy)


def _loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy over the pictures whose attribute is known."""
    summed = F.cross_entropy(scores, labels, ignore_index=-1, reduction="sum", label_smoothing=0.05)
    return summed / (labels >= 0).sum().clamp(min=1)


def _tensor(pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
    """[n, 3, SIDE, SIDE] in [-1, 1]."""
    made = []
    for picture in pictures:
        whole = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float()
        made.append(F.interpolate(whole, (SIDE, SIDE), mode="area"))
    return torch.cat(made) / 127.5 - 1.0


def _augmented(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Flipped, moved by up to a sixteenth, and a little softer or not: judged pictures are."""
    if rng.random() < 0.5:
        pictures = pictures.flip(3)
    room = SIDE // 16
    down, across = rng.integers(0, 2 * room + 1, 2)
    pictures = F.pad(pictures, (room,) * 4, mode="replicate")
    pictures = pictures[:, :, down : down + SIDE, across : across + SIDE]
    if rng.random() < 0.3:
        pictures = F.interpolate(F.avg_pool2d(pictures, 2), (SIDE, SIDE), mode="bilinear")
    return pictures


def _labels(labelled: Sequence[Labelled], name: str) -> Tensor:
    """Class numbers [n]; -1 where the attribute says nothing."""
    classes = CLASSES[name]
    values = [attributes.get(name) for _, attributes in labelled]
    return torch.tensor([classes.index(v) if v in classes else -1 for v in values])
