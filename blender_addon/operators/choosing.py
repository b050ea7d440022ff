"""What operators that ask for a file share: Blender's file browser, before they are executed."""

# Blender's stubs call optional what a running operator always has.
# pyright: reportInvalidTypeForm=false, reportOptionalMemberAccess=false, reportArgumentType=false

from pathlib import Path

import bpy
from bpy.props import StringProperty


class ChoosingFile:
    """An operator that has the user choose a file, PNGs unless its `filter_glob` says otherwise."""

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.png", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @property
    def path(self) -> Path:
        """The file that was chosen."""
        return Path(bpy.path.abspath(self.filepath))
