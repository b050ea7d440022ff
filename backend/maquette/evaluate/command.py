"""Runs an evaluation: pictures of held-out scenes, their figures, and a sheet to look at."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from maquette_wire import container
from maquette_wire.capture import Capture, captures_of
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Submit
from maquette_wire.recipe import Recipe

from .. import __version__
from ..catalogue import Catalogue
from ..console import ProgressLine
from ..outputs import prepared
from ..sampling import Sampler
from ..train.scenes import SPLITS, Dataset, Scene
from .cases import PROMPTS, capture_of, renders_of, spread
from .figures import (
    Painted,
    autoencoder_row,
    edge_rows,
    median_seconds,
    openings_row,
    own_rows,
    prompt_rows,
    taken_for,
)
from .judge import Judge, load_judge, save_judge, train_judge
from .measures import diversity
from .report import Row, rows_as_table, write_sheet
from .resources import peak_bytes
from .sweeps import sweeps_of

JUDGE = "judge.safetensors"
JUDGE_SCENES = 1200
SHEET_SCENES = 12
SWEEP_SCENES = 4
SEEDS = 4
OPEN_PROMPT = "building"
"""Leaves everything open, as far as a prompt can."""


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `maquette evaluate`."""
    parser.add_argument("model", help="a model's folder, or its name in the catalogue")
    parser.add_argument("--data", type=Path, required=True, help="folder of the dataset")
    parser.add_argument("--out", type=Path, required=True, help="folder for figures and the sheet")
    parser.add_argument(
        "--split", choices=SPLITS, default="scene", help="which of the held-out scenes (scene)"
    )
    parser.add_argument("--scenes", type=_positive, default=24, help="at most so many (24)")
    parser.add_argument("--seed", type=int, default=0, help="of every picture (0)")
    parser.add_argument("--steps", type=int, help="instead of the model's own number")
    parser.add_argument("--sampler", help="instead of the model's own")
    parser.add_argument("--guidance", type=float, help="instead of the model's own")
    parser.add_argument("--strength", type=float, help="instead of what Geometry says")
    parser.add_argument("--geometry", type=float, default=0.7, help="0 creative to 1 exact (0.7)")
    parser.add_argument("--device", default="auto", help="cpu, cuda:0 or mps; the best by default")
    parser.add_argument(
        "--captures",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="captures of real models too, as Blender's command maquette_capture writes them",
    )
    parser.add_argument(
        "--judge-steps",
        type=_positive,
        default=4000,
        help="of training a judge (4000)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Evaluate; returns the exit status. Raises MaquetteError for what a user can put right."""
    out = prepared(arguments.out)
    dataset = Dataset(arguments.data)
    dataset.refresh()
    scenes = _scenes(dataset, arguments.split, arguments.scenes)
    captures = [capture_of(scene) for scene in scenes]
    own = [capture for path in arguments.captures for capture in _read(path)]
    sampler, recipe = _model(arguments)
    sweeps = sweeps_of(scenes[:SWEEP_SCENES])

    def paint(capture: Capture, **changed: Any) -> Painted:
        return _paint(sampler, msgspec.structs.replace(recipe, **changed), capture)

    with ProgressLine() as line:
        judge = _judge(dataset, arguments.judge_steps, line)
        painted: list[list[Painted]] = []
        on_own: list[list[Painted]] = []
        for number, prompt in enumerate(PROMPTS):
            line.show("painting", number, len(PROMPTS), prompt.text)
            asked = {"prompt": prompt.text, "windows": prompt.windows}
            painted.append([paint(capture, **asked) for capture in captures])
            on_own.append([paint(capture, **asked) for capture in own])
        seeds = [
            paint(captures[0], prompt=OPEN_PROMPT, seed=recipe.seed + more).picture
            for more in range(SEEDS)
        ]
        line.show("measuring")
        rows = [
            *edge_rows(scenes, captures, painted),
            openings_row(scenes, captures, painted),
            *own_rows(own, on_own),
            *prompt_rows(scenes, painted, judge),
            autoencoder_row(scenes, sampler, recipe.model),
            Row("difference between seeds (0-255)", diversity(seeds)),
            Row("seconds a picture", median_seconds(painted)),
            Row("peak memory, GB", peak_bytes() / 1e9),
        ]
        _write_sheet(out / "sheet.png", captures[:SHEET_SCENES], painted)
        if own:
            _write_sheet(out / "captures.png", own, on_own)
        for number, sweep in enumerate(sweeps):
            line.show("sweeping", number, len(sweeps), sweep.name)
            columns = [
                [paint(each, **changed) for each in sweep.captures] for _, changed in sweep.steps
            ]
            titles = [title for title, _ in sweep.steps]
            _write_sheet(out / f"{sweep.name}.png", sweep.captures, columns, titles)
    record = {
        "maquette": __version__,
        "recipe": painted[0][0].recipe,
        "prompts": [prompt.text for prompt in PROMPTS],
        "split": arguments.split,
        "scenes": [scene.name for scene in scenes],
        "captures": [path.name for path in arguments.captures],
        "figures": rows,
        "taken_for": taken_for(scenes, painted, judge),
    }
    (out / "figures.json").write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1))
    print(rows_as_table(rows))
    print(f"\nLook at the sheets in {out}; the figures are also in {out / 'figures.json'}.")
    return 0


