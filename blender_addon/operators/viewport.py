"""Live on and off, keeping what it shows, and the wipe between model and picture."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

from dataclasses import replace

import bpy
from maquette_wire.errors import MaquetteError

from ..capture import resized, size_for
from ..delivery import folder_of, target_of
from ..live_view import LiveView, places
from ..overlay.placing import Rectangle
from ..overlay.view3d import wipe_in
from ..recipes import recipe_of, set_seed
from ..redrawing import redraw_views
from ..session import current, wake
from ..view_looks import OverlayLook, give_own, look_of, own_look, take_own
from .server import reach_server

STEP, FINE_STEP = 0.02, 0.002
GRIP = 14.0
"""Pixels at a scale of 1 from the wipe's line within which the mouse takes it."""


class MAQUETTE_OT_live(bpy.types.Operator):
    """Paint a small picture of this 3D view again and again as the view, the model or the settings
    change, and draw it over the view; press again to end it"""

    bl_idname = "maquette.live"
    bl_label = "Live"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        if bpy.app.background or not places():
            cls.poll_message_set("Live needs a 3D view")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        session = current()
        if session.live.on:
            session.live.end()
            wake()
            return {"FINISHED"}
        try:
            recipe_of(context.scene.maquette)
            reach_server()
        except MaquetteError as error:
            session.dismiss()
            session.note("ERROR", str(error))
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        here = context.area
        area = here if here is not None and here.type == "VIEW_3D" else places()[0].area
        look_of(area.spaces.active, context.scene).overlay_shown = True
        session.follow(LiveView(area, _looked))
        return {"FINISHED"}


class MAQUETTE_OT_keep_live(bpy.types.Operator):
    """Make a concept of the picture that Live shows: the same view, seed and settings, at full
    size"""

    bl_idname = "maquette.keep_live"
    bl_label = "Keep Live Picture"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        if current().live.shown is None:
            cls.poll_message_set("Live shows no picture at the moment")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        session = current()
        shown, eye = session.live.shown, session.live.eye
        settings = context.scene.maquette
        seen = shown.wish.view
        size = size_for(seen.width, seen.height, settings.long_side)
        wish = replace(shown.wish, view=resized(seen, *size))
        try:
            capture = eye.capture(wish)
            folder = folder_of(bpy.data.filepath, session.home)
            session.restyle(shown.wish.recipe, capture, target_of(context.scene, folder))
        except MaquetteError as error:
            session.note("ERROR", str(error))
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        set_seed(settings, shown.wish.recipe.seed)
        return {"FINISHED"}


class MAQUETTE_OT_own_look(bpy.types.Operator):
    """Have this 3D view show pictures its own way: the eye, the opacity and the wipe are then of
    this view alone. Press again to have it follow the scene, as the others do"""

    bl_idname = "maquette.own_look"
    bl_label = "This View's Own"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not isinstance(context.space_data, bpy.types.SpaceView3D):
            cls.poll_message_set("This is not a 3D view")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        space = context.space_data
        if own_look(space) is None:
            give_own(space, context.scene)
        else:
            take_own(space)
        context.area.tag_redraw()
        return {"FINISHED"}


