"""How the panel has windows and doors laid out.

No ``from __future__ import annotations`` here: Blender reads the annotations themselves.
"""
# pyright: reportInvalidTypeForm=false

from bpy.props import EnumProperty, FloatProperty
from maquette_wire.recipe import BAYS, STOREYS, Recipe

from .quirks import PLAIN

USUAL = Recipe(prompt="")
"""What a recipe has of which nothing is said."""
WINDOWS = (
    (
        "auto",
        "As Prompted",
        'As the prompt says ("ribbon windows"); where it says nothing, as the seed decides',
    ),
    (
        "free",
        "Model's Choice",
        "Nothing is laid out: the model paints windows and doors as it likes",
    ),
    ("punched", "Punched", "Single windows with much wall around them, one to a bay"),
    ("tall", "Tall", "Upright windows from the floor to near the ceiling, one to a bay"),
    ("ribbon", "Ribbon", "A band of windows along each storey, without piers"),
    ("grid", "Grid", "Large openings from slab to slab and pier to pier: a frame of the structure"),
    ("curtain wall", "Curtain Wall", "Glass all over, divided by the edges of the slabs"),
)
"""By the recipe's own words: name in the panel, and tooltip."""


class FacadeSettings:
    """Part of ``scene.maquette``."""

    windows: EnumProperty(
        name="Windows",
        description="How windows and doors are laid out on the walls: regularly, in whole bays and "
        "storeys (shown to the model as steps in the depth)",
        items=WINDOWS,
        default=USUAL.windows,
        options=PLAIN,
    )
    storey_height: FloatProperty(
        name="Storey Height",
        description="From floor to floor; the walls of a building share one height near this, of "
        "which whole storeys fit",
        default=USUAL.storey,
        min=STOREYS[0],
        max=STOREYS[1],
        soft_min=2.4,
        soft_max=6.0,
        step=10,
        precision=2,
        subtype="DISTANCE",
    )
    bay_width: FloatProperty(
        name="Bay Width",
        description="From the middle of one window to the middle of the next; a wall is divided "
        "into whole bays of about that width",
        default=USUAL.bay,
        min=BAYS[0],
        max=BAYS[1],
        soft_min=1.0,
        soft_max=9.0,
        step=10,
        precision=2,
        subtype="DISTANCE",
    )
