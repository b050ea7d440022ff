"""Sample models of the country: a gabled house and a church."""

from __future__ import annotations

import math

from ..model import arc, rectangle
from ..shapes import box, gable_roof, gabled_body, prism, pyramid
from ..staging import bird, cameras, collection, corners, elevation, ground, level, pitched, trees


def gabled_house() -> None:
    """A two-storey gabled house with a lower wing, a chimney, a terrace and a hedge."""
    ground()
    house = collection("House")
    gabled_body("Main body", (-6.5, 0.0), (6.5, 8.6), 5.6, 4.1, house)
    gable_roof("Main roof", (-6.5, 0.0), (6.5, 8.6), 5.62, 4.1, house)
    gabled_body("Wing", (2.2, -4.2), (6.9, 4.0), 3.0, 2.3, house, along_x=False)
    gable_roof("Wing roof", (2.2, -4.2), (6.9, 4.0), 3.02, 2.3, house, along_x=False, eaves=0.3)
    box("Chimney", (-3.6, 4.7, 6.0), (-2.7, 5.5, 11.0), house)
    box("Porch roof", (-1.6, -1.6, 2.5), (1.4, 0.0, 2.7), house)
    box("Porch post", (-1.5, -1.5, 0.0), (-1.3, -1.3, 2.5), house)
    box("Garage", (-11.6, 2.0, 0.0), (-6.5, 7.8, 2.9), house)
    box("Terrace", (-6.0, -4.0, 0.0), (2.2, 0.0, 0.15), house)
    box("Hedge", (8.6, -4.0, 0.0), (9.5, 9.0, 1.2), house)
    trees(
        [
            (13.5, 4.0, 8.5),
            (17.0, -2.0, 6.5),
            (-16.0, 9.0, 9.5),
            (-22.0, 6.0, 7.5),
            (6.0, 19.0, 10.0),
            (-4.0, 20.0, 9.0),
        ]
    )
    points = corners((-11.6, -4.2, 0.0), (6.9, 8.6, 9.9))
    eye = level(points, -28.0, 28.0, 0.78, 0.62, 0.22, 1.65)
    cameras(
        pitched(eye),
        bird(points, -35.0, 26.0, 50.0, 0.68, 0.7),
        elevation(points, 0.66, 0.6, 0.13),
        level(points, 32.0, 35.0, 0.74, 0.6, 0.22, 1.65),
    )


def church() -> None:
    """A nave with lower aisles, a west tower with a spire, an apse and a porch."""
    ground()
    body = collection("Church")
    gabled_body("Nave", (-5.0, 6.0), (5.0, 30.0), 10.0, 6.2, body, along_x=False)
    gable_roof(
        "Nave roof",
        (-5.0, 6.0),
        (5.0, 30.0),
        10.02,
        6.2,
        body,
        along_x=False,
        eaves=0.3,
        verge=0.15,
    )
    for side, name in ((-1, "North"), (1, "South")):
        inner, outer = sorted((side * 5.0, side * 8.6))
        vertices = [(inner, 8.0), (outer, 8.0), (outer, 28.0), (inner, 28.0)]
        prism(f"{name} aisle", vertices, 0.0, 5.2, body)
        for bay in range(4):
            y = 8.0 + 5.0 * (bay + 1) - 0.35
            low, high = sorted((side * 8.6, side * 9.5))
            if bay < 3:
                box(f"{name} buttress {bay + 1}", (low, y, 0.0), (high, y + 0.7, 4.4), body)
    prism("Apse", [*arc(0.0, 30.0, 4.4, 0.0, math.pi, 12)], 0.0, 8.4, body)
    pyramid("Apse roof", [*arc(0.0, 30.0, 4.7, 0.0, math.pi, 12)], 8.4, (0.0, 30.0, 12.6), body)
    box("Tower", (-3.4, 0.0, 0.0), (3.4, 6.8, 21.0), body)
    box("Tower cornice", (-3.65, -0.25, 21.0), (3.65, 7.05, 21.5), body)
    pyramid("Spire", rectangle(7.0, 7.0, 0.0, -0.1), 21.5, (0.0, 3.4, 36.0), body)
    box("Porch", (-1.9, -1.6, 0.0), (1.9, 0.0, 3.6), body)
    box("Steps", (-3.0, -3.0, 0.0), (3.0, -1.6, 0.3), body)
    box("Churchyard wall", (9.5, -6.0, 0.0), (26.0, -5.6, 1.2), body)
    box("Churchyard wall west", (-26.0, -6.0, 0.0), (-9.5, -5.6, 1.2), body)
    box("Parish house", (20.0, 10.0, 0.0), (29.0, 17.0, 4.6), body)
    gable_roof("Parish house roof", (20.0, 10.0), (29.0, 17.0), 4.6, 3.0, body)
    trees(
        [
            (-15.0, 4.0, 10.0),
            (-19.0, 16.0, 11.5),
            (15.0, 22.0, 11.0),
            (14.5, 1.0, 7.0),
            (-14.0, 28.0, 10.0),
        ]
    )
    points = corners((-8.6, 0.0, 0.0), (8.6, 34.0, 34.0))
    eye = level(points, -36.0, 24.0, 0.7, 0.72, 0.15, 1.65)
    cameras(
        pitched(eye),
        bird(points, -42.0, 24.0, 50.0, 0.66, 0.8),
        elevation(points, 0.5, 0.74, 0.1),
        level(points, 30.0, 28.0, 0.7, 0.74, 0.14, 1.65),
    )
