"""Restyle a .blend, or a picture with or without a depth map.

A .blend is opened in Blender without a window and captured by the extension; the file itself is
not changed. All cameras of one call share one depth range, so that they fit together. The pictures
are PNG files with the recipe inside: --recipe takes it from there again. A picture without a depth
map has it estimated, where the model brings an estimator.

examples:
  maquette restyle house.blend --camera Street --prompt "red brick library at dusk, wet plaza"
  maquette restyle house.blend --all-cameras --prompt "timber, snow" --prompt "white concrete"
  maquette restyle render.png --depth depth.exr --prompt "sandstone courtyard, noon"
"""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from maquette_wire import limits, png
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.messages import Limits, Result
from maquette_wire.recipe import Lora, Recipe

from .. import blender, images, jobs, outputs
from ..catalogue import Catalogue
from ..console import ProgressLine

DEFAULT_LONG_SIDE = 512
RECIPE_OPTIONS = (
    *("model", "seed", "count", "steps", "sampler", "guidance"),
    *("geometry", "strength", "depth_influence"),
)
"""Options with the name of the recipe's field that they set."""
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


def _lora(text: str) -> Lora:
    name, _, weight = text.partition("=")
    try:
        return Lora(name=name, weight=float(weight) if weight else 1.0)
    except ValueError as error:
        message = f"{text!r} is no LoRA; write it like NAME or NAME=0.8"
        raise argparse.ArgumentTypeError(message) from error


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "maquette restyle SCENE.blend [--camera NAME] --prompt TEXT [options]\n"
        "       maquette restyle IMAGE --depth FILE --prompt TEXT [options]"
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
    look = parser.add_argument_group("how it looks")
    look.add_argument(
        "--prompt", action="append", metavar="TEXT", help="what is to be seen; repeatable"
    )
    look.add_argument("--negative", metavar="TEXT", help="what the picture should not show")
    look.add_argument("--recipe", type=Path, metavar="PNG", help="begin with this picture's recipe")
    look.add_argument("--model", metavar="NAME", help="see: maquette models (pocket)")
    look.add_argument("--geometry", type=float, metavar="0...1", help="0 creative, 1 exact (0.7)")
    look.add_argument("--seed", type=int, metavar="N", help="of the first picture (0)")
    look.add_argument(
        "--count", type=int, metavar="N", help="pictures of each camera and prompt (1)"
    )
    look.add_argument("--steps", type=int, metavar="N", help="denoising steps (the model's own)")
    look.add_argument("--sampler", metavar="NAME", help="scheduler (the model's own)")
    look.add_argument(
        "--guidance", type=float, metavar="X", help="weight of the prompt (the model's own)"
    )
    look.add_argument(
        "--strength", type=float, metavar="0...1", help="how much is repainted (by --geometry)"
    )
    look.add_argument(
        "--depth-influence", type=float, metavar="0...1", help="of the depth (by --geometry)"
    )
    look.add_argument(
        "--lora", type=_lora, action="append", metavar="NAME[=WEIGHT]", help="repeatable"
    )
    where = parser.add_argument_group("where")
    where.add_argument(
        "--output", type=Path, default=Path("concepts"), metavar="DIR", help="(./concepts)"
    )
    where.add_argument("--save-depth", action="store_true", help="also what the model saw")
    where.add_argument("--server", metavar="tcp://HOST:PORT", help="a server on another machine")
    where.add_argument("--server-key", metavar="KEY", help="that server's public key")
    where.add_argument("--blender", type=Path, metavar="PROGRAM", help="Blender to open it with")
    where.add_argument("--extension", type=Path, metavar="ZIP", help="Maquette's zip for Blender")


def run(arguments: argparse.Namespace) -> int:
    recipes = recipes_of(arguments)
    home = Home.default()
    outputs.prepared(arguments.output)
    with ProgressLine() as line, contextlib.ExitStack() as stack:
        local = None
        if arguments.server is None:
            local = stack.enter_context(jobs.LocalServer(home, line.show))
            local.begin()  # it loads while Blender captures
        line.show("capturing")
        captures = _captures(arguments, home, recipes[0].model)
        outputs.check_room(
            arguments.output,
            (
                capture.view
                for capture in captures
                for recipe in recipes
                for _ in range(recipe.count)
            ),
        )
        server = _remote(arguments) if local is None else local.address()
        client = stack.enter_context(jobs.connection(home, server))
        for number, recipe in enumerate(recipes):
            result, frames = jobs.run_job(
                client, recipe, captures, line.show, None if local is None else local.address
            )
            line.clear()
            for warning in result.warnings:
                print(f"maquette: {warning}", file=sys.stderr)
            depth = arguments.save_depth and number == 0  # the same for every prompt
            for path in _write(arguments, captures, result, frames, depth):
                print(path, flush=True)
            jobs.stored(client, result.job)
    return 0


