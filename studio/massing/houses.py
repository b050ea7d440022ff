"""Houses: gabled, hip-roofed, flat, with a wing, in rows, and barns."""

from __future__ import annotations

from ..model import Facade, Frame, Model, Part, rectangle
from ..roofs import gable, hip
from ..walls import band, prism
from .site import Site

HOUSE = Facade(floor=2.8, ground_floor=2.9, bay=2.9, parapet=0.25)


def chimney(model: Model, x: float, y: float, z0: float, z1: float, obj: int) -> None:
    """A chimney with a cap."""
    band(model, rectangle(0.7, 0.6, x, y), z0, z1, Part.TRIM, obj)


def gabled_house(site: Site) -> None:
    """One or two storeys under a gable roof, ridge along the street or facing it."""
    rng = site.rng
    floors = rng.choice([1, 2, 2])
    width, depth = rng.choice([8.7, 11.6, 14.5]), rng.choice([7.5, 9.0])
    along = rng.random() < 0.55
    z = HOUSE.height(floors)
    span = depth if along else width
    rise = span / 2 * rng.choice([0.75, 0.95, 1.15])
    obj = prism(site.model, rectangle(width, depth), 0.0, z, HOUSE, door=0, roof=False)
    gable(site.model, Frame(), (-width / 2, 0.0, width / 2, depth), z, rise, obj, along_x=along)
    if rng.random() < 0.5:
        x, y = (width * 0.28, depth / 2 + 0.4) if along else (0.6, depth * 0.7)
        chimney(site.model, x, y, z + rise * 0.4, z + rise + 0.9, obj)
    site.frame_box(-width / 2, 0.0, width / 2, depth, z + rise)


def hip_house(site: Site) -> None:
    """A villa-like house under a hip roof."""
    rng = site.rng
    floors = rng.choice([1, 2, 2])
    width, depth = rng.choice([11.6, 14.5, 17.4]), rng.choice([8.7, 10.5])
    z = HOUSE.height(floors)
    rise = depth / 2 * rng.choice([0.55, 0.75])
    obj = prism(site.model, rectangle(width, depth), 0.0, z, HOUSE, door=0, roof=False)
    hip(site.model, Frame(), (-width / 2, 0.0, width / 2, depth), z, rise, obj, eaves=0.6)
    if rng.random() < 0.5:
        chimney(site.model, width * 0.2, depth / 2 - 0.3, z + rise * 0.5, z + rise + 0.8, obj)
    site.frame_box(-width / 2, 0.0, width / 2, depth, z + rise)


def flat_house(site: Site) -> None:
    """A cubic house with a flat roof and a lower garage."""
    rng = site.rng
    floors = rng.choice([2, 2, 3])
    width, depth = rng.choice([8.7, 11.6]), rng.choice([8.7, 10.2])
    z = HOUSE.height(floors) + 0.3
    prism(site.model, rectangle(width, depth), 0.0, z, HOUSE, door=0)
    side = rng.choice([-1, 1])
    garage = rectangle(5.8, depth * 0.7, side * (width / 2 + 2.9), depth * 0.2)
    prism(site.model, garage, 0.0, 3.4, HOUSE)
    x0, x1 = sorted((-side * width / 2, side * (width / 2 + 5.8)))
    site.frame_box(x0, 0.0, x1, depth, z)


def wing_house(site: Site) -> None:
    """An L-shaped house: a long body and a gabled wing towards the viewer."""
    rng = site.rng
    width, depth, side = rng.choice([14.5, 17.4]), 8.0, rng.choice([-1, 1])
    z = HOUSE.height(rng.choice([1, 2]))
    rise = depth / 2 * rng.choice([0.8, 1.0])
    obj = prism(site.model, rectangle(width, depth), 0.0, z, HOUSE, door=0, roof=False)
    gable(site.model, Frame(), (-width / 2, 0.0, width / 2, depth), z, rise, obj)
    wing, reach = 6.4, rng.choice([4.0, 6.0])
    x = side * (width / 2 - wing / 2)
    number = prism(site.model, rectangle(wing, reach + 2.0, x, -reach), 0.0, z, HOUSE, roof=False)
    gable(
        site.model,
        Frame(),
        (x - wing / 2, -reach, x + wing / 2, depth / 2),
        z,
        wing / 2 * rise / (depth / 2),
        number,
        along_x=False,
    )
    site.front = -reach
    site.frame_box(-width / 2, -reach, width / 2, depth, z + rise)


def row_houses(site: Site) -> None:
    """A row of equal narrow houses with their gables to the street or a common ridge."""
    rng = site.rng
    count, width, depth = rng.choice([4, 5, 6]), 5.8, 9.0
    floors, gables = rng.choice([2, 3]), rng.random() < 0.6
    z = HOUSE.height(floors)
    rise = rng.choice([2.6, 3.4])
    start = -count * width / 2
    for i in range(count):
        x = start + (i + 0.5) * width
        obj = prism(site.model, rectangle(width, depth, x, 0.0), 0.0, z, HOUSE, door=0, roof=False)
        if gables:
            gable(
                site.model,
                Frame(),
                (x - width / 2, 0.0, x + width / 2, depth),
                z,
                rise,
                obj,
                along_x=False,
                eaves=0.06,
            )
    if not gables:
        gable(
            site.model, Frame(), (start, 0.0, -start, depth), z, rise + 0.8, site.model.new_object()
        )
        for i in range(1, count):
            chimney(
                site.model,
                start + i * width,
                depth / 2,
                z + rise * 0.5,
                z + rise + 1.6,
                site.model.object_count,
            )
    site.frame_box(start, 0.0, -start, depth, z + rise + (0.0 if gables else 0.8))


def barn(site: Site) -> None:
    """A long low barn under a large roof."""
    rng = site.rng
    length, depth = rng.choice([17.4, 23.2]), rng.choice([9.5, 12.0])
    facade = Facade(floor=3.4, ground_floor=3.4, bay=5.8, parapet=0.2)
    z = 3.6
    rise = depth / 2 * rng.choice([0.9, 1.1])
    obj = prism(site.model, rectangle(length, depth), 0.0, z, facade, door=0, roof=False)
    gable(site.model, Frame(), (-length / 2, 0.0, length / 2, depth), z, rise, obj, eaves=0.5)
    site.frame_box(-length / 2, 0.0, length / 2, depth, z + rise)
