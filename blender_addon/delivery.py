"""From a server's result to the picture in the file: saving, and the datablock of each picture.

A thread writes the files; datablocks are made on the main thread, one in each step, since a step
must not hold Blender. A result that can't be saved stays in memory and can be saved again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import bpy
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.messages import Result

from . import assignment, layers, materials, preferences, results, saved_materials, textures
from .capture.windowed import windowed
from .commissions import Commission, MappingKind, Place
from .gallery import entries, shown
from .gallery_settings import gallery_view
from .jobs import Job, State, Target
from .notices import Level, listed
from .properties import settings_of
from .saved_materials import SavedMaterial
from .textures import SavedTexture
from .undo import Concepts


class Delivery:
    """The results that are on their way into the file.

    Args:
        home: keeps the pictures of scenes that were never saved, or whose folder refuses them.
        in_thread: does something without bpy in a thread.
        tell: shows the user a sentence.
        saved: called when a job's pictures are on disk.
        done: called when they are in the file as well.
    """

    def __init__(
        self,
        home: Home,
        in_thread: Callable[[Callable[[], Any]], Future[Any]],
        tell: Callable[[Level, str], None],
        saved: Callable[[Job], None],
        done: Callable[[Job], None],
    ) -> None:
        self.concepts = Concepts()
        self._home = home
        self._in_thread = in_thread
        self._tell = tell
        self._saved = saved
        self._done = done
        self._results: dict[str, tuple[Job, Result, Sequence[memoryview]]] = {}
        self._saves: dict[str, Future[list[Any]]] = {}
        self._loads: deque[tuple[Job, results.Saved | SavedTexture | SavedMaterial]] = deque()
        self._held_up: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether the next step has something to do."""
        return bool(self._saves or self._loads)

    def take(self, job: Job, result: Result, frames: Sequence[memoryview]) -> None:
        """A job's result is here."""
        self._results[job.name] = job, result, frames
        self._save(job.name)

    def again(self, job: Job) -> None:
        """Save a result that couldn't be saved, in the folder that is the right one now."""
        job.state, job.error = State.SAVING, None
        job.target = where_now(job.target, self._home)
        self._save(job.name)

    def forget(self, job: Job) -> None:
        """The user doesn't want a result that couldn't be saved."""
        self._results.pop(job.name, None)

    def step(self) -> bool:
        """Do a little; true where something has changed."""
        changed = self._collect()
        changed |= self._load_one()
        changed |= self.concepts.restore()
        return changed

    def finish(self) -> None:
        """Deliver what was saved. The thread has ended before."""
        self._collect()
        while self._load_one():
            pass

    def _save(self, name: str) -> None:
        job, result, frames = self._results[name]
        folder, fallback = Path(job.target.folder), self._home.concepts
        work: Callable[[], list[Any]]
        if job.commission is not None:
            work = partial(saved_materials.save, result, frames, folder, fallback)
        elif job.texture is not None:
            work = partial(textures.save, result, frames, job.views, job.texture)
        else:
            work = partial(results.save, result, frames, job.views, folder, fallback, job.captures)
        self._saves[name] = self._in_thread(work)

    def _collect(self) -> bool:
        done = [name for name, save in self._saves.items() if save.done()]
        for name in done:
            job = self._results[name][0]
            try:
                saved = self._saves.pop(name).result()
            except MaquetteError as error:
                # Neither acknowledged nor forgotten: after a crash the server is asked again.
                job.state, job.error = State.UNSAVED, error
                self._tell("ERROR", str(error))
                continue
            del self._results[name]
            job.pictures = tuple(each.path for each in saved if isinstance(each, results.Saved))
            self._saved(job)
            self._loads.extend((job, each) for each in saved)
            elsewhere = saved and Path(job.target.folder) not in saved[0].path.parents
            if elsewhere and job.texture is None:
                self._tell(
                    "WARNING",
                    f"{job.target.folder} can't be written to: the {job.noun} was saved as "
                    f"{saved[0].path}. Choose another output folder in the preferences.",
                )
        return bool(done)

    def _load_one(self) -> bool:
        """Make one image datablock; false where there is none to make now."""
        if not self._loads or bpy.app.is_job_running("RENDER"):
            return False
        entry = next((each for each in self._loads if not self._has_to_wait(*each)), None)
        if entry is None:
            return False
        self._loads.remove(entry)
        job, saved = entry
        try:
            self._put(job, saved)
        finally:  # it is on disk, whatever is wrong in the file
            job.state = State.DONE
            if not any(other is job for other, _saved in self._loads):
                self._done(job)
        return True

    def _put(self, job: Job, saved: results.Saved | SavedTexture | SavedMaterial) -> None:
        scene = scene_of(job.target)
        if scene is None or scene.library is not None:
            where = Path(job.target.blend).name or "a file that is closed"
            self._tell("INFO", f"A {job.noun} of {where} was saved as {saved.path}.")
        elif isinstance(saved, SavedTexture):
            self._put_on(saved)
        elif isinstance(saved, SavedMaterial):
            assert job.commission is not None
            self._put_in(saved, job.commission)
        else:
            self._load(scene, saved, first=job.state is not State.DONE)

    def _has_to_wait(self, job: Job, saved: results.Saved | SavedTexture | SavedMaterial) -> bool:
        """Whether a mesh is being edited: a step to undo would be one of that mesh alone."""
        if not isinstance(saved, SavedTexture) or not _is_editing():
            return False
        if job.name not in self._held_up:
            self._held_up.add(job.name)
            self._tell("INFO", "The texture is there; it comes on once you are in Object Mode.")
        return True

    def _load(self, scene: bpy.types.Scene, saved: results.Saved, first: bool) -> None:
        entries.add(scene, saved)
        self.concepts.add(scene, saved)
        if not first:
            return
        try:
            image = results.load(saved)
        except MaquetteError as error:
            self._tell("ERROR", str(error))
            return
        settings_of(scene).last_result = image
        gallery_view(bpy.context.window_manager).chosen = saved.key
        results.show(image, bpy.context.window_manager)
        shown.sweep()

    def _put_on(self, saved: SavedTexture) -> None:
        try:
            said = put_texture_on(saved)
        except MaquetteError as error:
            self._tell("ERROR", str(error))
            return
        if said:
            self._tell("WARNING", said)

    def _put_in(self, saved: SavedMaterial, commission: Commission) -> None:
        try:
            material, said = put_material_in(saved, commission.mapping, commission.places)
        except MaquetteError as error:
            self._tell("ERROR", str(error))
            return
        if said:
            self._tell("WARNING", f"{material.name!r} is in the file. {' '.join(said)}")


