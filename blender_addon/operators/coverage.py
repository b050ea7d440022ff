"""Preview Views: what the views of a texture would see, before anything is painted."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy

from ..capture import plan, shape
from ..overlay import coverage
from .beginning import Beginning
from .texture import carriers, in_object_mode, matched, not_seen


class MAQUETTE_OT_preview_views(Beginning, bpy.types.Operator):
    """Place the views of a texture and show on the model what they see: blue what they see well,
    orange what more views would see, dark what faces down or is hidden. Nothing is painted"""

    bl_idname = "maquette.preview_views"
    bl_label = "Preview Views"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return in_object_mode(cls, context)

    def work(self, context: bpy.types.Context) -> None:
        settings, scene = context.scene.maquette, context.scene
        made = shape(context, carriers(context), instances=False)
        concept = matched(context)
        given = [] if concept is None else [concept.view]
        planned = plan(context, made, settings.texture_views, given)
        views = given + planned.views(settings.texture_side, settings.texture_side)
        if not views:
            raise not_seen()
        coverage.show(coverage.Preview(scene.session_uid, asked(context), views, planned))


class MAQUETTE_OT_hide_preview(bpy.types.Operator):
    """Take the preview of the views off the model"""

    bl_idname = "maquette.hide_preview"
    bl_label = "Hide Preview"
    bl_options = {"INTERNAL"}

    def execute(self, _context: bpy.types.Context) -> set[str]:
        coverage.hide()
        return {"FINISHED"}


def asked(context: bpy.types.Context) -> object:
    """What a preview depends on that the user sees in the panel."""
    settings = context.scene.maquette
    matching = settings.texture_from_concept and settings.last_result
    chosen = sorted(thing.name for thing in context.selected_objects if thing.type == "MESH")
    return settings.texture_views, matching and matching.name, chosen


CLASSES = (MAQUETTE_OT_preview_views, MAQUETTE_OT_hide_preview)
