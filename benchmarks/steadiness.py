"""How steady an animation is: frames that follow the one before against frames on their own.

    python benchmarks/steadiness.py [SCENE.blend ...] [--blender PATH] [--extension ZIP]
        [--frames N] [--side N] [--prompt TEXT] [--seed N] [--model pocket] [--sheets DIR]

For each scene (the gabled house where none is named) the active camera moves slowly sideways, a
twentieth of its way to what it looks at over the whole take. Its frames are painted three ways,
with the same seed: ``apart``; ``follow``, each after the one before, as the engine does with
Steady; and ``warped``, the frame before carried over by depth as the picture to start from, at
strength 0.6. Printed are, over the pixels of consecutive frames that see the same surface:

- ``differ``: the mean difference of colours, in levels of 255;
- ``drift``: the same of the first and the last frame;
- ``detail``: the energy of what a Gaussian of 2 pixels takes away in the last frame, against apart:
  steadiness by blurring lowers it.

``--sheets`` writes a PNG for each scene: captures, then a row of frames for each way.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shared"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "backend"))

import msgspec
import numpy as np
from maquette import blender
from maquette.sampling import Sampler
from maquette_wire.capture import Capture
from maquette_wire.home import Home
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

ROOT = Path(__file__).resolve().parents[1]
PROMPT = "red brick building, grey roof, ribbon windows, day"
STRENGTH = 0.6
NEAR = 0.005
"""Share of the depth within which two frames see the same surface."""
SIGMA = 2.0
COLUMNS = ("differ", "drift", "detail")
MOVE = """
import bpy
bpy.ops.wm.open_mainfile(filepath={source!r})
scene = bpy.context.scene
camera = scene.camera
across = camera.matrix_world.to_3x3() @ __import__("mathutils").Vector((1, 0, 0))
size = camera.matrix_world.translation.length / 20
for frame, share in ((1, 0.0), ({frames}, 1.0)):
    camera.delta_location = across * size * share
    camera.keyframe_insert("delta_location", frame=frame)
bpy.ops.wm.save_as_mainfile(filepath={target!r})
"""

Picture = NDArray[np.uint8]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("scenes", nargs="*", type=Path, metavar="SCENE.blend")
    parser.add_argument("--blender", type=Path, help="a Blender, or a Python with bpy")
    parser.add_argument("--extension", type=Path, help="the extension's zip")
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--model", default="pocket", help="a name of the catalogue (pocket)")
    parser.add_argument("--sheets", type=Path, metavar="DIR", help="write the pictures there")
    arguments = parser.parse_args()
    recipe = Recipe(prompt=arguments.prompt, model=arguments.model, seed=arguments.seed)
    sampler = Sampler("cpu")
    print(f"{'':24}" + "".join(f"{name:>10}" for name in COLUMNS))
    for scene in arguments.scenes or [ROOT / "samples" / "gabled_house.blend"]:
        captures = taken(scene, arguments)
        rows = [[np.array(capture.color) for capture in captures]]
        for name, way in WAYS.items():
            frames = way(sampler, recipe, captures)
            rows.append(frames)
            values = (
                np.mean([differ(*pair) for pair in pairwise(zip(captures, frames, strict=True))]),
                differ((captures[0], frames[0]), (captures[-1], frames[-1])),
                detail(frames[-1]) / detail(rows[1][-1]),
            )
            print(f"{scene.stem:14}{name:>10}" + "".join(f"{v:>10.2f}" for v in values), flush=True)
        if arguments.sheets:
            arguments.sheets.mkdir(parents=True, exist_ok=True)
            sheet = np.concatenate([np.concatenate(row, 1) for row in rows])
            Image.fromarray(sheet).save(arguments.sheets / f"{scene.stem}-steadiness.png")
    return 0


def taken(scene: Path, arguments: argparse.Namespace) -> list[Capture]:
    """The frames of a slow move of the scene's camera."""
    with tempfile.TemporaryDirectory(prefix="maquette-") as folder:
        target = Path(folder) / scene.name
        found, zipped = blender.find(arguments.blender), blender.extension_zip(arguments.extension)
        code = MOVE.format(source=str(scene), target=str(target), frames=arguments.frames)
        background = ["-c"] if found.module else ["--background", "--python-expr"]
        command = [str(found.program), *background, code]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        words = ["--frames", f"1..{arguments.frames}", "--long-side", str(arguments.side)]
        home = Home.default()
        return blender.capture(found, zipped, home, target, words, lambda _sentence: None)


