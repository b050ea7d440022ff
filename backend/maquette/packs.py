"""Packs: how many pictures a device makes at once, found by measuring.

The first jobs of a model at a size try 1, 2, 4, ... pictures at once, until more are no faster.
What was fastest is kept for that model, size and device, and never measured again, so that a job is
the same to the last bit from then on: another pack rounds otherwise.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from maquette_wire.home import Home, unusable

WORTH = 0.97
"""A larger pack is better where a picture takes this much of the time or less."""

Seconds = dict[int, float | None]
"""Of a picture's step, by how many pictures were made at once; None for too many."""


def at_once(measured: Mapping[int, float | None], most: int) -> int:
    """How many pictures to make at once next: a number to try, or the fastest one.

    Args:
        measured: as `Seconds` says; of 1, 2, 4, ... in that order.
        most: that fit.
    """
    fitting = {size: seconds for size, seconds in measured.items() if size <= most}
    if not fitting:
        return 1
    last = max(fitting)
    good = {size: seconds for size, seconds in fitting.items() if seconds is not None}
    best = min(good, key=lambda size: good[size], default=1)
    before = good.get(last // 2)
    is_better = last == 1 or before is None or (good.get(last) or before) <= WORTH * before
    if last in good and is_better and 2 * last <= most:
        return 2 * last
    # Of two that are as fast, the smaller one stops sooner.
    return min((size for size in good if good[best] >= WORTH * good[size]), default=1)


class Packs:
    """The packs that were measured on this machine, in a file of the user's.

    A file that is damaged or gone is measured anew.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._warm: set[str] = set()

    def at_once(self, key: str, most: int) -> int:
        """How many pictures to make at once; see the function. key: model, size and device."""
        return at_once(self._read().get(key, {}), most)

    def note(self, key: str, pictures: int, seconds: float | None, most: int) -> None:
        """Note the time of a step of one picture, or that the device hadn't enough memory.

        The first one of a process is left out, as kernels are loaded meanwhile, and so is what is
        known already or wasn't to be tried. Raises MaquetteError("home-unusable").
        """
        if key not in self._warm and seconds is not None:
            self._warm.add(key)
            return
        every = self._read()
        measured = every.setdefault(key, {})
        if pictures in measured or pictures != at_once(measured, most):
            return
        measured[pictures] = seconds
        self._home.make()
        part = self._home.packs.with_suffix(f".{os.getpid()}.part")
        try:
            part.write_text(json.dumps(every, indent=1), "utf-8")
            part.replace(self._home.packs)
        except OSError as error:
            raise unusable(self._home.packs, error) from error

    def _read(self) -> dict[str, Seconds]:
        try:
            kept = json.loads(self._home.packs.read_text("utf-8"))
            return {
                key: {int(size): seconds for size, seconds in measured.items()}
                for key, measured in kept.items()
            }
        except (OSError, ValueError, AttributeError):
            return {}
