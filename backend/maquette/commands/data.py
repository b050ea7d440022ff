"""Render the dataset that the pocket model is trained on, from seeds; or the one of its materials.

Rendering scenes needs a checkout of Maquette, where they are described (studio/), and a Python with
the bpy wheel; "python build.py extension" sets one up. Swatches of materials are painted without.
Stop it at any time: the same command goes on with what is missing. The format is in
docs/dataset.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path

from maquette_wire.errors import MaquetteError

from .. import blender
from ..console import ProgressLine

EXAMPLE_SCENES = "0:4000"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="folder of the dataset")
    parser.add_argument(
        "--scenes",
        type=_seeds,
        default=EXAMPLE_SCENES,
        metavar="FIRST:LAST",
        help="seeds of the scenes, the last excluded (default: %(default)s)",
    )
    parser.add_argument(
        "--swatches",
        type=_seeds,
        metavar="FIRST:LAST",
        help="paint swatches of materials with these seeds instead; needs no Blender",
    )
    parser.add_argument(
        "--processes",
        type=_count,
        default=os.cpu_count() or 1,
        help="scenes rendered at a time (default: one for each core)",
    )
    parser.add_argument(
        "--resolution", type=_count, default=256, help="side of the pictures (default: 256)"
    )
    parser.add_argument("--blender", type=Path, metavar="PYTHON", help="a Python with bpy")


def _seeds(text: str) -> str:
    first, _, last = text.partition(":")
    if not (first.isdigit() and last.isdigit() and int(first) < int(last)):
        raise argparse.ArgumentTypeError(f"{text} is no range of seeds like {EXAMPLE_SCENES}")
    return text


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from one on")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    if arguments.swatches:
        return _paint(arguments)
    folder = blender.checkout()
    if folder is None or not (folder / "studio").is_dir():
        raise MaquetteError(
            "no-checkout",
            "The scenes of the dataset are described in Maquette's checkout alone.",
            "Clone the repository and run this command from its environment.",
        )
    command = [
        str(_python(arguments.blender).program),
        "-m",
        "studio.dataset",
        f"--out={arguments.out.resolve()}",
        f"--scenes={arguments.scenes}",
        f"--processes={arguments.processes}",
        f"--resolution={arguments.resolution}",
    ]
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=folder, env={**kept, "PYTHONPATH": str(folder)})
    return int(done.returncode != 0)


def _paint(arguments: argparse.Namespace) -> int:
    from ..train.swatches import write_swatches

    first, last = map(int, arguments.swatches.split(":"))
    try:
        with ProgressLine() as line:
            write_swatches(
                arguments.out,
                range(first, last),
                arguments.resolution,
                lambda done, count: line.show(f"painting swatches: {done} of {count}"),
            )
    except OSError as error:
        raise MaquetteError(
            "output-unusable",
            f"The swatches can't be written to {arguments.out}: {error.strerror}.",
            "Free some space there, and run the command again; it goes on with those missing.",
        ) from error
    print(arguments.out)
    return 0


def _python(given: Path | None) -> blender.Blender:
    """The Python with bpy to render with: a Blender program has no interpreter to start workers."""
    named = [path for path in blender.candidates() if "python" in path.name]
    for path in [given] if given else named:
        found = blender.probe(path)
        if found and found.module and found.version >= blender.OLDEST:
            return found
    raise MaquetteError(
        "no-bpy",
        f"{given} is no Python with the bpy wheel of 4.2 or newer."
        if given
        else "No Python with bpy was found.",
        "Run 'python build.py extension' in the checkout, which sets one up, "
        "or name one with --blender.",
    )
