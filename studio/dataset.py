"""Render the training dataset: `python -m studio.dataset --out DIR --scenes 0:4000 --processes 2`.

Run it with a Python that has `bpy`. Scenes that are done are skipped, so the command can be stopped
at any time and run again; a scene that fails is recorded in `failed.jsonl` and left out. One file
for each scene, `scene_000123.npz`, holds massing pictures, exact depth, finished pictures, maps and
metadata; the format is described in docs/dataset.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from . import FORMAT, GENERATOR
from .reader import SceneFile, scene_path, write_scene

LOOKS, FINISHES, CAPTIONS = 4, 3, 4
PROGRESS_SECONDS = 20.0


def render_scene(stage: Any, seed: int, resolution: int) -> SceneFile:
    """Render everything of one scene on a `render.Stage`."""
    from . import looks
    from .captions import caption
    from .edges import edge_map
    from .scene import ATTEMPTS, compose, finishes, is_well_framed
    from .splits import split_of

    scene, fine = compose(seed), None
    for attempt in range(ATTEMPTS):
        scene = compose(seed, attempt)
        stage.load(scene.site.model)
        stage.aim(scene.camera)
        fine = stage.maps(2 * resolution, 2 * resolution, scene.camera)
        if is_well_framed(fine):
            break
    else:
        raise ValueError(
            f"scene {seed} ({scene.type}) has no camera that sees its building; "
            "change studio/cameras.py."
        )
    exact = stage.maps(resolution, resolution, scene.camera)
    rng = random.Random(f"looks-{seed}")
    chosen = looks.choose(rng, LOOKS)
    massing = np.stack([looks.draw(fine, name, ground, rng) for name, ground in chosen])
    attributes = finishes(scene, FINISHES)
    finished = [_finish(stage, scene, fine, each, resolution) for each in attributes]
    words = random.Random(f"captions-{seed}")
    meta = {
        "format": FORMAT,
        "generator": GENERATOR,
        "seed": seed,
        "split": split_of(seed, scene.type),
        "type": scene.type,
        "view": scene.camera.view,
        "camera": _describe(scene.camera),
        "looks": [{"name": name, "ground": ground} for name, ground in chosen],
        "finishes": [
            {"attributes": each, "captions": [caption(each, words) for _ in range(CAPTIONS)]}
            for each in attributes
        ],
    }
    return SceneFile(
        massing=massing,
        depth=exact.depth,
        finishes=np.stack([picture for picture, _ in finished]),
        openings=np.stack([openings for _, openings in finished]),
        parts=exact.parts,
        objects=np.minimum(exact.objects, 255).astype(np.uint8),
        normals=np.rint(exact.normals * 127).astype(np.int8),
        edges=edge_map(exact.depth, exact.normals, exact.parts, exact.objects),
        meta=meta,
    )


def _finish(
    stage: Any, scene: Any, fine: Any, attributes: dict[str, Any], resolution: int
) -> tuple[np.ndarray, np.ndarray]:
    """One finished picture, uint8 [H, W, 3], and the openings of its walls, uint8 [H, W]."""
    from . import styles
    from .finish import develop
    from .massing import TYPES
    from .scene import UNCOLOURED

    style, mesh = attributes["style"], stage.mesh.data
    house = not TYPES[scene.type].urban
    if style in UNCOLOURED:
        stage.palette.dress_card(mesh, attributes["windows"], house)
        light = stage.skies.set("studio", scene.camera.heading, scene.ground_line)
    else:
        stage.palette.dress(
            mesh,
            attributes["wall"],
            attributes["roof"],
            attributes["windows"],
            attributes["ground"],
            house,
            scene.site.front,
            scene.site.corridor,
        )
        light = stage.skies.set(attributes["light"], scene.camera.heading, scene.ground_line)
        stage.palette.light_up(light.lit)
    taken = stage.picture(resolution, resolution)
    picture = develop(taken.color, fine.depth, scene.focus, light)
    draw = {
        "pencil": styles.pencil,
        "watercolour": styles.watercolour,
        "blueprint": styles.blueprint,
    }.get(style)
    if draw is not None:
        picture = draw(picture.astype(np.float32) / 255.0, fine)
    return picture, np.rint(taken.openings * 255).astype(np.uint8)


def _describe(camera: Any) -> dict[str, Any]:
    from .cameras import SENSOR

    return {
        "kind": "perspective" if camera.ortho_scale is None else "orthographic",
        "lens_mm": camera.lens,
        "sensor_mm": SENSOR,
        "shift_x": camera.shift_x,
        "shift_y": camera.shift_y,
        "ortho_scale": camera.ortho_scale,
        "matrix_world": camera.matrix().tolist(),
    }


def work(out: Path, seeds: range, resolution: int) -> None:
    """Render the missing scenes of `seeds`, one after another, in this process."""
    from .render import Stage

    stage = Stage(threads=1)
    try:
        for seed in seeds:
            path = scene_path(out, seed)
            if path.exists():
                continue
            try:
                write_scene(path, render_scene(stage, seed, resolution))
            except (
                ValueError,
                RuntimeError,
                ArithmeticError,
                LookupError,
                AssertionError,
                FileNotFoundError,
            ) as error:
                traceback.print_exc()
                with (out / "failed.jsonl").open("a") as file:
                    file.write(
                        json.dumps({"seed": seed, "error": f"{type(error).__name__}: {error}"})
                        + "\n"
                    )
    finally:
        stage.close()


def _prepare(out: Path, resolution: int) -> None:
    """Write dataset.json, or check that the folder holds the same dataset."""
    out.mkdir(parents=True, exist_ok=True)
    description = {
        "format": FORMAT,
        "generator": GENERATOR,
        "resolution": resolution,
        "looks": LOOKS,
        "finishes": FINISHES,
    }
    path = out / "dataset.json"
    if path.exists():
        found = json.loads(path.read_text())
        if found != description:
            raise SystemExit(
                f"{out} holds another dataset ({found}, now {description}); "
                "give another folder or empty it."
            )
    else:
        path.write_text(json.dumps(description, indent=1) + "\n")


def _watch(out: Path, first: int, last: int, workers: list[subprocess.Popen[bytes]]) -> int:
    """Print progress until all workers have ended; returns the worst exit status."""
    total, start = last - first, time.monotonic()
    before = sum(scene_path(out, seed).exists() for seed in range(first, last))
    while running := [worker for worker in workers if worker.poll() is None]:
        with suppress(subprocess.TimeoutExpired):
            running[0].wait(timeout=PROGRESS_SECONDS)
        done = sum(scene_path(out, seed).exists() for seed in range(first, last))
        rate = (done - before) / (time.monotonic() - start) * 3600.0
        left = (total - done) / rate if rate else float("inf")
        print(
            f"{time.strftime('%H:%M:%S')} {done}/{total} scenes, "
            f"{rate:.0f} an hour, {left:.1f} h left",
            flush=True,
        )
    return max(abs(worker.returncode) for worker in workers)


def _one_after_another(
    out: Path, first: int, last: int, resolution: int, index: int, count: int
) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [
        sys.executable,
        "-m",
        "studio.dataset",
        "--out",
        str(out),
        "--scenes",
        f"{first}:{last}",
        "--resolution",
        str(resolution),
        "--worker",
        f"{index}/{count}",
    ]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


def main(arguments: list[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m studio.dataset", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", default="0:4000", help="first:last seed, last excluded")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    first, last = (int(part) for part in options.scenes.split(":"))
    _prepare(options.out, options.resolution)
    if options.worker:
        index, count = (int(part) for part in options.worker.split("/"))
        work(options.out, range(first + index, last, count), options.resolution)
        return 0
    workers = [
        _one_after_another(options.out, first, last, options.resolution, index, options.processes)
        for index in range(options.processes)
    ]
    return _watch(options.out, first, last, workers)


if __name__ == "__main__":
    sys.exit(main())
