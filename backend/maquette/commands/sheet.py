"""Show many pictures on one page, or on one picture to print.

The page is one file that opens in any browser, from disk and offline: it filters by prompt, seed,
view, model and words, shows concepts beside their sources, and has every recipe. Its large pictures
are the files beside it. An --output that ends in .png is a poster instead: a grid of one or two
settings (source, view, frame, prompt, model, seed, geometry, steps, guidance, sampler, strength,
windows, storey, bay, lines, lines-influence, depth-influence).

examples:
  maquette sheet concepts
  maquette sheet concepts --output poster.png --rows prompt --columns geometry --sources
  maquette sheet monday/*.png tuesday/*.png --output both.html --open
"""

from __future__ import annotations

import argparse
import webbrowser
from pathlib import Path

from maquette_wire.errors import MaquetteError

from .. import sheets
from ..console import ProgressLine

PAGE = "index.html"
SAID = 5
"""Sentences of one kind that are printed before they are only counted."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "places", type=Path, nargs="+", metavar="FOLDER | PNG", help="several are put together"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help=f"a page (.html) or a poster (.png) ({PAGE} in the pictures' folder)",
    )
    parser.add_argument("--title", metavar="TEXT", help="(the folder's name)")
    parser.add_argument("--open", action="store_true", help="show it afterwards")
    poster = parser.add_argument_group("on a poster")
    poster.add_argument("--rows", metavar="SETTING", help="what runs down (what varies)")
    poster.add_argument("--columns", metavar="SETTING", help="what runs across (what varies)")
    poster.add_argument(
        "--sources", action="store_true", help="with the source pictures, as the first column"
    )


def run(arguments: argparse.Namespace) -> int:
    kind = _kind(arguments)
    found = sheets.rows_of(*arguments.places)
    path: Path = arguments.output or found.folder / PAGE
    title = arguments.title or found.folder.resolve().name or "Concepts"
    with ProgressLine() as line:
        _say(line, found.unreadable)
        if found.without_recipe:
            number = found.without_recipe
            said = "picture has" if number == 1 else "pictures have"
            line.say(f"{number} {said} no recipe inside and {_left(number)} left out.")

        def progress(done: int, total: int) -> None:
            line.show("reading", done, total, f"{done} of {total} pictures")

        if kind == ".png":
            axes = {"down": arguments.rows, "across": arguments.columns}
            unreadable = sheets.write_poster(
                found.folder,
                found.rows,
                path,
                title,
                progress,
                sources=arguments.sources,
                **axes,
            )
        else:
            unreadable = sheets.write_page(found.folder, found.rows, path, title, progress)
        _say(line, unreadable)
    print(path)
    if arguments.open and not webbrowser.open(path.resolve().as_uri()):
        raise MaquetteError(
            "no-browser", "No browser can be started here.", f"Open {path} in one yourself."
        )
    return 0


def _kind(arguments: argparse.Namespace) -> str:
    """The suffix of what is to be made. Raises MaquetteError("bad-arguments")."""
    kind = ".html" if arguments.output is None else arguments.output.suffix.lower()
    if kind not in (".html", ".png"):
        raise MaquetteError(
            "bad-arguments",
            f"{arguments.output} is neither a page nor a poster.",
            "Let the name end in .html or .png.",
        )
    for name in ("rows", "columns", "sources"):
        if kind == ".html" and getattr(arguments, name):
            raise MaquetteError(
                "bad-arguments",
                f"--{name} is for a poster; a page has filters and shows sources itself.",
                f"Add --output poster.png, or leave --{name} out.",
            )
    return kind


def _left(number: int) -> str:
    return "is" if number == 1 else "are"


def _say(line: ProgressLine, sentences: list[str]) -> None:
    for sentence in sentences[:SAID]:
        line.say(sentence)
    if len(sentences) > SAID:
        line.say(f"{len(sentences) - SAID} more are like that.")
