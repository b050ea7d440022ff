"""Concepts survive undo: Blender's undo would drop a picture that arrived after the undone step.

What the user undoes is an edit of the model, not the picture that happened to arrive meanwhile.
"""

from __future__ import annotations

from collections import deque

import bpy
from maquette_wire.errors import MaquetteError

from . import results
from .properties import settings_of

KEPT = 200


class Concepts:
    """The concepts delivered to the file that is open."""

    def __init__(self) -> None:
        self._delivered: deque[results.Saved] = deque(maxlen=KEPT)
        self._present: set[str] | None = None
        self._last: dict[str, str] = {}

    def add(self, saved: results.Saved) -> None:
        """A concept has its datablock."""
        self._delivered.append(saved)

    def forget(self) -> None:
        """Another file is open."""
        self._delivered.clear()
        self._present = None

    def note(self) -> None:
        """An undo (or redo) is about to happen: note which concepts there are."""
        self._present = _present()
        self._last = {
            scene.name: last.name
            for scene in bpy.data.scenes
            if (last := settings_of(scene).last_result) is not None
        }

    def restore(self) -> bool:
        """After an undo, load again what it dropped; true where something was."""
        if self._present is None:
            return False
        wanted, self._present = self._present, None
        here = _present()
        dropped = [
            saved
            for saved in self._delivered
            if (path := results.resolved(saved)) in wanted and path not in here
        ]
        for saved in dropped:
            try:
                results.load(saved)
            except MaquetteError:
                self._delivered.remove(saved)  # its file was deleted in the meantime
        for name, image in self._last.items():
            scene = bpy.data.scenes.get(name)
            if scene is not None and image in bpy.data.images:
                settings_of(scene).last_result = bpy.data.images[image]
        return bool(dropped)


def _present() -> set[str]:
    return {bpy.path.abspath(image.filepath) for image in bpy.data.images if results.JOB in image}