def apart(sampler: Sampler, recipe: Recipe, captures: Sequence[Capture]) -> list[Picture]:
    """Each frame on its own."""
    return [sampler.run(recipe, [capture]).pictures[0][2] for capture in captures]


def follow(sampler: Sampler, recipe: Recipe, captures: Sequence[Capture]) -> list[Picture]:
    """Each frame painted together with the one before, which is given."""
    frames = apart(sampler, recipe, captures[:1])
    for pair in pairwise(captures):
        result = sampler.run(recipe, pair, together=True, given={0: frames[-1]})
        frames.append(result.pictures[1][2])
    return frames


def warped(sampler: Sampler, recipe: Recipe, captures: Sequence[Capture]) -> list[Picture]:
    """Each frame painted over the one before, as it looks from the new place."""
    frames = apart(sampler, recipe, captures[:1])
    gentle = msgspec.structs.replace(recipe, strength=STRENGTH)
    for before, after in pairwise(captures):
        color, seen = carried(before, frames[-1], after)
        color = np.where(seen[..., None], color, np.asarray(after.color))
        start = Capture(after.view, np.ascontiguousarray(color), after.depth)
        frames.append(sampler.run(gentle, [start]).pictures[0][2])
    return frames


WAYS: dict[str, Callable[[Sampler, Recipe, Sequence[Capture]], list[Picture]]] = {
    "apart": apart,
    "follow": follow,
    "warped": warped,
}


def carried(before: Capture, picture: Picture, after: Capture) -> tuple[Picture, NDArray[np.bool_]]:
    """A frame's picture as the next camera sees it [h, w, 3], and where it does [h, w]."""
    view, depth = after.view, np.asarray(after.depth, np.float64)
    x, y = np.meshgrid(np.arange(view.width) + 0.5, np.arange(view.height) + 0.5)
    clip = np.stack([2 * x / view.width - 1, 1 - 2 * y / view.height], -1)
    project, look = matrices(after)
    known = np.isfinite(depth)
    along = np.where(known, depth, 1.0)
    across = (clip + project[:2, 2]) / np.diag(project)[:2] * along[..., None]
    points = np.concatenate([across, -along[..., None], np.ones((*along.shape, 1))], -1)
    world = points @ np.linalg.inv(look).T
    project, look = matrices(before)
    seen = world @ look.T
    flat = seen @ project.T
    place = flat[..., :2] / flat[..., 3:]
    rows = (1 - place[..., 1]) / 2 * view.height - 0.5
    columns = (place[..., 0] + 1) / 2 * view.width - 0.5
    nearest = np.rint(rows).astype(int), np.rint(columns).astype(int)
    inside = known & (nearest[0] >= 0) & (nearest[0] < view.height)
    inside &= (nearest[1] >= 0) & (nearest[1] < view.width)
    there = np.full(depth.shape, np.inf)
    there[inside] = np.asarray(before.depth)[nearest[0][inside], nearest[1][inside]]
    same = inside & (np.abs(there + seen[..., 2]) < NEAR * -seen[..., 2])
    moved = [
        ndimage.map_coordinates(picture[..., band].astype(float), [rows, columns], order=1)
        for band in range(3)
    ]
    return np.rint(np.stack(moved, -1)).clip(0, 255).astype(np.uint8), same


def matrices(capture: Capture) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The projection and view matrix of a capture."""
    view = capture.view
    return np.reshape(view.projection_matrix, (4, 4)), np.reshape(view.view_matrix, (4, 4))


def differ(one: tuple[Capture, Picture], other: tuple[Capture, Picture]) -> float:
    """Mean difference of colours of what two frames both see, in levels."""
    color, seen = carried(*one, other[0])
    return float(np.abs(color.astype(float) - other[1])[seen].mean())


def detail(picture: Picture) -> float:
    """The energy of high frequencies of luma (ITU-R BT.601)."""
    luma = picture @ np.array([0.299, 0.587, 0.114])
    return float(np.square(luma - ndimage.gaussian_filter(luma, SIGMA)).mean())


if __name__ == "__main__":
    sys.exit(main())
