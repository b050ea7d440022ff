"""Defaults: what a recipe leaves open, as its model has it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Lines, Recipe

from . import schedulers
from .families.settings import ModelSettings
from .frames import PlansFor

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Filled:
    """A recipe with the model's own values where it has none.

    Attributes:
        strength: of the recipe.
        repainted: strength of the painting itself: all where colours are given back afterwards.
        steps_run: those that the strength leaves.
    """

    recipe: Recipe
    steps: int
    sampler: str
    guidance: float
    strength: float
    repainted: float
    steps_run: int
    depth_influence: float
    lines: Lines


def fill(recipe: Recipe, model: PlansFor, model_hash: str) -> Filled:
    """Decide what a recipe leaves open. Raises MaquetteError for what the model can't do."""
    settings = model.settings
    by_geometry = settings.geometry.at(recipe.geometry)
    strength = _or(recipe.strength, by_geometry.strength)
    influence = _or(recipe.depth_influence, by_geometry.depth_influence)
    lines = _lines(recipe, model)
    repainted = 1.0 if settings.own_colors else strength
    steps = _default_steps(settings, repainted) if recipe.steps is None else recipe.steps
    guidance = _or(recipe.guidance, settings.guidance)
    sampler = schedulers.check(_or(recipe.sampler, settings.sampler), model.scheduler_config)
    run = 1 if steps == 1 and repainted > 0.0 else int(steps * repainted)
    if run < 1:
        raise MaquetteError(
            "bad-recipe",
            f"A strength of {strength:g} of {steps} steps leaves no step to run.",
            f"Raise the strength to {1 / steps:.2g} at least, or take more steps.",
        )
    whole = msgspec.structs.replace(
        recipe,
        model_hash=model_hash,
        steps=steps,
        sampler=sampler,
        guidance=guidance,
        strength=strength,
        depth_influence=influence,
    )
    if model.takes_lines:
        held = _or(recipe.lines_influence, by_geometry.lines_influence)
        whole = msgspec.structs.replace(whole, lines=lines, lines_influence=held)
    return Filled(whole, steps, sampler, guidance, strength, repainted, run, influence, lines)


def _lines(recipe: Recipe, model: PlansFor) -> Lines:
    """The lines that pictures are held to. Raises MaquetteError("bad-recipe")."""
    if model.takes_lines:
        return recipe.lines or "exact"
    if recipe.lines in (None, "none"):
        return "none"
    raise MaquetteError(
        "bad-recipe",
        f"The recipe asks for lines ({recipe.lines}), and the model {recipe.model!r} takes none.",
        "Choose a model with a ControlNet for lines, or leave the lines out.",
    )


def _default_steps(settings: ModelSettings, strength: float) -> int:
    """The model's own steps, more where so few that the strength would leave none to run; a single
    one can begin anywhere."""
    if settings.steps == 1 or strength <= 0.0:
        return settings.steps
    return max(settings.steps, math.ceil(1.0 / strength))


def _or(value: _Value | None, default: _Value) -> _Value:
    return default if value is None else value
