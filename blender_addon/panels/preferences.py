"""The add-on's page in Blender's preferences."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy
from maquette_wire import keys
from maquette_wire.home import Home

from .. import backend
from ..preferences import ADD_ON, Preferences
from ..wrapping import wrapped
from .jobs import draw_connection


class MaquettePreferences(Preferences, bpy.types.AddonPreferences):
    """What belongs to this computer, and the exchange of keys with another."""

    bl_idname = ADD_ON

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.row().prop(self, "place", expand=True)
        if self.place == "LOCAL":
            row = layout.row(align=True)
            row.prop(self, "command", placeholder="Found by itself")
            row.operator("maquette.find_backend", text="", icon="VIEWZOOM")
            row.operator("maquette.check_backend", text="Check")
        else:
            self._draw_remote(context)
        layout.separator()
        layout.prop(self, "folder")
        layout.prop(self, "gallery_size")
        if self.folder.startswith("//"):
            wrapped(
                layout,
                f"Pictures of a scene that was never saved go to {Home.default().concepts}.",
                context.region.width,
            )
        row = layout.row()
        row.alignment = "RIGHT"
        row.operator("maquette.open_log", icon="TEXT")

    def _draw_remote(self, context: bpy.types.Context) -> None:
        layout = self.layout
        _draw_setup(layout, context.region.width)
        layout.prop(self, "address", placeholder="tcp://192.168.1.20:47820")
        layout.prop(self, "server_key")
        if self.server_key and not keys.is_key(self.server_key.strip()):
            wrapped(
                layout,
                "This is no public key: it has 40 characters, behind the address in the line that "
                "maquette serve prints.",
                context.region.width,
                icon="ERROR",
            )
        if not bpy.app.online_access and not backend.Remote(self.address, "").loopback:
            wrapped(
                layout,
                "Blender may not go online at the moment: allow it in Preferences, "
                "System, Network.",
                context.region.width,
                icon="ERROR",
            )
        row = layout.row(align=True)
        row.operator("maquette.copy_key", icon="COPYDOWN")
        row.operator("maquette.connect", icon="LINKED")
        draw_connection(layout, context.region.width, settings=False)


def _draw_setup(layout: bpy.types.UILayout, width: int) -> None:
    """The exchange of keys: once for each pair of computers."""
    box = layout.box()
    row = box.split(factor=0.7)
    row.label(text="1. On the other computer, run in a terminal:")
    row.operator("maquette.copy_serve_command", icon="COPYDOWN")
    row = box.split(factor=0.7)
    row.label(text="2. It prints a line with its address and key; copy that:")
    row.operator("maquette.paste_server", icon="PASTEDOWN")
    column = box.column()
    column.active = False
    wrapped(
        column,
        "Both keys are public: they say who is who, and everything is encrypted. Once is enough. "
        "Through an SSH tunnel, leave --endpoint out there and give tcp://127.0.0.1 with the "
        "tunnel's port as the address here.",
        width,
    )


def register() -> None:
    bpy.utils.register_class(MaquettePreferences)


def unregister() -> None:
    bpy.utils.unregister_class(MaquettePreferences)
