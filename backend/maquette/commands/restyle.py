"""Restyle a .blend, a model of another program, or a picture.

A scene is opened in Blender without a window and captured by the extension; the file itself is not
changed. A model without cameras is seen from the street and from above, or from --around. The depth
of a picture is in the file itself, in one beside it (render_depth.exr), or estimated. The pictures
are PNG files with the recipe inside: --recipe takes it from there again.

examples:
  maquette restyle house.blend --camera Street --prompt "red brick library at dusk, wet plaza"
  maquette restyle house.blend --all-cameras --prompt "timber, snow" --prompt "white concrete"
  maquette restyle house.glb --around 4 --prompt "red brick house, slate roof"
  maquette restyle render.png --depth depth.exr --prompt "sandstone courtyard, noon"
  maquette restyle photo.jpg --prompt "timber, snow"
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from maquette_wire import limits
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.messages import Limits, Result

from .. import depth_files, jobs, outputs
from ..console import ProgressLine
from ..sources import SCENES, Sourced, Sources, opening_words
from .options import (
    DEPTH_OPTIONS,
    add_depth,
    add_estimator,
    add_facades,
    add_inside,
    add_look,
    add_opening,
    add_place,
    recipes_of,
    remote_server,
)

DEFAULT_LONG_SIDE = 512
SCENE_OPTIONS = ("camera", "all_cameras", "long_side", "size", "around", "up", "unit")


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write it like 768x512")
    return int(width), int(height)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "maquette restyle SCENE [--camera NAME] --prompt TEXT [options]\n"
        "       maquette restyle IMAGE [--depth FILE] --prompt TEXT [options]"
    )
    parser.add_argument(
        "source",
        type=Path,
        metavar="SCENE | IMAGE",
        help="a .blend, a model (.glb, .obj, ...) or a picture",
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
        help="the depth map of IMAGE, where it isn't in the file nor called IMAGE_depth",
    )
    add_depth(seen)
    add_estimator(seen)
    add_opening(seen)
    add_look(parser)
    add_facades(parser)
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
    if path.suffix.lower() not in SCENES:
        _refuse(arguments, SCENE_OPTIONS, "a scene; a picture has its own camera and size")
        return [
            sources.of_picture(
                path,
                arguments.depth or depth_files.sibling_depth(path),
                **{name: getattr(arguments, name) for name in DEPTH_OPTIONS},
                estimator=arguments.estimator or model,
            )
        ]
    _refuse(
        arguments,
        ("depth", "estimator", *DEPTH_OPTIONS),
        "a picture; a scene has its own depth in metres",
    )
    wanted = ["--all-cameras"] if arguments.all_cameras else []
    for camera in arguments.camera or ():
        wanted += ["--camera", camera]
    opening = opening_words(arguments.around, arguments.up, arguments.unit)
    return sources.of_scene(path, wanted + _size_words(arguments, Limits()), opening)


def _refuse(arguments: argparse.Namespace, names: Sequence[str], what_for: str) -> None:
    for name in names:
        if getattr(arguments, name):
            option = f"--{name.replace('_', '-')}"
            raise MaquetteError(
                "bad-arguments", f"{option} is for {what_for}.", f"Leave {option} out."
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
