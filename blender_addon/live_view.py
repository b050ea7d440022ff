"""The 3D view that Live looks at: what is seen in it, when that changes, and capturing it.

Changes are noticed where Blender tells of them: it draws the view again when that was moved or a
setting was changed, and evaluates the model when that was. Nothing runs while nothing changes.
"""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy
import msgspec
import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.view import View

from .capture import camera_pose, camera_size, camera_view, capture_viewport, size_for
from .capture.offscreen import main_region
from .capture.view import KINDS, viewport_view
from .live import Painted, Wish
from .overlay import pictures
from .properties import settings_of
from .recipes import recipe_of
from .redrawing import redraw_views

LEAST_REGION = 32
LEAST_SIDE = 16
LOOK = ("type", "light", "color_type", "studio_light", "show_xray", "show_shadows", "show_cavity")
"""What of a viewport's shading its colour depends on at first sight."""
MODEL_HANDLERS = ("depsgraph_update_post", "undo_post", "redo_post")


@dataclass(frozen=True)
class Place:
    """A 3D view, on the screen at the moment."""

    window: bpy.types.Window
    area: bpy.types.Area
    region: bpy.types.Region

    @property
    def space(self) -> Any:
        return self.area.spaces.active


def places() -> list[Place]:
    """The 3D views on the screen, the largest first."""
    found = [
        Place(window, area, region)
        for window in bpy.context.window_manager.windows
        for area in window.screen.areas
        if area.type == "VIEW_3D" and (region := main_region(area)) is not None
    ]
    return sorted(found, key=lambda each: -each.area.width * each.area.height)


class LiveView:
    """A 3D view as Live's eye.

    Args:
        area: the 3D view to follow; where it is closed, the largest one takes its place.
        changed: called where a look may show something new.
    """

    def __init__(self, area: bpy.types.Area, changed: Callable[[], None]) -> None:
        self._area = area.as_pointer()
        self._changed = changed
        self._model = 0
        self._visible = 0
        self._capturing = False
        self._handler: Any = None
        for name in MODEL_HANDLERS:
            getattr(bpy.app.handlers, name).append(self._model_changed)
        if not bpy.app.background:
            self._handler = bpy.types.SpaceView3D.draw_handler_add(
                self._drawn, (), "WINDOW", "POST_PIXEL"
            )

    def close(self) -> None:
        for name in MODEL_HANDLERS:
            handlers = getattr(bpy.app.handlers, name)
            if self._model_changed in handlers:  # opening a file empties them
                handlers.remove(self._model_changed)
        if self._handler is not None:
            bpy.types.SpaceView3D.draw_handler_remove(self._handler, "WINDOW")
            self._handler = None
        pictures.set_live(None)
        redraw_views()

    def place(self) -> Place | None:
        """Where to look; None where no 3D view is on the screen."""
        found = places()
        own = next((each for each in found if each.area.as_pointer() == self._area), None)
        if own is None and found:
            own = found[0]
            self._area = own.area.as_pointer()
        return own

    def wish(self) -> Wish | None:
        place = self.place()
        if place is None or bpy.app.is_job_running("RENDER"):
            return None
        if min(place.region.width, place.region.height) < LEAST_REGION:
            return None
        view = _view_in(place)
        if min(view.width, view.height) < LEAST_SIDE:
            return None
        scene = place.window.scene
        recipe = msgspec.structs.replace(recipe_of(settings_of(scene)), count=1)
        space = place.space
        look = tuple(getattr(space.shading, name) for name in LOOK)
        layer = place.window.view_layer.name
        local = space.local_view is not None
        return Wish(recipe, view, (scene.session_uid, layer, self._model, local, look))

    def capture(self, wish: Wish) -> Capture:
        place = self.place()
        if place is None:
            raise MaquetteError("no-viewport", "No 3D view is open.", "Open one, and start Live.")
        size = wish.view.width, wish.view.height
        self._capturing = True
        try:
            return capture_viewport(
                place.window, place.area, *size, region=place.region, view=wish.view
            )
        finally:
            # What was set for the capture and put back is no change of the model.
            place.window.view_layer.update()
            self._capturing = False

    def show(self, painted: Painted | None, text: str) -> None:
        before = pictures.live
        place = self.place()
        scene = place.window.scene.session_uid if place else 0
        shown = pictures.Live(self._area, scene, f"Live: {text}")
        if before is not None:
            shown.picture = before.picture
        if painted is not None and (before is None or before.made_of is not painted):
            colors = np.frombuffer(painted.pixels, np.uint8).reshape(painted.shape)
            capture = painted.capture
            depth = np.asarray(capture.depth)
            shown.picture = pictures.Picture(capture.view, colors, depth)
        shown.made_of = painted
        pictures.set_live(shown)
        redraw_views()

    # --- what Blender tells -------------------------------------------------------------------

    def _drawn(self) -> None:
        if bpy.context.area.as_pointer() == self._area:
            self._changed()

    def _model_changed(self, _scene: bpy.types.Scene, depsgraph: Any = None, *_rest: Any) -> None:
        if self._capturing:
            return
        if depsgraph is None or self._is_seen(depsgraph):
            self._model += 1
        self._changed()

    def _is_seen(self, depsgraph: bpy.types.Depsgraph) -> bool:
        for update in depsgraph.updates:
            if (
                update.is_updated_geometry
                or update.is_updated_transform
                or update.is_updated_shading
            ) and not isinstance(update.id, bpy.types.Scene):
                return True
        # Hiding an object is told like selecting one: as something about the scene.
        place = self.place()
        if place is None:
            return False
        layer = place.window.view_layer
        visible = sum(each.visible_get(view_layer=layer) for each in layer.objects)
        if visible == self._visible:
            return False
        self._visible = visible
        return True


def _view_in(place: Place) -> View:
    """What the user sees: the camera's frame where the view looks through one, else all of it."""
    side = settings_of(place.window.scene).live_side
    region_3d = place.region.data
    camera = place.space.camera if place.space.use_local_camera else place.window.scene.camera
    looks_through = region_3d.view_perspective == "CAMERA" and camera is not None
    if looks_through and camera.type == "CAMERA" and camera.data.type in KINDS:
        depsgraph = place.window.view_layer.depsgraph
        size = camera_size(place.window.scene, side)
        return camera_view(camera, camera_pose(camera, depsgraph), depsgraph, *size)
    size = size_for(place.region.width, place.region.height, side)
    return viewport_view(place.region, region_3d, *size)
