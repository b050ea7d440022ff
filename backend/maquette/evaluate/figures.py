"""Figures: what the pictures of an evaluation show of their captures and of what was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray

from ..edges import EdgeReport, edge_recall
from ..facades.guide import FacadeGuide
from ..sampling import Sampler
from ..train.scenes import Scene
from .cases import PROMPTS, Prompt, Shown
from .judge import CLASSES, Judge
from .measures import kernel_distance, mean_of, openings_followed, plane_edges, psnr
from .report import Row

EDGES = {"silhouettes": "silhouettes within 2 px", "creases": "inner edges within 2 px"}
"""Of `edges.EdgeReport`, as rows are called."""


@dataclass(frozen=True)
class Painted:
    """A picture, what the model saw, the recipe with its defaults filled in, and seconds."""

    picture: NDArray[np.uint8]
    seen: NDArray[np.uint8]
    recipe: Recipe
    seconds: float


def edge_rows(
    scenes: Sequence[Scene], captures: Sequence[Capture], painted: Sequence[Sequence[Painted]]
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


def openings_row(
    scenes: Sequence[Scene], captures: Sequence[Capture], painted: Sequence[Sequence[Painted]]
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


def own_rows(own: Sequence[Capture], painted: Sequence[Sequence[Painted]]) -> list[Row]:
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


def prompt_rows(
    scenes: Sequence[Scene], painted: Sequence[Sequence[Painted]], judge: Judge
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


def autoencoder_row(scenes: Sequence[Scene], sampler: Sampler, model: str) -> Row:
    """How like finished renders are what the model's autoencoder makes of them."""
    pictures = [finish.picture for scene in scenes for finish in scene.finishes]
    return Row(
        "renders through the autoencoder, dB",
        mean_of([psnr(each, sampler.rebuilt(model, each)) for each in pictures]),
    )


def taken_for(
    scenes: Sequence[Scene], painted: Sequence[Sequence[Painted]], judge: Judge
) -> list[dict[str, Any]]:
    """For each prompt and attribute, what was asked, and how often the judge saw what."""
    return [
        {"attribute": name, "asked": prompt.wanted[name], "seen": Counter(filter(None, seen))}
        for prompt, made in zip(PROMPTS, painted, strict=True)
        for name, seen in judge.taken_for(_shown(scenes, made, prompt)).items()
    ]


def median_seconds(painted: Sequence[Sequence[Painted]]) -> float:
    """Of a picture; without the first one, which loads the model."""
    return float(np.median([one.seconds for made in painted for one in made][1:]))


def _shown(scenes: Sequence[Scene], made: Sequence[Painted], prompt: Prompt) -> list[Shown]:
    """A picture of each scene, as what a prompt asks for."""
    return [
        Shown(one.picture, scene.parts, prompt.wanted)
        for scene, one in zip(scenes, made, strict=True)
    ]


def _photo(shows: object) -> bool:
    return isinstance(shows, dict) and shows.get("style") == "photo"