class MAQUETTE_OT_wipe_view(bpy.types.Operator):
    """Move the line between the model and the picture over the 3D view"""

    bl_idname = "maquette.wipe_view"
    bl_label = "Wipe Between Model and Picture"
    bl_options = {"REGISTER", "BLOCKING"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if _wiped(context) is None:
            cls.poll_message_set("No picture lies over this 3D view")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        look = _look(context)
        self._before = look.use_wipe, look.wipe
        # Taken with the mouse at its line, it is let go with the button; else with a click.
        self._held = event.type == "LEFTMOUSE" and event.value == "PRESS" and look.use_wipe
        look.use_wipe = True
        context.window_manager.modal_handler_add(self)
        context.workspace.status_text_set(
            "Wipe: move the mouse, or Left and Right (Shift: finer)  |  Enter or click: leave the "
            "line there  |  Esc: end the wipe"
        )
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        look = _look(context)
        look.use_wipe = not look.use_wipe
        return {"FINISHED"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        look = _look(context)
        found = _wiped(context)
        if found is None:
            return self._end(context, {"FINISHED"})
        if event.type == "MOUSEMOVE":
            region, visible = found
            look.wipe = visible.share(event.mouse_x - region.x)
        elif event.type in {"LEFT_ARROW", "RIGHT_ARROW"} and event.value == "PRESS":
            step = FINE_STEP if event.shift else STEP
            look.wipe += step if event.type == "RIGHT_ARROW" else -step
        elif event.type in {"ESC", "RIGHTMOUSE"}:
            look.use_wipe, look.wipe = False, self._before[1]
            return self._end(context, {"CANCELLED"})
        elif self._is_enough(event):
            return self._end(context, {"FINISHED"})
        elif event.type in {"MIDDLEMOUSE", "WHEELUPMOUSE", "WHEELDOWNMOUSE"}:
            return {"PASS_THROUGH"}
        else:
            return {"RUNNING_MODAL"}
        context.area.tag_redraw()
        return {"RUNNING_MODAL"}

    def _is_enough(self, event: bpy.types.Event) -> bool:
        if event.type == "LEFTMOUSE":
            return event.value == ("RELEASE" if self._held else "PRESS")
        return event.type in {"RET", "NUMPAD_ENTER"} and event.value == "PRESS"

    def _end(self, context: bpy.types.Context, how: set[str]) -> set[str]:
        context.workspace.status_text_set(None)
        redraw_views()
        return how


class MAQUETTE_GT_wipe(bpy.types.Gizmo):
    """The line between model and picture, where the mouse takes it."""

    bl_idname = "MAQUETTE_GT_wipe"

    def draw(self, _context: bpy.types.Context) -> None:
        """The picture's own drawing has the line."""

    def test_select(self, context: bpy.types.Context, location: tuple[int, int]) -> int:
        found = _wiped(context)
        if found is None:
            return -1
        visible = found[1]
        line = visible.across(_look(context).wipe)
        near = abs(location[0] - line) <= GRIP * context.preferences.system.ui_scale
        return 0 if near and visible.bottom <= location[1] <= visible.top else -1


class MAQUETTE_GGT_wipe(bpy.types.GizmoGroup):
    """Takes the wipe's line with the mouse, whatever tool is active."""

    bl_idname = "MAQUETTE_GGT_wipe"
    bl_label = "Wipe Between Model and Picture"
    bl_space_type = "VIEW_3D"
    bl_region_type = "WINDOW"
    bl_options = {"PERSISTENT", "SCALE"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        look = _look(context)
        return look.use_wipe and look.overlay_shown

    def setup(self, _context: bpy.types.Context) -> None:
        gizmo = self.gizmos.new(MAQUETTE_GT_wipe.bl_idname)
        gizmo.target_set_operator("maquette.wipe_view")
        gizmo.use_draw_modal = True


def _wiped(context: bpy.types.Context) -> tuple[bpy.types.Region, Rectangle] | None:
    """The region of a 3D view with a picture over it, and the part that the wipe moves across."""
    area = context.area
    if area is None or area.type != "VIEW_3D" or not _look(context).overlay_shown:
        return None
    for region in area.regions:
        if region.type == "WINDOW" and region.width > 1:
            visible = wipe_in(context.scene, region, region.data)
            if visible is not None:
                return region, visible
    return None


def _look(context: bpy.types.Context) -> OverlayLook:
    """What is decided of the pictures over the 3D view that is used."""
    return look_of(context.space_data, context.scene)


def _looked() -> None:
    if current().live.noticed():
        wake()


CLASSES = (
    MAQUETTE_OT_live,
    MAQUETTE_OT_keep_live,
    MAQUETTE_OT_own_look,
    MAQUETTE_OT_wipe_view,
    MAQUETTE_GT_wipe,
    MAQUETTE_GGT_wipe,
)
