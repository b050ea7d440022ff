"""Restyle and Cancel."""

# pyright: reportInvalidTypeForm=false

import secrets

import bpy
import msgspec
from bpy.props import StringProperty
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError

from .. import preferences, results
from ..capture import capture_camera, capture_viewport
from ..recipes import recipe_of
from ..session import Session, current, target_of
from ..sizes import fitted

SEEDS = 1_000_000
"""New seeds are below this: numbers that a person can read out."""


class MAQUETTE_OT_restyle(bpy.types.Operator):
    """Make concept images of this view; go on working meanwhile"""

    bl_idname = "maquette.restyle"
    bl_label = "Restyle"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        settings = context.scene.maquette
        if settings.source == "CAMERA" and context.scene.camera is None:
            cls.poll_message_set("The scene has no camera: add one, or choose Viewport")
            return False
        if settings.source == "VIEWPORT" and context.region_data is None:
            cls.poll_message_set("This is not a 3D view: choose Camera, or press it in a 3D view")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        session = current()
        settings = context.scene.maquette
        try:
            recipe = recipe_of(settings)
            if not settings.seed_locked:
                recipe = msgspec.structs.replace(recipe, seed=secrets.randbelow(SEEDS))
            session.want_server(preferences.choice())
            capture = _capture(context)
            folder = results.folder_for(
                preferences.preferences().folder, bpy.data.filepath, session.home
            )
            session.restyle(recipe, capture, target_of(context.scene, folder))
        except MaquetteError as error:
            session.dismiss()
            session.note("ERROR", str(error))
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        settings.seed = recipe.seed
        return {"FINISHED"}


class MAQUETTE_OT_cancel(bpy.types.Operator):
    """Stop making this picture"""

    bl_idname = "maquette.cancel"
    bl_label = "Cancel"

    job: StringProperty(description="Which job; empty: all of them", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        if not current().open_jobs:
            cls.poll_message_set("Nothing is being made at the moment")
            return False
        return True

    def execute(self, _context: bpy.types.Context) -> set[str]:
        session: Session = current()
        for job in session.open_jobs:
            if self.job in ("", job.name):
                session.cancel(job.name)
        return {"FINISHED"}


def _capture(context: bpy.types.Context) -> Capture:
    scene = context.scene
    long_side = scene.maquette.long_side
    if scene.maquette.source == "VIEWPORT":
        region = context.region
        area = context.area
        # In the sidebar the context's region is the sidebar: the picture is of the 3D view beside.
        if region.type != "WINDOW":
            region = next(each for each in area.regions if each.type == "WINDOW")
        width, height = fitted(region.width, region.height, long_side)
        return capture_viewport(context, width, height)
    render = scene.render
    width, height = fitted(
        render.resolution_x * render.pixel_aspect_x,
        render.resolution_y * render.pixel_aspect_y,
        long_side,
    )
    return capture_camera(context, scene.camera, width, height)


CLASSES = (MAQUETTE_OT_restyle, MAQUETTE_OT_cancel)
