"""Depth and lines of pictures by other people's annotators: those of controlnet-aux, and any depth
model that transformers can run. The only module that imports controlnet-aux, which is an optional
extra.

What depth estimators give is relative inverse depth (near is large), but for metric models, which
give metres along the view axis: transformers' ZoeDepth and Depth Pro, and Depth Anything where it
says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray
from PIL import Image

from .exr import relative

CONTROLNET_AUX = {"midas": "MidasDetector", "zoe": "ZoeDetector"}
"""Its estimators of depth, by what they are called here."""
LINES = {"canny": "CannyDetector", "lineart": "LineartDetector", "mlsd": "MLSDdetector"}
"""Its detectors of lines; all but the first have weights."""
WEIGHTS = "lllyasviel/Annotators"
"""The repository on the Hugging Face hub with their weights."""
METRIC = ("zoedepth", "depth_pro")
"""Types of transformers' models that always give metres."""


def knows(name: str) -> bool:
    """Whether a name is meant for here: a detector's, a directory, or OWNER/NAME on the hub."""
    return name in CONTROLNET_AUX or "/" in name or Path(name).is_dir()


def estimate_depth(name: str, color: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Depth float32 [h, w] of a picture uint8 sRGB [h, w, 3]: metres, or metres at an assumed scale
    where the model gives relative depth; +inf for what is farthest in that.

    Args:
        name: of `CONTROLNET_AUX`, or a directory or an identifier on the Hugging Face hub.

    Raises MaquetteError("no-estimator").
    """
    if name in CONTROLNET_AUX:
        instead = "name a depth model of transformers with --estimator"
        grey = _by_controlnet_aux(name, color, "no-estimator", instead)
        return relative(grey / 255.0)
    return _by_transformers(name, color)


def detect_lines(name: str, color: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The lines of a picture uint8 sRGB [h, w, 3], white on black, uint8 [h, w].

    Args:
        name: of `LINES`.

    Raises MaquetteError("no-annotator").
    """
    instead = "take the lines from the depth itself (exact)"
    return _by_controlnet_aux(name, color, "no-annotator", instead)


def _by_controlnet_aux(
    name: str, color: NDArray[np.uint8], code: str, instead: str
) -> NDArray[np.uint8]:
    """What one of its detectors makes of a picture, grey, uint8 [h, w].

    Args:
        code: of the error where that fails. instead: what can be done without.
    """
    try:
        import controlnet_aux
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        # It imports all of its detectors, and torchvision, which fits one build of torch alone.
        raise MaquetteError(
            code,
            f"controlnet-aux can't be loaded: {_line(error)}.",
            'Run: pip install "maquette[annotators]", with a torchvision made for this torch; or '
            f"{instead}.",
        ) from error
    try:
        kind = getattr(controlnet_aux, (CONTROLNET_AUX | LINES)[name])
        made = kind.from_pretrained(WEIGHTS) if hasattr(kind, "from_pretrained") else kind()
        side = min(color.shape[:2])
        resolution = side if name in LINES else min(side, 512)
        picture = made(color, detect_resolution=resolution, image_resolution=side, output_type="np")
    except (OSError, RuntimeError, ValueError, LookupError, TypeError) as error:
        raise MaquetteError(
            code,
            f"controlnet-aux's {name} can't be run: {_line(error)}.",
            f"Its weights come from {WEIGHTS} on the Hugging Face hub, once; go online for that, "
            f"or {instead}.",
        ) from error
    # It rounds sides to its own multiples.
    height, width = color.shape[:2]
    grey = Image.fromarray(np.asarray(picture)).convert("L")
    return np.asarray(grey.resize((width, height), Image.Resampling.BILINEAR))


def _by_transformers(name: str, color: NDArray[np.uint8]) -> NDArray[np.float32]:
    # Takes seconds, which nothing but an estimate needs.
    import torch
    from transformers import AutoImageProcessor, AutoModelForDepthEstimation

    try:
        processor: Any = AutoImageProcessor.from_pretrained(name)
        model: Any = AutoModelForDepthEstimation.from_pretrained(name, use_safetensors=True)
        inputs = processor(images=Image.fromarray(color), return_tensors="pt")
        size = color.shape[:2]
        with torch.inference_mode():
            (found,) = processor.post_process_depth_estimation(model(**inputs), [size])
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise MaquetteError(
            "no-estimator",
            f"{name!r} can't be run as a depth model: {_line(error)}.",
            f"Name {' or '.join(CONTROLNET_AUX)}, or a model of transformers for depth estimation "
            "as safetensors: a directory, or an identifier on the Hugging Face hub.",
        ) from error
    values = found["predicted_depth"].float().numpy()
    if _is_metric(model.config):
        return np.maximum(values, 1e-3)
    span = float(np.ptp(values))
    return relative((values - values.min()) / span if span > 0.0 else np.ones_like(values))


def _is_metric(config: Any) -> bool:
    if config.model_type in METRIC:
        return True
    return getattr(config, "depth_estimation_type", "relative") == "metric"


def _line(error: BaseException) -> str:
    """The first line of what an error says."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
