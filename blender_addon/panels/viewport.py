"""What is drawn over the 3D view, and Live."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy

from ..session import current
from ..view_looks import look_of, own_look
from ..wrapping import wrapped
from .base import MaquettePanel


class MAQUETTE_PT_viewport(MaquettePanel, bpy.types.Panel):
    """What is drawn over the 3D view, and Live."""

    bl_label = "Over the 3D View"

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.maquette
        live = current().live
        row = layout.row(align=True)
        text = "End Live" if live.on else "Live"
        row.operator("maquette.live", text=text, icon="PLAY", depress=live.on)
        row.prop(settings, "live_side", text="")
        if live.on:
            wrapped(layout, live.text, context.region.width)
            layout.operator("maquette.keep_live", text="Keep This Picture", icon="FILE_TICK")
        elif live.error is not None:
            wrapped(layout, f"Live has ended. {live.error}", context.region.width, "ERROR")
        _draw_look(layout, context)


def _draw_look(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The eye, the opacity and the wipe, of this view alone where it has its own."""
    look, own = look_of(context.space_data, context.scene), own_look(context.space_data)
    row = layout.row(align=True)
    row.prop(look, "overlay_shown", text="", icon="HIDE_OFF" if look.overlay_shown else "HIDE_ON")
    rest = row.row(align=True)
    rest.active = look.overlay_shown
    rest.prop(look, "overlay_opacity")
    rest.prop(look, "use_wipe", text="", icon="SPLIT_VERTICAL")
    pin = "PINNED" if own is not None else "UNPINNED"
    row.operator("maquette.own_look", text="", icon=pin, depress=own is not None)
    if look.use_wipe:
        wipe = layout.row()
        wipe.active = look.overlay_shown
        wipe.prop(look, "wipe")


CLASSES = (MAQUETTE_PT_viewport,)
