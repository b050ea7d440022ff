"""How steady an animation is: frames that follow the one before against frames on their own.

    python benchmarks/steadiness.py [SCENE.blend ...] [--blender PATH] [--extension ZIP]
        [--frames N] [--side N] [--prompt TEXT] [--seed N] [--model pocket] [--sheets DIR]

For each scene (the gabled house where none is named) the active camera moves slowly sideways, a
twentieth of its distance from the origin over the whole take. Its frames are painted four ways,
with the same seed: ``apart``; ``follow``, each after the first and the one before, which are given;
``steady``, the same with the frame before laid over what both see, as the engine does with Steady;
and ``warped``, the frame before carried over by depth as the picture to start from, at strength
0.6. Printed are, over the pixels of consecutive frames that see the same surface:

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

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shared"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "backend"))

import msgspec
import numpy as np
from maquette.extension import Extension
from maquette.sampling import Sampler
from maquette_wire.capture import Capture
from maquette_wire.home import Home
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from blender_addon.steadiness import Frame, Memory, carried_over, given_pictures, steadied

ROOT = Path(__file__).resolve().parents[1]
PROMPT = "red brick building, grey roof, ribbon windows, day"
STRENGTH = 0.6
SHOT = "camera", "prompt"
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
        extension = Extension.find(Home.default(), arguments.blender, arguments.extension)
        code = MOVE.format(source=str(scene), target=str(target), frames=arguments.frames)
        found = extension.blender
        background = ["-c"] if found.module else ["--background", "--python-expr"]
        command = [str(found.program), *background, code]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        words = ["--frames", f"1..{arguments.frames}", "--long-side", str(arguments.side)]
        return extension.capture(target, words, lambda _sentence: None)


def apart(sampler: Sampler, recipe: Recipe, captures: Sequence[Capture]) -> list[Picture]:
    """Each frame on its own."""
    return [sampler.run(recipe, [capture]).pictures[0][2] for capture in captures]


def follow(sampler: Sampler, recipe: Recipe, captures: Sequence[Capture]) -> list[Picture]:
    """Each frame painted together with the first one and the one before, which are given."""
    return _in_turn(sampler, recipe, captures, lambda _before, _capture, picture: picture)


def steady(sampler: Sampler, recipe: Recipe, captures: Sequence[Capture]) -> list[Picture]:
    """The same, and the frame before laid over what both see: what the engine does."""
    return _in_turn(sampler, recipe, captures, steadied)


def _in_turn(
    sampler: Sampler,
    recipe: Recipe,
    captures: Sequence[Capture],
    finish: Callable[[Frame, Capture, Picture], Picture],
) -> list[Picture]:
    memory = Memory()
    frames = apart(sampler, recipe, captures[:1])
    memory.keep("", SHOT, Frame(captures[0], frames[0]))
    for capture in captures[1:]:
        take = memory.take("", SHOT, capture.view)
        assert take is not None
        others, given = given_pictures(take)
        result = sampler.run(recipe, [*others, capture], together=True, given=given)
        frames.append(finish(take.last, capture, result.pictures[-1][2]))
        memory.keep("", SHOT, Frame(capture, frames[-1]))
    return frames


def warped(sampler: Sampler, recipe: Recipe, captures: Sequence[Capture]) -> list[Picture]:
    """Each frame painted over the one before, as it looks from the new place."""
    frames = apart(sampler, recipe, captures[:1])
    gentle = msgspec.structs.replace(recipe, strength=STRENGTH)
    for before, after in pairwise(captures):
        color, seen = carried_over(Frame(before, frames[-1]), after)
        color = np.where(seen[..., None], np.rint(color), after.color).astype(np.uint8)
        start = Capture(after.view, np.ascontiguousarray(color), after.depth)
        frames.append(sampler.run(gentle, [start]).pictures[0][2])
    return frames


WAYS: dict[str, Callable[[Sampler, Recipe, Sequence[Capture]], list[Picture]]] = {
    "apart": apart,
    "follow": follow,
    "steady": steady,
    "warped": warped,
}


def differ(one: tuple[Capture, Picture], other: tuple[Capture, Picture]) -> float:
    """Mean difference of colours of what two frames both see, in levels."""
    color, seen = carried_over(Frame(*one), other[0])
    return float(np.abs(color - other[1])[seen].mean())


def detail(picture: Picture) -> float:
    """The energy of high frequencies of luma (ITU-R BT.601)."""
    luma = picture @ np.array([0.299, 0.587, 0.114])
    return float(np.square(luma - ndimage.gaussian_filter(luma, SIGMA)).mean())


if __name__ == "__main__":
    sys.exit(main())
