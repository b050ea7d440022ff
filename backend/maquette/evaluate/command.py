"""Runs an evaluation: pictures of held-out scenes, their figures, and a sheet to look at."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from maquette_wire import container
from maquette_wire.capture import Capture, captures_of
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Submit
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray

from .. import __version__
from ..catalogue import Catalogue
from ..console import ProgressLine
from ..edges import EdgeReport, edge_recall
from ..facades.guide import FacadeGuide
from ..outputs import prepared
from ..sampling import Sampler
from ..train.scenes import SPLITS, Dataset, Scene
from .cases import PROMPTS, Prompt, Shown, capture_of, renders_of, spread
from .judge import CLASSES, Judge, load_judge, save_judge, train_judge
from .measures import diversity, kernel_distance, mean_of, openings_followed, plane_edges, psnr
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
EDGES = {"silhouettes": "silhouettes within 2 px", "creases": "inner edges within 2 px"}
"""Of `edges.EdgeReport`, as rows are called."""


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


@dataclass(frozen=True)
class _Painted:
    """A picture, what the model saw, the recipe with its defaults filled in, and seconds."""

    picture: NDArray[np.uint8]
    seen: NDArray[np.uint8]
    recipe: Recipe
    seconds: float


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

    def paint(capture: Capture, **changed: Any) -> _Painted:
        return _paint(sampler, msgspec.structs.replace(recipe, **changed), capture)

    with ProgressLine() as line:
        judge = _judge(dataset, arguments.judge_steps, line)
        painted: list[list[_Painted]] = []
        on_own: list[list[_Painted]] = []
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
            *_edge_rows(scenes, captures, painted),
            _openings_row(scenes, captures, painted),
            *_own_rows(own, on_own),
            *_prompt_rows(scenes, painted, judge),
            _autoencoder_row(scenes, sampler, recipe.model),
            Row("difference between seeds (0-255)", diversity(seeds)),
            Row("seconds a picture", _median_seconds(painted)),
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
        "taken_for": _taken_for(scenes, painted, judge),
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
    painted: Sequence[Sequence[_Painted]],
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


def _paint(sampler: Sampler, recipe: Recipe, capture: Capture) -> _Painted:
    start = time.perf_counter()
    result = sampler.run(recipe, [capture])
    seconds = time.perf_counter() - start
    return _Painted(result.pictures[0][2], result.encoded_depth[0], result.recipe, seconds)


def _median_seconds(painted: Sequence[Sequence[_Painted]]) -> float:
    # Without the first one, which loads the model.
    return float(np.median([one.seconds for made in painted for one in made][1:]))


def _edge_rows(
    scenes: Sequence[Scene], captures: Sequence[Capture], painted: Sequence[Sequence[_Painted]]
) -> list[Row]:
    """How the pictures' edges lie on the massing's."""
    own: list[EdgeReport] = []
    wrong: list[EdgeReport] = []
    renders: list[EdgeReport] = []
    invented: list[float | None] = []
    rendered: list[float | None] = []
    for index, (scene, capture) in enumerate(zip(scenes, captures, strict=True)):
        other = captures[(index + 1) % len(captures)]
        for made in painted:
            picture = made[index].picture
            own.append(edge_recall(scene.depth, capture.view, picture))
            wrong.append(edge_recall(np.asarray(other.depth), other.view, picture))
            invented.append(plane_edges(picture, scene.edges, scene.parts))
        for finish in scene.finishes:
            renders.append(edge_recall(scene.depth, capture.view, finish.picture))
            rendered.append(plane_edges(finish.picture, scene.edges, scene.parts))
    rows = [
        Row(
            text,
            mean_of([getattr(each, name) for each in own]),
            mean_of([getattr(each, name) for each in renders]),
            mean_of([getattr(each, name) for each in wrong]),
        )
        for name, text in EDGES.items()
    ]
    return [*rows, Row("edges within planes", mean_of(invented), mean_of(rendered))]


def _openings_row(
    scenes: Sequence[Scene], captures: Sequence[Capture], painted: Sequence[Sequence[_Painted]]
) -> Row:
    """How the pictures' edges lie on the openings that the recipes lay out; of a render, on its
    own."""
    own: list[float | None] = []
    wrong: list[float | None] = []
    rendered: list[float | None] = []
    for prompt, made in zip(PROMPTS, painted, strict=True):
        laid_out = [
            FacadeGuide(one.recipe, [capture], False).openings(0, prompt.windows)
            for one, capture in zip(made, captures, strict=True)
        ]
        for index, one in enumerate(made):
            own.append(openings_followed(one.picture, laid_out[index]))
            wrong.append(openings_followed(one.picture, laid_out[(index + 1) % len(laid_out)]))
    for scene in scenes:
        for finish in scene.finishes:
            if finish.openings is not None and _photo(finish.attributes):
                rendered.append(openings_followed(finish.picture, finish.openings / 255.0))
    return Row("openings within 2 px", mean_of(own), mean_of(rendered), mean_of(wrong))


def _own_rows(own: Sequence[Capture], painted: Sequence[Sequence[_Painted]]) -> list[Row]:
    """Edges on captures of real models, which have no finished renders to compare with."""
    if len(own) < 2:
        return []
    right, wrong = [], []
    for index, capture in enumerate(own):
        # A neighbour of the same proportions, else its edges could not be laid over.
        others = [
            each
            for each in (*own[index + 1 :], *own[:index])
            if np.shape(each.depth) == np.shape(capture.depth)
        ]
        for made in painted:
            picture = made[index].picture
            right.append(edge_recall(np.asarray(capture.depth), capture.view, picture))
            if others:
                other = others[0]
                wrong.append(edge_recall(np.asarray(other.depth), other.view, picture))
    return [
        Row(
            f"{text} on captures",
            mean_of([getattr(each, name) for each in right]),
            None,
            mean_of([getattr(each, name) for each in wrong]),
        )
        for name, text in EDGES.items()
    ]


def _prompt_rows(
    scenes: Sequence[Scene], painted: Sequence[Sequence[_Painted]], judge: Judge
) -> list[Row]:
    """What the judge recognises of the prompts, and how far the pictures are from renders."""
    asked = [
        one
        for prompt, made in zip(PROMPTS, painted, strict=True)
        for one in _shown(scenes, made, prompt)
    ]
    # Pictures of the next prompt: what the judge would say if prompts did nothing.
    turned = [
        one
        for prompt, made in zip((*PROMPTS[1:], PROMPTS[0]), painted, strict=True)
        for one in _shown(scenes, made, prompt)
    ]
    right, by_chance = judge.right(asked), judge.right(turned)
    rows = [
        Row(f"{name} as asked", right.get(name), judge.accuracy.get(name), by_chance.get(name))
        for name in CLASSES
        if name in right
    ]
    finished = [
        finish.picture for scene in scenes for finish in scene.finishes if _photo(finish.attributes)
    ]
    if len(finished) < 4:
        return rows
    features = judge.features(finished)
    made = judge.features([one.picture for one in asked])
    halves = kernel_distance(features[::2], features[1::2])
    return [*rows, Row("kernel distance to renders", kernel_distance(made, features), halves)]


def _autoencoder_row(scenes: Sequence[Scene], sampler: Sampler, model: str) -> Row:
    """How like finished renders are what the model's autoencoder makes of them."""
    pictures = [finish.picture for scene in scenes for finish in scene.finishes]
    return Row(
        "renders through the autoencoder, dB",
        mean_of([psnr(each, sampler.rebuilt(model, each)) for each in pictures]),
    )


def _taken_for(
    scenes: Sequence[Scene], painted: Sequence[Sequence[_Painted]], judge: Judge
) -> list[dict[str, Any]]:
    """For each prompt and attribute, what was asked, and how often the judge saw what."""
    return [
        {"attribute": name, "asked": prompt.wanted[name], "seen": Counter(filter(None, seen))}
        for prompt, made in zip(PROMPTS, painted, strict=True)
        for name, seen in judge.taken_for(_shown(scenes, made, prompt)).items()
    ]


def _shown(scenes: Sequence[Scene], made: Sequence[_Painted], prompt: Prompt) -> list[Shown]:
    """A picture of each scene, as what a prompt asks for."""
    return [
        Shown(one.picture, scene.parts, prompt.wanted)
        for scene, one in zip(scenes, made, strict=True)
    ]


def _photo(shows: object) -> bool:
    return isinstance(shows, dict) and shows.get("style") == "photo"
