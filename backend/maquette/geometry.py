"""The Geometry value → strength and depth influence: the one place that says what the slider means.

Geometry goes from creative (0) to exact (1). Two things decide how closely a picture keeps to its
massing: the *strength*, the share of the noise schedule that is run, so how much of the capture's
own picture shows through; and the *depth influence*, how much of the depth's relief the model is
shown, with, for models that take lines, the *lines influence*. A user sees:

- **1, exact**: every edge of the massing is an edge of the picture. Depth in full, and the lowest
  strength at which
  the model still makes a picture of a grey massing, so that light and shade of the capture steer
  it too.
- **0.5**: the volumes stand where they are, façades and surroundings are the model's own. Depth in
  full, strength
  close to 1.
- **0, creative**: the massing is a hint at a composition. Full strength and part of the depth.

For Stable Diffusion 2 depth, depth influence is a blend of the depth channel towards "no depth":
the constant that the model was trained to read so, where it was trained with depth left out
(`dropped_depth` in its `maquette.json`), else the mean of the map itself, which takes away relief
and leaves the overall distance. In a channel that models normalise, half of the relief still shows
every edge, so the blend bites late: below about 0.3. For ControlNets an influence is the scale of
what they add to the UNet, and a low one ends early as well (`control`).

A model whose pictures fail in part of that range brings its own curve in `maquette.json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Adherence(NamedTuple):
    """What one Geometry value comes to."""

    strength: float
    depth_influence: float
    lines_influence: float


@dataclass(frozen=True, slots=True)
class GeometryCurve:
    """Strength and influences as piecewise linear functions of Geometry.

    geometry: places on the slider, ascending from 0 to 1. strength, depth_influence,
    lines_influence: their values there; the last is left out for models that take no lines, and as
    the depth's where it is left out for one that does.
    """

    geometry: tuple[float, ...]
    strength: tuple[float, ...]
    depth_influence: tuple[float, ...]
    lines_influence: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        places = self.geometry
        if len(places) < 2 or places[0] != 0.0 or places[-1] != 1.0 or sorted(places) != [*places]:
            raise ValueError(f"A geometry curve needs places from 0 to 1 in order, not {places}.")
        influences = (self.depth_influence, self.lines_influence or self.depth_influence)
        if any(len(values) != len(places) for values in (self.strength, *influences)):
            raise ValueError("A geometry curve needs as many values as places.")
        if not all(0.0 < value <= 1.0 for value in self.strength):
            raise ValueError(f"Strengths lie above 0 and up to 1, not {self.strength}.")
        for values in influences:
            if not all(0.0 <= value <= 1.0 for value in values):
                raise ValueError(f"Influences lie in 0 to 1, not {values}.")

    def at(self, geometry: float) -> Adherence:
        """For a Geometry value in 0 to 1."""
        curves = (self.strength, self.depth_influence, self.lines_influence or self.depth_influence)
        return Adherence(
            *(round(float(np.interp(geometry, self.geometry, curve)), 4) for curve in curves)
        )


SD2_DEPTH = GeometryCurve(
    geometry=(0.0, 0.5, 1.0), strength=(1.0, 0.95, 0.75), depth_influence=(0.25, 1.0, 1.0)
)
"""For Stable Diffusion 2 depth and its finetunes."""

SDXL_CONTROL = GeometryCurve(
    geometry=(0.0, 0.5, 1.0),
    strength=(1.0, 0.95, 0.85),
    depth_influence=(0.3, 0.7, 1.0),
    lines_influence=(0.2, 0.5, 0.8),
)
"""For Stable Diffusion XL with ControlNets. They hold edges at any strength, so that it stays high
enough for the grey of a massing to go; lines, which say the same a second time, count less."""


def control(influence: float) -> tuple[float, float]:
    """What an influence (0 to 1) means for a ControlNet: the scale of what it adds to the UNet, and
    the share of the steps, from the first on, in which it does.

    Up to 0.7, where the volumes stand, a lower influence leaves more of the last steps, which
    paint detail, to the model alone; up to half of them.
    """
    return influence, round(float(np.interp(influence, (0.3, 0.7), (0.5, 1.0))), 4)


def blend_depth(
    encoded: NDArray[np.float32], influence: float, dropped: float | None
) -> NDArray[np.float32]:
    """The depth channel [h, w] in [-1, 1] with its relief reduced to `influence` (0 to 1).

    dropped: the model's constant for "no depth"; None blends to the mean of the map.
    """
    if influence >= 1.0:
        return encoded
    rest = np.float32(encoded.mean() if dropped is None else dropped)
    return rest + np.float32(influence) * (encoded - rest)
