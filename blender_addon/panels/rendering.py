"""Render Properties while Maquette is the render engine: what F12 and Render Animation paint."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy

from ..abilities import chosen_model
from ..color_management import as_painted
from ..properties import settings_of
from ..wrapping import wrapped
from .base import EnginePanel
from .facades import draw_facades
from .presets import draw_presets
from .restyle import draw_fine, draw_geometry, draw_prompt, labelled

FAR = 1.5
"""Times a model's own size from which on a frame is so large that it should be said."""


class MAQUETTE_PT_engine(EnginePanel, bpy.types.Panel):
    """What a frame is painted with."""

    bl_label = "Restyle"
    bl_options = {"HIDE_HEADER"}  # which puts it right below the choice of the engine

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene, width = self.layout, context.scene, context.region.width
        settings = scene.maquette
        if not as_painted(scene):
            _draw_color_warning(layout, scene, width)
        draw_prompt(layout, settings, width)
        draw_presets(layout, settings.presets, width)
        draw_geometry(layout, settings)
        draw_facades(layout, settings)
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        model = chosen_model(settings.model)
        title = model.title if model else settings.model.capitalize()
        labelled(column, "Model").menu("MAQUETTE_MT_model", text=title)
        column.prop(settings, "long_seed" if settings.long_seed else "seed")
        column.prop(settings, "steady")
        _draw_size(layout, scene, width)


def _draw_color_warning(layout: bpy.types.UILayout, scene: bpy.types.Scene, width: int) -> None:
    box = layout.box()
    name = scene.view_settings.view_transform
    what = "changed by the view settings" if name == "Standard" else f"shown through {name}"
    text = f"Colors are {what} and differ from the painted picture."
    wrapped(box, text, width, "ERROR")
    box.operator("maquette.show_as_painted", icon="COLOR")


def _draw_size(layout: bpy.types.UILayout, scene: bpy.types.Scene, width: int) -> None:
    """The size of a frame, where that is far from what the model paints best."""
    render = scene.render
    share = render.resolution_percentage / 100
    size = int(render.resolution_x * share), int(render.resolution_y * share)
    model = chosen_model(settings_of(scene).model)
    if model is not None and max(size) > FAR * model.native_size:
        wrapped(
            layout,
            f"Frames are {size[0]} x {size[1]} px, and {model.title} paints best near "
            f"{model.native_size} px: lower the Resolution in Output Properties for a try.",
            width,
            "INFO",
        )


class MAQUETTE_PT_engine_fine(EnginePanel, bpy.types.Panel):
    """Settings that the model or the Geometry slider decide otherwise."""

    bl_label = "Fine Tuning"

    def draw(self, context: bpy.types.Context) -> None:
        draw_fine(self.layout, context.scene.maquette)


CLASSES = (MAQUETTE_PT_engine, MAQUETTE_PT_engine_fine)
