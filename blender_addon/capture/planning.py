"""Views that together see a surface: few, and placed by what they see.

Candidates stand on rings around the surface, or around each of its clusters where it is scattered,
at a distance that just frames that, and at eye level in front of façades. What each sees is found
by rays from points spread evenly over the surface, past everything that the scene shows, and counts
for less where it is small. The views are then chosen one by one, each for what it adds:
the greedy cover of a monotone submodular function, which is within 1 - 1/e of the best choice
(Nemhauser, Wolsey and Fisher, "An analysis of approximations for maximizing submodular set
functions", Mathematical Programming 14, 1978). No randomness: the same scene gives the same views.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import bpy
import numpy as np
from maquette_wire.view import View
from numpy.typing import NDArray

from .poses import Array, Camera, Pose
from .surface import Shape
from .survey import Survey

LEAST_GAIN = 6e-3
"""Worth of a view, averaged over a cluster of the surface, from which it is taken. One that adds
less still paints whole façades anew where it is the closest, and makes seams."""
NEAR, FAR = 1e-4, 1e2
"""Clipping distances of a planned view, in sizes of the surface."""


@dataclass(frozen=True)
class Sampled:
    """Points spread evenly over a surface.

    Attributes:
        points: float64 [s, 3], metres in the world.
        normals: float64 [s, 3], outwards.
        seen: bool [s], by the planned and the given views under 75 degrees.
        reachable: bool [s], by any candidate.
        area: square metres that each stands for.
    """

    points: Array
    normals: Array
    seen: NDArray[np.bool_]
    reachable: NDArray[np.bool_]
    area: float


@dataclass(frozen=True)
class Plan:
    """Views of a surface in the order of what they add.

    Attributes:
        poses: at most as many as were asked for; none adds next to nothing.
        seen: for each number of poses from none on, the share of the surface's area that they and
            the views that were there already see under 75 degrees.
        reachable: the share that all candidates together see so; the rest faces downwards, or is
            hidden by what stands before it.
        size: metres across the surface.
        sampled: the points that this was found by.
    """

    poses: list[Pose]
    seen: list[float]
    reachable: float
    size: float
    sampled: Sampled = field(compare=False)

    def views(self, width: int, height: int) -> list[View]:
        """Of all poses, in the proportions that they were planned for."""
        clip = NEAR * self.size, FAR * self.size
        return [
            pose.view(width, height, clip, f"around {number + 1}")
            for number, pose in enumerate(self.poses)
        ]


def plan(
    context: bpy.types.Context,
    made: Shape,
    count: int,
    given: Sequence[View] = (),
    proportions: tuple[float, float] = (1.0, 1.0),
) -> Plan:
    """At most `count` poses that see what `given` views of the same scene don't see as well.

    proportions: width and height of their pictures, in any unit.
    """
    survey = Survey(context, made, proportions, count)
    candidates = list(survey.candidates())
    here = survey.worths([Camera.of(view, survey.middle) for view in given])
    there = survey.worths(candidates)
    best = here.max(0, initial=0.0)
    reached = np.maximum(best, there.max(0, initial=0.0))
    poses, seen = [], [float((best > 0).mean())]
    while len(poses) < count and candidates:
        better = np.maximum(there, best)
        gains = better.mean(1) - best.mean()
        gains[((better - best) @ survey.clusters.shares).max(1) < LEAST_GAIN] = 0.0
        first = int(gains.argmax())
        if gains[first] == 0.0:
            break
        best = np.maximum(best, there[first])
        poses.append(candidates[first].pose(survey.middle))
        seen.append(float((best > 0).mean()))
    points = survey.points + survey.middle
    sampled = Sampled(points, survey.normals, best > 0, reached > 0, survey.area / len(points))
    return Plan(poses, seen, float((reached > 0).mean()), survey.size, sampled)
