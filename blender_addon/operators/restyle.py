"""Restyle and Cancel."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false

import secrets
from typing import Any

import bpy
import msgspec
from bpy.props import StringProperty
from maquette_wire.capture import Capture
from maquette_wire.recipe import Recipe

from ..capture import camera_size, capture_camera, capture_viewport, size_for
from ..delivery import folder_of, target_of
from ..properties import MaquetteSettings
from ..recipes import recipe_of, set_seed
from ..session import Session, current
from .beginning import Beginning
from .server import reach_server

SEEDS = 1_000_000
"""New seeds are below this: numbers that a person can read out."""


class OfSource:
    """An operator that captures what the panel names as the source."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        settings: Any = context.scene.maquette
        say: Any = cls
        if settings.source == "CAMERA" and context.scene.camera is None:
            say.poll_message_set("The scene has no camera: add one, or choose Viewport")
            return False
        if settings.source == "VIEWPORT" and (
            context.area is None or context.area.type != "VIEW_3D"
        ):
            say.poll_message_set("This is not a 3D view: choose Camera, or press it in a 3D view")
            return False
        return True


class MAQUETTE_OT_restyle(Beginning, OfSource, bpy.types.Operator):
    """Make concept images of this view; go on working meanwhile"""

    bl_idname = "maquette.restyle"
    bl_label = "Restyle"
    bl_options = {"REGISTER"}

    def work(self, context: bpy.types.Context) -> None:
        session, settings = current(), context.scene.maquette
        recipe = next_recipe(settings)
        reach_server()
        capture = capture_source(context)
        folder = folder_of(bpy.data.filepath, session.home)
        session.restyle(recipe, capture, target_of(context.scene, folder))
        set_seed(settings, recipe.seed)


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


def next_recipe(settings: MaquetteSettings) -> Recipe:
    """The Recipe that the panel describes, with a new seed unless that is to be kept.

    Raises MaquetteError as ``recipe_of`` does.
    """
    return with_next_seed(recipe_of(settings), settings)


def with_next_seed(recipe: Recipe, settings: MaquetteSettings) -> Recipe:
    """The Recipe with a new seed, unless the panel's is to be kept."""
    if settings.seed_locked:
        return recipe
    return msgspec.structs.replace(recipe, seed=secrets.randbelow(SEEDS))


def capture_source(context: bpy.types.Context) -> Capture:
    """What the camera or the 3D view sees, as the panel says."""
    scene = context.scene
    long_side = scene.maquette.long_side
    if scene.maquette.source == "CAMERA":
        return capture_camera(context, scene.camera, *camera_size(scene, long_side))
    area = context.area
    # A quad view has four regions; the space's own one is the user's free view among them.
    own = area.spaces.active.region_3d
    regions = [region for region in area.regions if region.type == "WINDOW"]
    region = next((each for each in regions if each.data == own), regions[0])
    size = size_for(region.width, region.height, long_side)
    return capture_viewport(context.window, area, *size, region=region)


CLASSES = (MAQUETTE_OT_restyle, MAQUETTE_OT_cancel)
