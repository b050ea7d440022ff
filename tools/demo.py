"""The demo: a sample model, three prompts, the whole way through Blender and a running server.

Runs in the backend's environment; ``python build.py demo`` makes that and starts this.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from maquette import jobs, outputs
from maquette.catalogue import Catalogue
from maquette.console import ProgressLine
from maquette.edges import EdgeReport, edge_recall
from maquette.extension import Extension
from maquette_wire import png
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.installed import note_backend
from maquette_wire.messages import Result
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray
from PIL import Image

from tools import sheet
from tools.console import Step, root, say

SAMPLE = root() / "samples" / "church.blend"
PROMPTS = (
    "red brick church at dusk, wet plaza",
    "stone church in snow, overcast",
    "white stucco church, golden hour, lawn",
)
LONG_SIDE = 512
SEED = 1


@dataclass(frozen=True)
class Concept:
    """A finished picture of the demo."""

    path: Path
    recipe: Recipe
    pixels: NDArray[np.uint8]
    depth: NDArray[np.uint8]
    edges: EdgeReport
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="demo")
    parser.add_argument("--blender", type=Path, required=True)
    parser.add_argument("--extension", type=Path, required=True)
    parser.add_argument("--sample", type=Path, default=SAMPLE)
    parser.add_argument("--camera")
    parser.add_argument("--prompt", action="append")
    given = parser.parse_args(arguments)
    try:
        # From here on Blender's add-on finds this installation.
        note_backend(Home.default(), [sys.executable, "-m", "maquette"])
        run(given.sample, given.camera, given.prompt or PROMPTS, given.blender, given.extension)
    except MaquetteError as error:
        print(f"demo: {error.sentence} {error.hint}".rstrip(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted.", file=sys.stderr)
        return 130
    return 0


def run(
    sample: Path, camera: str | None, prompts: Sequence[str], program: Path, extension: Path
) -> None:
    """Make the pictures of one camera and the sheet. Raises MaquetteError."""
    began = time.monotonic()
    folder = outputs.prepared(root() / "out" / "demo")
    for old in folder.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="maquette-demo-") as name:
        home = Home(Path(name))
        scenes = Extension.find(home, program, extension)
        Catalogue(home).present("pocket")  # says so at once where the weights are missing
        with ProgressLine() as line, jobs.Painter(home, None, line.show) as painter:
            with Step(f"Blender {scenes.blender.release} captures {sample.name}"):
                wanted = ["--long-side", str(LONG_SIDE), *(["--camera", camera] if camera else [])]
                (capture,) = scenes.capture(sample, wanted, line.say)
            concepts = [
                _restyle(painter, capture, prompt, folder / f"concept-{number}", line)
                for number, prompt in enumerate(prompts, 1)
            ]
    plain = edge_recall(np.asarray(capture.depth), capture.view, np.asarray(capture.color))
    paths = _inputs(folder, capture, concepts[0].depth)
    font = sheet.blender_font(program)
    page = _sheet(sample, capture, concepts, plain, font)
    page.save(folder / "sheet.png", optimize=True)
    _figures(folder, capture, concepts, plain)
    _report(folder, paths, concepts, plain, time.monotonic() - began)


def _frame(result: Result, frames: Sequence[memoryview], name: str) -> NDArray[np.uint8]:
    for header, frame in zip(result.frames, frames, strict=True):
        if header.name == name:
            return np.array(frame, np.uint8).reshape(header.shape)
    raise MaquetteError("bad-message", f"The server's result has no {name}.", "Update the server.")


def _restyle(
    painter: jobs.Painter, capture: Capture, prompt: str, stem: Path, line: ProgressLine
) -> Concept:
    """One job through the server, its picture on disk."""
    recipe = Recipe(prompt=prompt, seed=SEED)
    result, frames = painter.run(recipe, [capture])
    line.clear()
    pixels = _frame(result, frames, "concept")
    (path,) = outputs.write_result(result, frames, stem.parent, stem.name, [capture.view])
    painter.stored(result.job)
    for warning in result.warnings:
        say(f"  {warning}")
    concept = Concept(
        path=path,
        recipe=result.recipe,
        pixels=pixels,
        depth=_frame(result, frames, "encoded_depth"),
        edges=edge_recall(np.asarray(capture.depth), capture.view, pixels),
        seconds=sum(result.seconds.values()),
    )
    say(f"  {prompt}: {concept.seconds:.1f} s")
    return concept


def _inputs(folder: Path, capture: Capture, depth: NDArray[np.uint8]) -> list[Path]:
    """The plain capture and what the model saw, the latter at the capture's size."""
    view = capture.view
    seen = np.asarray(_enlarged(depth, view.width, view.height))
    plain = np.asarray(capture.color)
    png.write(folder / "capture.png", plain.data, view.width, view.height)
    png.write(folder / "depth.png", seen.data, view.width, view.height)
    return [folder / "capture.png", folder / "depth.png"]


