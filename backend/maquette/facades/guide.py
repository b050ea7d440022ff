"""The openings of a job: which kind of window each picture has, and where its capture sees them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray

from ..kept import Kept
from .kinds import KINDS, kind_of, names_windows
from .layout import Grid, lay_out
from .openings import openings_seen
from .sight import Sight
from .walls import Wall, find_walls

_OPENINGS = Kept[NDArray[np.float32]](8 << 20)
"""4 bytes a pixel."""
_WALLS = Kept[list[Wall]](64 << 20)
"""Of captures seen alone; they take next to nothing."""


def with_windows(recipe: Recipe) -> str:
    """The recipe's prompt with the windows that it asks for beside the prompt, where the prompt
    doesn't name any."""
    kind = KINDS.get(recipe.windows)
    if kind is None or names_windows(recipe.prompt):
        return recipe.prompt
    return ", ".join(part for part in (recipe.prompt.strip().rstrip(","), kind.words[0]) if part)


class FacadeGuide:
    """The openings that captures see, found when they are asked for.

    together: the captures show one scene, so that a wall which several of them see has the same
    openings in all; otherwise no capture has a say in what another shows.
    """

    def __init__(self, recipe: Recipe, captures: Sequence[Capture], together: bool) -> None:
        self.recipe, self.captures, self.together = recipe, captures, together
        self._sights = cache(self._find_sights)
        self._walls = cache(self._find_walls)
        self._grids = cache(self._lay_out)

    def kind(self, prompt: str) -> str:
        """The kind of windows of a picture whose prompt reads so, a name of `KINDS`."""
        return self.recipe.windows if self.recipe.windows in KINDS else kind_of(prompt)

    def openings(self, index: int, kind: str) -> NDArray[np.float32]:
        """How much of each pixel of a capture, by its number, is an opening: float32 [H, W], not to
        be changed."""
        capture = self.captures[index]

        def find() -> NDArray[np.float32]:
            found = openings_seen(capture, self._grids(self._group(index), kind))
            found.flags.writeable = False
            return found

        if self.together:
            return find()
        return _OPENINGS.of(capture, (kind, self.recipe.storey, self.recipe.bay), find)

    def _group(self, index: int) -> int:
        return 0 if self.together else index

    def _find_sights(self, group: int) -> list[Sight]:
        seen = self.captures if self.together else [self.captures[group]]
        return [Sight.of(capture) for capture in seen]

    def _find_walls(self, group: int) -> list[Wall]:
        if self.together:
            return find_walls(self._sights(group))
        return _WALLS.of(self.captures[group], None, lambda: find_walls(self._sights(group)))

    def _lay_out(self, group: int, kind: str) -> list[Grid]:
        recipe = self.recipe
        sights = self._sights(group)
        return lay_out(self._walls(group), sights, KINDS[kind], recipe.storey, recipe.bay)
