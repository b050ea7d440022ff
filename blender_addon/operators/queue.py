"""Moving jobs in the queue, running ended ones again, and what an ended Blender left behind."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false

from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty
from maquette_wire.errors import MaquetteError

from ..capture import capture_view
from ..delivery import folder_of, scene_of, target_of
from ..jobs import Job, State
from ..session import current
from ..waiting import waiting
from .beginning import Beginning
from .server import reach_server

WHERE = (
    ("UP", "Earlier", "Paint this picture earlier: one place forward in the queue"),
    ("DOWN", "Later", "Paint this picture later: one place back in the queue"),
    ("FIRST", "Next", "Paint this picture next, before all others that wait"),
)


class MAQUETTE_OT_move_job(bpy.types.Operator):
    """Have this picture painted earlier or later than the others that wait"""

    bl_idname = "maquette.move_job"
    bl_label = "Move in the Queue"
    bl_options = {"INTERNAL"}

    job: StringProperty(options={"SKIP_SAVE"})
    to: EnumProperty(items=WHERE)

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: "MAQUETTE_OT_move_job") -> str:
        return next(text for name, _label, text in WHERE if name == properties.to)

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        session = current()
        if len(waiting(session.jobs.values())) < 2:
            cls.poll_message_set("No two pictures wait at the moment")
            return False
        if not session.can_move:
            cls.poll_message_set("The server is older and keeps its own order: update it")
            return False
        return True

    def execute(self, _context: bpy.types.Context) -> set[str]:
        current().move(self.job, self.to)
        return {"FINISHED"}


class MAQUETTE_OT_run_again(Beginning, bpy.types.Operator):
    """Make this picture again: the same settings and the same view, of the model as it is now"""

    bl_idname = "maquette.run_again"
    bl_label = "Run Again"

    job: StringProperty(description="Which job; empty: the last one", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        if not _ended():
            cls.poll_message_set("Nothing was made yet since Blender was started")
            return False
        return True

    def work(self, context: bpy.types.Context) -> None:
        session, ended = current(), _ended()
        job = next((each for each in ended if each.name == self.job), None)
        if job is None and self.job:
            raise MaquetteError(
                "unknown-job", "That job is no longer listed.", "Restyle its view again."
            )
        job = job or ended[-1]
        _check_scene(context, job)
        reach_server()
        capture = capture_view(context, job.views[0])
        folder = folder_of(bpy.data.filepath, session.home)
        session.restyle(job.recipe, capture, target_of(context.scene, folder))
        if job.state is not State.DONE:
            session.forget_recent(job)


class MAQUETTE_OT_clear_recent(bpy.types.Operator):
    """Empty the list of recent jobs; their pictures stay"""

    bl_idname = "maquette.clear_recent"
    bl_label = "Clear Recent Jobs"
    bl_options = {"INTERNAL"}

    def execute(self, _context: bpy.types.Context) -> set[str]:
        current().recent.clear()
        return {"FINISHED"}


class MAQUETTE_OT_discard_left(bpy.types.Operator):
    """Do without the pictures that were still being made when Blender closed"""

    bl_idname = "maquette.discard_left"
    bl_label = "Discard Unfinished Pictures"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        if not current().left_behind:
            cls.poll_message_set("No unfinished picture was left behind")
            return False
        return True

    def execute(self, _context: bpy.types.Context) -> set[str]:
        try:
            current().discard_left()
        except MaquetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


def _ended() -> list[Job]:
    session = current()
    failed = [job for job in session.jobs.values() if job.state is State.FAILED]
    return [*session.recent, *(job for job in failed if job.is_concept)]


def _check_scene(context: bpy.types.Context, job: Job) -> None:
    """Raises MaquetteError("other-scene") where what the job showed isn't open."""
    if scene_of(job.target) == context.scene:
        return
    file = Path(job.target.blend).name or "a file that was never saved"
    raise MaquetteError(
        "other-scene",
        f"That picture shows the scene {job.target.scene!r} of {file}.",
        "Open that scene to run it again.",
    )


CLASSES = (
    MAQUETTE_OT_move_job,
    MAQUETTE_OT_run_again,
    MAQUETTE_OT_clear_recent,
    MAQUETTE_OT_discard_left,
)
