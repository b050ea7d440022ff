"""The judge: a small classifier of attributes, trained on finished renders alone.

It never sees a generated picture in training, so what it recognises in one is what the studio's
renders of that wall, light, ground or style look like. Where walls and ground are is known exactly
from the scene, for a render as for a painting of it, so the judge looks there for what they are.
Its accuracy on held-out renders is part of every report: a response can't be trusted further than
that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..devices import precision
from ..train.scenes import GROUND, WALL
from .cases import Shown

log = logging.getLogger(__name__)

CLASSES: dict[str, tuple[str, ...]] = {
    "light": ("day", "golden hour", "dusk", "night", "overcast", "fog"),
    "wall": (
        "red brick", "pale brick", "white render", "concrete", "timber", "stone", "metal", "glass",
    ),
    "ground": ("lawn", "plaza", "wet plaza", "street", "water", "snow"),
    "style": ("photo", "white card", "pencil", "watercolour"),
}  # fmt: skip
REGIONS = {"wall": WALL, "ground": GROUND}
"""The part of a scene (docs/dataset.md) in which an attribute is seen; others are in all of it."""
LEAST_SEEN = 0.01
"""Share of the picture that a region takes at least, if its attribute is to be judged."""
SIDE = 256
_CROP = 160
_CELL = 4
_WIDTHS = (48, 96, 160)
_HIDDEN = 128
_BATCH = 16
_RATE = 2e-3
_FORMAT = "3"
_UNKNOWN = -1


class _Network(nn.Module):
    """Convolutions, and a small head for each attribute, which looks at all of the picture and
    closer at the attribute's region: a wall's colour says little without its light."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = nn.ModuleList()
        before = 3 * _CELL**2
        for index, width in enumerate(_WIDTHS):
            layers: list[nn.Module] = []
            for stride in (1,) if index == 0 else (2, 1):
                layers += [
                    nn.Conv2d(before, width, 3, stride, 1),
                    nn.GroupNorm(8, width),
                    nn.SiLU(),
                ]
                before = width
            self.levels.append(nn.Sequential(*layers))
        inside = sum(_WIDTHS)
        self.gates = nn.ModuleDict(
            {name: nn.ModuleList(nn.Conv2d(width, 1, 1) for width in _WIDTHS) for name in REGIONS}
        )
        self.heads = nn.ModuleDict(
            {
                name: nn.Sequential(
                    nn.Linear(2 * before + (inside if name in REGIONS else 0), _HIDDEN),
                    nn.SiLU(),
                    nn.Dropout(0.2),
                    nn.Linear(_HIDDEN, len(classes)),
                )
                for name, classes in CLASSES.items()
            }
        )

    def maps(self, pictures: Tensor) -> list[Tensor]:
        """Of pictures in [-1, 1]: one for each of `_WIDTHS`, half as large as the one before."""
        made = [F.pixel_unshuffle(pictures, _CELL)]
        for level in self.levels:
            made.append(level(made[-1]))
        return made[1:]

    def forward(self, pictures: Tensor, parts: Tensor) -> dict[str, Tensor]:
        maps = self.maps(pictures)
        whole = _pooled(maps[-1])
        scores = {}
        for name, head in self.heads.items():
            seen = [whole]
            if name in REGIONS:
                region = (parts == REGIONS[name])[:, None].float()
                gates = cast(nn.ModuleList, self.gates[name])
                for gate, each in zip(gates, maps, strict=True):
                    # Windows are parts of a wall, too, and say less about it.
                    weight = torch.sigmoid(gate(each))
                    weight = weight * F.adaptive_avg_pool2d(region, (each.shape[2], each.shape[3]))
                    total = weight.sum((2, 3)).clamp(min=1e-3)
                    seen.append((each * weight).sum((2, 3)) / total)
            scores[name] = head(torch.cat(seen, 1))
        return scores


