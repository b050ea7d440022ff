"""How windows and doors are laid out on the walls, for models that see them."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy
from maquette_wire.recipe import Recipe

from ..abilities import chosen_model, sees_openings
from ..facade_settings import WINDOWS
from ..properties import MaquetteSettings

LABELS = {windows: label for windows, label, _description in WINDOWS}
NAMES = {"windows": "Windows", "storey": "Storey Height", "bay": "Bay Width"}
"""What the layouts and the fields of a recipe are called in the panel."""


def draw_facades(layout: bpy.types.UILayout, settings: MaquetteSettings) -> None:
    """The layout of the windows; it folds away, and isn't there where the model doesn't see any."""
    if not sees_openings(chosen_model(settings.model)):
        return
    header, body = layout.panel("maquette_facades", default_closed=True)
    header.label(text="Façades")
    if body is None:
        chosen = header.row()
        chosen.alignment, chosen.active = "RIGHT", False
        chosen.label(text=LABELS[settings.windows])
        return
    column = body.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(settings, "windows")
    lengths = column.column(align=True)
    lengths.active = settings.windows != "free"
    lengths.prop(settings, "storey_height")
    lengths.prop(settings, "bay_width")


def facade_facts(recipe: Recipe) -> list[tuple[str, str]]:
    """What a recipe asks of windows and doors, in the panel's names."""
    return [
        (NAMES[field], LABELS[value] if isinstance(value, str) else f"{value:g} m")
        for field, value in recipe.facade_words().items()
    ]
