"""Sweeps: one scene under one setting after another, to be judged by eye."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from maquette_wire.capture import Capture

from ..train.scenes import Scene
from ..train.tinting import tinted_massing
from .cases import PROMPTS, capture_of

_GEOMETRY = (0.0, 0.25, 0.5, 0.75, 1.0)
_STRENGTH = (1.0, 0.85, 0.7, 0.55, 0.4)
_TRIES = 50


@dataclass(frozen=True)
class Sweep:
    """captures: what is painted; steps: (title, changes to the recipe) of each column."""

    name: str
    captures: Sequence[Capture]
    steps: Sequence[tuple[str, dict[str, Any]]]


def sweeps_of(scenes: Sequence[Scene]) -> list[Sweep]:
    """Geometry on grey massings; strength on massings that have colours, which it is about."""
    prompt = PROMPTS[0].text
    return [
        Sweep(
            "geometry",
            [capture_of(scene) for scene in scenes],
            [(f"Geometry {g:g}", {"prompt": prompt, "geometry": g}) for g in _GEOMETRY],
        ),
        Sweep(
            "strength",
            [_colored(scene) for scene in scenes],
            # Only what stands there is named: the colours say the rest.
            [(f"strength {s:g}", {"prompt": "building", "strength": s}) for s in _STRENGTH],
        ),
    ]


def _colored(scene: Scene) -> Capture:
    """A scene's massing in colours of its first finish, as bright ones as chance gives."""
    tries = [tinted_massing(scene, 0, np.random.default_rng(seed)) for seed in range(_TRIES)]
    picture = max(tries, key=lambda each: float(np.ptp(each.astype(np.float32), axis=2).mean()))
    grey = capture_of(scene)
    return Capture(grey.view, np.ascontiguousarray(picture), grey.depth)
