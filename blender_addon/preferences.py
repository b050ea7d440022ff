"""What belongs to this computer: which server paints, and where pictures go.

No ``from __future__ import annotations`` here: Blender reads the annotations themselves.
"""
# pyright: reportInvalidTypeForm=false

from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty
from maquette_wire import keys
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home

from . import backend, results
from .wrapping import wrapped

RELATIVE: Any = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5) else set()
"""Before 4.5 every path might begin with //; since then one has to say so."""


class MaquettePreferences(bpy.types.AddonPreferences):
    """The add-on's page in Blender's preferences."""

    bl_idname = __package__ or "maquette"

    place: EnumProperty(
        name="Pictures Are Made",
        description="Where the server runs that makes the pictures",
        items=(
            ("LOCAL", "On This Computer", "A server of this computer, started when it is needed"),
            (
                "REMOTE",
                "On Another Computer",
                "A server with a better graphics card, or a shared one",
            ),
        ),
        default="LOCAL",
    )
    command: StringProperty(
        name="Program",
        description="The maquette program, the Python it was installed in, or that environment's "
        "folder; empty: use the one that was installed last, or the one on the PATH",
        subtype="FILE_PATH",
        default="",
    )
    address: StringProperty(
        name="Address",
        description="Address of the server, for instance tcp://192.168.1.20:47820",
        default="",
    )
    server_key: StringProperty(
        name="Its Public Key",
        description="The 40 characters behind the address in the line that maquette serve prints; "
        "also in the file keys/server.pub of the server's Maquette folder",
        default="",
    )
    folder: StringProperty(
        name="Pictures Folder",
        description="Where concepts are saved; // is the folder of the .blend",
        subtype="DIR_PATH",
        options=RELATIVE,
        default=results.BESIDE,
    )
    gallery_size: IntProperty(
        name="Gallery Size (MB)",
        description="How much disk the pictures of a .blend may take, with what they were made of; "
        "0 is any amount. Beyond it these are deleted, the oldest first: what is in the gallery's "
        "trash, then what pictures were made of (capture and depth), then pictures without a star. "
        "You are told each time",
        default=4000,
        min=0,
        soft_max=100_000,
    )

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
        # The session has the preferences among what it imports, and panels show the session.
        from .panels.jobs import draw_connection

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


def preferences() -> MaquettePreferences:
    """The add-on's preferences."""
    return bpy.context.preferences.addons[__package__ or ""].preferences  # type: ignore[return-value]


def server_address() -> str:
    """Address of the remote server that the preferences ask for; empty for the local one, and for
    one that can't be reached."""
    try:
        wanted = choice()
    except MaquetteError:
        return ""
    return wanted.address if isinstance(wanted, backend.Remote) else ""


def choice() -> backend.Choice:
    """The server that the preferences ask for.

    Raises MaquetteError("bad-address"), and "offline" where Blender may not go online and the
    server is elsewhere.
    """
    chosen = preferences()
    if chosen.place == "LOCAL":
        return backend.Local(bpy.path.abspath(chosen.command))
    remote = backend.Remote(backend.address_of(chosen.address), chosen.server_key.strip())
    if not remote.loopback and not bpy.app.online_access:
        raise MaquetteError(
            "offline",
            f"Blender may not go online, and the server {remote.address} is on another computer.",
            "Turn on Allow Online Access in Preferences, System, Network.",
        )
    return remote


def register() -> None:
    bpy.utils.register_class(MaquettePreferences)


def unregister() -> None:
    bpy.utils.unregister_class(MaquettePreferences)