def put_material_in(
    saved: SavedMaterial, mapping: MappingKind, places: Sequence[Place]
) -> tuple[Any, list[str]]:
    """Make a saved material and give it to places; one step to undo. Returns it, and what there is
    to say. Raises MaquetteError("bad-picture")."""
    material = materials.make(saved, mapping)
    said = assignment.assign(material, places)
    push_undo("Material")
    return material, said


def _is_editing() -> bool:
    """Whether an object is in another mode than Object Mode, in any window."""
    windows: Any = bpy.context.window_manager.windows
    active = [window.view_layer.objects.active for window in windows]
    return any(thing is not None and thing.mode != "OBJECT" for thing in active)


def put_texture_on(saved: SavedTexture) -> str:
    """Make a texture's layer, or give the layer that it has the new texture; one step to undo.

    Returns a sentence on the objects that don't show it, empty where all do. Raises
    MaquetteError("no-texture", "bad-picture", "unknown-object").
    """
    said = ""
    own = [each for each in layers.layers() if layers.folder_of(each) == saved.folder]
    fit = textures.fit_of(saved.folder)
    if not own and not any(fit.objects()):
        raise MaquetteError(
            "unknown-object",
            f"Nothing that the texture is for is in this file any more ({listed(fit.names)}): it "
            f"was saved as {saved.path}.",
            "Once that is there again, lay it on with Texture of a File.",
        )
    image = results.load_texture(saved.path, saved.recipe, saved.tiles)
    if own:
        layers.set_image(own[-1], image)
    else:
        _material, unfit = layers.put_on(fit, image)
        said = _unfit(unfit)
    push_undo("Texture")
    return said


def _unfit(unfit: layers.Unfit) -> str:
    said = [f"Not in this file any more: {listed(unfit.missing)}."] if unfit.missing else []
    if unfit.changed:
        said.append(
            f"With other faces than when textured, and so without the texture: "
            f"{listed(unfit.changed)}; undo the change, or texture again."
        )
    return " ".join(said)


def push_undo(message: str) -> None:
    with windowed():
        if bpy.ops.ed.undo_push.poll():  # pyright: ignore[reportCallIssue]
            bpy.ops.ed.undo_push(message=message)


def target_of(scene: bpy.types.Scene, folder: Path) -> Target:
    """Where pictures of this scene belong."""
    return Target(bpy.data.filepath, scene.name, scene.session_uid, str(folder))


def folder_of(blend: str, home: Home) -> Path:
    """Where the preferences have pictures of this .blend saved (empty: never saved)."""
    return results.folder_for(preferences.preferences().folder, blend, home)


def scene_of(target: Target) -> bpy.types.Scene | None:
    """The scene that pictures belong to; None where its file isn't open, or it was deleted."""
    for scene in bpy.data.scenes:
        if scene.session_uid == target.scene_uid:
            return scene
    # The file was closed, or Blender was: it may be open again.
    if target.blend and target.blend == bpy.data.filepath:
        return bpy.data.scenes.get(target.scene)
    return None


def where_now(target: Target, home: Home) -> Target:
    """The target after a Save As, a renamed scene, or another choice of folder."""
    scene = scene_of(target)
    if scene is None:
        return replace(target, folder=str(folder_of(target.blend, home)))
    return target_of(scene, folder_of(bpy.data.filepath, home))
