"""What the engine's panel does: prompts by frame, and colours as they were painted."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import bpy

from ..color_management import as_painted, show_as_painted
from ..recipes import prompt_holder


class MAQUETTE_OT_add_prompt(bpy.types.Operator):
    """Add a prompt that holds from this frame on, at first the one that held so far"""

    bl_idname = "maquette.add_prompt"
    bl_label = "Add Prompt at This Frame"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.maquette
        prompt = prompt_holder(settings).prompt
        entry = settings.prompts.add()
        entry.frame, entry.prompt = context.scene.frame_current, prompt
        settings.prompt_index = len(settings.prompts) - 1
        return {"FINISHED"}


class MAQUETTE_OT_remove_prompt(bpy.types.Operator):
    """Remove the chosen prompt: the one before it holds on"""

    bl_idname = "maquette.remove_prompt"
    bl_label = "Remove Prompt"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        settings = context.scene.maquette
        if not 0 <= settings.prompt_index < len(settings.prompts):
            cls.poll_message_set("No prompt is chosen in the list")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.maquette
        settings.prompts.remove(settings.prompt_index)
        settings.prompt_index = max(0, min(settings.prompt_index, len(settings.prompts) - 1))
        return {"FINISHED"}


class MAQUETTE_OT_show_as_painted(bpy.types.Operator):
    """Show renders of this scene with the colors that were painted (view transform Standard, no
    look, exposure 0, gamma 1)"""

    bl_idname = "maquette.show_as_painted"
    bl_label = "Show as Painted"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if as_painted(context.scene):
            cls.poll_message_set("Colors are shown as painted already")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        show_as_painted(context.scene)
        return {"FINISHED"}


CLASSES = (MAQUETTE_OT_add_prompt, MAQUETTE_OT_remove_prompt, MAQUETTE_OT_show_as_painted)
