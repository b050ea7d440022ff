"""What is drawn over the 3D view, and Live."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy

from ..session import current
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
        row = layout.row(align=True)
        icon = "HIDE_OFF" if settings.overlay_shown else "HIDE_ON"
        row.prop(settings, "overlay_shown", text="", icon=icon)
        rest = row.row(align=True)
        rest.active = settings.overlay_shown
        rest.prop(settings, "overlay_opacity")
        rest.prop(settings, "use_wipe", text="", icon="SPLIT_VERTICAL")
        if settings.use_wipe:
            wipe = layout.row()
            wipe.active = settings.overlay_shown
            wipe.prop(settings, "wipe")


CLASSES = (MAQUETTE_PT_viewport,)
