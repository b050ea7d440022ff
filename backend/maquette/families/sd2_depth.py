"""The family of Stable Diffusion 2 depth: a depth channel beside the UNet's latents.

A checkpoint is any directory in that model's on-disk layout, as safetensors; its depth estimator
is never loaded, since captures bring exact depth. How the picture of a model depends on the depth
it is given is in its `maquette.json` (`families.settings`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..depth import area_resize
from ..geometry import blend_depth
from .depth2img import Depth2ImgPipeline
from .family import Family, PictureTask
from .loading import load_pipeline
from .loop import Predictor
from .mixed import halve_behind_input
from .settings import ModelSettings


class Sd2Depth(Family[torch.Tensor]):
    """A loaded model of the family; an encoded prompt is [1, tokens, width]."""

    @classmethod
    def load(
        cls, directory: Path, settings: ModelSettings, device: torch.device, dtype: torch.dtype
    ) -> Sd2Depth:
        absent = {"depth_estimator": None, "feature_extractor": None}
        mixed = settings.precision == "mixed" and dtype != torch.float32
        loaded = torch.float32 if mixed else dtype
        pipeline = load_pipeline(Depth2ImgPipeline, directory, loaded, **absent)
        if mixed:
            halve_behind_input(pipeline.unet, dtype)
            torch.nn.Module.to(pipeline.vae, dtype)
        return cls(pipeline, settings, device)

    @property
    def encoders(self) -> Sequence[Any]:
        return (self.pipeline.text_encoder,)

    def depth_channel(self, encoded: NDArray[np.float32], influence: float) -> NDArray[np.float32]:
        height, width = encoded.shape
        channel = area_resize(encoded, (height // self.factor, width // self.factor))
        channel = np.clip(channel, -1.0, 1.0)  # sums of weights overshoot by rounding
        return blend_depth(channel, influence, self.settings.dropped_depth)

    def _encode(self, text: str) -> torch.Tensor:
        embeds, _ = self.pipeline.encode_prompt(text, self.device, 1, False)
        return embeds

    def _predictor(
        self, tasks: Sequence[PictureTask], negative_prompt: str, guidance: float
    ) -> Predictor:
        return self.pipeline.predictor(
            len(tasks),
            torch.from_numpy(np.stack([task.depth for task in tasks])).unsqueeze(1),
            torch.cat([self.encode_prompt(task.prompt) for task in tasks]),
            self.encode_prompt(negative_prompt) if guidance > 1.0 else None,
            guidance,
        )
