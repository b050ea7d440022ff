"""Prompts by frame: a small list, beside the main prompt in the tab and in Render Properties."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import Any

import bpy

from ..properties import MaquetteSettings
from ..recipes import prompt_holder
from ..wrapping import wrapped
from .base import EnginePanel, MaquettePanel


class MAQUETTE_UL_prompts(bpy.types.UIList):
    """From which frame on which prompt holds, in the order of the frames."""

    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: object,
        item: bpy.types.PropertyGroup,
        _icon: int,
        _active_data: object,
        _active_property: str,
    ) -> None:
        split = layout.split(factor=0.4)
        split.prop(item, "frame", text="", emboss=False)
        split.prop(item, "prompt", text="", emboss=False, placeholder="Prompt from here on")

    def filter_items(
        self, _context: bpy.types.Context, data: bpy.types.AnyType, name: str
    ) -> tuple[list[int], list[int]]:
        frames = [entry.frame for entry in getattr(data, name)]
        order = sorted(range(len(frames)), key=frames.__getitem__)
        return [], [order.index(entry) for entry in range(len(frames))]


class MAQUETTE_PT_prompts(MaquettePanel, bpy.types.Panel):
    """Other prompts for later frames of an animation."""

    bl_label = "Prompts by Frame"
    bl_parent_id = "MAQUETTE_PT_restyle"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        draw_prompts(self.layout, context.scene.maquette)


class MAQUETTE_PT_render_prompts(EnginePanel, bpy.types.Panel):
    """The same in Render Properties."""

    bl_label = "Prompts by Frame"

    def draw(self, context: bpy.types.Context) -> None:
        draw_prompts(self.layout, context.scene.maquette)


def draw_prompts(layout: bpy.types.UILayout, settings: MaquetteSettings) -> None:
    """The list, with its buttons."""
    row = layout.row()
    row.template_list(
        "MAQUETTE_UL_prompts", "", settings, "prompts", settings, "prompt_index", rows=3
    )
    column = row.column(align=True)
    column.operator("maquette.add_prompt", text="", icon="ADD")
    column.operator("maquette.remove_prompt", text="", icon="REMOVE")


def draw_prompt_in_force(
    layout: bpy.types.UILayout, settings: MaquetteSettings, width: int
) -> None:
    """Where a prompt of the list holds at this frame in place of the main one, from when on."""
    holder: Any = prompt_holder(settings)
    if holder != settings:
        wrapped(layout, f"From frame {holder.frame} on, another prompt holds:", width, "TIME")


CLASSES = (MAQUETTE_UL_prompts, MAQUETTE_PT_prompts, MAQUETTE_PT_render_prompts)
