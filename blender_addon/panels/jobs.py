"""How the jobs and the connection are getting on, and what the user should know."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

from itertools import groupby

import bpy
from maquette_wire.local import CRASHES

from .. import thumbnails
from ..backend import Status
from ..jobs import Job, State, about
from ..ledger import Entry
from ..preferences import ADD_ON, server_address
from ..session import Session, current
from ..waiting import WAITING, times_left, waiting
from ..wrapping import wrapped
from .base import MaquettePanel, picture_scale

ICONS = {"INFO": "INFO", "WARNING": "ERROR", "ERROR": "CANCEL"}
ENDED_ICONS = {State.DONE: "CHECKMARK", State.CANCELLED: "X"}
STUCK = (State.UNSAVED, State.FAILED)
"""What the user has to do something about; a job that is done or cancelled leaves by itself."""
SHOWN = 4
"""Pictures that an ended Blender left behind and that are named; the others are counted."""


def draw_jobs(layout: bpy.types.UILayout, width: int) -> None:
    """Jobs, notices and the server's state in a region of ``width`` pixels."""
    session = current()
    jobs = list(session.jobs.values())
    left = times_left(jobs, session.pace)
    _draw_all(layout, session, left)
    scale = picture_scale(width) * (1 if len(left) == 1 else 0.5)
    for job in jobs:
        if job.state in WAITING:
            _draw_waiting(layout, job, session, left.get(job.name))
        elif job.state.open:
            _draw_running(layout, job, scale)
        elif job.state in STUCK:
            _draw_stuck(layout, job, width)
    _draw_notices(layout, session, width)
    _draw_left_behind(layout, session, width)
    draw_connection(layout, width)


