"""The one-time setup of a server on another computer: what is copied there, and pasted here."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import bpy
from maquette_wire import invitation, keys
from maquette_wire.errors import MaquetteError

from .. import preferences
from ..session import current


class MAQUETTE_OT_copy_key(bpy.types.Operator):
    """Copy this computer's public key alone, for the server's list of authorised clients"""

    bl_idname = "maquette.copy_key"
    bl_label = "Copy My Public Key"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return _copy(
            self,
            context,
            lambda key: key,
            "Copied. Add it as a line to keys/authorised_clients in the server's Maquette folder.",
        )


class MAQUETTE_OT_copy_serve_command(bpy.types.Operator):
    """Copy the command that runs a server for this computer: it holds this computer's public key,
    which is no secret"""

    bl_idname = "maquette.copy_serve_command"
    bl_label = "Copy Command"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return _copy(
            self,
            context,
            invitation.serve_command,
            "Copied. Run it in a terminal of the other computer, and copy the line that it prints.",
        )


class MAQUETTE_OT_paste_server(bpy.types.Operator):
    """Take the server's address and public key out of the line that maquette serve printed on the
    other computer, and connect"""

    bl_idname = "maquette.paste_server"
    bl_label = "Paste"

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            found = invitation.read(context.window_manager.clipboard)
        except MaquetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        chosen = preferences.preferences()
        chosen.place = "REMOTE"
        chosen.address = found.address or chosen.address
        chosen.server_key = found.key or chosen.server_key
        if chosen.address and chosen.server_key:
            bpy.ops.maquette.connect()  # pyright: ignore[reportAttributeAccessIssue]
        return {"FINISHED"}


def _copy(operator, context, what, told) -> set[str]:  # type: ignore[no-untyped-def]
    try:
        pair = keys.client_keys(current().home)
    except MaquetteError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    context.window_manager.clipboard = what(pair.public)
    operator.report({"INFO"}, told)
    return {"FINISHED"}


CLASSES = (MAQUETTE_OT_copy_key, MAQUETTE_OT_copy_serve_command, MAQUETTE_OT_paste_server)