def _enlarged(depth: NDArray[np.uint8], width: int, height: int) -> Image.Image:
    return Image.fromarray(depth).resize((width, height), Image.Resampling.BICUBIC)


def _percent(report: EdgeReport) -> str:
    return "none" if report.recall is None else f"{report.recall:.0%}"


def _sheet(
    sample: Path,
    capture: Capture,
    concepts: Sequence[Concept],
    plain: EdgeReport,
    font: Path | None,
) -> Image.Image:
    view, recipe = capture.view, concepts[0].recipe
    tiles = [
        sheet.Tile(
            Image.fromarray(concept.pixels),
            concept.recipe.prompt,
            (
                f"{_percent(concept.edges)} of the model's edges kept; "
                f"{concept.edges.chance:.0%} would be chance",
            ),
        )
        for concept in concepts
    ]
    inputs = [
        sheet.Tile(
            Image.fromarray(np.asarray(capture.color)),
            "What the camera sees",
            (f"The plain render has {_percent(plain)} of the model's edges",),
        ),
        sheet.Tile(
            _enlarged(concepts[0].depth, view.width, view.height),
            "What the model sees",
            ("Encoded depth: near is light, the sky is black",),
        ),
    ]
    seconds = sum(concept.seconds for concept in concepts) / len(concepts)
    steps = f"{recipe.steps} {'step' if recipe.steps == 1 else 'steps'}"
    made = (
        f"{steps}, {recipe.sampler}, guidance {recipe.guidance:g}, "
        f"Geometry {recipe.geometry:g}, seed {recipe.seed}; {view.width} × {view.height} pixels "
        f"in {seconds:.1f} s each on this computer. The recipe is inside every picture."
    )
    notes = [
        (
            "Edges kept",
            "The share of the exact depth edges (silhouettes, corners, eaves and ridges) that have "
            "an edge of the picture within 2 pixels. The plain render's own share is the measure; "
            "chance is the share with the edges shifted elsewhere.",
        ),
        ("How it was made", made),
    ]
    title = sample.stem.replace("_", " ").capitalize()
    subtitle = f"Camera {view.name} of {sample.name}, restyled by Maquette's pocket model"
    return sheet.contact_sheet(title, subtitle, tiles, inputs, notes, font)


def _figures(
    folder: Path, capture: Capture, concepts: Sequence[Concept], plain: EdgeReport
) -> None:
    record = {
        "camera": capture.view.name,
        "plain render": asdict(plain),
        "concepts": {
            concept.path.name: {"prompt": concept.recipe.prompt, **asdict(concept.edges)}
            for concept in concepts
        },
    }
    text = json.dumps(record, indent=2, ensure_ascii=False)
    (folder / "edges.json").write_text(text + "\n", encoding="utf-8")


def _report(
    folder: Path,
    inputs: Sequence[Path],
    concepts: Sequence[Concept],
    plain: EdgeReport,
    took: float,
) -> None:
    say("\n  Model edges with a picture edge within 2 pixels:")
    say(f"    {_percent(plain):>4}  the plain render")
    for concept in concepts:
        say(f"    {_percent(concept.edges):>4}  {concept.recipe.prompt}")
    say(f"\n  Done in {took:.0f} s. Look at:\n    {folder / 'sheet.png'}")
    for path in (*(concept.path for concept in concepts), *inputs):
        say(f"    {path}")


if __name__ == "__main__":
    sys.exit(main())
