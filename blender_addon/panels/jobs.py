"""How the jobs and the connection are getting on, and what the user should know."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy

from .. import thumbnails
from ..backend import Status
from ..jobs import Job, State
from ..session import Session, current
from ..wrapping import wrapped
from .base import picture_scale

ICONS = {"INFO": "INFO", "WARNING": "ERROR", "ERROR": "CANCEL"}


def draw_jobs(layout: bpy.types.UILayout, width: int) -> None:
    """Jobs, notices and the server's state in a region of ``width`` pixels."""
    session = current()
    for job in session.jobs.values():
        _draw_job(layout, job, width)
    _draw_notices(layout, session, width)
    _draw_server(layout, session, width)


def _draw_job(layout: bpy.types.UILayout, job: Job, width: int) -> None:
    box = layout.box()
    if job.state is State.UNSAVED:
        wrapped(box, f"{job.title}: {job.error}", width, "ERROR")
        row = box.row(align=True)
        row.operator("maquette.save_again", icon="FILE_TICK").job = job.name
        row.operator("maquette.discard", icon="TRASH").job = job.name
        return
    if not job.state.open:
        wrapped(box, f"{job.title}: {job.error}", width, "CANCEL")
        box.operator("maquette.dismiss", icon="X")
        return
    icon = thumbnails.of_job(job.name)
    if icon:
        box.template_icon(icon_value=icon, scale=picture_scale(width))
    box.label(text=job.title)  # beside the progress there is no room for it
    row = box.row(align=True)
    row.progress(factor=job.fraction, text=job.describe())
    if job.state not in (State.CANCELLING, State.SAVING):
        row.operator("maquette.cancel", text="", icon="X").job = job.name


def _draw_notices(layout: bpy.types.UILayout, session: Session, width: int) -> None:
    # A failed job says itself what went wrong.
    said = {str(job.error) for job in session.jobs.values() if job.error}
    notices = [notice for notice in session.notices if notice.text not in said]
    if not notices:
        return
    box = layout.box()
    for notice in notices:
        wrapped(box, notice.text, width, ICONS[notice.level])
    box.operator("maquette.dismiss", icon="X")


def _draw_server(layout: bpy.types.UILayout, session: Session, width: int) -> None:
    backend = session.backend
    error = backend.error if backend else None
    if session.left_behind:
        box = layout.box()
        count = session.left_behind
        noun = "picture was" if count == 1 else "pictures were"
        wrapped(box, f"{count} {noun} still being made when Blender closed.", width, "RECOVER_LAST")
        box.operator("maquette.connect", text="Fetch", icon="IMPORT")
    if backend is None or session.status is Status.IDLE:
        layout.label(text="The server starts when needed", icon="UNLINKED")
    elif session.status is Status.READY and backend.welcome is not None:
        devices = ", ".join(backend.welcome.devices)
        place = f" – {backend.server.removeprefix('tcp://')}" if backend.server else ""
        layout.label(text=f"Ready ({devices}){place}", icon="LINKED")
    elif session.status is Status.STARTING:
        layout.label(text="Starting the server...", icon="SORTTIME")
    elif session.status is Status.CONNECTING:
        layout.label(text="Connecting...", icon="SORTTIME")
    else:
        _draw_trouble(layout, str(error or "The server is gone."), session, width)


def _draw_trouble(layout: bpy.types.UILayout, text: str, session: Session, width: int) -> None:
    box = layout.box()
    if all(notice.text != text for notice in session.notices):  # those are shown above
        wrapped(box, text, width, "ERROR")
    row = box.row(align=True)
    row.operator("maquette.connect", text="Try Again", icon="FILE_REFRESH")
    settings = row.operator("preferences.addon_show", text="Preferences", icon="PREFERENCES")
    settings.module = (__package__ or "").rpartition(".")[0]
