"""The list of building types with their defaults, and the choice of one for a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from . import blocks, civic, houses, slabs, towers, villas
from .site import Site


@dataclass(frozen=True)
class BuildingType:
    """A building type: its builder, and what a prompt that does not say otherwise gets."""

    build: Callable[[Site], None]
    wall: str
    roof: str
    windows: str
    ground: str
    urban: bool
    """Whether city context and cars belong around it."""

    @property
    def pitched(self) -> bool:
        """Whether the roof is of tiles, slate or zinc rather than flat."""
        return self.roof not in ("flat", "green")


TYPES: dict[str, BuildingType] = {
    "gabled house": BuildingType(
        houses.gabled_house, "red brick", "clay tile", "punched", "lawn", False
    ),
    "office slab": BuildingType(slabs.office_slab, "concrete", "flat", "ribbon", "plaza", True),
    "church": BuildingType(civic.church, "stone", "slate", "punched", "plaza", False),
    "podium tower": BuildingType(
        towers.podium_tower, "glass", "flat", "curtain wall", "plaza", True
    ),
    "stacked villa": BuildingType(
        villas.stacked_villa, "white render", "flat", "tall", "lawn", False
    ),
    "street canyon": BuildingType(
        blocks.street_canyon, "pale brick", "flat", "tall", "street", True
    ),
    "courtyard block": BuildingType(
        blocks.courtyard_block, "red brick", "flat", "tall", "plaza", True
    ),
    "row houses": BuildingType(houses.row_houses, "red brick", "slate", "tall", "street", False),
    "balcony flats": BuildingType(slabs.balcony_slab, "white render", "flat", "tall", "lawn", True),
    "pavilion": BuildingType(villas.pavilion, "concrete", "flat", "curtain wall", "plaza", False),
    "setback tower": BuildingType(towers.setback_tower, "stone", "flat", "grid", "street", True),
    "hip-roofed house": BuildingType(
        houses.hip_house, "white render", "slate", "tall", "lawn", False
    ),
    "crescent": BuildingType(blocks.crescent, "white render", "flat", "tall", "lawn", False),
    "rotunda": BuildingType(civic.rotunda, "stone", "zinc", "tall", "plaza", False),
    "library": BuildingType(civic.library, "stone", "flat", "grid", "plaza", True),
    "factory": BuildingType(slabs.factory, "red brick", "zinc", "grid", "street", False),
    "flat-roofed house": BuildingType(
        houses.flat_house, "white render", "flat", "punched", "lawn", False
    ),
    "twisted tower": BuildingType(
        towers.twisted_tower, "glass", "flat", "curtain wall", "plaza", True
    ),
    "canal houses": BuildingType(
        blocks.canal_houses, "red brick", "clay tile", "tall", "water", False
    ),
    "podium slab": BuildingType(slabs.podium_slab, "metal", "flat", "ribbon", "plaza", True),
    "chapel": BuildingType(civic.chapel, "white render", "slate", "punched", "lawn", False),
    "cantilevered villa": BuildingType(
        villas.cantilever_villa, "concrete", "flat", "ribbon", "lawn", False
    ),
    "round tower": BuildingType(towers.round_tower, "metal", "flat", "ribbon", "plaza", True),
    "museum": BuildingType(villas.museum, "concrete", "flat", "grid", "plaza", True),
    "barn": BuildingType(houses.barn, "timber", "clay tile", "punched", "lawn", False),
    "corner building": BuildingType(
        blocks.corner_building, "pale brick", "flat", "tall", "street", True
    ),
    "twin towers": BuildingType(towers.twin_towers, "glass", "flat", "curtain wall", "plaza", True),
    "L-shaped house": BuildingType(
        houses.wing_house, "pale brick", "clay tile", "punched", "lawn", False
    ),
    "office wings": BuildingType(slabs.l_office, "white render", "flat", "ribbon", "plaza", True),
    "terraced building": BuildingType(
        blocks.terraced_building, "white render", "flat", "tall", "lawn", True
    ),
    "station hall": BuildingType(slabs.station_hall, "red brick", "zinc", "grid", "plaza", True),
    "wave building": BuildingType(
        blocks.wave_building, "white render", "flat", "ribbon", "plaza", True
    ),
    "gate building": BuildingType(towers.gate_tower, "stone", "flat", "grid", "plaza", True),
}


def type_of(seed: int) -> str:
    """Building type of a seed: every run of len(TYPES) seeds holds each type once, in an order
    of its own."""
    names = list(TYPES)
    block, index = divmod(seed, len(names))
    random.Random(f"types-{block}").shuffle(names)
    return names[index]


def build_site(seed: int) -> tuple[str, Site]:
    """Volumes of the main building of a seed, with the name of its type."""
    name = type_of(seed)
    site = Site(random.Random(f"massing-{seed}"))
    TYPES[name].build(site)
    return name, site
