"""The command line: finds the command, runs it, and turns errors into one clear line.

Exit status: 0 done, 1 an error that the printed line explains, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import textwrap
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.installed import note_backend, noted_backend

from . import __version__
from .console import shown

COMMANDS = {
    "restyle": "make concept pictures of a .blend's cameras, or of a picture with a depth map",
    "batch": "restyle many pictures and scenes with many prompts; stop and go on at any time",
    "texture": "paint the model of a .blend from all sides, onto a texture of its own",
    "material": "paint a surface that repeats without a seam, with all maps to render it",
    "show": "print what a picture says of itself: recipe, camera, source and model",
    "replay": "make pictures again from what they say of themselves",
    "sheet": "show many pictures on one page to look through, or on one poster",
    "serve": "run the server that Blender and the command line send their jobs to",
    "data": "render the dataset that the pocket model is trained on",
    "train": "train or finetune a model from a recipe",
    "evaluate": "measure how well a model follows massings and prompts that it never saw",
    "presets": "list the named words that --preset adds to a prompt, and share your own",
    "models": "list, fetch and remove models",
    "doctor": "check this installation, and name the fix for each thing that is wrong",
}
"""Each command's name and its line of help; its module is ``maquette.commands.<name>``."""

READ_ONLY = {"doctor"}
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} ({self.prog} --help says more)\n")


OVERVIEW = """\
commands:
{commands}

example:
  maquette restyle house.blend --camera Street --prompt "red brick library at dusk"

maquette COMMAND --help says more about a command."""


def _top_parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    lines = "\n".join(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items())
    parser = Parser(
        prog="maquette",
        usage="maquette [--help] [--version] COMMAND ...",
        description="Restyles massing models: what a camera sees becomes a concept picture.",
        epilog=OVERVIEW.format(commands=lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"maquette {__version__}")
    parser.add_argument(
        "command", choices=tuple(COMMANDS), metavar="COMMAND", help=argparse.SUPPRESS
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def command_parser(name: str, module: ModuleType) -> argparse.ArgumentParser:
    """The parser of one command, configured by its module."""
    text = (module.__doc__ or "").strip().split("\n\n")
    parser = Parser(
        prog=f"maquette {name}",
        description=textwrap.fill(COMMANDS[name][0].upper() + COMMANDS[name][1:] + ".", 90),
        epilog="\n\n".join(text[1:]) or None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.configure(parser)
    return parser


def _note_for_the_add_on(home: Home) -> None:
    """Tell the add-on of this user's Blender how to start this installation."""
    command = [sys.executable, "-m", __package__ or "maquette"]
    if noted_backend(home) != command:
        note_backend(home, command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given:
        _top_parser().print_help()
        return 2
    chosen = _top_parser().parse_args(given)
    try:
        module = importlib.import_module(f".commands.{chosen.command}", __package__)
        if chosen.command not in READ_ONLY:
            _note_for_the_add_on(Home.default())
        return module.run(command_parser(chosen.command, module).parse_args(chosen.arguments))
    except MaquetteError as error:
        print(shown(f"maquette: {error.sentence} {error.hint}").rstrip(), file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read the output has enough; Python's own flush at the end would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        # Commands name the files they use; this is for what no one foresaw, such as a full disk.
        named = f"{error.filename}: " if error.filename else ""
        said = f"{named}{error.strerror or error}."
        print(f"maquette: {said} See to that, then run the command again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nmaquette: interrupted.", file=sys.stderr)
        return INTERRUPTED
