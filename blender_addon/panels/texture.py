"""A texture for the model, and the textures that lie on it."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy

from .. import layers
from ..notices import counted
from ..operators.coverage import asked
from ..overlay import coverage
from .base import MaquettePanel


class MAQUETTE_PT_texture(MaquettePanel, bpy.types.Panel):
    """A texture for the model, and the textures that lie on it."""

    bl_label = "Texture on the Model"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.maquette
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "texture_views")
        column.prop(settings, "texture_side")
        column.prop(settings, "texture_size")
        column.prop(settings, "texture_even")
        column.prop(settings, "texture_each")
        column.prop(settings, "texture_own_uvs")
        if settings.last_result is not None:
            column.prop(settings, "texture_from_concept")
        _draw_coverage(layout, context)
        row = layout.row()
        row.scale_y = 1.6
        selected = [thing for thing in context.selected_objects if thing.type == "MESH"]
        what = "Texture Selected" if selected else "Texture All"
        row.operator("maquette.texture", text=what, icon="MOD_UVPROJECT")
        if settings.last_result is not None:
            layout.operator("maquette.project", icon="IMAGE_REFERENCE")
        there = layers.layers()
        for material in there:
            _draw_layer(layout, material)
        shading = context.space_data.shading
        if there and shading.type == "SOLID" and shading.color_type != "TEXTURE":
            layout.operator("maquette.show_textures_in_view", icon="SHADING_TEXTURE")
        layout.operator("maquette.texture_of_file", text="Texture of a File...", icon="FILEBROWSER")


def _draw_coverage(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What the planned views see, with the colours that it has on the model."""
    preview = coverage.shown_in(context.scene)
    row = layout.row(align=True)
    row.operator("maquette.preview_views", icon="HIDE_OFF")
    if preview is None:
        return
    row.operator("maquette.hide_preview", text="", icon="X")
    if preview.asked != asked(context):
        layout.label(text="Of other views or objects: preview again", icon="INFO")
        return
    seen, reachable = preview.plan.seen[-1], preview.plan.reachable
    column = layout.column(align=True)
    for icon, text in (
        ("COLORSET_04_VEC", f"{seen:.0%} seen by {counted(len(preview.views), 'view')}"),
        ("COLORSET_02_VEC", f"{reachable - seen:.0%} more could be seen"),
        ("COLORSET_10_VEC", f"{1.0 - reachable:.0%} hidden, or facing down"),
    ):
        column.label(text=text, icon=icon)
    grid = layout.grid_flow(row_major=True, columns=2, align=True)
    planned = preview.views[len(preview.views) - len(preview.gains) :]
    for view, gain in zip(planned, preview.gains, strict=True):
        grid.label(text=f"{view.name}: +{gain:.0%}")


def _draw_layer(layout: bpy.types.UILayout, material: bpy.types.Material) -> None:
    row = layout.row(align=True)
    shown = layers.is_shown(material)
    icon = "HIDE_OFF" if shown else "HIDE_ON"
    switch = row.operator("maquette.show_texture", text="", icon=icon, emboss=False)
    switch.layer, switch.shown = material.name, not shown
    row.label(text=material.name)
    lit = layers.is_lit(material)
    lamp = row.operator("maquette.light_texture", text="", icon="LIGHT_SUN", depress=lit)
    lamp.layer, lamp.lit = material.name, not lit
    for name, icon in (
        ("bake_again", "FILE_REFRESH"),
        ("texture_folder", "FILE_FOLDER"),
        ("remove_texture", "X"),
    ):
        row.operator(f"maquette.{name}", text="", icon=icon).layer = material.name


CLASSES = (MAQUETTE_PT_texture,)
