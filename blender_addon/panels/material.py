"""Materials: what the next one is to be, and those in the file."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import Any

import bpy
from maquette_wire.material import PATTERN, Pattern

from .. import materials, thumbnails
from ..material_settings import MAPPINGS, MaquetteMaterial, pattern_in
from ..results import absolute
from ..wrapping import wrapped
from .base import MaquettePanel
from .restyle import draw_seed, labelled

SHOWN = 12
"""Materials in the list; the others are counted."""
ICONS = {"FACES": "MOD_SOLIDIFY", "BOX": "CUBE"}


class MAQUETTE_PT_material(MaquettePanel, bpy.types.Panel):
    """Materials: seamless tiles at true scale."""

    bl_label = "Materials"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings, width = self.layout, context.scene.maquette, context.region.width
        own = settings.material
        layout.prop(own, "prompt", text="", placeholder="Red brick, weathered")
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(own, "size")
        column.prop(own, "pattern")
        _draw_pattern(column, own, width)
        column.prop(own, "pixels")
        draw_seed(column, settings)
        column.prop(own, "mapping")
        column.prop(own, "assign_to")
        row = layout.row()
        row.scale_y = 1.6
        row.operator("maquette.make_material", icon="MATERIAL")
        note = _goes_nowhere(context, own)
        if note:
            wrapped(layout, note, width, "INFO")
        _draw_list(layout, width)
        text = "Material of a File..."
        layout.operator("maquette.material_of_file", text=text, icon="FILEBROWSER")


def _draw_pattern(column: bpy.types.UILayout, own: MaquetteMaterial, width: int) -> None:
    """What Automatic means now, and the sizes of the units, to be adjusted."""
    pattern = PATTERN[pattern_in(own)]
    labelled(column, "Units").operator(
        "maquette.adjust_material",
        icon="CHECKBOX_HLT" if own.adjust else "CHECKBOX_DEHLT",
        depress=own.adjust,
    )
    if own.adjust:
        units = column.column(align=True)
        units.prop(own, "unit_width")
        units.prop(own, "unit_height")
        column.prop(own, "joint")
        column.prop(own, "relief")
        return
    said = column.column()
    said.active = False
    wrapped(said, sizes(pattern), width)


def sizes(pattern: Pattern) -> str:
    """The sizes of a pattern's units as a person says them."""
    if not pattern.words:  # a plain surface has none
        return f"{pattern.title}: {pattern.description.lower()}."
    across, up = (f"{side * 100:g}" for side in pattern.unit)
    joint = f", joint {pattern.joint * 1000:g} mm" if pattern.joint else ""
    return f"{pattern.title}: {across} × {up} cm{joint}, relief {pattern.relief * 1000:g} mm."


def _goes_nowhere(context: bpy.types.Context, own: MaquetteMaterial) -> str:
    """A sentence where the next material will be given to nothing, and the user may not know."""
    if own.assign_to == "NOTHING" or context.mode == "EDIT_MESH":
        return ""
    if own.assign_to == "SLOT":
        there = context.view_layer.objects.active is not None
    else:
        there = bool(context.selected_objects)
    return "" if there else "Nothing is selected: the material goes into the file and this list."


def _draw_list(layout: bpy.types.UILayout, width: int) -> None:
    there = materials.materials()
    for material in there[:SHOWN]:
        _draw_material(layout, material)
    if len(there) > SHOWN:
        wrapped(layout, f"And {len(there) - SHOWN} more, in the Asset Browser.", width)


def _draw_material(layout: bpy.types.UILayout, material: Any) -> None:
    row = layout.box().row()
    row.template_icon(icon_value=_icon(material), scale=3.0)
    column = row.column(align=True)
    top = column.row(align=True)
    top.prop(material, "name", text="")
    remove = top.row(align=True)
    remove.enabled = material.library is None
    remove.operator("maquette.remove_material", text="", icon="X").material = material.name
    below = column.row(align=True)
    below.operator("maquette.assign_material", text="Assign").material = material.name
    for name, icon in (("use_material", "LOOP_BACK"), ("material_folder", "FILE_FOLDER")):
        below.operator(f"maquette.{name}", text="", icon=icon).material = material.name
    lies = materials.mapping_of(material)
    for mapping, _title, _text in MAPPINGS:
        part = below.row(align=True)
        part.enabled = material.library is None
        lay = part.operator(
            "maquette.lay_material", text="", icon=ICONS[mapping], depress=mapping == lies
        )
        lay.material, lay.mapping = material.name, mapping
    said = column.row()
    said.active = False
    said.label(text=materials.said(material))


def _icon(material: Any) -> int:
    """The material's preview, or its albedo where that is gone."""
    if material.preview is not None and material.preview.icon_id:
        return material.preview.icon_id
    albedo = materials.albedo_of(material)
    return thumbnails.of_file(absolute(albedo.filepath)) if albedo is not None else 0


CLASSES = (MAQUETTE_PT_material,)
