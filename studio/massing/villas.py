"""Modern villas and pavilions: stacked and cantilevered boxes, thin roofs on columns."""

from __future__ import annotations

from ..model import Cell, Facade, Part, rectangle
from ..roofs import flat_slab
from ..walls import band, prism
from .site import Site

VILLA = Facade(floor=3.0, ground_floor=3.0, bay=3.4, parapet=0.5)
OPEN = Facade(
    floor=3.0, ground_floor=3.0, bay=2.4, upper=Cell.STOREFRONT, lower=Cell.STOREFRONT, parapet=0.5
)


def stacked_villa(site: Site) -> None:
    """Three boxes stacked with shifts."""
    rng = site.rng
    w0, d0 = rng.choice([13.6, 17.0]), 9.0
    shift = rng.choice([-1, 1])
    prism(site.model, rectangle(w0, d0), 0.0, 3.5, OPEN, door=0)
    w1 = w0 * rng.choice([0.65, 0.8])
    x1 = shift * (w0 - w1) / 2 * 0.9
    prism(site.model, rectangle(w1, d0 + 0.8, x1, -0.4), 3.5, 7.0, VILLA)
    height = 7.0
    if rng.random() < 0.6:
        prism(
            site.model, rectangle(w1 * 0.5, d0 * 0.6, x1 - shift * w1 * 0.2, 2.0), 7.0, 10.3, VILLA
        )
        height = 10.3
    site.front = -0.4
    site.frame_box(-w0 / 2, -0.4, w0 / 2, d0 + 0.4, height)


def cantilever_villa(site: Site) -> None:
    """A long upper box that reaches far over a smaller base."""
    rng = site.rng
    side = rng.choice([-1, 1])
    base, reach, depth = rng.choice([8.5, 10.2]), rng.choice([4.0, 5.5]), 9.0
    prism(site.model, rectangle(base, depth, 0.0, 1.2), 0.0, 3.2, OPEN, door=0)
    long = base + reach + 1.5
    x = side * (reach / 2 + 0.2)
    prism(site.model, rectangle(long, depth + 1.2, x, 0.0), 3.2, 6.9, VILLA, blank=(1, 3))
    wall = site.model.new_object()
    band(
        site.model,
        rectangle(0.5, 7.0, side * (base / 2 + reach * 0.75), 1.5),
        0.0,
        3.2,
        Part.WALL,
        wall,
    )
    if rng.random() < 0.5:
        prism(site.model, rectangle(base * 0.5, 5.0, -side * base * 0.15, 3.0), 6.9, 10.2, VILLA)
    site.frame_box(x - long / 2, 0.0, x + long / 2, depth + 1.2, 7.6)


def pavilion(site: Site) -> None:
    """A glazed hall under a wide thin roof on columns."""
    rng = site.rng
    bays, bay = rng.choice([4, 5, 6]), rng.choice([4.0, 5.0])
    width, depth, height = bays * bay, rng.choice([10.0, 14.0]), rng.choice([4.2, 5.2])
    model = site.model
    slab = model.new_object()
    flat_slab(model, rectangle(width + 3.0, depth + 3.0, 0.0, -1.5), height, 0.6, slab)
    band(
        model,
        rectangle(width + 3.0, depth + 3.0, 0.0, -1.5),
        0.0,
        0.3,
        Part.TRIM,
        model.new_object(),
    )
    hall = Facade(
        floor=height, ground_floor=height - 0.3, bay=bay / 2, lower=Cell.STOREFRONT, parapet=0.0
    )
    prism(
        model,
        rectangle(width - 4.0, depth - 4.0, 0.0, 2.0),
        0.3,
        height,
        hall,
        roof=False,
        grounded=True,
    )
    columns = model.new_object()
    for i in range(bays + 1):
        for y in (-0.6, depth + 0.6):
            band(
                model, rectangle(0.4, 0.4, -width / 2 + i * bay, y), 0.3, height, Part.TRIM, columns
            )
    site.front = -1.5
    site.frame_box(-width / 2 - 1.5, -1.5, width / 2 + 1.5, depth + 1.5, height + 0.6)


def museum(site: Site) -> None:
    """Large calm boxes, turned against each other, few openings."""
    rng = site.rng
    facade = Facade(
        floor=5.0, ground_floor=5.0, bay=5.0, lower=Cell.STOREFRONT, upper=Cell.WINDOW, parapet=1.0
    )
    closed = Facade(
        floor=5.0, ground_floor=5.0, bay=5.0, lower=Cell.BLANK, upper=Cell.BLANK, parapet=1.0
    )
    width, depth = rng.choice([30.0, 36.0]), 20.0
    side = rng.choice([-1, 1])
    prism(site.model, rectangle(width, depth), 0.0, 6.0, facade, door=0)
    prism(
        site.model,
        rectangle(width * 0.55, depth * 0.9, side * width * 0.16, -3.0),
        6.0,
        rng.choice([13.0, 16.0]),
        facade,
        blank=(1, 3),
    )
    prism(
        site.model,
        rectangle(width * 0.3, depth * 0.6, -side * width * 0.28, 4.0),
        6.0,
        11.0,
        closed,
    )
    site.front = -3.0
    site.frame_box(-width / 2, -3.0, width / 2, depth, 14.0)
