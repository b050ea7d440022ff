"""The time of a whole picture, against plain diffusers with the same weights.

    python benchmarks/pocket.py [--model pocket] [--repeats 15] [--threads N] [--json FILE]

For each size, each way is run once in each round, so that whatever else the machine does falls on
all of them alike; the model is loaded before. Each way starts with colour and metric depth as
arrays and ends with a uint8 picture:

- ``Maquette``: ``Sampler.run``, as the worker of a server calls it;
- ``diffusers``: ``StableDiffusionDepth2ImgPipeline`` of the installed diffusers with the same
  directory, steps and guidance, given a depth map and so without its depth estimator.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shared"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "backend"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_depth2img import (
    StableDiffusionDepth2ImgPipeline,
)
from maquette.catalogue import Catalogue
from maquette.evaluate.resources import peak_bytes
from maquette.families.settings import read_settings
from maquette.sampling import Sampler
from maquette_wire.capture import Capture
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray
from PIL import Image

from tests.backend.scenes import massing

SIZES = (256, 512)
PROMPT = "red brick library at dusk, wet plaza, ribbon windows"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--model", default="pocket", help="a name of the catalogue (pocket)")
    parser.add_argument("--repeats", type=int, default=15, help="rounds (15)")
    parser.add_argument("--threads", type=int, help="CPU threads (torch's own choice)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    figures = measure(arguments.model, arguments.repeats)
    print(f"{'':8}{'Maquette':>12}{'diffusers':>12}{'ratio':>8}   seconds a picture, median")
    for size in SIZES:
        ours, theirs = figures[f"maquette {size}"], figures[f"diffusers {size}"]
        print(f"{size:<8}{ours:>12.3f}{theirs:>12.3f}{theirs / ours:>8.2f}")
    print(f"peak memory of both together {figures['peak GB']:.2f} GB")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(model: str, repeats: int) -> dict[str, float]:
    """Median seconds of each way and size, and the peak of memory in GB."""
    directory = Catalogue().present(model).directory
    sampler = Sampler("cpu")
    settings = read_settings(directory)
    pipeline = StableDiffusionDepth2ImgPipeline.from_pretrained(
        directory, depth_estimator=None, feature_extractor=None
    )
    pipeline.set_progress_bar_config(disable=True)
    recipe = Recipe(prompt=PROMPT, model=model)
    seconds: dict[str, list[float]] = {}
    for size in SIZES:
        capture = massing(size, size)
        ways = {
            "maquette": lambda c=capture: sampler.run(recipe, [c]).pictures[0][2],
            "diffusers": lambda c=capture: _plain(pipeline, c, settings.steps, settings.guidance),
        }
        for round_number in range(repeats + 1):
            for name, way in ways.items():
                start = time.perf_counter()
                picture = way()
                spent = time.perf_counter() - start
                assert picture.shape == (size, size, 3)
                if round_number:  # the first one warms up
                    seconds.setdefault(f"{name} {size}", []).append(spent)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {**medians, "peak GB": peak_bytes() / 1e9}


def _plain(pipeline: Any, capture: Capture, steps: int, guidance: float) -> NDArray[np.uint8]:
    """As a script for diffusers would: inverse depth, which the pipeline scales itself."""
    depth = np.asarray(capture.depth)
    inverse = np.where(np.isfinite(depth), 1.0 / np.maximum(depth, 1e-6), 0.0)
    result = pipeline(
        PROMPT,
        image=Image.fromarray(np.asarray(capture.color)),
        depth_map=torch.from_numpy(inverse.astype(np.float32))[None],
        strength=1.0,
        num_inference_steps=steps,
        guidance_scale=guidance,
        generator=torch.Generator().manual_seed(0),
        output_type="np",
    )
    return np.rint(result.images[0] * 255).astype(np.uint8)


if __name__ == "__main__":
    sys.exit(main())
