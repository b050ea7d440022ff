"""List presets, and share your own.

A preset is a name for words that --preset adds to a prompt. Presets are made in Blender, from a
prompt that made a good picture; a file of them goes to others with their pictures.

examples:
  maquette presets
  maquette restyle house.blend --preset "Red brick" --preset Dusk --prompt "two old trees"
  maquette presets export office.maquette-presets
"""

from __future__ import annotations

import argparse
from pathlib import Path

from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.presets import library
from maquette_wire.presets.library import Library

from ..console import table
from .options import preset_library


def configure(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    verbs.add_parser("list", help="all presets, with the words that they add (default)")
    export = verbs.add_parser("export", help="write your own into one file, for others")
    export.add_argument("file", type=Path, metavar="FILE")
    take_in = verbs.add_parser("import", help="add the presets of such a file to your own")
    take_in.add_argument("file", type=Path, metavar="FILE")
    parser.set_defaults(verb="list")


def run(arguments: argparse.Namespace) -> int:
    if arguments.verb == "import":
        taken, there = library.take_in(Home.default(), arguments.file)
        for preset in taken:
            print(f"{preset.category}/{preset.name}")
        print(f"{len(taken)} added" + (f", {there} were there" if there else ""))
        return 0
    found = preset_library()
    if arguments.verb == "export":
        return _export(found, arguments.file)
    own = {preset.key for preset in found.own}
    rows = [
        (
            preset.name,
            preset.category,
            preset.words + (f" (avoid: {preset.negative})" if preset.negative else ""),
            "your own" if preset.key in own else "",
        )
        for preset in found.presets
    ]
    print(table(("NAME", "CATEGORY", "WORDS", ""), rows))
    return 0


def _export(found: Library, path: Path) -> int:
    if not found.own:
        raise MaquetteError(
            "no-presets",
            "There are no presets of your own.",
            "Add one in Blender, in the menu beside Presets.",
        )
    library.share(found.own, path)
    print(f"{len(found.own)} presets are in {path}.")
    return 0
