"""Views of a model that brings no camera: one from the street, one from above.

Both look at a corner, so that two sides show: the corner that shows most of the model, past all
that stands before it.
"""

from __future__ import annotations

import bpy
import numpy as np
from maquette_wire.view import View

from .planning import FAR, NEAR
from .poses import Array, Camera, ways
from .surface import Shape
from .survey import Survey

BIRD_RISE = 32.0
"""Degrees above the horizon of the view from above."""
LENS = 35.0
"""Millimetres."""
FLAT = 0.12
"""Height over width of a site, below which it is no more than a line when it is seen from beside
it: the view from the street is then in one of its streets."""


def overview(context: bpy.types.Context, made: Shape, width: int, height: int) -> list[View]:
    """The views "Street" and "Bird" of a model, of those that there is room for.

    width, height: pixels.
    """
    survey = Survey(context, made, (width, height), 2)
    corners = survey.front + np.pi / 4
    low, high = made.corners.min((0, 1)), made.corners.max((0, 1))
    if len(survey.clusters.parts) > 1 or high[2] - low[2] < FLAT * max(high[:2] - low[:2]):
        street = [survey.framing_seen(eye, way) for eye, way in survey.street()]
    else:
        street = [_from_beside(survey, way) for way in ways(4, 0.0, corners)]
    bird = [
        survey.framing(part, way, LENS)
        for part in survey.clusters.parts
        for way in ways(4, BIRD_RISE, corners)
    ]
    clip = NEAR * survey.size, FAR * survey.size
    found = (("Street", _best(survey, street)), ("Bird", _best(survey, bird)))
    return [
        camera.pose(survey.middle).view(width, height, clip, name)
        for name, camera in found
        if camera is not None
    ]


def _from_beside(survey: Survey, way: Array) -> Camera:
    """At eye level, as far away as it takes to frame all of the model."""
    above = survey.framing(survey.whole, way, LENS).eye
    above[2] = survey.whole.high[2]
    return survey.framing_seen(survey.standing(above), way)


def _best(survey: Survey, cameras: list[Camera]) -> Camera | None:
    """The camera that shows most, of those where one can stand."""
    free = [camera for camera in cameras if survey.stands_free(camera.eye)]
    worths = survey.worths(free).mean(1)
    return free[int(worths.argmax())] if len(free) and worths.max() > 0.0 else None
