"""List, fetch, add and remove models.

FAÇADES says which models are shown the windows that are laid out on walls: docs/facades.md.

A model of your own is a folder as diffusers writes it, of Stable Diffusion 2 depth, or of Stable
Diffusion XL with a ControlNet for depth and, if you like, one for lines.

examples:
  maquette models fetch sdxl
  maquette models add mine ./my-sd2-depth-finetune
  maquette models add mine ./my-sdxl --depth ./controlnet-depth --lines ./controlnet-canny
  maquette models add mine OWNER/NAME --depth diffusers/controlnet-depth-sdxl-1.0
"""

from __future__ import annotations

import argparse

from maquette_wire.home import Home

from ..adding import add
from ..catalogue import Catalogue, Entry
from ..console import ProgressLine, table
from ..families.layouts import CONTROL_DEPTH, CONTROL_LINES

SETTINGS = ("title", "licence", "steps", "guidance", "sampler")
"""Options with the name of the setting that they make."""


def configure(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    verbs.add_parser("list", help="the models there are, and which of them are here (default)")
    fetch = verbs.add_parser("fetch", help="download a model; goes on where it was interrupted")
    fetch.add_argument("name", metavar="NAME")
    new = verbs.add_parser("add", help="make a model of your own of folders, or of the hub's")
    new.add_argument("name", metavar="NAME", help="what it is to be called")
    new.add_argument(
        "base", metavar="BASE", help="a folder, or OWNER/NAME[@COMMIT] of the Hugging Face hub"
    )
    new.add_argument("--depth", metavar="CONTROLNET", help="likewise; for Stable Diffusion XL")
    new.add_argument("--lines", metavar="CONTROLNET", help="likewise, for canny, lineart or MLSD")
    new.add_argument("--title", metavar="TEXT", help="its name in menus (NAME)")
    new.add_argument("--licence", metavar="TEXT", help="shown beside it (unknown)")
    new.add_argument("--steps", type=int, metavar="N", help="what it paints best in (30)")
    new.add_argument("--guidance", type=float, metavar="X", help="1 for a distilled model (6)")
    new.add_argument("--sampler", metavar="NAME", help="scheduler (dpm++-2m)")
    remove = verbs.add_parser("remove", help="delete a downloaded model's files")
    remove.add_argument("name", metavar="NAME")
    parser.set_defaults(verb="list")


def run(arguments: argparse.Namespace) -> int:
    catalogue = Catalogue(Home.default())
    if arguments.verb == "fetch":
        with ProgressLine() as line:
            entry = catalogue.fetch(arguments.name, line.bytes)
        print(f"{entry.name} is in {entry.directory}.")
    elif arguments.verb == "add":
        controls = {CONTROL_DEPTH: arguments.depth, CONTROL_LINES: arguments.lines}
        settings = {name: getattr(arguments, name) for name in SETTINGS}
        with ProgressLine() as line:
            entry = add(
                catalogue,
                arguments.name,
                arguments.base,
                {part: text for part, text in controls.items() if text is not None},
                {name: value for name, value in settings.items() if value is not None},
                line.bytes,
            )
        print(f"{entry.name} is in {entry.directory}.")
    elif arguments.verb == "remove":
        freed = catalogue.remove(arguments.name)
        print(f"{arguments.name} is removed; {freed / 1e6:.0f} MB are free again.")
    else:
        facades = {info.name for info in catalogue.infos() if info.facades}
        rows = [
            (
                entry.name,
                entry.title,
                entry.licence,
                "yes" if entry.name in facades else "no",
                _state(entry),
            )
            for entry in catalogue.entries()
        ]
        print(table(("NAME", "TITLE", "LICENCE", "FAÇADES", "STATE"), rows))
        print(f"\nModels are kept in {catalogue.home.models}.")
    return 0


def _state(entry: Entry) -> str:
    if entry.present:
        size = sum(file.stat().st_size for file in entry.directory.rglob("*") if file.is_file())
        return f"here, {size / 1e6:.0f} MB"
    if not entry.sources:
        return "missing"
    return f"not fetched: maquette models fetch {entry.name}"
