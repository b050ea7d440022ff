"""Reporting from outside an operator: what happens in the timer reaches the status bar as well."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false

import bpy
from bpy.props import EnumProperty, StringProperty

from ..capture.windowed import windowed
from ..notices import Notice
from ..session import current


class MAQUETTE_OT_notify(bpy.types.Operator):
    """Report a sentence the way Blender does"""

    bl_idname = "maquette.notify"
    bl_label = "Maquette"
    bl_options = {"INTERNAL"}

    level: EnumProperty(items=[(name, name, "") for name in ("INFO", "WARNING", "ERROR")])
    text: StringProperty()

    def execute(self, _context: bpy.types.Context) -> set[str]:
        # An error report opens a box in the user's way: for what they didn't just click, the
        # status bar and the panel are enough.
        self.report({"INFO" if self.level == "INFO" else "WARNING"}, self.text)
        return {"FINISHED"}


class MAQUETTE_OT_dismiss(bpy.types.Operator):
    """Remove messages that you have read"""

    bl_idname = "maquette.dismiss"
    bl_label = "Dismiss"
    bl_options = {"INTERNAL"}

    def execute(self, _context: bpy.types.Context) -> set[str]:
        current().dismiss()
        return {"FINISHED"}


def report(notice: Notice) -> None:
    """Report a notice of the session in a window of Blender."""
    if bpy.app.background:  # there is nobody to tell
        return
    with windowed():
        ours = bpy.ops.maquette  # pyright: ignore[reportAttributeAccessIssue]
        ours.notify(level=notice.level, text=notice.text)


CLASSES = (MAQUETTE_OT_notify, MAQUETTE_OT_dismiss)
