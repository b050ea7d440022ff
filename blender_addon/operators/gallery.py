"""The gallery: choose, star, delete, page through."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false

import time

import bpy
from bpy.props import BoolProperty, IntProperty
from maquette_wire.errors import MaquetteError

from .. import results
from ..gallery import entries, shown
from ..gallery_settings import MaquettePicture, gallery_view
from ..notices import counted
from ..properties import settings_of
from ..session import current, wake
from .chosen import InGallery, OfPicture
from .picture import show_large


class MAQUETTE_OT_choose_picture(OfPicture, bpy.types.Operator):
    """Choose this picture: it lies over the 3D view where that sees the same, a free image editor
    shows it, and the buttons below are for it. A double click shows it large; Ctrl-click marks it
    as the one to compare with"""

    bl_idname = "maquette.choose_picture"
    bl_label = "Choose Picture"
    bl_options = {"INTERNAL"}

    mark: BoolProperty(options={"SKIP_SAVE", "HIDDEN"})
    large: BoolProperty(options={"SKIP_SAVE", "HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.mark = event.ctrl or event.oskey
        self.large = not self.mark and _is_second_click(self.picture, context.preferences.inputs)
        return self.execute(context)

    def work(self, context: bpy.types.Context) -> None:
        view, entry = gallery_view(context.window_manager), self.entry(context)
        if self.mark:
            view.marked = "" if view.marked == entry.name else entry.name
            return
        view.chosen = entry.name
        take_up(context, entry)
        if self.large:
            show_large(context, shown.image_of(context.scene, entry))


class MAQUETTE_OT_gallery_page(bpy.types.Operator):
    """Turn the gallery's page"""

    bl_idname = "maquette.gallery_page"
    bl_label = "Turn the Page"
    bl_options = {"INTERNAL"}

    page: IntProperty(options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        gallery_view(context.window_manager).page = self.page
        return {"FINISHED"}


class MAQUETTE_OT_star_picture(InGallery, bpy.types.Operator):
    """Give this picture a star, or take it away. One with a star is never deleted to save space"""

    bl_idname = "maquette.star_picture"
    bl_label = "Star"
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context) -> None:
        turn_star(self.entry(context))


class MAQUETTE_OT_delete_picture(InGallery, bpy.types.Operator):
    """Put this picture into the gallery's trash, or take it out again. Its file stays until the
    trash is emptied, so this can be undone"""

    bl_idname = "maquette.delete_picture"
    bl_label = "Delete Picture"
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context) -> None:
        to_trash_or_back(context, self.entry(context))


class MAQUETTE_OT_delete_unstarred(InGallery, bpy.types.Operator):
    """Put all pictures without a star into the gallery's trash"""

    bl_idname = "maquette.delete_unstarred"
    bl_label = "Delete All Without a Star"
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context) -> None:
        count = 0
        for entry in context.scene.maquette.pictures:
            if not entry.starred and not entry.trashed:
                entry.trashed = True
                count += 1
        gallery_view(context.window_manager).chosen = ""
        self.report({"INFO"}, f"Moved to the gallery's trash: {counted(count, 'picture')}.")


class MAQUETTE_OT_empty_trash(InGallery, bpy.types.Operator):
    """Delete the files of all pictures in the gallery's trash, with what they were made of; those
    that another .blend has as well stay. This can't be undone"""

    bl_idname = "maquette.empty_trash"
    bl_label = "Empty the Gallery's Trash"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        if not entries.total(context.scene)[1]:
            cls.poll_message_set("The gallery's trash is empty")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        count = entries.total(context.scene)[1]
        return context.window_manager.invoke_confirm(
            self,
            event,
            title="Empty the Gallery's Trash?",
            message=f"The files of {counted(count, 'picture')} are deleted. This can't be undone.",
            confirm_text="Delete Files",
            icon="QUESTION",
        )

    def work(self, context: bpy.types.Context) -> None:
        scene = context.scene
        trashed = [entry.name for entry in scene.maquette.pictures if entry.trashed]
        current().gallery.delete((scene.session_uid, key) for key in trashed)
        gallery_view(context.window_manager).chosen = ""
        wake()


def turn_star(entry: MaquettePicture) -> None:
    """Give a picture a star, or take it away."""
    entry.starred = not entry.starred


def to_trash_or_back(context: bpy.types.Context, entry: MaquettePicture) -> None:
    """Put a picture into the trash, or take it out. The one after it is chosen then, and takes its
    place over the 3D view."""
    scene, view = context.scene, gallery_view(context.window_manager)
    places = entries.shown(scene, view)
    names = [settings_of(scene).pictures[place].name for place in places]
    entry.trashed = not entry.trashed
    if entry.name in names:
        at = names.index(entry.name)
        rest = names[:at] + names[at + 1 :]
        view.chosen = rest[min(at, len(rest) - 1)] if rest else ""
        last, following = settings_of(scene).last_result, entries.get(scene, view.chosen)
        if last is not None and shown.entry_of(scene, last) == entry:
            settings_of(scene).last_result = None
            if following is not None:
                take_up(context, following)


def take_up(context: bpy.types.Context, entry: MaquettePicture) -> None:
    """Make a picture the scene's concept, which lies over the 3D view, and show it where an image
    editor is free; no window is opened for it."""
    try:
        image = shown.image_of(context.scene, entry)
    except MaquetteError:
        return  # the gallery says that it is missing
    if context.scene.library is None:
        settings_of(context.scene).last_result = image
    results.show(image, context.window_manager)
    shown.sweep()


_clicked = "", 0.0
"""The picture that was clicked last, and when."""


def _is_second_click(picture: str, inputs: bpy.types.PreferencesInput) -> bool:
    """Whether a click on a picture ends a double click: Blender's buttons know none."""
    global _clicked
    before, now = _clicked, time.monotonic()
    second = before[0] == picture and now - before[1] < inputs.mouse_double_click_time / 1000
    _clicked = ("", 0.0) if second else (picture, now)
    return second


CLASSES = (
    MAQUETTE_OT_choose_picture,
    MAQUETTE_OT_gallery_page,
    MAQUETTE_OT_star_picture,
    MAQUETTE_OT_delete_picture,
    MAQUETTE_OT_delete_unstarred,
    MAQUETTE_OT_empty_trash,
)
