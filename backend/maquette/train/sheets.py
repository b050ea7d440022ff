"""Validation sheets: held-out massings down, prompts across, sampled as a user would."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_depth2img import (
    StableDiffusionDepth2ImgPipeline,
)
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..depth import DepthEncoding, depth_range, encode_depth, picture
from .scenes import Scene

PROMPTS = (
    "red brick building on a lawn, day",
    "white render building at dusk, wet plaza",
    "timber building in snow, overcast",
    "concrete building at golden hour, street",
)
_CAPTION = 14


def make_pipeline(parts: dict[str, Any]) -> StableDiffusionDepth2ImgPipeline:
    """diffusers' own pipeline around the parts of a model directory, without an estimator."""
    wanted = inspect.signature(StableDiffusionDepth2ImgPipeline.__init__).parameters
    given: dict[str, Any] = {name: parts.get(name) for name in wanted if name != "self"}
    pipeline = StableDiffusionDepth2ImgPipeline(**given)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@torch.no_grad()
def sample(
    pipeline: StableDiffusionDepth2ImgPipeline,
    scene: Scene,
    encoding: DepthEncoding,
    prompts: Sequence[str],
    *,
    steps: int = 8,
    guidance: float = 2.0,
    strength: float = 1.0,
    seed: int = 0,
) -> list[NDArray[np.uint8]]:
    """One picture [h, w, 3] uint8 for each prompt, all from the noise of one seed."""
    height, width = scene.depth.shape
    depth = encode_depth(
        scene.depth,
        depth_range(scene.depth, encoding),
        encoding,
        (height // pipeline.vae_scale_factor, width // pipeline.vae_scale_factor),
        scene.name,
    )
    if np.ptp(depth) == 0.0:
        # The unmodified pipeline stretches each map to [-1, 1], and a constant one to NaN.
        depth[0, 0] += 1e-3
    pictures = []
    for prompt in prompts:
        result = pipeline(
            prompt,
            image=Image.fromarray(scene.massing[0]),
            depth_map=torch.from_numpy(depth)[None],
            strength=strength,
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=torch.Generator().manual_seed(seed),
            output_type="np",
        )
        pictures.append(np.rint(np.asarray(result.images[0]) * 255).astype(np.uint8))  # type: ignore[union-attr]
    return pictures


def draw_sheet(
    path: Path,
    pipeline: StableDiffusionDepth2ImgPipeline,
    scenes: Sequence[Scene],
    encoding: DepthEncoding,
    prompts: Sequence[str] = PROMPTS,
    **sampling: Any,
) -> None:
    """Rows: massing, what the model saw, then one picture for each prompt."""
    rows = []
    for scene in scenes:
        seen = encode_depth(
            scene.depth, depth_range(scene.depth, encoding), encoding, scene.depth.shape
        )
        grey = np.repeat(picture(seen)[..., None], 3, -1)
        made = sample(pipeline, scene, encoding, prompts, **sampling)
        rows.append(np.concatenate([scene.massing[0], grey, *made], 1))
    body = Image.fromarray(np.concatenate(rows))
    sheet = Image.new("RGB", (body.width, body.height + _CAPTION), "white")
    sheet.paste(body, (0, _CAPTION))
    draw = ImageDraw.Draw(sheet)
    width = body.width // (len(prompts) + 2)
    for column, text in enumerate(("massing", "depth seen", *prompts)):
        draw.text((column * width + 2, 1), text[: width // 6], fill="black")
    sheet.save(path)
