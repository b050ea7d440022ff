"""Options that several commands have: how it looks, and on which server it is made."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import cast, get_args

import msgspec
from maquette_wire import metadata
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.metadata import Metadata
from maquette_wire.presets import library
from maquette_wire.presets.library import Library
from maquette_wire.presets.words import composed
from maquette_wire.recipe import THREADS_MAX, Lines, Lora, Recipe, Windows

from .. import jobs

RECIPE_OPTIONS = (
    *("model", "seed", "count", "steps", "sampler", "guidance"),
    *("geometry", "strength", "depth_influence"),
    *("windows", "storey", "bay", "lines", "lines_influence"),
)
"""Options with the name of the recipe's field that they set, for commands that have them."""


def add_look(parser: argparse.ArgumentParser) -> None:
    """What a recipe says (`recipes_of`)."""
    look = parser.add_argument_group("how it looks")
    look.add_argument(
        "--prompt", action="append", metavar="TEXT", help="what is to be seen; repeatable"
    )
    look.add_argument("--negative", metavar="TEXT", help="what the picture should not show")
    look.add_argument(
        "--preset",
        action="append",
        metavar="NAME",
        help="adds its words, see: maquette presets; repeatable",
    )
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
        "--lines",
        type=lines,
        metavar="KIND",
        help=f"what it is held to, for models that take lines: {LINE_KINDS} (exact)",
    )
    look.add_argument(
        "--lines-influence", type=float, metavar="0...1", help="of the lines (by --geometry)"
    )
    look.add_argument(
        "--lora", type=_lora, action="append", metavar="NAME[=WEIGHT]", help="repeatable"
    )


WINDOWS: tuple[Windows, ...] = get_args(Windows)


def add_facades(parser: argparse.ArgumentParser) -> None:
    """How the openings of walls are laid out (`recipes_of`)."""
    laid = parser.add_argument_group("windows and doors, for models that see them")
    laid.add_argument("--windows", type=windows, metavar="KIND", help=f"{KINDS} (auto)")
    laid.add_argument("--storey", type=metres, metavar="METRES", help="floor to floor (3.2)")
    laid.add_argument("--bay", type=metres, metavar="METRES", help="window to window (3)")


def windows(text: str) -> Windows:
    """A kind of windows as an option names it, with a space or a hyphen."""
    found = text.strip().lower().replace("-", " ")
    if found not in WINDOWS:
        raise argparse.ArgumentTypeError(f"{text!r} is no kind of windows; choose {KINDS}")
    return cast(Windows, found)


LINES: tuple[Lines, ...] = get_args(Lines)
LINE_KINDS = ", ".join(LINES)


def lines(text: str) -> Lines:
    """A kind of lines as an option names it."""
    found = text.strip().lower()
    if found not in LINES:
        raise argparse.ArgumentTypeError(f"{text!r} is no kind of lines; choose {LINE_KINDS}")
    return cast(Lines, found)


KINDS = ", ".join(kind.replace(" ", "-") for kind in WINDOWS)

DEPTH_OPTIONS = ("metres_per_level", "near_is_black", "near_is_white")


def add_depth(seen: argparse._ArgumentGroup) -> None:
    """How a depth map is meant (`images`)."""
    levels = seen.add_mutually_exclusive_group()
    levels.add_argument(
        "--metres-per-level",
        type=metres,
        metavar="METRES",
        help="depth maps hold distances, 0 is sky; 0.001 where a level is a millimetre",
    )
    levels.add_argument(
        "--near-is-black", action="store_true", help="depth maps are black where near"
    )
    levels.add_argument(
        "--near-is-white", action="store_true", help="so is every .png; an .exr may be"
    )


def add_estimator(seen: argparse._ArgumentGroup) -> None:
    """What sees the depth of a picture that has none."""
    seen.add_argument(
        "--estimator",
        metavar="NAME",
        help="for pictures without depth: midas, zoe, or a depth model of transformers "
        "(the model's own, else the pocket model's)",
    )


def add_opening(seen: argparse._ArgumentGroup) -> None:
    """How a scene is seen from around, and how a model of another program stands."""
    seen.add_argument(
        "--around",
        type=int,
        metavar="COUNT",
        help="views placed around the model, in place of cameras",
    )
    add_standing(seen)


