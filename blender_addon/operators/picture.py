"""Looking at finished pictures: show one, what the model saw, the folder of them."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false

from pathlib import Path

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from .. import results
from ..delivery import folder_of
from ..session import current


class MAQUETTE_OT_show_result(bpy.types.Operator):
    """Show the last concept in an image editor; in a window of its own where none is open"""

    bl_idname = "maquette.show_result"
    bl_label = "Show Concept"

    depth: BoolProperty(
        name="What the Model Saw",
        description="Show the depth map that the picture was made from",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.scene.maquette.last_result is None:
            cls.poll_message_set("There is no concept of this scene yet")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        image = context.scene.maquette.last_result
        if self.depth:
            image = self._depth_of(image)
            if image is None:
                self.report({"ERROR"}, "The depth map of this concept isn't there any more.")
                return {"CANCELLED"}
        if not results.show(image, context.window_manager):
            _show_in_window(context, image)
        return {"FINISHED"}

    def _depth_of(self, image: bpy.types.Image) -> bpy.types.Image | None:
        stored = image.get(results.DEPTH)
        if not stored or not Path(bpy.path.abspath(stored)).is_file():
            return None
        depth = bpy.data.images.load(stored, check_existing=True)
        depth[results.JOB] = image[results.JOB]
        return depth


class MAQUETTE_OT_step_result(bpy.types.Operator):
    """Go to the next or the one before of the variations that were made together"""

    bl_idname = "maquette.step_result"
    bl_label = "Another Variation"
    bl_options = {"INTERNAL"}

    by: IntProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.maquette
        pictures = results.variations(settings.last_result)
        place = pictures.index(settings.last_result) + self.by
        settings.last_result = pictures[place % len(pictures)]
        results.show(settings.last_result, context.window_manager)
        return {"FINISHED"}


class MAQUETTE_OT_open_folder(bpy.types.Operator):
    """Open the folder with the concepts of this file"""

    bl_idname = "maquette.open_folder"
    bl_label = "Open Folder"

    def execute(self, context: bpy.types.Context) -> set[str]:
        image = context.scene.maquette.last_result
        if image is not None and image.filepath:
            folder = Path(bpy.path.abspath(image.filepath)).parent
        else:
            folder = folder_of(bpy.data.filepath, current().home)
        if not folder.is_dir():
            self.report({"WARNING"}, f"{folder} is not there: no concept was saved in it yet.")
            return {"CANCELLED"}
        bpy.ops.wm.path_open(filepath=str(folder))
        return {"FINISHED"}


class MAQUETTE_OT_save_again(bpy.types.Operator):
    """Save the picture once more, in the folder that the preferences name now"""

    bl_idname = "maquette.save_again"
    bl_label = "Save Again"
    bl_options = {"INTERNAL"}

    job: StringProperty()

    def execute(self, _context: bpy.types.Context) -> set[str]:
        current().save_again(self.job)
        return {"FINISHED"}


class MAQUETTE_OT_discard(bpy.types.Operator):
    """Do without this picture: it is deleted on the server as well"""

    bl_idname = "maquette.discard"
    bl_label = "Discard"
    bl_options = {"INTERNAL"}

    job: StringProperty()

    def execute(self, _context: bpy.types.Context) -> set[str]:
        current().discard(self.job)
        return {"FINISHED"}


def _show_in_window(context: bpy.types.Context, image: bpy.types.Image) -> None:
    before = set(context.window_manager.windows)
    bpy.ops.wm.window_new()
    window = next(each for each in context.window_manager.windows if each not in before)
    area = window.screen.areas[0]
    area.ui_type = "IMAGE_EDITOR"
    area.spaces.active.image = image


CLASSES = (
    MAQUETTE_OT_show_result,
    MAQUETTE_OT_step_result,
    MAQUETTE_OT_open_folder,
    MAQUETTE_OT_save_again,
    MAQUETTE_OT_discard,
)
