"""Public buildings: churches, chapels, libraries with colonnades, rotundas."""

from __future__ import annotations

import math

from ..model import Cell, Facade, Frame, Model, Part, arc, rectangle
from ..roofs import flat_slab, gable, hip
from ..walls import band, prism, round_prism
from .site import Site

NAVE = Facade(
    floor=8.0, ground_floor=8.0, bay=4.0, upper=Cell.LANCET, lower=Cell.LANCET, parapet=0.3
)


def church(site: Site) -> None:
    """A tower with a spire before or beside a high nave, in part with aisles."""
    rng = site.rng
    width, length = rng.choice([10.0, 12.0]), rng.choice([20.0, 24.0, 28.0])
    tower, height = rng.choice([6.0, 7.0]), rng.choice([18.0, 22.0, 26.0])
    offset_x = rng.choice([0.0, 0.0, -1.0, 1.0]) * (width + tower) / 2
    y0 = 0.0 if offset_x else tower
    rise = width / 2 * rng.choice([1.1, 1.4])
    nave = prism(
        site.model,
        rectangle(width, length, 0.0, y0),
        0.0,
        8.3,
        NAVE,
        roof=False,
        door=0 if offset_x else -1,
    )
    box = (-width / 2, y0, width / 2, y0 + length)
    gable(site.model, Frame(), box, 8.3, rise, nave, along_x=False)
    spire = tower * rng.choice([0.6, 1.4, 2.0])
    _steeple(site.model, offset_x, tower, height, spire)
    if rng.random() < 0.4:
        low = Facade(4.5, 4.5, 4.0, Cell.LANCET, Cell.LANCET, 0.2)
        for side in (-1, 1):
            aisle = rectangle(3.2, length - 4.0, side * (width / 2 + 1.6), y0 + 2.0)
            prism(site.model, aisle, 0.0, 4.8, low)
    left = min(-width / 2 - 3.2, offset_x - tower / 2)
    right = max(width / 2 + 3.2, offset_x + tower / 2)
    site.frame_box(left, 0.0, right, y0 + length, height + spire * 0.9)


def _steeple(model: Model, x: float, side: float, height: float, spire: float) -> None:
    """A tower whose front lies on y = 0; with the entrance if it stands in the axis."""
    belfry = Facade(
        floor=height / 3,
        ground_floor=height / 3,
        bay=side,
        upper=Cell.LANCET,
        lower=Cell.BLANK if x else Cell.DOOR,
        parapet=0.0,
    )
    obj = prism(model, rectangle(side, side, x, 0.0), 0.0, height, belfry, roof=False)
    box = (-side / 2, 0.0, side / 2, side)
    hip(model, Frame(x, 0.0), box, height, spire, obj, eaves=0.3, ridge=0.0)


def chapel(site: Site) -> None:
    """A small chapel with a steep roof and a ridge turret."""
    rng = site.rng
    facade = Facade(
        floor=4.4, ground_floor=4.4, bay=3.0, upper=Cell.LANCET, lower=Cell.LANCET, parapet=0.2
    )
    width, length = rng.choice([7.0, 8.0]), rng.choice([12.0, 15.0])
    obj = prism(site.model, rectangle(width, length), 0.0, 4.6, facade, door=0, roof=False)
    rise = width / 2 * rng.choice([1.3, 1.7])
    gable(site.model, Frame(), (-width / 2, 0.0, width / 2, length), 4.6, rise, obj, along_x=False)
    turret = 1.6
    band(
        site.model,
        rectangle(turret, turret, 0.0, 1.0),
        4.6 + rise * 0.6,
        4.6 + rise + 1.8,
        Part.WALL,
        obj,
    )
    hip(
        site.model,
        Frame(),
        (-turret / 2, 1.0, turret / 2, 1.0 + turret),
        4.6 + rise + 1.8,
        2.6,
        obj,
        eaves=0.15,
        ridge=0.0,
    )
    site.frame_box(-width / 2, 0.0, width / 2, length, 4.6 + rise + 4.0)


def library(site: Site) -> None:
    """A calm block with a tall colonnade on its front."""
    rng = site.rng
    bays, bay = rng.choice([7, 9, 11]), 4.0
    width, depth = bays * bay, rng.choice([20.0, 26.0])
    facade = Facade(floor=4.2, ground_floor=4.8, bay=bay, lower=Cell.STOREFRONT, parapet=0.9)
    z = facade.height(rng.choice([2, 3]))
    model = site.model
    prism(model, rectangle(width, depth, 0.0, 4.0), 0.0, z, facade, door=0, roof=False)
    slab = model.new_object()
    flat_slab(model, rectangle(width + 1.0, depth + 5.0, 0.0, -0.5), z, 1.4, slab)
    columns = model.new_object()
    for i in range(bays + 1):
        band(model, rectangle(0.7, 0.7, -width / 2 + i * bay, 0.3), 0.0, z, Part.TRIM, columns)
    site.front = -0.5
    site.frame_box(-width / 2 - 0.5, -0.5, width / 2 + 0.5, depth + 4.5, z + 1.4)


def rotunda(site: Site) -> None:
    """A drum with a cone or dome roof. Held out from training."""
    rng = site.rng
    radius = rng.choice([8.0, 10.0, 12.0])
    facade = Facade(floor=3.6, ground_floor=4.4, bay=3.0, lower=Cell.STOREFRONT, parapet=0.8)
    z = facade.height(rng.choice([2, 3]))
    plan = arc(0.0, radius, radius, 0.0, 2 * math.pi, 48)[:-1]
    round_prism(site.model, plan, 0.0, z, facade)
    rings, rise, obj = 6, radius * rng.choice([0.5, 0.8]), site.model.new_object()
    previous = [(x, y, z - 0.3) for x, y in arc(0.0, radius, radius - 0.8, 0.0, 2 * math.pi, 48)]
    for ring in range(1, rings + 1):
        angle = math.pi / 2 * ring / rings
        r, h = max(0.01, (radius - 0.8) * math.cos(angle)), z - 0.3 + rise * math.sin(angle)
        current = [(x, y, h) for x, y in arc(0.0, radius, r, 0.0, 2 * math.pi, 48)]
        for i in range(48):
            site.model.face(
                [previous[i], previous[i + 1], current[i + 1], current[i]], Part.ROOF, obj
            )
        previous = current
    site.frame_box(-radius, 0.0, radius, 2 * radius, z + rise)
