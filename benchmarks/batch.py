"""Pictures a minute of `maquette batch`, against a plain loop over diffusers' own pipeline.

    python benchmarks/batch.py [--model pocket] [--captures 24] [--recipes 4] [--side 256]
        [--scenes SCENE ... --blender PYTHON --extension ZIP]

Both make the same pictures with the same weights, steps and guidance, from the same files: renders
and their depth maps on disk, to PNG files on disk, one after the other in the same run. The renders
are of a massing in here, or captures of scenes, of each as many on a way round it. The loop is
what a script for diffusers does: read, call the pipeline, save. The batch is a process of its own,
with a server and its worker, and its time is measured from the first picture to the last: both
without starting up. `busy` is the share of that time in which the worker was painting.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
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
from maquette.families.settings import read_settings
from maquette.sources import Sources
from maquette_wire.capture import Capture
from maquette_wire.home import Home
from PIL import Image

from tests.backend.scenes import massing

ROOT = Path(__file__).resolve().parents[1]
PROMPTS = ("red brick library at dusk", "white concrete, noon, lawn", "timber, snow", "glass tower")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--model", default="pocket", help="a name of the catalogue (pocket)")
    parser.add_argument("--captures", type=int, default=24, help="renders (24)")
    parser.add_argument("--recipes", type=int, default=4, help="prompts × seeds of each (4)")
    parser.add_argument("--side", type=int, default=256, help="pixels (256)")
    parser.add_argument("--scenes", type=Path, nargs="*", default=[], help="in their place")
    parser.add_argument("--blender", type=Path, help="a Python with bpy, that captures them")
    parser.add_argument("--extension", type=Path, help="Maquette's zip for it")
    arguments = parser.parse_args()
    recipes = [
        (PROMPTS[number % len(PROMPTS)], number // len(PROMPTS))
        for number in range(arguments.recipes)
    ]
    with tempfile.TemporaryDirectory(prefix="maquette-") as name:
        folder = Path(name)
        if arguments.scenes:
            captured(folder, arguments)
        else:
            renders(folder / "renders", arguments.captures, arguments.side)
        theirs = loop(folder / "renders", folder / "loop", arguments.model, recipes)
        ours, busy = batch(folder / "renders", folder / "batch", arguments, recipes)
    print(f"{'':12}{'pictures a minute':>18}{'ratio':>8}{'busy':>8}")
    print(f"{'diffusers':12}{theirs:>18.1f}{1.0:>8.2f}")
    print(f"{'batch':12}{ours:>18.1f}{ours / theirs:>8.2f}{busy:>8.0%}")
    return 0


def captured(folder: Path, arguments: argparse.Namespace) -> None:
    """Captures of the scenes as renders, with their depth beside them."""
    (folder / "renders").mkdir()
    made = Sources(Home(folder / "home"), print, arguments.blender, arguments.extension)
    each, more = divmod(arguments.captures, len(arguments.scenes))
    for number, path in enumerate(arguments.scenes):
        frames = range(each + (number < more))
        copy = folder / f"{path.stem}.blend"
        orbit = [ROOT / "benchmarks" / "orbit.py", path, copy, "--frames", len(frames)]
        subprocess.run(
            [*map(str, [arguments.blender, *orbit])], check=True, stdout=subprocess.DEVNULL
        )
        words = [f"--long-side={arguments.side}", "--camera=Orbit"]
        for view, sourced in enumerate(made.of_scene(copy, words, frames=frames)):
            write(folder / "renders" / f"{path.stem} {view}.png", sourced.capture)


def write(path: Path, capture: Capture) -> None:
    Image.fromarray(np.asarray(capture.color)).save(path)
    np.save(path.with_name(f"{path.stem}_depth.npy"), np.asarray(capture.depth))


def renders(folder: Path, count: int, side: int) -> None:
    """Renders with their depth beside them, each from another place."""
    folder.mkdir()
    for number in range(count):
        angle = 2 * np.pi * number / count
        eye = (60.0 * float(np.sin(angle)), -60.0 * float(np.cos(angle)), 12.0 + number % 5)
        capture = massing(side, side, eye=eye)
        write(folder / f"view {number}.png", capture)


def loop(source: Path, target: Path, model: str, recipes: list[tuple[str, int]]) -> float:
    """Pictures a minute of a script for diffusers."""
    target.mkdir()
    directory = Catalogue().present(model).directory
    settings = read_settings(directory)
    pipeline: Any = StableDiffusionDepth2ImgPipeline.from_pretrained(
        directory, depth_estimator=None, feature_extractor=None
    )
    pipeline.set_progress_bar_config(disable=True)
    files = sorted(source.glob("*.png"))
    made, began = 0, time.perf_counter()
    for number, (path, (prompt, seed)) in enumerate(itertools.product(files[:1] + files, recipes)):
        if number == len(recipes):  # the first render warms up
            made, began = 0, time.perf_counter()
        depth = np.load(path.with_name(f"{path.stem}_depth.npy"))
        inverse = np.where(np.isfinite(depth), 1.0 / np.maximum(depth, 1e-6), 0.0)
        result = pipeline(
            prompt,
            image=Image.open(path),
            depth_map=torch.from_numpy(inverse.astype(np.float32))[None],
            strength=1.0,
            num_inference_steps=settings.steps,
            guidance_scale=settings.guidance,
            generator=torch.Generator().manual_seed(seed),
        )
        result.images[0].save(target / f"{path.stem} {number}.png")
        made += 1
    return 60 * made / (time.perf_counter() - began)


def batch(
    source: Path, target: Path, arguments: argparse.Namespace, recipes: list[tuple[str, int]]
) -> tuple[float, float]:
    """Pictures a minute of the command, and the share of the time that the worker painted."""
    prompts = list(dict.fromkeys(prompt for prompt, _ in recipes))
    seeds = f"0-{max(seed for _, seed in recipes)}"
    command = [sys.executable, "-m", "maquette", "batch", str(source), "--output", str(target)]
    command += [word for prompt in prompts for word in ("--prompt", prompt)]
    command += ["--seed", seeds, "--model", arguments.model, "--long-side", str(arguments.side)]
    command += ["--geometry", "1"]  # as the loop: all is repainted, with all of the depth
    paths = os.pathsep.join(str(ROOT / folder) for folder in ("shared", "backend"))
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert done.stdout is not None
    times = [time.perf_counter() for line in done.stdout if line.strip().endswith(".png")]
    if done.wait():
        raise SystemExit("the batch failed")
    rows = [json.loads(line) for line in (target / "manifest.jsonl").read_text().splitlines()]
    painting = sum(row["seconds"] for row in rows[1:])
    span = times[-1] - times[0]
    return 60 * (len(times) - 1) / span, painting / span


if __name__ == "__main__":
    sys.exit(main())
