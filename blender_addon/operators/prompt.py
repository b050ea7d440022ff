"""Edit Prompt: the whole text at once, in a Text Editor."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

import bpy
from bpy.props import EnumProperty

from .. import prompt_editor


class MAQUETTE_OT_edit_prompt(bpy.types.Operator):
    """Write the whole text in a window of its own, over several lines; it is taken as you type"""

    bl_idname = "maquette.edit_prompt"
    bl_label = "Edit Prompt"

    setting: EnumProperty(
        name="Text",
        description="Which of the two texts",
        items=(
            ("prompt", "Prompt", "What the picture should show"),
            ("negative_prompt", "Avoid", "What should not appear (negative prompt)"),
        ),
        default="prompt",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if bpy.app.background or context.window is None:
            cls.poll_message_set("There is no window to show it in")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        text = prompt_editor.text_of(context.scene, self.setting)
        if not prompt_editor.areas_showing(text):
            prompt_editor.show_in(_area(context), text)
        return {"FINISHED"}


def _area(context: bpy.types.Context) -> bpy.types.Area:
    """A Text Editor that shows nothing, or else the area of a new small window."""
    for area in context.screen.areas:
        space = area.spaces.active
        if isinstance(space, bpy.types.SpaceTextEditor) and space.text is None:
            return area
    windows = context.window_manager.windows
    before = set(windows)
    shown = {area.type for window in windows for area in window.screen.areas}
    if "PREFERENCES" in shown:
        bpy.ops.wm.window_new()
    else:
        # Blender's one small window that is not part of the saved file.
        bpy.ops.screen.userpref_show()
    return next(window for window in windows if window not in before).screen.areas[0]


CLASSES = (MAQUETTE_OT_edit_prompt,)
