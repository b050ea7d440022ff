"""Going on from a picture: its camera, its capture with other settings, its Recipe elsewhere."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false

import bpy
import msgspec
from bpy.props import BoolProperty, StringProperty
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe

from ..capture import camera_size, capture_camera, capture_view
from ..delivery import folder_of, target_of
from ..gallery.cameras import camera_for, cameras, same_proportions, set_proportions
from ..recipes import set_seed
from ..results import Saved, read_capture
from ..session import current
from .beginning import Beginning
from .chosen import OfPicture
from .restyle import next_recipe
from .server import reach_server


class MAQUETTE_OT_use_camera(OfPicture, bpy.types.Operator):
    """Look through the camera that this picture was seen from. It is a new camera, as your own ones
    are never moved, unless one of them sees exactly this now"""

    bl_idname = "maquette.use_camera"
    bl_label = "Use Camera"
    bl_options = {"REGISTER", "UNDO"}

    proportions: BoolProperty(
        name="Set Proportions",
        description="Change the height of renders so that they show what the picture does, to its "
        "edges",
        options={"SKIP_SAVE"},
    )

    def work(self, context: bpy.types.Context) -> None:
        scene, entry = context.scene, self.entry(context)
        view = self.saved(context).view
        camera, new = camera_for(context, view, entry.title)
        scene.camera = camera
        if self.proportions:
            set_proportions(scene.render, view)
        space = context.space_data
        if isinstance(space, bpy.types.SpaceView3D):
            space.region_3d.view_perspective = "CAMERA"
        made = "is new and" if new else "sees this picture: it"
        said = f"The camera {camera.name} {made} is the scene's camera."
        if not same_proportions(scene.render, view):
            said += (
                " Renders have other proportions than the picture: Set Proportions changes that."
            )
        self.report({"INFO"}, said)


class MAQUETTE_OT_restyle_again(Beginning, OfPicture, bpy.types.Operator):
    """Make another picture of what this one was made of, with the settings that are in the panel
    now. The model as it was then is kept beside the picture; if that is gone, its view is captured
    again"""

    bl_idname = "maquette.restyle_again"
    bl_label = "Restyle Again"
    bl_options = {"REGISTER"}

    def work(self, context: bpy.types.Context) -> None:
        saved, settings = self.saved(context), context.scene.maquette
        recipe = next_recipe(settings)
        reach_server()
        capture = kept_capture(saved)
        if capture is None:
            self.report({"INFO"}, "What it was made of is gone: its view was captured again.")
            capture = capture_view(context, saved.view)
        _restyle(context, recipe, capture)
        set_seed(settings, recipe.seed)


class MAQUETTE_OT_send_recipe(Beginning, OfPicture, bpy.types.Operator):
    """Make the same picture from another camera: same prompt, seed and settings"""

    bl_idname = "maquette.send_recipe"
    bl_label = "Same From Another Camera"
    bl_options = {"REGISTER"}

    camera: StringProperty(
        name="Camera",
        description="Name of a camera of the scene; empty: each of them, one picture from each",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        if not cameras(context.scene):
            cls.poll_message_set("The scene has no camera")
            return False
        return True

    def work(self, context: bpy.types.Context) -> None:
        scene, saved = context.scene, self.saved(context)
        wanted = [each for each in cameras(scene) if self.camera in ("", each.name)]
        if not wanted:
            raise MaquetteError(
                "no-camera", f"The scene has no camera {self.camera!r}.", "Choose another one."
            )
        recipe = msgspec.structs.replace(saved.recipe, count=1, size=None)
        reach_server()
        size = camera_size(scene, max(saved.view.width, saved.view.height))
        manager = context.window_manager
        manager.progress_begin(0.0, len(wanted))
        try:
            for number, camera in enumerate(wanted):
                manager.progress_update(number)
                _restyle(context, recipe, capture_camera(context, camera, *size))
        finally:
            manager.progress_end()


class MAQUETTE_MT_send_recipe(bpy.types.Menu):
    """The cameras that the chosen picture's recipe can be sent to."""

    bl_label = "Same From Another Camera"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator("maquette.send_recipe", text="All Cameras", icon="OUTLINER_OB_CAMERA")
        layout.separator()
        for camera in cameras(context.scene):
            send = layout.operator("maquette.send_recipe", text=camera.name, icon="CAMERA_DATA")
            send.camera = camera.name


def kept_capture(saved: Saved) -> Capture | None:
    """What a picture was made of, where that was kept and can still be read."""
    if saved.capture is None:
        return None
    try:
        return read_capture(saved.capture)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MaquetteError(
            "bad-file",
            f"{saved.capture}, what the picture was made of, can't be read: {error.strerror}.",
            "Delete the file to have the view captured again.",
        ) from error


def _restyle(context: bpy.types.Context, recipe: Recipe, capture: Capture) -> None:
    session = current()
    folder = folder_of(bpy.data.filepath, session.home)
    session.restyle(recipe, capture, target_of(context.scene, folder))


CLASSES = (
    MAQUETTE_OT_use_camera,
    MAQUETTE_OT_restyle_again,
    MAQUETTE_OT_send_recipe,
    MAQUETTE_MT_send_recipe,
)
