"""Restyle a .blend, or a picture with or without a depth map.

A .blend is opened in Blender without a window and captured by the extension; the file itself is
not changed. The pictures are PNG files with the recipe inside: --recipe takes it from there again.
A picture without a depth map has it estimated, where the model brings an estimator.

examples:
  maquette restyle house.blend --camera Street --prompt "red brick library at dusk, wet plaza"
  maquette restyle house.blend --all-cameras --prompt "timber, snow" --prompt "white concrete"
  maquette restyle render.png --depth depth.exr --prompt "sandstone courtyard, noon"
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from maquette_wire import limits
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.messages import Limits, Result

from .. import jobs, outputs
from ..console import ProgressLine
from ..sources import SCENES, Sourced, Sources
from .options import add_inside, add_look, add_place, recipes_of, remote_server

DEFAULT_LONG_SIDE = 512
DEPTH_OPTIONS = ("metres_per_level", "near_is_black")


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write it like 768x512")
    return int(width), int(height)


def _metres(text: str) -> float:
    try:
        metres = float(text)
    except ValueError:
        metres = 0.0
    if not 0.0 < metres < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no distance; write it like 0.001")
    return metres


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "maquette restyle SCENE.blend [--camera NAME] --prompt TEXT [options]\n"
        "       maquette restyle IMAGE [--depth FILE] --prompt TEXT [options]"
    )
    parser.add_argument(
        "source", type=Path, metavar="SCENE.blend | IMAGE", help="what to restyle; never changed"
    )
    seen = parser.add_argument_group("what is seen")
    cameras = seen.add_mutually_exclusive_group()
    cameras.add_argument(
        "--camera", action="append", metavar="NAME", help="repeatable (the scene's active camera)"
    )
    cameras.add_argument("--all-cameras", action="store_true", help="one picture of each at least")
    sizes = seen.add_mutually_exclusive_group()
    sizes.add_argument(
        "--long-side",
        type=int,
        metavar="PIXELS",
        help=f"in the scene's proportions ({DEFAULT_LONG_SIDE})",
    )
    sizes.add_argument("--size", type=_size, metavar="WIDTHxHEIGHT", help="in pixels")
    seen.add_argument(
        "--depth",
        type=Path,
        metavar="FILE",
        help="the depth map of IMAGE: .exr or .npy in metres, or .png with near in white",
    )
    levels = seen.add_mutually_exclusive_group()
    levels.add_argument(
        "--metres-per-level",
        type=_metres,
        metavar="METRES",
        help="the .png holds distances, black is sky; 0.001 where a level is a millimetre",
    )
    levels.add_argument(
        "--near-is-black", action="store_true", help="the .png is the other way round"
    )
    add_look(parser)
    where = parser.add_argument_group("where")
    where.add_argument(
        "--output", type=Path, default=Path("concepts"), metavar="DIR", help="(./concepts)"
    )
    where.add_argument("--save-depth", action="store_true", help="also what the model saw")
    add_inside(where)
    add_place(where)


def run(arguments: argparse.Namespace) -> int:
    recipes = recipes_of(arguments)
    home = Home.default()
    outputs.prepared(arguments.output)
    with (
        ProgressLine() as line,
        jobs.Painter(home, remote_server(arguments), line.show) as painter,
    ):
        line.show("capturing")
        sourced = _sourced(arguments, home, recipes[0].model, line.say)
        captures = [each.capture for each in sourced]
        outputs.check_room(
            arguments.output,
            (
                capture.view
                for capture in captures
                for recipe in recipes
                for _ in range(recipe.count)
            ),
        )
        for number, recipe in enumerate(recipes):
            result, frames = painter.run(recipe, captures)
            line.clear()
            for warning in result.warnings:
                line.say(warning)
            depth = arguments.save_depth and number == 0  # the same for every prompt
            for path in _write(arguments, sourced, result, frames, depth):
                print(path, flush=True)
            painter.stored(result.job)
    return 0


def _sourced(
    arguments: argparse.Namespace, home: Home, model: str, say: Callable[[str], None]
) -> list[Sourced]:
    path: Path = arguments.source
    if not path.is_file():
        raise MaquetteError("no-source", f"There is no file {path}.", "Correct its name.")
    sources = Sources(home, say, arguments.blender, arguments.extension)
    if arguments.depth is not None:
        _refuse_camera_options(arguments)
        levels = {name: getattr(arguments, name) for name in DEPTH_OPTIONS}
        return [sources.of_picture(path, arguments.depth, **levels)]
    _refuse_depth_options(arguments)
    if path.suffix.lower() not in SCENES:
        _refuse_camera_options(arguments)
        return [sources.of_picture(path, estimator=model)]
    wanted = ["--all-cameras"] if arguments.all_cameras else []
    for camera in arguments.camera or ():
        wanted += ["--camera", camera]
    return sources.of_scene(path, wanted + _size_words(arguments, Limits()))


def _refuse_camera_options(arguments: argparse.Namespace) -> None:
    for name in ("camera", "all_cameras", "long_side", "size"):
        if getattr(arguments, name):
            option = f"--{name.replace('_', '-')}"
            raise MaquetteError(
                "bad-arguments",
                f"{option} is for a .blend; a picture has its own camera and size.",
                f"Leave {option} out, or render the picture and its depth anew.",
            )


def _refuse_depth_options(arguments: argparse.Namespace) -> None:
    for name in DEPTH_OPTIONS:
        if getattr(arguments, name):
            option = f"--{name.replace('_', '-')}"
            raise MaquetteError(
                "bad-arguments",
                f"{option} is for a depth map; a .blend has its own depth in metres.",
                f"Leave {option} out.",
            )


def _size_words(arguments: argparse.Namespace, bounds: Limits) -> list[str]:
    """The size for the extension's command; checked before Blender renders for minutes."""
    if arguments.size:
        width, height = arguments.size
        limits.check_size("The size", width, height, bounds)
        return ["--size", f"{width}x{height}"]
    side = DEFAULT_LONG_SIDE if arguments.long_side is None else arguments.long_side
    if not bounds.side_min <= side <= bounds.side_max:
        raise MaquetteError(
            "bad-size",
            f"The long side is {side} pixels.",
            f"Use {bounds.side_min} to {bounds.side_max} pixels.",
        )
    return ["--long-side", str(side)]


def _write(
    arguments: argparse.Namespace,
    sourced: Sequence[Sourced],
    result: Result,
    frames: Sequence[memoryview],
    depth: bool,
) -> list[Path]:
    return outputs.write_result(
        result,
        frames,
        arguments.output,
        outputs.slug(arguments.source.stem),
        [each.capture.view for each in sourced],
        sources=[each.source for each in sourced],
        prompt=not arguments.leave_out_prompt,
        depth=depth,
    )