def _pooled(maps: Tensor) -> Tensor:
    return torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1)


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
        batches = (pictures[start : start + _BATCH] for start in range(0, len(pictures), _BATCH))
        made = [_pooled(self.network.maps(_scaled(_pictures(batch)))[-1]) for batch in batches]
        return torch.cat(made).numpy()

    @torch.no_grad()
    def taken_for(self, shown: Sequence[Shown]) -> dict[str, list[str | None]]:
        """What each picture's attributes look like; None where one isn't judged. Drawings are
        judged for their style alone: they show stuff and light in colours of their own."""
        found: dict[str, list[str | None]] = {name: [] for name in CLASSES}
        for start in range(0, len(shown), _BATCH):
            part = shown[start : start + _BATCH]
            parts = _parts([one.parts for one in part])
            scores = self.network(_scaled(_pictures([one.picture for one in part])), parts)
            for name, classes in CLASSES.items():
                known = (_labels(part, name) != _UNKNOWN) & _in_sight(name, parts)
                if name != "style":
                    known &= torch.tensor([_is_photo(one) for one in part])
                best = scores[name].argmax(1)
                found[name] += [
                    classes[number] if judged else None
                    for number, judged in zip(best.tolist(), known.tolist(), strict=True)
                ]
        return found

    def right(self, shown: Sequence[Shown]) -> dict[str, float]:
        """The share of pictures that are recognised, by attribute."""
        shares = {}
        for name, found in self.taken_for(shown).items():
            hits = [
                one.attributes[name] == each
                for one, each in zip(shown, found, strict=True)
                if each is not None
            ]
            if hits:
                shares[name] = float(np.mean(hits))
        return shares


def train_judge(
    training: Sequence[Shown],
    held_out: Sequence[Shown],
    steps: int,
    progress: Callable[[int, int], None] = lambda _step, _steps: None,
) -> Judge:
    """Train on finished renders, and measure on others."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    network = _Network()
    optimizer = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, steps)
    pictures = _pictures([one.picture for one in training])
    parts = _parts([one.parts for one in training])
    labels = {name: _labels(training, name) for name in CLASSES}
    halves = precision(torch.device("cpu")) is torch.bfloat16
    network.train()
    for step in range(steps):
        pick = torch.from_numpy(rng.integers(0, len(training), _BATCH))
        seen, where = _augmented(_scaled(pictures[pick]), parts[pick], rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=halves):
            scores = network(seen, where)
        losses = [
            _loss(found.float(), labels[name][pick].where(_in_sight(name, where), _UNKNOWN))
            for name, found in scores.items()
        ]
        loss = torch.stack(losses).sum()
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
    summed = F.cross_entropy(
        scores, labels, ignore_index=_UNKNOWN, reduction="sum", label_smoothing=0.05
    )
    return summed / (labels != _UNKNOWN).sum().clamp(min=1)


def _pictures(pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
    """uint8 [n, 3, SIDE, SIDE]."""
    made = []
    for picture in pictures:
        whole = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]
        if whole.shape[2:] != (SIDE, SIDE):
            whole = F.interpolate(whole.float(), (SIDE, SIDE), mode="area").round().byte()
        made.append(whole)
    return torch.cat(made)


def _scaled(pictures: Tensor) -> Tensor:
    """Into [-1, 1]."""
    return pictures.float() / 127.5 - 1.0


def _parts(parts: Sequence[NDArray[np.uint8]]) -> Tensor:
    """uint8 [n, SIDE, SIDE]."""
    made = [torch.from_numpy(np.ascontiguousarray(each))[None, None] for each in parts]
    return torch.cat([F.interpolate(each, (SIDE, SIDE)) for each in made])[:, 0]


def _augmented(pictures: Tensor, parts: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Flipped, cut, and a little softer or not: judged pictures are."""
    if rng.random() < 0.5:
        pictures, parts = pictures.flip(3), parts.flip(2)
    down, across = rng.integers(0, SIDE - _CROP + 1, 2)
    place = np.s_[..., down : down + _CROP, across : across + _CROP]
    pictures, parts = pictures[place], parts[place]
    if rng.random() < 0.3:
        pictures = F.interpolate(F.avg_pool2d(pictures, 2), (_CROP, _CROP), mode="bilinear")
    return pictures, parts


def _labels(shown: Sequence[Shown], name: str) -> Tensor:
    """Class numbers [n]; _UNKNOWN where the attribute says nothing."""
    classes = CLASSES[name]
    values = [one.attributes.get(name) for one in shown]
    return torch.tensor([classes.index(v) if v in classes else _UNKNOWN for v in values])


def _is_photo(shown: Shown) -> bool:
    return shown.attributes.get("style") in (None, "photo")


def _in_sight(name: str, parts: Tensor) -> Tensor:
    """In which pictures an attribute can be seen: bool [n]."""
    if name not in REGIONS:
        return torch.ones(len(parts), dtype=torch.bool)
    return (parts == REGIONS[name]).float().mean((1, 2)) >= LEAST_SEEN