class MAQUETTE_PT_recent(MaquettePanel, bpy.types.Panel):
    """Jobs that have ended, to run them again."""

    bl_label = "Recent Jobs"
    bl_parent_id = "MAQUETTE_PT_restyle"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return bool(current().recent)

    def draw(self, _context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        for job in reversed(current().recent):
            row = column.row(align=True)
            row.label(text=job.label, icon=ENDED_ICONS.get(job.state, "ERROR"))
            row.operator("maquette.run_again", text="", icon="FILE_REFRESH").job = job.name
        self.layout.operator("maquette.clear_recent", text="Clear", icon="TRASH")


def _draw_all(layout: bpy.types.UILayout, session: Session, left: dict[str, float | None]) -> None:
    """What the queue holds together, where it holds more than one job."""
    if len(left) < 2:
        return
    times = [time for time in left.values() if time is not None]
    known = f", {about(max(times))} left" if len(times) == len(left) else ""
    row = layout.split(factor=0.6)
    row.label(text=f"{len(left)} jobs{known}")
    row.operator("maquette.cancel", text="Cancel All")


def _draw_running(layout: bpy.types.UILayout, job: Job, scale: float) -> None:
    box = layout.box()
    icon = thumbnails.of_job(job.name)
    if icon:
        box.template_icon(icon_value=icon, scale=scale)
    box.label(text=job.label)  # beside the progress there is no room for it
    row = box.row(align=True)
    row.progress(factor=job.fraction, text=job.describe())
    if job.state not in (State.CANCELLING, State.SAVING):
        row.operator("maquette.cancel", text="", icon="X").job = job.name


def _draw_waiting(
    layout: bpy.types.UILayout, job: Job, session: Session, left: float | None
) -> None:
    column = layout.box().column(align=True)
    row = column.row(align=True)
    row.label(text=job.label)
    row.operator("maquette.cancel", text="", icon="X", emboss=False).job = job.name
    row = column.row(align=True)
    said = row.row()
    said.active = False
    said.label(text=job.describe() if left is None else f"Done in {about(left)}")
    queue = waiting(session.jobs.values())
    if len(queue) < 2:
        return
    place = queue.index(job)
    for to, icon, useful in (
        ("FIRST", "TRIA_UP_BAR", place > 1),
        ("UP", "TRIA_UP", place > 0),
        ("DOWN", "TRIA_DOWN", place < len(queue) - 1),
    ):
        button = row.row(align=True)
        button.enabled = useful
        move = button.operator("maquette.move_job", text="", icon=icon)
        move.job, move.to = job.name, to


def _draw_stuck(layout: bpy.types.UILayout, job: Job, width: int) -> None:
    """A job that failed, or whose picture no folder takes."""
    box = layout.box()
    if job.state is State.UNSAVED:
        wrapped(box, f"{job.title}: {job.error}", width, "ERROR")
        row = box.row(align=True)
        row.operator("maquette.save_again", icon="FILE_TICK").job = job.name
        row.operator("maquette.discard", icon="TRASH").job = job.name
        return
    wrapped(box, f"{job.title}: {job.error}", width, "CANCEL")
    row = box.row(align=True)
    if job.is_concept:
        row.operator("maquette.run_again", icon="FILE_REFRESH").job = job.name
    row.operator("maquette.dismiss", icon="X")


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


def _draw_left_behind(layout: bpy.types.UILayout, session: Session, width: int) -> None:
    left = session.left_behind
    if not left:
        return
    box = layout.box()
    noun = "picture was" if len(left) == 1 else "pictures were"
    text = f"{len(left)} {noun} still being made when Blender closed:"
    wrapped(box, text, width, "RECOVER_LAST")
    column = box.column(align=True)
    shown = sorted(left[:SHOWN], key=lambda entry: entry.file)
    for file, entries in groupby(shown, key=lambda entry: entry.file):
        column.label(text=file, icon="FILE_BLEND")
        for entry in entries:
            column.label(text=entry.label, icon="BLANK1")
    if len(left) > SHOWN:
        column.label(text=f"and {len(left) - SHOWN} more", icon="BLANK1")
    _draw_elsewhere(box, left, width)
    row = box.row(align=True)
    row.operator("maquette.connect", text="Fetch", icon="IMPORT")
    row.operator("maquette.discard_left", text="Discard", icon="TRASH")


def _draw_elsewhere(layout: bpy.types.UILayout, left: list[Entry], width: int) -> None:
    """Where those are that the server of the preferences hasn't got."""
    for server in sorted({entry.server for entry in left} - {server_address()}):
        count = sum(entry.server == server for entry in left)
        where = server.removeprefix("tcp://") or "this computer's server"
        verb, which = ("is", "it") if count == 1 else ("are", "them")
        wrapped(
            layout,
            f"{count} of them {verb} at {where}: choose that in the preferences to fetch {which}.",
            width,
        )


def draw_connection(layout: bpy.types.UILayout, width: int, settings: bool = True) -> None:
    """The state of the connection in a region of ``width`` pixels; with ``settings`` also the way
    to the preferences, where something is wrong."""
    session = current()
    backend = session.backend
    if backend is None or session.status is Status.IDLE:
        layout.label(text="The server starts when needed", icon="UNLINKED")
    elif session.status is Status.READY and backend.welcome is not None:
        devices = ", ".join(backend.welcome.devices)
        place = f" – {backend.server.removeprefix('tcp://')}" if backend.server else ""
        layout.label(text=f"Ready ({devices}){place}", icon="LINKED")
    elif session.status is Status.STARTING:
        again = f" again ({backend.starts + 1} of {CRASHES})" if backend.starts else ""
        layout.label(text=f"Starting the server{again}...", icon="SORTTIME")
    elif session.status is Status.CONNECTING:
        layout.label(text="Connecting...", icon="SORTTIME")
    else:
        row = _draw_trouble(layout, str(backend.error or "The server is gone."), session, width)
        if settings:
            show = row.operator("preferences.addon_show", text="Preferences", icon="PREFERENCES")
            show.module = ADD_ON


def _draw_trouble(
    layout: bpy.types.UILayout, text: str, session: Session, width: int
) -> bpy.types.UILayout:
    """What is wrong, and a row of what can be done about it, which is returned."""
    box = layout.box()
    if all(notice.text != text for notice in session.notices):  # those are shown above
        wrapped(box, text, width, "ERROR")
    log_end = session.backend.log_end if session.backend else ()
    if log_end:
        said = box.column()
        said.active = False
        said.label(text="The end of its log:")
        for line in log_end:
            wrapped(said, line, width)
    column = box.column(align=True)
    column.operator("maquette.connect", text="Try Again", icon="FILE_REFRESH")
    row = column.row(align=True)
    if log_end:
        row.operator("maquette.open_log", text="Log", icon="TEXT")
    return row


CLASSES = (MAQUETTE_PT_recent,)
