"""Connecting to a server, and finding the one that is installed here."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from concurrent.futures import Future

import bpy
from maquette_wire.errors import MaquetteError

from .. import preferences
from ..backend import find_command, version_of
from ..session import current


def reach_server() -> None:
    """Have a connection to the server that the preferences name.

    Raises MaquetteError where that can't be.
    """
    session = current()
    try:
        choice = preferences.choice()
    except MaquetteError as error:
        session.want_nothing(error)
        raise
    session.want_server(choice)


class MAQUETTE_OT_connect(bpy.types.Operator):
    """Connect to the server now, and start it if it is this computer's; fetches pictures that
    were still being made when Blender closed"""

    bl_idname = "maquette.connect"
    bl_label = "Connect"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        session = current()
        session.notices.clear()
        try:
            reach_server()
        except MaquetteError as error:
            session.note("ERROR", str(error))
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class MAQUETTE_OT_find_backend(bpy.types.Operator):
    """Look for the Maquette server program on this computer"""

    bl_idname = "maquette.find_backend"
    bl_label = "Find"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        try:
            command = find_command("", current().home)
        except MaquetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        preferences.preferences().command = command[0]
        self.report({"INFO"}, f"Found {' '.join(command)}.")
        return {"FINISHED"}


class MAQUETTE_OT_check_backend(bpy.types.Operator):
    """Run the server program once, to see that it is one"""

    bl_idname = "maquette.check_backend"
    bl_label = "Check"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        session = current()
        given = bpy.path.abspath(preferences.preferences().command)
        try:
            command = find_command(given, session.home)
        except MaquetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        session.errand(lambda: version_of(command), lambda done: _tell(done, command))
        self.report({"INFO"}, f"Checking {' '.join(command)} ...")
        return {"FINISHED"}


class MAQUETTE_OT_open_log(bpy.types.Operator):
    """Open what the local server has printed"""

    bl_idname = "maquette.open_log"
    bl_label = "Open Server Log"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        log = current().home.log
        if not log.is_file():
            self.report({"INFO"}, "There is no log yet: Blender has started no server so far.")
            return {"CANCELLED"}
        bpy.ops.wm.path_open(filepath=str(log))
        return {"FINISHED"}


def _tell(done: Future[str], command: list[str]) -> None:
    error = done.exception()
    if isinstance(error, MaquetteError):
        current().notices.tell("ERROR", str(error))
    else:
        current().notices.tell("INFO", f"{done.result()} is ready to be started ({command[0]}).")


CLASSES = (
    MAQUETTE_OT_connect,
    MAQUETTE_OT_find_backend,
    MAQUETTE_OT_check_backend,
    MAQUETTE_OT_open_log,
)
