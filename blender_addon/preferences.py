"""What belongs to this computer: which server paints, and where pictures go.

No ``from __future__ import annotations`` here: Blender reads the annotations themselves.
"""
# pyright: reportInvalidTypeForm=false

from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty
from maquette_wire.errors import MaquetteError

from . import backend, results

ADD_ON = __package__ or "maquette"
RELATIVE: Any = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5) else set()
"""Before 4.5 every path might begin with //; since then one has to say so."""


class Preferences:
    """The properties of the add-on's page, which `panels.preferences` draws."""

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


def preferences() -> Preferences:
    """The add-on's preferences."""
    return bpy.context.preferences.addons[ADD_ON].preferences  # type: ignore[return-value]


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
