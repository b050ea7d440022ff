"""Going through the gallery in the image editor, from the keyboard."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false

from dataclasses import replace
from typing import Any

import bpy
from bpy.props import IntProperty
from maquette_wire.errors import MaquetteError

from .. import results
from ..gallery import compare, entries, shown
from ..gallery_settings import MaquettePicture, gallery_view
from .chosen import InGallery, OfPicture
from .gallery import take_up, to_trash_or_back, turn_star
from .picture import show_large


class OfEditor(OfPicture):
    """An operator about the picture of the gallery that the image editor shows: the keys are the
    editor's own while it shows something else."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        space = context.space_data
        image = getattr(context, "edit_image", None)
        viewing = isinstance(space, bpy.types.SpaceImageEditor) and space.ui_mode == "VIEW"
        if not viewing or image is None or results.KEY not in image:
            cls.poll_message_set("Show a picture of the gallery in this image editor first")
            return False
        return super().poll(context)

    def entry(self, context: bpy.types.Context) -> MaquettePicture:
        image: Any = context.edit_image
        entry = entries.get(context.scene, image[results.KEY])
        if entry is None:
            raise MaquetteError(
                "no-picture", "This picture is not in this scene's gallery.", "Choose one there."
            )
        return entry


class MAQUETTE_OT_step_picture(OfEditor, bpy.types.Operator):
    """Look at the next picture of the gallery, or the one before, in the image editor"""

    bl_idname = "maquette.step_picture"
    bl_label = "Next Picture"

    by: IntProperty(name="By", description="1 to an older picture, -1 to a newer one", default=1)

    def work(self, context: bpy.types.Context) -> None:
        scene, view = context.scene, gallery_view(context.window_manager)
        comparison = compare.shown_in(context.space_data)
        names = [scene.maquette.pictures[place].name for place in entries.shown(scene, view)]
        if not names:
            raise MaquetteError(
                "no-picture", "The gallery shows no picture.", "Empty its search, or show all."
            )
        image: Any = context.edit_image
        here = image[results.KEY]
        place = names.index(here) + self.by if here in names else 0
        if comparison is not None and names[place % len(names)] == comparison.second:
            place += self.by  # with itself nothing is compared
        _look_at(context, names[place % len(names)])
        if comparison is not None:
            compare.begin(replace(comparison, first=view.chosen))


class MAQUETTE_OT_star_shown(OfEditor, InGallery, bpy.types.Operator):
    """Give the picture in the image editor a star, or take it away"""

    bl_idname = "maquette.star_shown"
    bl_label = "Star This Picture"
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context) -> None:
        turn_star(self.entry(context))


class MAQUETTE_OT_delete_shown(OfEditor, InGallery, bpy.types.Operator):
    """Put the picture in the image editor into the gallery's trash and show the next one. Its file
    stays until the trash is emptied, so this can be undone"""

    bl_idname = "maquette.delete_shown"
    bl_label = "Delete This Picture"
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context) -> None:
        to_trash_or_back(context, self.entry(context))
        if following := gallery_view(context.window_manager).chosen:
            _look_at(context, following)


def _look_at(context: bpy.types.Context, key: str) -> None:
    entry = entries.get(context.scene, key)
    assert entry is not None, "the gallery shows it"
    gallery_view(context.window_manager).chosen = key
    show_large(context, shown.image_of(context.scene, entry))
    take_up(context, entry)


CLASSES = (MAQUETTE_OT_step_picture, MAQUETTE_OT_star_shown, MAQUETTE_OT_delete_shown)
