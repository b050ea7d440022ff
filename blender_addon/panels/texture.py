"""A texture for the model, and the textures that lie on it."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy

from .. import layers
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
        column.prop(settings, "texture_each")
        column.prop(settings, "texture_own_uvs")
        if settings.last_result is not None:
            column.prop(settings, "texture_from_concept")
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


def _draw_layer(layout: bpy.types.UILayout, material: bpy.types.Material) -> None:
    row = layout.row(align=True)
    shown = layers.is_shown(material)
    icon = "HIDE_OFF" if shown else "HIDE_ON"
    switch = row.operator("maquette.show_texture", text="", icon=icon, emboss=False)
    switch.layer, switch.shown = material.name, not shown
    row.label(text=material.name)
    for name, icon in (
        ("bake_again", "FILE_REFRESH"),
        ("texture_folder", "FILE_FOLDER"),
        ("remove_texture", "X"),
    ):
        row.operator(f"maquette.{name}", text="", icon=icon).layer = material.name


CLASSES = (MAQUETTE_PT_texture,)
