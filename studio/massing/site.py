"""What a builder hands on: the model and what a camera has to frame."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

from ..model import Model, Point, Vertex


@dataclass
class Site:
    """A scene in the making. The main building's front faces -Y and lies near y = 0."""

    rng: random.Random
    model: Model = field(default_factory=Model)
    focus: list[Vertex] = field(default_factory=list)
    """Points of the main building that a camera frames."""
    front: float = 0.0
    """y of the main front."""
    occupied: list[tuple[float, float, float, float]] = field(default_factory=list)
    """Plan boxes (x0, y0, x1, y1) where nothing else may stand."""
    corridor: tuple[float, float] | None = None
    """x range of a street along y, for scenes seen from within it."""
    viewpoint: tuple[float, float, float] | None = None
    """Plan position of the camera, and the distance from it within which nothing small may
    stand."""
    extras: set[str] = field(default_factory=set)

    def frame_box(self, x0: float, y0: float, x1: float, y1: float, z: float) -> None:
        """Tell that the main building fills this box, up to height `z`."""
        self.occupied.append((x0, y0, x1, y1))
        self.focus.extend((x, y, h) for x in (x0, x1) for y in (y0, y1) for h in (0.0, z))

    def frame_plan(self, points: list[Point], z: float) -> None:
        """Tell that the main building stands on these plan points, up to height `z`."""
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        self.occupied.append((min(xs), min(ys), max(xs), max(ys)))
        self.focus.extend((x, y, h) for x, y in points for h in (0.0, z))

    def is_too_close(self, x: float, y: float) -> bool:
        """Whether something there would stand between the camera and the building."""
        return (
            self.viewpoint is not None and math.dist((x, y), self.viewpoint[:2]) < self.viewpoint[2]
        )

    def is_free(self, x: float, y: float, margin: float) -> bool:
        """Whether a point keeps `margin` metres from everything built."""
        return not self.is_too_close(x, y) and not any(
            x0 - margin < x < x1 + margin and y0 - margin < y < y1 + margin
            for x0, y0, x1, y1 in self.occupied
        )
