"""What the gallery does in the background: it looks which files are there, keeps them within the
bound, deletes, finds and copies. The main thread only hands paths over and takes answers in.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Set
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import bpy

from .. import preferences, thumbnails
from ..notices import Level, counted
from ..properties import settings_of
from . import bound, entries, files, shown, users

LOOK_SECONDS = 10.0
"""How old what is known of the files may be while the gallery is looked at."""
NEARLY = 0.9
"""Share of the bound from which on the panel says what comes next."""
MEGABYTE = 1_000_000
Seen = tuple[dict[str, int], set[str]]
"""Bytes of each file that is there, and the files that another .blend has as well."""


class Keeper:
    """The files behind the galleries of the open .blend.

    Args:
        in_thread: does something without bpy in a thread.
        tell: shows the user a sentence.
        gone: told of pictures that were deleted for good, so that no undo brings them back.
        folder: says where pictures of this .blend are saved.

    Attributes:
        missing: pictures' files that aren't there.
        elsewhere: pictures' files that don't lie in the folder of this .blend's pictures.
        megabytes: that files of the galleries take, but those that another .blend has as well;
        shared_megabytes: that these take.
    """

    def __init__(
        self,
        in_thread: Callable[[Callable[[], Any]], Future[Any]],
        tell: Callable[[Level, str], None],
        gone: Callable[[set[str]], None],
        folder: Callable[[], Path],
    ) -> None:
        self.missing: frozenset[str] = frozenset()
        self.elsewhere: frozenset[str] = frozenset()
        self.megabytes = self.shared_megabytes = 0.0
        self._in_thread = in_thread
        self._tell = tell
        self._gone = gone
        self._folder = folder
        self._looked = 0.0
        self._look: tuple[Future[Seen], set[str], bool] | None = None
        self._noted: tuple[Path | None, set[Path]] = None, set()
        self._errands: list[tuple[Future[Any], Callable[[Any], None]]] = []
        self._to_bound = False
        self._to_take_in = True

    @property
    def busy(self) -> bool:
        """Whether the next step has something to do."""
        return self._look is not None or bool(self._errands) or self._to_take_in or self._to_bound

    @property
    def limit(self) -> int:
        """Megabytes that the galleries of a file may take; 0 for any number."""
        return preferences.preferences().gallery_size

    def opened(self) -> None:
        """Another file is open."""
        self.missing, self.elsewhere = frozenset(), frozenset()
        self.megabytes = self.shared_megabytes = 0.0
        self._look, self._looked = None, 0.0
        self._to_bound = False
        self._to_take_in = True
        self._noted = None, set()
        self.note(_blend())

    def note(self, blend: Path | None) -> None:
        """A .blend has on the disk what is in the file now: others are to leave it those files."""
        if blend is None:
            return
        paths = shown.needed_paths()
        folders = users.folders_of(paths)
        if blend == _blend():
            before = self._noted[1] if self._noted[0] == blend else set()
            self._noted = blend, folders
            folders = folders | before
        if folders:
            self.errand(lambda: users.note(blend, paths, folders), lambda _nothing: None)

    def arrived(self) -> None:
        """A picture is new: afterwards the gallery may be too large."""
        self._to_bound = True

    def look(self) -> bool:
        """Look in the background which files there are, unless that is known; true where it does
        so."""
        now = time.monotonic()
        known = now - self._looked < LOOK_SECONDS and not self._to_bound
        if self._look is not None or known:
            return False
        self._looked = now
        pictures, extras = set(), set()
        for scene in bpy.data.scenes:
            base = entries.base_of(scene)
            for entry in settings_of(scene).pictures:
                pictures.add(entries.resolved(base, entry.path))
                extras |= {entries.resolved(base, name) for name in (entry.depth, entry.capture)}
        extras.discard("")
        paths, blend = pictures | extras, _blend()

        def find() -> Seen:
            return files.sizes_of(paths), set(users.others(paths, blend))

        self._look = self._in_thread(find), pictures, self._to_bound
        self._to_bound = False
        return True

    def delete(self, keys: Iterable[tuple[int, str]]) -> None:
        """Take pictures out of their galleries and delete their files, but those that another
        picture or another .blend needs."""
        wanted = set(keys)
        held = self._held(frozenset(), frozenset())
        staying: set[str] = set()
        going: set[str] = set()
        for each in held:
            (going if each.which in wanted else staying).update((each.path, *each.extras))
        self._take_out(wanted)
        self._delete(going - staying)

    def errand(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Do something slow in the thread; ``done`` gets its result on the main thread."""
        self._errands.append((self._in_thread(work), done))

    def step(self) -> bool:
        """Do a little; true where something has changed."""
        changed = False
        if self._to_take_in:
            self._to_take_in = False
            changed = entries.take_in() > 0
        for errand in [each for each in self._errands if each[0].done()]:
            self._errands.remove(errand)
            errand[1](errand[0].result())
            self._look_again()
            changed = True
        if self._look is not None and self._look[0].done():
            (future, pictures, to_bound), self._look = self._look, None
            sizes, shared = future.result()
            own = {path: size for path, size in sizes.items() if path not in shared}
            folder = str(self._folder())
            before = self._known
            self.missing = frozenset(path for path in pictures if path not in sizes)
            self.elsewhere = frozenset(
                path for path in pictures - self.missing if str(Path(path).parent) != folder
            )
            self.megabytes = sum(own.values()) / MEGABYTE
            self.shared_megabytes = sum(sizes.get(path, 0) for path in shared) / MEGABYTE
            changed |= before != self._known
            if to_bound:
                changed |= self._bound(own, shared)
        if self._to_bound:
            self.look()
        return changed

    @property
    def _known(self) -> tuple[object, ...]:
        return self.missing, self.elsewhere, self.megabytes, self.shared_megabytes

    def _look_again(self) -> None:
        """What is known of the files, or being found out, is over."""
        if self._look is not None:
            self._to_bound |= self._look[2]
        self._look, self._looked = None, 0.0
        self.look()

    def nearly_full(self) -> bool:
        """Whether soon something has to go."""
        return bool(self.limit) and self.megabytes > NEARLY * self.limit

    def _bound(self, sizes: dict[str, int], shared: set[str]) -> bool:
        if not self.limit or self.megabytes <= self.limit:
            return False
        cut = bound.plan(self._held(shown.used_paths(), shared), sizes, self.limit * MEGABYTE)
        for scene, entry in entries.every():
            for name in ("depth", "capture"):
                if str(entries.place(scene, getattr(entry, name))) in cut.extras:
                    setattr(entry, name, "")
        self._take_out(cut.pictures)
        self._delete(set(cut.files))
        gone = [
            counted(len(cut.pictures), "old picture") if cut.pictures else "",
            f"{counted(len(cut.extras), 'file')} that old pictures were made of"
            if cut.extras
            else "",
        ]
        if any(gone):
            self._tell(
                "WARNING",
                f"The gallery is kept to {self.limit} MB, as the preferences say. Deleted: "
                f"{' and '.join(filter(None, gone))}. A star keeps a picture.",
            )
        elif cut.over:
            self._tell(
                "WARNING",
                f"The gallery takes {self.megabytes:.0f} MB, more than the {self.limit} MB in the "
                "preferences, and all of it is kept: take stars away, or raise the limit.",
            )
        return bool(cut.files)

    def _held(self, used: Set[str], shared: Set[str]) -> list[bound.Held]:
        """All pictures of the file's own scenes, the oldest first.

        Args:
            used: files that this .blend needs.
            shared: those that another one has as well: nothing is gained without them.
        """
        pictures = list(entries.every())
        newest = {scene.session_uid: entry.job or entry.name for scene, entry in pictures}
        held = []
        for scene, entry in pictures:
            path, *extras = (entries.place(scene, getattr(entry, each)) for each in entries.FILES)
            job = entry.job or entry.name
            kept = entry.starred or str(path) in used or job == newest[scene.session_uid]
            item = bound.Held(
                which=(scene.session_uid, entry.name),
                path=str(path),
                extras=tuple(str(each) for each in extras if each is not None),
                trashed=entry.trashed,
                kept=(kept and not entry.trashed) or str(path) in shared,
            )
            held.append((entry.made, item))
        return [item for _made, item in sorted(held, key=lambda pair: pair[0])]

    def _take_out(self, which: set[tuple[int, str]]) -> None:
        for scene in entries.editable():
            keys = {key for uid, key in which if uid == scene.session_uid}
            if keys:
                entries.remove(scene, keys)
        left = {entry.name for _scene, entry in entries.every()}
        gone = {key for _uid, key in which} - left
        if gone:
            shown.forget(gone)
            self._gone(gone)

    def _delete(self, paths: set[str]) -> None:
        if not paths:
            return
        thumbnails.forget(paths)

        blend = _blend()

        def delete() -> tuple[list[str], dict[str, str]]:
            shared = users.others(paths, blend)
            return files.delete(paths - shared.keys()), shared

        def tell(answer: tuple[list[str], dict[str, str]]) -> None:
            refused, shared = answer
            if refused:
                more = f" and {len(refused) - 1} more" if refused[1:] else ""
                self._tell("WARNING", f"Not deleted: {refused[0]}{more}.")
            elif shared:
                first, *rest = sorted(set(shared.values()))
                named = f"{first} and {len(rest)} more" if rest else first
                kept = counted(len(shared), "file")
                self._tell("INFO", f"Also in the gallery of {named}, so not deleted: {kept}.")

        self.errand(delete, tell)


def _blend() -> Path | None:
    """The .blend that is open; None where it was never saved."""
    return Path(os.path.normpath(bpy.data.filepath)) if bpy.data.filepath else None


def known_files() -> set[str]:
    """The files that a gallery of this .blend has."""
    return {str(path) for scene in bpy.data.scenes for path in _files(scene)}


def _files(scene: bpy.types.Scene) -> Iterable[Path]:
    for entry in settings_of(scene).pictures:
        yield from entries.files_of(scene, entry)
