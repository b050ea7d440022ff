"""Plan: what a job comes to with one model, before anything is sampled.

Defaults are filled in, every capture is brought to the model's grid, and whatever a user should
know, or mend, is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.limits import check_size
from maquette_wire.messages import Limits
from maquette_wire.recipe import Recipe

from . import depth, framing
from .ahead import Ahead
from .defaults import fill
from .facades.guide import FacadeGuide, with_windows
from .facades.kinds import KINDS
from .families.openings import names_any
from .families.settings import ModelSettings
from .frames import Frame, FrameMaker, PlansFor, name_of

_SMALL, _LARGE = 0.5, 3.0  # times the native size


@dataclass(frozen=True)
class Reading:
    """How one seed reads the recipe: the prompt with what it leaves open decided, and the kind of
    windows that are laid out, None where none are."""

    prompt: str
    windows: str | None


@dataclass(frozen=True)
class Plan:
    """A job with everything decided.

    Attributes:
        recipe: with the defaults filled in.
        strength: of the painting, where the recipe's is what is kept of colours as well.
        readings: one for each of the recipe's `count` seeds.
        padded: (width, height) that the model works on, of each capture.
        made: the frames of each capture, by kind of windows, which are made ahead of the painting.
        said: sentences for the user, without those about single captures.
        seamless: whether pictures go on at their opposite edge.
    """

    recipe: Recipe
    steps: int
    sampler: str
    guidance: float
    strength: float
    readings: tuple[Reading, ...]
    padded: tuple[tuple[int, int], ...]
    made: Ahead[dict[str | None, Frame]]
    said: tuple[str, ...]
    seamless: bool = False

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The frame of each capture, as the first seed has it."""
        first = self.readings[0].windows
        return tuple(self.made[index][first] for index in range(len(self.made)))

    def close(self) -> None:
        """Make no more frames."""
        self.made.give_up()

    @property
    def warnings(self) -> list[str]:
        """All sentences for the user."""
        return [*(warning for frame in self.frames for warning in frame.warnings), *self.said]

    def reading(self, number: int) -> Reading:
        """How the seed of a picture, by its number in the job, reads the recipe."""
        return self.readings[number % self.recipe.count]

    def frame(self, number: int) -> Frame:
        """The frame of a picture, by its number in the job."""
        return self.made[number // self.recipe.count][self.reading(number).windows]

    @property
    def steps_run(self) -> int:
        """Denoising steps of a picture: the strength leaves some out."""
        return max(1, int(self.steps * self.strength))

    @property
    def guided(self) -> bool:
        """Whether classifier-free guidance runs, at twice the work."""
        return self.guidance > 1.0


def make_plan(
    recipe: Recipe,
    captures: Sequence[Capture],
    model: PlansFor,
    model_hash: str,
    *,
    seamless: bool = False,
    together: bool = False,
    painted: int | None = None,
    even: bool = False,
    makers: int = 1,
) -> Plan:
    """Decide everything about a job. Raises MaquetteError for what can't be sampled.

    Every capture has a depth range of its own, and so one picture whatever else is in the job.
    Views of one model stand near and far; in the range of the nearest the others would be flat.
    seamless: the captures are square and go on at their opposite edge, and so do their pictures,
    which are smaller where the model can't paint as large. together: the captures show one scene,
    whose walls have the same openings in all of them. painted: pixels of the longer side that
    pictures are painted at, at most; they are enlarged to their captures' exact edges. even: light
    is to be taken out of them. makers: threads that make its frames.
    """
    settings = model.settings
    filled = fill(recipe, model, model_hash)
    guide = None
    shows_windows = settings.depth.recess or filled.lines == "exact"
    if shows_windows and recipe.windows != "free" and not seamless:
        guide = FacadeGuide(recipe, captures, together)
    readings = tuple(
        _reading(recipe, recipe.seed + number, model, guide, seamless)
        for number in range(recipe.count)
    )
    finished = _sizes(recipe, captures, model, seamless)
    evened = settings.even_surfaces and not (seamless or together or even)
    maker = FrameMaker(
        captures=captures,
        sizes=[framing.within(size, painted) for size in finished],
        finished=finished,
        ranges=_ranges(captures, settings.depth),
        model=model,
        influence=filled.depth_influence,
        lines=filled.lines,
        seamless=seamless,
        together=together,
        guide=guide,
        windows=tuple(dict.fromkeys(reading.windows for reading in readings)),
        even=even,
        even_surfaces=evened and not names_any(recipe.prompt, settings.drawn),
        own_colors=1.0 - filled.strength if settings.own_colors else 0.0,
    )
    padded, made = maker.padded(), Ahead(maker.make, len(captures), makers)
    # A tile is never larger than what the model paints well.
    warnings = [] if seamless else _size_warnings(maker.sizes, settings)
    if recipe.windows in KINDS and guide is None and not seamless:
        warnings.append(
            f"The model {recipe.model!r} doesn't see the openings of walls, so its windows are not "
            "laid out; choose another model, or leave the windows to the prompt."
        )
    warnings += _training_warnings(settings, filled.steps_run, filled.strength)
    warnings += model.prompt_warnings(recipe.prompt, "prompt")
    if filled.guidance > 1.0:
        warnings += model.prompt_warnings(recipe.negative_prompt, "negative prompt")
    if recipe.model_hash not in (None, model_hash):
        warnings.append(
            f"The recipe was made with other weights of the model {recipe.model!r}, so its "
            "pictures will differ from those."
        )
    return Plan(
        *(filled.recipe, filled.steps, filled.sampler, filled.guidance, filled.repainted),
        *(readings, padded, made),
        said=tuple(warnings),
        seamless=seamless,
    )


def _reading(
    recipe: Recipe, seed: int, model: PlansFor, guide: FacadeGuide | None, seamless: bool
) -> Reading:
    if seamless:  # a surface has no surroundings to leave open
        return Reading(recipe.prompt, None)
    prompt = model.completed(recipe.prompt if guide is None else with_windows(recipe), seed)
    return Reading(prompt, None if guide is None else guide.kind(prompt))


def _training_warnings(settings: ModelSettings, steps: int, strength: float) -> list[str]:
    """What a recipe asks of a model that it was not trained for. steps: those that are run."""
    warnings = []
    if settings.steps == 1 and steps > 1:
        warnings.append(
            f"This model was trained to paint in one step, and {steps} steps give a worse picture; "
            "leave the steps to the model."
        )
    if strength < settings.least_strength:
        learned = "all of a picture" if settings.least_strength == 1.0 else "more of a picture"
        warnings.append(
            f"This model was trained to repaint {learned}, and a strength of {strength:g} gives a "
            f"poor one; give {settings.least_strength:g} at least."
        )
    return warnings


def _sizes(
    recipe: Recipe, captures: Sequence[Capture], model: PlansFor, seamless: bool
) -> list[tuple[int, int]]:
    """(width, height) of the pictures of each capture. Raises MaquetteError for what is too large
    or too small, and where there is no capture."""
    if not captures:
        raise MaquetteError("bad-message", "The job has no capture.", "Capture a view first.")
    sizes = []
    for index, capture in enumerate(captures):
        name = name_of(capture, index)
        size = framing.result_size((capture.view.width, capture.view.height), recipe.size, name)
        check_size(f"The picture of {name}", *size, Limits())
        if seamless:
            size = framing.tile_size(size, model.multiple, model.settings.largest_tile)
        sizes.append(size)
    return sizes


def _ranges(captures: Sequence[Capture], encoding: depth.DepthEncoding) -> list[depth.DepthRange]:
    """Of the depth of each capture. Raises MaquetteError("bad-depth")."""
    try:
        return [
            depth.depth_range(np.asarray(capture.depth), encoding, name_of(capture, index))
            for index, capture in enumerate(captures)
        ]
    except ValueError as error:
        raise MaquetteError("bad-depth", str(error)) from error


def _size_warnings(sizes: Sequence[tuple[int, int]], settings: ModelSettings) -> list[str]:
    native = settings.native_size
    smallest = min(min(size) for size in sizes)
    largest = min(max(size) for size in sizes)
    if smallest < _SMALL * native:
        return [
            f"This model paints best at about {native} pixels a side; {smallest} is too few for it "
            "to show much."
        ]
    if largest > _LARGE * native:
        return [
            f"This model paints best at about {native} pixels a side; at {largest} it may repeat "
            "things."
        ]
    return []
