"""List, fetch and remove models.

A model of your own needs no command: put its folder, in the layout of Stable Diffusion 2 depth,
where "maquette models" says that models are kept. FAÇADES says which models are shown the windows
that are laid out on walls: docs/facades.md.
"""

from __future__ import annotations

import argparse

from maquette_wire.home import Home

from ..catalogue import Catalogue, Entry
from ..console import ProgressLine, table


def configure(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    verbs.add_parser("list", help="the models there are, and which of them are here (default)")
    fetch = verbs.add_parser("fetch", help="download a model; goes on where it was interrupted")
    fetch.add_argument("name", metavar="NAME")
    remove = verbs.add_parser("remove", help="delete a downloaded model's files")
    remove.add_argument("name", metavar="NAME")
    parser.set_defaults(verb="list")


def run(arguments: argparse.Namespace) -> int:
    catalogue = Catalogue(Home.default())
    if arguments.verb == "fetch":
        with ProgressLine() as line:
            entry = catalogue.fetch(arguments.name, line.bytes)
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
    if entry.source is None:
        return "missing"
    return f"not fetched: maquette models fetch {entry.name}"