def recipes_of(arguments: argparse.Namespace) -> list[Recipe]:
    """One recipe for each prompt. Raises MaquetteError("empty-prompt", "bad-recipe")."""
    base = Recipe(prompt="")
    if arguments.recipe is not None:
        try:
            base = png.read_recipe(arguments.recipe)
        except OSError as error:
            raise MaquetteError(
                "no-recipe", f"{arguments.recipe} can't be read: {error.strerror}.", "Correct it."
            ) from error
    values = {name: getattr(arguments, name) for name in RECIPE_OPTIONS}
    changes = {name: value for name, value in values.items() if value is not None}
    if "model" in changes:
        changes["model_hash"] = None  # another model than the picture's
    if arguments.geometry is not None:
        # The picture's recipe has both filled in; the slider would not move them.
        changes = {"strength": None, "depth_influence": None, **changes}
    if arguments.negative is not None:
        changes["negative_prompt"] = arguments.negative
    if arguments.lora is not None:
        changes["loras"] = tuple(arguments.lora)
    recipes = []
    for prompt in arguments.prompt or [base.prompt]:
        if not prompt.strip():
            raise MaquetteError(
                "empty-prompt",
                "There is no prompt.",
                'Describe the building, for instance --prompt "red brick library at dusk".',
            )
        recipe = msgspec.structs.replace(base, prompt=prompt.strip(), size=None, **changes)
        recipe.check()
        recipes.append(recipe)
    return recipes


def _remote(arguments: argparse.Namespace) -> jobs.Server:
    if not arguments.server_key:
        raise MaquetteError(
            "no-server-key",
            "A server on another machine is known by its public key.",
            "Give it with --server-key; it is in keys/server.pub of the server's Maquette folder.",
        )
    return jobs.Server(arguments.server, arguments.server_key)


def _captures(arguments: argparse.Namespace, home: Home, model: str) -> list[Capture]:
    source: Path = arguments.source
    if not source.is_file():
        raise MaquetteError("no-source", f"There is no file {source}.", "Correct its name.")
    if arguments.depth is not None:
        _refuse_camera_options(arguments)
        levels = {name: getattr(arguments, name) for name in DEPTH_OPTIONS}
        return [images.read_capture(source, arguments.depth, **levels)]
    if source.suffix.lower() != ".blend":
        return [_estimated(arguments, home, model)]
    _refuse_depth_options(arguments)
    wanted = ["--all-cameras"] if arguments.all_cameras else []
    for camera in arguments.camera or ():
        wanted += ["--camera", camera]
    wanted += _size_words(arguments, Limits())
    found = blender.find(arguments.blender)
    extension = blender.extension_zip(arguments.extension)
    return blender.capture(found, extension, home, source, wanted)


def _estimated(arguments: argparse.Namespace, home: Home, model: str) -> Capture:
    """A picture with the depth that the model's own estimator sees in it."""
    # Loads torch, which nothing else here needs.
    from .. import estimate

    _refuse_camera_options(arguments)
    _refuse_depth_options(arguments)
    source: Path = arguments.source
    color = images.read_color(source)
    directory = Catalogue(home).present(model).directory
    if not estimate.has_estimator(directory):
        raise MaquetteError(
            "no-depth",
            f"{source} is no .blend, and a picture alone has no depth; the model "
            f"{model!r} has no estimator for it.",
            "Give its depth map with --depth, or capture the .blend itself.",
        )
    print(f"The depth of {source.name} is estimated from the picture.", file=sys.stderr)
    return images.capture_of(source.stem, color, estimate.estimate_depth(directory, color))


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
    captures: Sequence[Capture],
    result: Result,
    frames: Sequence[memoryview],
    depth: bool,
) -> list[Path]:
    stem = outputs.slug(arguments.source.stem)
    views = [capture.view for capture in captures]
    return outputs.write_result(result, frames, arguments.output, stem, views, depth=depth)
