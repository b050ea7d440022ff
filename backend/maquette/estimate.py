"""Depth of a picture that has none, by the estimator in a model's own directory.

A DPT predicts inverse depth up to scale and offset, or the pocket model's the depth channel itself;
either way stretched to the channel's range it is what the model was trained with, and metres at an
assumed scale give it back exactly.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import torch
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray
from PIL import Image
from transformers import DPTForDepthEstimation, DPTImageProcessor

from .depth import decode_depth
from .families.layouts import ESTIMATOR
from .families.libraries import quiet
from .families.settings import read_settings

PROCESSOR = "feature_extractor"
_SKY = 0.25
"""Below this share of the gap between sky and the farthest surface a pixel is sky."""


def has_estimator(directory: Path) -> bool:
    """Whether a model's directory holds a depth estimator."""
    try:
        index = json.loads((directory / "model_index.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(index.get(ESTIMATOR, [None])[0]) and (directory / ESTIMATOR).is_dir()


@torch.inference_mode()
def estimate_depth(directory: Path, color: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Relative depth float32 [h, w] of a picture uint8 sRGB [h, w, 3]: metres at an assumed scale,
    +inf for sky. Raises MaquetteError("bad-checkpoint") where the estimator can't be loaded."""
    processor, model = _loaded(directory)
    pixels = processor(images=Image.fromarray(color), return_tensors="pt")["pixel_values"]
    made = model(pixels).predicted_depth
    height, width = color.shape[:2]
    sized = torch.nn.functional.interpolate(
        made[:, None].float(), (height, width), mode="bilinear", align_corners=False
    )
    values = sized[0, 0].numpy()
    span = float(np.ptp(values))
    encoding = read_settings(directory).depth
    if span <= 0.0:
        return np.full((height, width), np.float32(1.0))
    share = (values - values.min()) / span
    return decode_depth(2.0 * share - 1.0, encoding, sky_below=_SKY)


@functools.lru_cache(maxsize=1)
def _loaded(directory: Path) -> tuple[DPTImageProcessor, DPTForDepthEstimation]:
    """The parts of an estimator, kept for the next picture of a batch."""
    try:
        with quiet():
            processor = DPTImageProcessor.from_pretrained(directory / PROCESSOR)
            model = DPTForDepthEstimation.from_pretrained(
                directory / ESTIMATOR, dtype=torch.float32
            )
    except (OSError, ValueError, RuntimeError, LookupError) as error:
        raise MaquetteError(
            "bad-checkpoint",
            f"The depth estimator in {directory} can't be loaded: {error}.",
            "Fetch the model again, or give a depth map with --depth.",
        ) from error
    return processor, model
