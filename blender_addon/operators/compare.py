"""Comparing two pictures of the gallery in the image editor."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false

import bpy
from bpy.props import EnumProperty
from maquette_wire.errors import MaquetteError

from ..gallery import compare, entries, shown
from ..gallery.compare import Comparison
from ..gallery_settings import gallery_view
from .chosen import OfPicture
from .picture import show_large


class MAQUETTE_OT_compare(OfPicture, bpy.types.Operator):
    """Compare the chosen picture with the one that you marked (Ctrl-click in the gallery), or else
    with the one before it from the same camera"""

    bl_idname = "maquette.compare"
    bl_label = "Compare Pictures"

    how: EnumProperty(
        name="How",
        items=(
            ("WIPE", "Wipe", "One over the other: drag the line between them in the image editor"),
            ("SIDE", "Side by Side", "Beside each other, at the same zoom and place"),
        ),
        default="WIPE",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        scene, view = context.scene, gallery_view(context.window_manager)
        entry = entries.chosen(scene, view)
        if entry is None or entries.compared(scene, view, entry) is None:
            cls.poll_message_set("Ctrl-click another picture in the gallery to compare with it")
            return False
        return super().poll(context)

    def work(self, context: bpy.types.Context) -> None:
        scene, view = context.scene, gallery_view(context.window_manager)
        entry = self.entry(context)
        other = entries.compared(scene, view, entry)
        if other is None:
            raise MaquetteError(
                "no-picture", "There is no other picture to compare with.", "Mark one."
            )
        image = shown.image_of(scene, entry)
        shown.image_of(scene, other)
        compare.begin(Comparison(entry.name, other.name, self.how))
        show_large(context, image)


class MAQUETTE_OT_wipe_pictures(bpy.types.Operator):
    """Drag the line between two pictures"""

    bl_idname = "maquette.wipe_pictures"
    bl_label = "Wipe Between Pictures"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        comparison = compare.shown_in(context.space_data)
        return comparison is not None and comparison.how == "WIPE"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._follow(context, event)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "MOUSEMOVE":
            self._follow(context, event)
        elif event.type in ("LEFTMOUSE", "ESC", "RIGHTMOUSE"):
            return {"FINISHED"}
        return {"RUNNING_MODAL"}

    def _follow(self, context: bpy.types.Context, event: bpy.types.Event) -> None:
        x = event.mouse_x - context.region.x
        gallery_view(context.window_manager).wipe = compare.factor_at(context.region, x)
        context.area.tag_redraw()


class MAQUETTE_OT_end_compare(bpy.types.Operator):
    """Show one picture again"""

    bl_idname = "maquette.end_compare"
    bl_label = "End Comparison"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return bool(compare.keys())

    def execute(self, _context: bpy.types.Context) -> set[str]:
        compare.end()
        shown.sweep()
        return {"FINISHED"}


CLASSES = (MAQUETTE_OT_compare, MAQUETTE_OT_wipe_pictures, MAQUETTE_OT_end_compare)
