"""The newest concept, and the Recipe of the picture in the image editor."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy
from maquette_wire.errors import MaquetteError

from .. import results, thumbnails
from ..gallery import entries, shown
from ..wrapping import wrapped
from .base import TAB, MaquettePanel, picture_scale


class MAQUETTE_PT_result(MaquettePanel, bpy.types.Panel):
    """The newest picture of this scene."""

    bl_label = "Last Concept"

    def draw(self, context: bpy.types.Context) -> None:
        layout, image = self.layout, context.scene.maquette.last_result
        if image is None:
            wrapped(
                layout,
                "The picture appears here, and in an image editor if one is open.",
                context.region.width,
            )
            layout.operator("maquette.use_recipe_file", icon="FILE_FOLDER")
            return
        layout.template_icon(
            icon_value=thumbnails.of_image(image), scale=picture_scale(context.region.width)
        )
        _draw_name(layout, context, image)
        grid = layout.grid_flow(columns=2, even_columns=True, align=True)
        grid.operator("maquette.show_result", text="Show", icon="IMAGE_DATA")
        use = grid.operator("maquette.use_recipe", icon="LOOP_BACK")
        use.image = image.name
        shown = grid.operator("maquette.show_result", text="Depth", icon="MOD_OFFSET")
        shown.depth = True
        grid.operator("maquette.open_folder", icon="FILE_FOLDER")
        layout.operator("maquette.use_recipe_file", text="Recipe of a File...", icon="FILEBROWSER")


class MAQUETTE_PT_image(bpy.types.Panel):
    """The Recipe of the picture in the image editor."""

    bl_label = "Recipe"
    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = TAB

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        image = getattr(context, "edit_image", None)
        return image is not None and results.RECIPE in image

    def draw(self, context: bpy.types.Context) -> None:
        layout, width = self.layout, context.region.width
        try:
            recipe = results.recipe_of_image(context.edit_image)
        except MaquetteError as error:  # made by a later version, or edited
            wrapped(layout, str(error), width, "ERROR")
            return
        wrapped(layout, recipe.prompt, width)
        if recipe.negative_prompt:
            wrapped(layout, f"Avoid: {recipe.negative_prompt}", width)
        column = layout.column(align=True)
        for name, value in (
            ("Model", recipe.model),
            ("Seed", recipe.seed),
            ("Geometry", f"{recipe.geometry:.2f}"),
            ("Steps", recipe.steps),
            ("Sampler", recipe.sampler),
        ):
            if value is not None:
                split = column.split(factor=0.4)
                split.label(text=name)
                split.label(text=str(value))
        layout.operator("maquette.use_recipe", icon="LOOP_BACK")


def _draw_name(
    layout: bpy.types.UILayout, context: bpy.types.Context, image: bpy.types.Image
) -> None:
    """A concept's name; with arrows where others were made together with it."""
    entry = shown.entry_of(context.scene, image)
    if entry is None or len(entries.of_job(context.scene, entry.job)) < 2:
        wrapped(layout, image.name, context.region.width)
        return
    row = layout.row(align=True)
    row.operator("maquette.step_result", text="", icon="TRIA_LEFT").by = -1
    name = row.row()
    name.alignment = "CENTER"
    name.label(text=image.name)
    row.operator("maquette.step_result", text="", icon="TRIA_RIGHT").by = 1


CLASSES = (MAQUETTE_PT_result, MAQUETTE_PT_image)
