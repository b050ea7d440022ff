"""The chosen presets as pictures, a click on which opens all of the kind."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy
from maquette_wire.presets.words import CATEGORIES

from ..chosen_presets import MaquettePresets, chosen_presets, missing_presets
from ..preset_library import LOOKS, current_library
from ..wrapping import wrapped
from .base import ROW

COLUMNS = 3
MARGIN = 48
"""Pixels at a scale of 1 beside the pictures in a region."""
TILE, IN_GRID = (2.0, 5.0), 5.0
"""Side of a chosen preset's picture at least and at most, and of those in the grid to choose from,
in rows of the panel."""


class MAQUETTE_MT_presets(bpy.types.Menu):
    """Add, edit, delete and share presets"""

    bl_label = "Presets"

    def draw(self, context: bpy.types.Context) -> None:
        layout, known = self.layout, current_library()
        layout.operator("maquette.add_preset", text="Add Preset...", icon="ADD")
        for preset in chosen_presets(context.scene.maquette.presets):
            layout.separator()
            text = f"Edit {preset.name}..."
            layout.operator(
                "maquette.edit_preset", text=text, icon="GREASEPENCIL"
            ).of = preset.category
            if preset in known.own:
                text = f"Delete {preset.name}"
                layout.operator(
                    "maquette.delete_preset", text=text, icon="TRASH"
                ).of = preset.category
        layout.separator()
        layout.operator("maquette.import_presets", text="Import...", icon="IMPORT")
        layout.operator("maquette.export_presets", text="Export...", icon="EXPORT")


def draw_presets(layout: bpy.types.UILayout, chosen: MaquettePresets, width: int) -> None:
    """The presets in a region of ``width`` pixels; they fold away."""
    header, body = layout.panel("maquette_presets")
    names = ", ".join(preset.name for preset in chosen_presets(chosen))
    header.label(text="Presets" if body or not names else names)
    missing = missing_presets(chosen)
    if names or missing:
        header.operator("maquette.clear_presets", text="", icon="X", emboss=False)
    header.menu("MAQUETTE_MT_presets", text="", icon="DOWNARROW_HLT")
    if body is None:
        return
    for sentence in (*current_library().warnings, *map(_missing, missing)):
        wrapped(body, sentence, width, "ERROR")
    side = _side(width)
    grid = body.grid_flow(
        row_major=True, columns=COLUMNS, even_columns=True, even_rows=True, align=True
    )
    for category in CATEGORIES:
        column = grid.column(align=True)
        column.template_icon_view(
            chosen,
            f"pick_{category}",
            show_labels=True,
            scale=side,
            scale_popup=IN_GRID,
        )
        name = column.row()
        name.alignment = "CENTER"
        name.active = bool(getattr(chosen, category))
        name.label(text=getattr(chosen, category) or LOOKS[category][0])


def _side(width: int) -> float:
    """Of a chosen preset's picture in a region of ``width`` pixels, in rows of the panel."""
    scale = bpy.context.preferences.system.ui_scale
    return min(max((width / scale - MARGIN) / COLUMNS / ROW, TILE[0]), TILE[1])


def _missing(name: str) -> str:
    return f'The preset "{name}" isn\'t installed here, so its words are left out.'


CLASSES = (MAQUETTE_MT_presets,)