def add_standing(seen: argparse._ArgumentGroup) -> None:
    """How a model of another program stands."""
    seen.add_argument("--up", choices=("y", "z"), help="which way a model stands (told by itself)")
    seen.add_argument(
        "--unit", type=metres, metavar="METRES", help="what 1 is in a model (told by its format)"
    )


def metres(text: str) -> float:
    """A distance of an option."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.0 < found < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no distance; write it like 0.001")
    return found


def threads(text: str) -> int:
    """A number of threads of an option."""
    if not (text.isdecimal() and 1 <= int(text) <= THREADS_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of threads; write it like 1")
    return int(text)


def add_place(where: argparse._ArgumentGroup) -> None:
    """Which server paints and which Blender captures."""
    add_server(where)
    where.add_argument("--blender", type=Path, metavar="PROGRAM", help="Blender to open it with")
    where.add_argument("--extension", type=Path, metavar="ZIP", help="Maquette's zip for Blender")


def add_server(where: argparse._ArgumentGroup) -> None:
    """Which server paints."""
    where.add_argument("--server", metavar="tcp://HOST:PORT", help="a server on another machine")
    where.add_argument("--server-key", metavar="KEY", help="that server's public key")


def add_inside(where: argparse._ArgumentGroup) -> None:
    """What the files tell of how they were made."""
    where.add_argument(
        "--leave-out-prompt",
        action="store_true",
        help="the files don't tell the prompts, nor do their names",
    )


def _lora(text: str) -> Lora:
    name, _, weight = text.partition("=")
    try:
        return Lora(name=name, weight=float(weight) if weight else 1.0)
    except ValueError as error:
        message = f"{text!r} is no LoRA; write it like NAME or NAME=0.8"
        raise argparse.ArgumentTypeError(message) from error


def recipes_of(arguments: argparse.Namespace) -> list[Recipe]:
    """One recipe for each prompt, with the presets' words.

    Raises MaquetteError("empty-prompt", "bad-recipe", "unknown-preset", "presets-conflict").
    """
    base = Recipe(prompt="")
    if arguments.recipe is not None:
        base = metadata_of(arguments.recipe).recipe
    values = {name: getattr(arguments, name, None) for name in RECIPE_OPTIONS}
    changes = {name: value for name, value in values.items() if value is not None}
    if "model" in changes:
        changes["model_hash"] = None  # another model than the picture's
    if arguments.geometry is not None:
        # The picture's recipe has them filled in; the slider would not move them.
        by_geometry = ("strength", "depth_influence", "lines_influence")
        changes = {**dict.fromkeys(by_geometry), **changes}
    if arguments.negative is not None:
        changes["negative_prompt"] = arguments.negative
    if arguments.lora is not None:
        changes["loras"] = tuple(arguments.lora)
    presets = preset_library().chosen(arguments.preset) if arguments.preset else ()
    avoided = changes.pop("negative_prompt", base.negative_prompt)
    recipes = []
    for typed in arguments.prompt or [base.prompt]:
        prompt, negative = composed(typed, avoided, presets)
        if not prompt:
            raise MaquetteError(
                "empty-prompt",
                "There is no prompt.",
                'Describe the building, for instance --prompt "red brick library at dusk".',
            )
        said = {"prompt": prompt, "negative_prompt": negative}
        recipe = msgspec.structs.replace(base, size=None, **said, **changes)
        recipe.check()
        recipes.append(recipe)
    return recipes


def preset_library() -> Library:
    """The presets of this user; what is wrong with their own is said."""
    found = library.read(Home.default())
    for warning in found.warnings:
        print(f"maquette: {warning}", file=sys.stderr)
    return found


def metadata_of(path: Path) -> Metadata:
    """What a picture says of itself. Raises MaquetteError as `metadata.read` does, or "no-recipe"
    for a file that can't be read."""
    try:
        return metadata.read(path)
    except OSError as error:
        raise MaquetteError(
            "no-recipe", f"{path} can't be read: {error.strerror}.", "Correct its name."
        ) from error


def remote_server(arguments: argparse.Namespace) -> jobs.Server | None:
    """The server on another machine that is named, if one is. Raises MaquetteError."""
    if arguments.server is None:
        return None
    if not arguments.server_key:
        raise MaquetteError(
            "no-server-key",
            "A server on another machine is known by its public key.",
            "Give it with --server-key; it is in keys/server.pub of the server's Maquette folder.",
        )
    return jobs.Server(arguments.server, arguments.server_key)
