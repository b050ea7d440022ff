"""Looking at finished pictures: show one, what the model saw, the folder of them."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty
from maquette_wire.errors import MaquetteError

from .. import results
from ..delivery import folder_of
from ..gallery import entries, shown
from ..session import current
from .chosen import OfConcept, has_concept


class MAQUETTE_OT_show_result(OfConcept, bpy.types.Operator):
    """Show this concept large, in an image editor; in a window of its own where none is free"""

    bl_idname = "maquette.show_result"
    bl_label = "Show Concept"

    depth: BoolProperty(
        name="What the Model Saw",
        description="Show the depth map that the picture was made from",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_concept(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        entry = entries.get(scene, self.picture) if self.picture else None
        try:
            image = shown.image_of(scene, entry) if entry else scene.maquette.last_result
            if image is None:
                raise MaquetteError(
                    "no-picture", "There is no last concept.", "Choose a picture in the gallery."
                )
            if self.depth:
                image = self._depth_of(image)
        except MaquetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        show_large(context, image)
        return {"FINISHED"}

    def _depth_of(self, image: bpy.types.Image) -> bpy.types.Image:
        stored = image.get(results.DEPTH)
        if not stored or not Path(bpy.path.abspath(stored)).is_file():
            raise MaquetteError(
                "picture-missing",
                "The depth map of this concept isn't there any more.",
                "Restyle the view again.",
            )
        depth = bpy.data.images.load(stored, check_existing=True)
        depth[results.JOB] = image[results.JOB]
        return depth


class MAQUETTE_OT_open_folder(OfConcept, bpy.types.Operator):
    """Open the folder with this picture, or else the one with the concepts of this file"""

    bl_idname = "maquette.open_folder"
    bl_label = "Open Folder"

    def execute(self, context: bpy.types.Context) -> set[str]:
        image = context.scene.maquette.last_result
        entry = entries.get(context.scene, self.picture) if self.picture else None
        if entry is not None:
            folder = Path(str(entries.place(context.scene, entry.path))).parent
        elif image is not None and image.filepath:
            folder = Path(bpy.path.abspath(image.filepath)).parent
        else:
            folder = folder_of(bpy.data.filepath, current().home)
        if not folder.is_dir():
            self.report({"WARNING"}, f"{folder} is not there.")
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


def show_large(context: bpy.types.Context, image: bpy.types.Image) -> None:
    """Show a picture in an image editor that is free, or else in a new window."""
    if results.show(image, context.window_manager):
        return
    before = set(context.window_manager.windows)
    bpy.ops.wm.window_new()
    window = next(each for each in context.window_manager.windows if each not in before)
    area = window.screen.areas[0]
    area.ui_type = "IMAGE_EDITOR"
    area.spaces.active.image = image
    region = next(each for each in area.regions if each.type == "WINDOW")
    width, height = image.size  # pyright: ignore[reportGeneralTypeIssues]
    if width and height:  # else its file is gone
        fits = min(region.width / width, region.height / height)
        area.spaces.active.zoom_percentage = 100.0 * fits  # a grid is larger than most windows


CLASSES = (
    MAQUETTE_OT_show_result,
    MAQUETTE_OT_open_folder,
    MAQUETTE_OT_save_again,
    MAQUETTE_OT_discard,
)
