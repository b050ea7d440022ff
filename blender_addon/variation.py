"""What a grid of pictures varies: settings with several values, as Recipes. No bpy here."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import msgspec
from maquette_wire.errors import MaquetteError
from maquette_wire.presets.library import Library
from maquette_wire.presets.words import composed
from maquette_wire.recipe import Lines, Recipe, Windows

MOST = 64
"""Pictures of a grid: more can't be looked at in one picture."""

Vary = Callable[[Recipe], Recipe]
"""One value of a setting: a Recipe with it."""


@dataclass(frozen=True)
class Setting:
    """A setting that a grid can vary.

    Attributes:
        title, description: for the user.
        axis: what a poster calls it (`maquette sheet --rows`).
        example: values as they are typed.
    """

    title: str
    description: str
    axis: str
    example: str


SETTINGS = {
    "geometry": Setting("Geometry", "From creative (0) to exact (1)", "geometry", "0.2, 0.5, 0.8"),
    "seed": Setting("Seed", "Another picture of the same words", "seed", "0-3"),
    "preset": Setting("Presets", "Names of presets", "prompt", "Red brick, Timber, Concrete"),
    "words": Setting(
        "Words", "What is added to the prompt, between semicolons", "prompt", "at dusk; in snow"
    ),
    "model": Setting("Model", "Names of models", "model", "pocket, sd2-depth"),
    "guidance": Setting("Guidance", "How literally the prompt is taken", "guidance", "4, 7.5, 11"),
    "steps": Setting("Steps", "Refinement steps", "steps", "10, 20, 40"),
    "strength": Setting("Strength", "How much is painted over", "strength", "0.5, 0.75, 1"),
    "windows": Setting("Windows", "Kinds of windows", "windows", "punched, tall, ribbon"),
    "storey": Setting("Storey Height", "Metres from floor to floor", "storey", "3, 3.5, 4"),
    "bay": Setting("Bay Width", "Metres from window to window", "bay", "2, 3, 4.5"),
    "lines": Setting(
        "Lines",
        "What the picture is held to: " + ", ".join(get_args(Lines)),
        "lines",
        "none, exact",
    ),
    "lines_influence": Setting(
        "Lines Hold", "How strongly the lines shape the picture", "lines_influence", "0.3, 0.6, 0.9"
    ),
}
OF_LINES = ("lines", "lines_influence")
"""Settings for models that take lines."""
KINDS: dict[str, tuple[str, ...]] = {"windows": get_args(Windows), "lines": get_args(Lines)}
"""Values of the settings that have a name for each."""


def grid(
    base: Recipe, varied: Sequence[tuple[str, str]], presets: Library, models: Sequence[str]
) -> list[Recipe]:
    """The Recipe of each picture of a grid, row by row.

    Args:
        base: what all have in common; one picture each.
        varied: names of one or two settings and their values as typed: of the rows, the columns.
        models: names that the server can run; empty where that isn't known.

    Raises MaquetteError("bad-grid", "bad-values", "unknown-preset", "bad-recipe").
    """
    axes = [SETTINGS[name].axis for name, _ in varied]
    if len(set(axes)) < len(axes):
        titles = " and ".join(SETTINGS[name].title for name, _ in varied)
        raise MaquetteError(
            "bad-grid",
            f"Rows and columns both vary the {axes[0]}: {titles}.",
            "Choose another setting for one of them.",
        )
    values = [_values(name, typed, presets, models) for name, typed in varied]
    pictures = 1
    for each in values:
        pictures *= len(each)
    if not 1 < pictures <= MOST:
        raise MaquetteError(
            "bad-grid",
            f"This grid has {pictures} picture{'' if pictures == 1 else 's'}.",
            f"Give values for 2 to {MOST}.",
        )
    recipes = []
    for changes in itertools.product(*values):
        recipe = msgspec.structs.replace(base, count=1)
        for change in changes:
            recipe = change(recipe)
        recipe.check()
        recipes.append(recipe)
    return recipes


def _values(name: str, typed: str, presets: Library, models: Sequence[str]) -> list[Vary]:
    """Each value of a setting once, in the order they were typed."""
    setting = SETTINGS[name]
    parts = [each.strip() for each in typed.split(";" if name == "words" else ",")]
    parts = [each for each in dict.fromkeys(parts) if each]
    if not parts:
        raise MaquetteError(
            "bad-values",
            f"{setting.title} has no values.",
            f"Write them like: {setting.example}",
        )
    if name == "preset":
        return [_with_preset(presets, part) for part in parts]
    if name == "words":
        return [_with_words(part) for part in parts]
    if name == "seed":
        read = [seed for part in parts for seed in _seeds(part)]
    else:
        read = [_value(name, part, models) for part in parts]
    return [_with(name, value) for value in dict.fromkeys(read)]


def _value(name: str, text: str, models: Sequence[str]) -> Any:
    if name in ("model", *KINDS):
        known = models if name == "model" else KINDS[name]
        text = text if name == "model" else text.lower()
        if not known or text in known:
            return text
        title = SETTINGS[name].title
        raise MaquetteError(
            "bad-values", f"{title}: there is no {text!r}.", f"Use {', '.join(known)}."
        )
    try:
        return int(text) if name == "steps" else float(text)
    except ValueError as error:
        raise _no_number(name, text) from error


def _seeds(text: str) -> range:
    first, dash, last = text.partition("-")
    try:
        found = range(int(first), int(last if dash else first) + 1)
    except ValueError as error:
        raise _no_number("seed", text) from error
    if not 0 < len(found) <= MOST:
        raise _no_number("seed", text)
    return found


def _no_number(name: str, text: str) -> MaquetteError:
    setting = SETTINGS[name]
    return MaquetteError(
        "bad-values",
        f"{setting.title}: {text!r} is no value.",
        f"Write them like: {setting.example}",
    )


def _with(name: str, value: Any) -> Vary:
    return lambda recipe: msgspec.structs.replace(recipe, **{name: value})


def _with_words(words: str) -> Vary:
    return lambda recipe: msgspec.structs.replace(
        recipe, prompt=", ".join(part for part in (recipe.prompt, words) if part)
    )


def _with_preset(presets: Library, name: str) -> Vary:
    preset = presets.named(name)

    def change(recipe: Recipe) -> Recipe:
        prompt, negative = composed(recipe.prompt, recipe.negative_prompt, (preset,))
        return msgspec.structs.replace(recipe, prompt=prompt, negative_prompt=negative)

    return change
