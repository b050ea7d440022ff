"""The Recipe of the picture in the image editor."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy
from maquette_wire.errors import MaquetteError

from .. import results
from ..fine_tuning import LINES
from ..wrapping import wrapped
from .base import TAB
from .facades import facade_facts

LINE_LABELS = {kind: label for kind, label, _description in LINES if kind != "none"}


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
            *facade_facts(recipe),
            ("Lines", LINE_LABELS.get(recipe.lines or "none")),
        ):
            if value is not None:
                split = column.split(factor=0.4)
                split.label(text=name)
                split.label(text=str(value))
        layout.operator("maquette.use_recipe", icon="LOOP_BACK")


CLASSES = (MAQUETTE_PT_image,)
