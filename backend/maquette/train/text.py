"""The text encoder's stage: it learns to tell a scene's attributes from its captions.

A minute of it gives the UNet an encoder that already separates brick from stone, which the UNet's
own loss would teach it only slowly. The classifier's heads are thrown away.
"""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from transformers import CLIPTextModel

from .loop import Shard
from .parts import on_device
from .recipe import TextStage
from .scenes import Dataset
from .vocabulary import Vocabulary, described

log = logging.getLogger(__name__)


class _Heads(nn.Module):
    """One linear reading of the mean token for each attribute."""

    def __init__(self, width: int, classes: dict[str, list[str]]) -> None:
        super().__init__()
        # A module may not be called "type", which is an attribute's name.
        self.heads = nn.ModuleDict(
            {f"{name}_head": nn.Linear(width, len(values)) for name, values in classes.items()}
        )

    def forward(self, tokens: Tensor) -> dict[str, Tensor]:
        return {name.removesuffix("_head"): head(tokens) for name, head in self.heads.items()}


class TextTraining:
    name = "text"
    rates: dict[str, float] = {}  # noqa: RUF012

    def __init__(
        self,
        text_encoder: CLIPTextModel,
        tokenizer: Any,
        vocabulary: Vocabulary,
        dataset: Dataset,
        settings: TextStage,
        device: torch.device,
    ) -> None:
        self.text_encoder = on_device(text_encoder, device)
        self.tokenizer, self.dataset, self.device = tokenizer, dataset, device
        self.schedule = settings.schedule
        self.classes = vocabulary.classes
        self.heads = _Heads(text_encoder.config.hidden_size, self.classes).to(device)
        self.examples: list[tuple[str, dict[str, Any]]] = []
        self.held_out: list[tuple[str, dict[str, Any]]] = []

    def modules(self) -> dict[str, nn.Module]:
        return {"text_encoder": self.text_encoder, "heads": self.heads}

    def refresh(self) -> None:
        if not self.examples:
            self.dataset.refresh()
            self._load()

    def data_state(self) -> dict[str, Any]:
        return self.dataset.state()

    def restore_data(self, state: dict[str, Any]) -> None:
        self.dataset.restore(state)
        self._load()

    def _load(self) -> None:
        self.examples = described(self.dataset, self.dataset.names)
        self.held_out = described(self.dataset, self.dataset.held_out)

    def work(self, step: int, generator: torch.Generator, shards: int) -> list[Shard]:
        chosen = torch.randint(len(self.examples), (self.schedule.batch,), generator=generator)
        return [partial(self._loss, [self.examples[int(i)] for i in chosen])]

    def _loss(self, examples: list[tuple[str, dict[str, Any]]]) -> tuple[Tensor, dict[str, float]]:
        encoded = self.tokenizer(
            [caption for caption, _ in examples],
            padding="max_length",
            truncation=True,
            return_tensors="pt",
        ).to(self.device)
        hidden = self.text_encoder(encoded.input_ids)[0]
        # The mean over all positions: the UNet sees the padding, too.
        predicted = self.heads(hidden.mean(1))
        losses, figures = [], {}
        for name, scores in predicted.items():
            classes = self.classes[name]
            wanted = torch.tensor(
                [classes.index(a[name]) if a.get(name) in classes else -1 for _, a in examples],
                device=self.device,
            )
            if bool((wanted >= 0).any()):
                losses.append(F.cross_entropy(scores, wanted, ignore_index=-1))
                right = (scores.argmax(1) == wanted)[wanted >= 0].float().mean()
                figures[name] = float(right)
        return torch.stack(losses).mean(), figures

    @torch.no_grad()
    def sheet(self, path: Path) -> dict[str, float]:
        """Accuracies on held-out captions; the picture is the similarity of its captions."""
        examples = (self.held_out or self.examples)[:256]
        _, figures = self._loss(examples)
        encoded = self.tokenizer(
            [caption for caption, _ in examples],
            padding="max_length",
            truncation=True,
            return_tensors="pt",
        ).to(self.device)
        means = F.normalize(self.text_encoder(encoded.input_ids)[0].mean(1), dim=1)
        likeness = ((means @ means.T).clamp(0, 1) * 255).to(torch.uint8).cpu().numpy()
        Image.fromarray(np.ascontiguousarray(likeness)).save(path)
        return {f"held-out {name}": value for name, value in figures.items()}
