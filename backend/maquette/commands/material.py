"""Paint a surface that repeats without a seam, at a stated size in metres.

Bricks and their joints, boards or tiles are laid first, at true size, and the model paints on that
relief. The prompt says how units are laid, unless --pattern does. What is written: a folder with
albedo, normal, height, roughness and occlusion as PNG, a .glb with a plate that carries them, and a
preview of the surface repeated.

examples:
  maquette material --prompt "red brick" --size 2.4
  maquette material --prompt "glazed green tiles" --pattern stack-bond --unit 0.2x0.1 --joint 0.004
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.material import PATTERN, PATTERNS, Material

from .. import jobs, outputs
from ..console import ProgressLine, table
from ..materials.files import folder_bytes, write_material
from .options import add_inside, add_look, add_server, metadata_of, recipes_of, remote_server

FIELDS = ("size", "pixels", "pattern", "unit", "joint", "relief")
"""Options with the name of the material's field that they set."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "maquette material --prompt TEXT [options]"
    surface = parser.add_argument_group("what is laid")
    surface.add_argument("--size", type=float, metavar="METRES", help="side of the tile (2.4)")
    surface.add_argument(
        "--pixels", type=int, metavar="N", help="side of its maps, a multiple of 64 (1024)"
    )
    surface.add_argument(
        "--pattern", metavar="NAME", help="how units are laid (told from the prompt)"
    )
    surface.add_argument(
        "--list-patterns", action="store_true", help="print the patterns and their sizes"
    )
    surface.add_argument(
        "--unit", type=_unit, metavar="WxH", help="metres of a unit, joint included (the pattern's)"
    )
    surface.add_argument(
        "--joint", type=float, metavar="METRES", help="width of a joint (the pattern's)"
    )
    surface.add_argument(
        "--relief", type=float, metavar="METRES", help="depth of a joint (the pattern's)"
    )
    add_look(parser)
    where = parser.add_argument_group("where")
    where.add_argument(
        "--output", type=Path, default=Path("materials"), metavar="DIR", help="(./materials)"
    )
    add_inside(where)
    add_server(where)


def run(arguments: argparse.Namespace) -> int:
    if arguments.list_patterns:
        print(table(("NAME", "UNIT", "JOINT", "RELIEF", "DESCRIPTION"), _rows()))
        return 0
    recipe = recipes_of(arguments)[0]
    if len(arguments.prompt or ()) > 1 or recipe.count > 1:
        raise MaquetteError(
            "bad-arguments",
            "One material has one prompt and one seed.",
            "Run the command once for each.",
        )
    material = _material(arguments)
    asked = material.filled(recipe.prompt)
    folder = outputs.prepared(arguments.output)
    outputs.check_space(folder, folder_bytes(material.pixels))
    with (
        ProgressLine() as line,
        jobs.Painter(Home.default(), remote_server(arguments), line.show) as painter,
    ):
        result, frames = painter.run(recipe, [], material=material)
        line.clear()
        for warning in result.warnings:
            line.say(warning)
        told = not arguments.leave_out_prompt
        name = outputs.slug(recipe.prompt) if told else "material"
        paths = write_material(folder, name, result, frames, prompt=told)
        painter.stored(result.job)
    for path in paths:
        print(path)
    assert asked.pattern is not None
    print(
        f"maquette: {PATTERN[asked.pattern].title}, {asked.size:g} x {asked.size:g} m.",
        file=sys.stderr,
    )
    return 0


def _material(arguments: argparse.Namespace) -> Material:
    """What is asked for, on top of what the picture given as --recipe was. Raises MaquetteError."""
    base = None if arguments.recipe is None else metadata_of(arguments.recipe).of_material
    given = {name: getattr(arguments, name) for name in FIELDS}
    changes = {name: value for name, value in given.items() if value is not None}
    if changes.get("pattern", PATTERNS[0]) not in PATTERNS:
        raise MaquetteError(
            "bad-material",
            f"There is no pattern {changes['pattern']!r}.",
            f"Use one of {', '.join(PATTERNS)}; --list-patterns says more.",
        )
    if base is None:
        return Material(**changes)
    kept = base.material
    if changes.get("pattern", kept.pattern) != kept.pattern:
        # Another pattern has units of its own size.
        kept = msgspec.structs.replace(kept, unit=None, joint=None, relief=None)
    return msgspec.structs.replace(kept, **changes)


def _unit(text: str) -> tuple[float, float]:
    try:
        width, height = map(float, text.lower().replace("×", "x").split("x"))
    except ValueError as error:
        message = f"{text!r} is no unit; write its metres like 0.22x0.075"
        raise argparse.ArgumentTypeError(message) from error
    return width, height


def _rows() -> list[tuple[str, ...]]:
    return [
        (
            name,
            f"{pattern.unit[0]:g} x {pattern.unit[1]:g} m",
            f"{pattern.joint * 1000:g} mm",
            f"{pattern.relief * 1000:g} mm",
            pattern.description,
        )
        for name, pattern in PATTERN.items()
    ]
