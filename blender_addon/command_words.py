"""The words of the commands for a shell: the capturing one, and the one that lays a texture on."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path
from typing import NoReturn

from maquette_wire.errors import MaquetteError

from .capture import check_frames

NAME = "maquette_capture"
TEXTURE_NAME = "maquette_texture"
LONG_SIDE = 512


class Parser(argparse.ArgumentParser):
    """Errors like all others of the command: one line, exit status 1."""

    def error(self, message: str) -> NoReturn:
        raise MaquetteError("bad-arguments", f"{self.prog}: {message}.", f"See {self.prog} --help.")


def parser() -> Parser:
    """Raises MaquetteError("bad-arguments") when it parses others."""
    parser = Parser(prog=NAME, description="Capture what cameras of this file see.")
    _add_model(parser)
    cameras = parser.add_mutually_exclusive_group()
    cameras.add_argument(
        "--camera", action="append", metavar="NAME", help="repeatable (the scene's active camera)"
    )
    cameras.add_argument("--all-cameras", action="store_true", help="every camera of the scene")
    parser.add_argument(
        "--view", type=Path, metavar="FILE", help="what this View sees as well, first; as JSON"
    )
    parser.add_argument(
        "--frame",
        dest="frames",
        action="extend",
        type=_frame,
        metavar="NUMBER",
        help="capture at this frame; repeatable (the file's current one, as it is)",
    )
    parser.add_argument(
        "--frames",
        action="extend",
        type=_frames,
        metavar="A..B[:STEP]",
        help="capture at each of these frames, the last one included",
    )
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument(
        "--long-side",
        type=int,
        default=LONG_SIDE,
        metavar="PIXELS",
        help=f"in the proportions of the scene's render ({LONG_SIDE})",
    )
    sizes.add_argument("--size", type=_size, metavar="WIDTHxHEIGHT", help="in pixels")
    parser.add_argument(
        "--surface", type=Path, metavar="FILE", help="also write the model's surface, with UVs"
    )
    parser.add_argument(
        "--object", action="append", metavar="NAME", help="of the surface (all but the ground)"
    )
    parser.add_argument(
        "--each", action="store_true", help="a tile of the surface's UVs for each object"
    )
    parser.add_argument(
        "--new-uvs", action="store_true", help="never the objects' own UV maps for the surface"
    )
    parser.add_argument(
        "--around",
        type=int,
        default=0,
        metavar="COUNT",
        help="views around the model as well, at most so many, placed to see all of it",
    )
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--output", type=Path, metavar="FILE", help="where the captures go")
    wanted.add_argument(
        "--list-cameras",
        action="store_true",
        help="print the scene's cameras and frames as JSON",
    )
    return parser


def texture_parser() -> argparse.ArgumentParser:
    """Raises MaquetteError("bad-arguments") when it parses others."""
    parser = Parser(prog=TEXTURE_NAME, description="Save a copy of this file with a texture on it.")
    _add_model(parser)
    parser.add_argument(
        "--surface", type=Path, required=True, metavar="FILE", help=f"as {NAME} wrote it"
    )
    parser.add_argument(
        "--texture",
        type=Path,
        action="append",
        required=True,
        metavar="PNG",
        help="of each tile of the surface's UVs, in their order",
    )
    parser.add_argument(
        "--job",
        type=Path,
        metavar="FILE",
        help="what it was made of and its views' pictures, kept beside it to be baked again",
    )
    parser.add_argument(
        "--unlit", action="store_true", help="shown as it was painted, whatever the scene's light"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="a new .blend")
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    model = parser.add_argument_group("a model of another program, instead of the open file")
    model.add_argument(
        "--model", type=Path, metavar="FILE", help=".glb, .gltf, .obj, .usd, .fbx, .stl or .ply"
    )
    model.add_argument(
        "--up", choices=("y", "z"), help="of an .obj, .stl or .ply that says it wrongly"
    )
    model.add_argument(
        "--unit",
        type=_metres,
        default=1.0,
        metavar="METRES",
        help="of one of its units, 0.001 for millimetres (1)",
    )


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    try:
        size = int(width), int(height)
    except ValueError:
        size = 0, 0
    if min(size) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write it like 768x512")
    return size


def _metres(text: str) -> float:
    try:
        metres = float(text)
    except ValueError:
        metres = 0.0
    if not 0.0 < metres < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no length; write it like 0.001")
    return metres


def _frame(text: str) -> list[int]:
    try:
        return [int(text)]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no frame; write it like 24") from None


def _frames(text: str) -> list[int]:
    """``1..250:10``, both ends included where the step meets them."""
    named = re.fullmatch(r"(-?\d+)\.\.(-?\d+)(?::(\d+))?", text)
    if named is None:
        raise argparse.ArgumentTypeError(f"{text!r} are no frames; write them like 1..250:10")
    first, last, step = int(named[1]), int(named[2]), int(named[3] or 1)
    if last < first or step < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} has no frames; the last is not before the first, and the step is 1 or more"
        )
    check_frames((first, last))
    return list(range(first, last + 1, step))
