"""The same panels in the Properties editor, among the settings of the render."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy

from ..engine import ENGINE
from .base import TAB, RenderPanel
from .restyle import draw_fine, draw_restyle


class MAQUETTE_PT_render(RenderPanel, bpy.types.Panel):
    """What to make of the scene's camera, and how it is getting on."""

    bl_label = TAB

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.engine != ENGINE  # whose own panel has these settings

    def draw(self, context: bpy.types.Context) -> None:
        draw_restyle(self.layout, context)


class MAQUETTE_PT_render_fine(RenderPanel, bpy.types.Panel):
    """Settings that the model or the Geometry slider decide otherwise."""

    bl_label = "Fine Tuning"
    bl_parent_id = "MAQUETTE_PT_render"

    def draw(self, context: bpy.types.Context) -> None:
        draw_fine(self.layout, context.scene.maquette)


CLASSES = (MAQUETTE_PT_render, MAQUETTE_PT_render_fine)
