"""Concepts survive undo: Blender's undo would drop a picture that arrived after the undone step.

What the user undoes is an edit of the model, not the picture that happened to arrive meanwhile. A
star or a deletion is an edit of the gallery, and is undone like any other.
"""

from __future__ import annotations

from collections import deque

import bpy
from maquette_wire.errors import MaquetteError

from . import results
from .gallery import entries, shown
from .properties import settings_of

KEPT = 2000


class Concepts:
    """The concepts delivered to the file that is open."""

    def __init__(self) -> None:
        self._delivered: deque[tuple[int, results.Saved]] = deque(maxlen=KEPT)
        self._gone: set[str] = set()
        self._last: dict[int, str] | None = None

    def add(self, scene: bpy.types.Scene, saved: results.Saved) -> None:
        """A concept has its entry in the scene's gallery."""
        self._delivered.append((scene.session_uid, saved))

    def drop(self, keys: set[str]) -> None:
        """Pictures were deleted for good: no undo has them come back."""
        self._gone |= keys

    def forget(self) -> None:
        """Another file is open."""
        self._delivered.clear()
        self._gone.clear()
        self._last = None

    def note(self) -> None:
        """An undo (or redo) is about to happen: note which concept is each scene's last."""
        self._last = {}
        for scene in bpy.data.scenes:
            last = settings_of(scene).last_result
            if last is not None:
                self._last[scene.session_uid] = last.get(results.KEY, "")

    def restore(self) -> bool:
        """After an undo, put back what it dropped; true where there was an undo."""
        if self._last is None:
            return False
        last, self._last = self._last, None
        for scene in entries.editable():
            there = {entry.name for entry in settings_of(scene).pictures}
            known = there | self._gone
            for uid, saved in self._delivered:
                if uid == scene.session_uid and saved.key not in known:
                    entries.add(scene, saved)
            if there & self._gone:
                entries.remove(scene, self._gone)
            self._restore_last(scene, last.get(scene.session_uid, ""))
        return True

    def _restore_last(self, scene: bpy.types.Scene, key: str) -> None:
        entry = entries.get(scene, key) if key else None
        settings = settings_of(scene)
        if entry is None or shown.entry_of(scene, settings.last_result) == entry:
            return
        try:
            settings.last_result = shown.image_of(scene, entry)
        except MaquetteError:
            return  # its file was deleted in the meantime: the gallery shows that
        results.show(settings.last_result, bpy.context.window_manager)
