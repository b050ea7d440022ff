"""Slabs: offices, flats with balconies, schools, factories."""

from __future__ import annotations

from ..model import Cell, Facade, Frame, Model, Part, rectangle
from ..roofs import barrel, sawtooth
from ..walls import band, prism
from .site import Site

OFFICE = Facade(floor=3.5, ground_floor=4.4, bay=3.6, lower=Cell.STOREFRONT, parapet=0.9)
FLATS = Facade(floor=2.9, ground_floor=3.2, bay=3.4, parapet=0.8)


def plant_room(model: Model, x: float, y: float, z: float, obj: int, width: float = 6.0) -> None:
    """The box on a large roof."""
    band(model, rectangle(width, 4.0, x, y), z, z + 2.6, Part.TRIM, obj)


def office_slab(site: Site) -> None:
    """A clear office slab, five to nine storeys."""
    rng = site.rng
    floors, bays = rng.choice([4, 5, 6, 8]), rng.choice([8, 10, 13])
    width, depth, z = bays * 3.6, 14.4, OFFICE.height(floors)
    obj = prism(site.model, rectangle(width, depth), 0.0, z, OFFICE, door=0)
    plant_room(site.model, width * rng.choice([-0.25, 0.2]), depth * 0.4, z - 0.5, obj)
    site.frame_box(-width / 2, 0.0, width / 2, depth, z)


def podium_slab(site: Site) -> None:
    """A slab on a wide low podium."""
    rng = site.rng
    floors, bays = rng.choice([6, 8, 10]), rng.choice([7, 9])
    width = bays * 3.6
    base = width * rng.choice([1.4, 1.7])
    low, high = OFFICE.height(2), OFFICE.height(2) + floors * 3.5 + 0.6
    prism(site.model, rectangle(base, 26.0), 0.0, low, OFFICE, door=0)
    x = rng.choice([-1, 0, 1]) * (base - width) * 0.35
    obj = prism(site.model, rectangle(width, 14.4, x, 4.0), low - 0.5, high, OFFICE)
    plant_room(site.model, x, 9.0, high - 0.5, obj)
    site.frame_box(-base / 2, 0.0, base / 2, 26.0, high)


def balcony_slab(site: Site) -> None:
    """A block of flats whose front carries balconies at every other bay."""
    rng = site.rng
    floors, bays = rng.choice([4, 5, 6, 7]), rng.choice([7, 9, 11])
    width, depth, z = bays * 3.4, 12.0, FLATS.height(floors)
    prism(site.model, rectangle(width, depth), 0.0, z, FLATS, door=0)
    balconies = site.model.new_object()
    for floor in range(1, floors):
        level = FLATS.ground_floor + (floor - 1) * FLATS.floor
        for i in range(1, bays, 2):
            if i == bays // 2:
                continue
            x = -width / 2 + (i + 0.5) * 3.4
            band(
                site.model,
                rectangle(3.0, 1.4, x, -1.4),
                level - 0.1,
                level + 0.1,
                Part.TRIM,
                balconies,
            )
            band(
                site.model,
                rectangle(3.0, 0.08, x, -1.4),
                level + 0.1,
                level + 1.0,
                Part.TRIM,
                balconies,
            )
    site.extras.add("balconies")
    site.front = -1.4
    site.frame_box(-width / 2, -1.4, width / 2, depth, z)


def l_office(site: Site) -> None:
    """Two wings at a right angle, one higher."""
    rng = site.rng
    side = rng.choice([-1, 1])
    width, arm = rng.choice([28.8, 36.0]), 14.4
    z0, z1 = OFFICE.height(rng.choice([3, 4])), OFFICE.height(rng.choice([5, 7]))
    prism(site.model, rectangle(width, arm, 0.0, 14.0), 0.0, z0, OFFICE, door=0)
    x = side * (width / 2 - arm / 2)
    prism(site.model, rectangle(arm, 28.0, x, 0.0), 0.0, z1, OFFICE)
    site.frame_box(-width / 2, 0.0, width / 2, 28.4, z1)


def factory(site: Site) -> None:
    """A hall under a saw-tooth roof with an office front."""
    rng = site.rng
    teeth = rng.choice([4, 5, 6])
    width, depth = teeth * 6.0, rng.choice([18.0, 24.0])
    hall = Facade(floor=3.0, ground_floor=5.0, bay=6.0, parapet=0.2)
    obj = prism(site.model, rectangle(width, depth), 0.0, 6.4, hall, door=0, roof=False)
    sawtooth(site.model, Frame(), (-width / 2, 0.0, width / 2, depth), 6.4, 2.6, teeth, obj)
    if rng.random() < 0.6:
        band(
            site.model,
            rectangle(1.8, 1.8, width * 0.35, depth * 0.8),
            0.0,
            20.0,
            Part.WALL,
            site.model.new_object(),
        )
    site.frame_box(-width / 2, 0.0, width / 2, depth, 9.0)


def station_hall(site: Site) -> None:
    """A barrel-vaulted hall between two lower wings."""
    rng = site.rng
    span, depth, rise = rng.choice([16.0, 20.0]), 24.0, rng.choice([6.0, 8.0])
    hall = Facade(floor=4.0, ground_floor=5.0, bay=4.0, lower=Cell.STOREFRONT, parapet=0.5)
    obj = prism(site.model, rectangle(span, depth), 0.0, 9.5, hall, door=0, roof=False)
    barrel(site.model, Frame(), (-span / 2, 0.0, span / 2, depth), 9.5, rise, obj)
    wing = rng.choice([12.0, 16.0])
    for side in (-1, 1):
        prism(
            site.model, rectangle(wing, depth * 0.7, side * (span + wing) / 2, 2.0), 0.0, 5.5, hall
        )
    site.frame_box(-span / 2 - wing, 0.0, span / 2 + wing, depth, 9.5 + rise)