def _read(path: Path) -> list[Capture]:
    """The captures in a file. Raises MaquetteError where it holds none."""
    try:
        submit, frames = container.read(path, kind=Submit)
    except FileNotFoundError as error:
        raise MaquetteError(
            "no-capture", f"There is no file {path}.", "Correct its name."
        ) from error
    return captures_of(submit, frames)


def _write_sheet(
    path: Path,
    captures: Sequence[Capture],
    painted: Sequence[Sequence[Painted]],
    titles: Sequence[str] = tuple(prompt.text for prompt in PROMPTS),
) -> None:
    """A row for each capture, a column for each of `painted`."""
    seen = [one.seen for one in painted[0][: len(captures)]]
    columns = [
        (title, [one.picture for one in made[: len(captures)]])
        for title, made in zip(titles, painted, strict=True)
    ]
    write_sheet(path, captures, seen, columns)


def _scenes(dataset: Dataset, split: str, count: int) -> list[Scene]:
    names = dataset.of_split(split)
    if len(names) < 2:
        raise MaquetteError(
            "no-data",
            f"The dataset at {dataset.folder} has {len(names)} scenes held out as {split!r}; an "
            "evaluation needs two at least.",
            "Render more scenes first (docs/dataset.md).",
        )
    return [dataset.scene(name) for name in spread(names, max(2, count))]


def _model(arguments: argparse.Namespace) -> tuple[Sampler, Recipe]:
    """A sampler, and the recipe of all pictures but for their prompt."""
    folder = Path(arguments.model)
    here = folder.is_dir()
    catalogue = Catalogue(extra=(folder.absolute(),) if here else ())
    recipe = Recipe(
        prompt="",
        model=folder.absolute().name if here else arguments.model,
        seed=arguments.seed,
        steps=arguments.steps,
        sampler=arguments.sampler,
        guidance=arguments.guidance,
        strength=arguments.strength,
        geometry=arguments.geometry,
    )
    catalogue.present(recipe.model)  # says at once where it isn't
    return Sampler(arguments.device, catalogue=catalogue), recipe


def _judge(dataset: Dataset, steps: int, line: ProgressLine) -> Judge:
    """The judge that lies in the dataset's folder; trained first where there is none."""
    path = dataset.folder / JUDGE
    if path.exists():
        return load_judge(path)
    line.show("reading")
    training = [
        one
        for name in spread(dataset.names, JUDGE_SCENES)
        for one in renders_of(dataset.scene(name))
    ]
    held_out = [
        one
        for split in ("scene", "type")
        for name in dataset.of_split(split)
        for one in renders_of(dataset.scene(name))
    ]
    if not training:
        raise MaquetteError(
            "no-data",
            f"The dataset at {dataset.folder} has no training scene to teach the judge with.",
            "Render some scenes first (docs/dataset.md).",
        )
    judge = train_judge(
        training, held_out, steps, lambda step, of: line.show("the judge", step, of)
    )
    save_judge(judge, path)
    return judge


def _paint(sampler: Sampler, recipe: Recipe, capture: Capture) -> Painted:
    start = time.perf_counter()
    result = sampler.run(recipe, [capture])
    seconds = time.perf_counter() - start
    return Painted(result.pictures[0][2], result.encoded_depth[0], result.recipe, seconds)
