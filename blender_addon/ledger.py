"""Open jobs on disk, so that a crash of Blender loses none of them. No bpy here.

Each running Blender has a folder of its own with two files for each open job: a small note, and all
that was submitted. It holds a lock in it as long as it lives. The system drops the lock with the
process, so the folders without one belong to Blenders that ended, and their jobs can be taken over.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec
from maquette_wire import container
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.local import try_lock
from maquette_wire.messages import Submit
from maquette_wire.packing import Packet
from maquette_wire.recipe import Recipe
from maquette_wire.view import View

from .commissions import Commission
from .jobs import Job, Target, label_of, title_of

LOCK = "lock"
SUFFIX = ".json"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A job that a server has accepted, or is to be sent.

    ``server`` is the address of a remote server, empty for the local one; ``texture`` the folder of
    the texture that it makes, empty for others; ``commission`` the material that it makes;
    ``unwanted`` where the user does without it, and the server is still to be told.
    """

    job: str
    server: str
    recipe: Recipe
    views: tuple[View, ...]
    blend: str
    scene: str
    folder: str
    texture: str = ""
    commission: Commission | None = None
    unwanted: bool = False

    @classmethod
    def of(cls, job: Job, server: str) -> Entry:
        """A job at this server."""
        return cls(
            job=job.name,
            server=server,
            recipe=job.recipe,
            views=job.views,
            blend=job.target.blend,
            scene=job.target.scene,
            folder=job.target.folder,
            texture=str(job.texture or ""),
            commission=job.commission,
        )

    def recovered(self, captures: Sequence[Capture]) -> Job:
        """The job in another Blender, with what is left of its captures."""
        return Job(
            self.job,
            self.recipe,
            self.views,
            Target(self.blend, self.scene, 0, self.folder),
            recovered=True,
            texture=Path(self.texture) if self.texture else None,
            commission=self.commission,
            captures=tuple(captures),
        )

    @property
    def file(self) -> str:
        """Name of the .blend that the job is of."""
        return Path(self.blend).name or "A file that was never saved"

    @property
    def label(self) -> str:
        """What tells the job from others of its file: its view, and how its prompt begins."""
        return label_of(title_of(self.views, self.texture, self.commission), self.recipe)


class Ledger:
    """The open jobs of this Blender, and those that ended Blenders left behind."""

    def __init__(self, home: Home) -> None:
        self._root = home.unfinished
        self._home = home
        self._folder: Path | None = None
        self._lock: IO[bytes] | None = None

    def add(self, entry: Entry) -> None:
        """Remember a job. Raises MaquetteError("home-unusable") where the disk says no."""
        try:
            path = self._own() / f"{entry.job}{SUFFIX}"
            temporary = path.with_suffix(".new")
            temporary.write_bytes(msgspec.json.encode(entry))
            temporary.replace(path)
        except OSError as error:
            raise self._not_noted(error) from error

    def place_of(self, job: str) -> Path:
        """Where what was submitted of a job of this Blender belongs. Raises
        MaquetteError("home-unusable")."""
        try:
            return self._own() / f"{job}{container.SUFFIX}"
        except OSError as error:
            raise self._not_noted(error) from error

    def keep(self, place: Path, packet: Packet) -> None:
        """Write what was submitted of a job, in any thread. Raises
        MaquetteError("home-unusable")."""
        try:
            container.write(place, packet.message, packet.frames)
        except OSError as error:
            raise self._not_noted(error) from error

    def kept(self, job: str) -> Packet | None:
        """What was submitted of a job that this Blender has or has taken over; None where that was
        cut off by the crash."""
        try:
            return container.read(self.place_of(job), kind=Submit)
        except (OSError, MaquetteError):
            return None

    def remove(self, job: str) -> None:
        """Forget a job that has ended. Unknown jobs are fine."""
        if self._folder is not None:
            (self._folder / f"{job}{SUFFIX}").unlink(missing_ok=True)
            self._remove_kept(job)

    def _remove_kept(self, job: str) -> None:
        # On Windows it stays as long as it is mapped, and goes with the folder.
        with contextlib.suppress(PermissionError):
            self.place_of(job).unlink(missing_ok=True)

    def _not_noted(self, error: OSError) -> MaquetteError:
        return MaquetteError(
            "home-unusable",
            f"The job can't be noted in {self._root}: {error.strerror}.",
            "It goes on, but its picture is lost if Blender closes before it is done.",
        )

    def left_behind(self) -> list[Entry]:
        """Jobs of Blenders that have ended and that somebody may want; they stay where they are."""
        return [entry for _path, entry in self._left_behind() if not entry.unwanted]

    def adopt(self, server: str) -> list[Entry]:
        """Take over the jobs that ended Blenders left at this server (empty: the local one).

        Raises MaquetteError("home-unusable").
        """
        return self._take_over([each for each in self._left_behind() if each[1].server == server])

    def disown(self) -> list[Entry]:
        """Take over all jobs that ended Blenders left, as ones that nobody wants; returns them.

        Raises MaquetteError("home-unusable").
        """
        unwanted = []
        for entry in self._take_over(self._left_behind()):
            unwanted.append(msgspec.structs.replace(entry, unwanted=True))
            self.add(unwanted[-1])
            self._remove_kept(entry.job)
        return unwanted

    def _take_over(self, found: list[tuple[Path, Entry]]) -> list[Entry]:
        adopted = []
        for path, entry in found:
            try:
                path.rename(self._own() / path.name)
            except FileNotFoundError:
                continue  # another Blender was faster
            place = self.place_of(entry.job)
            with contextlib.suppress(FileNotFoundError):  # it was never there
                path.with_name(place.name).rename(place)
            adopted.append(entry)
        self._sweep()
        return adopted

    def close(self) -> None:
        """Let go of this Blender's jobs: those that are still open can be adopted."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        if self._folder is not None and not any(self._folder.glob(f"*{SUFFIX}")):
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None

    def _own(self) -> Path:
        if self._folder is None:
            folder = self._home.make(self._root / secrets.token_hex(8))
            lock = (folder / LOCK).open("ab")
            try_lock(lock, shared=False)  # nobody else knows the folder's name yet
            self._folder, self._lock = folder, lock
        return self._folder

    def _ended(self) -> list[Path]:
        if not self._root.is_dir():
            return []
        folders = sorted(folder for folder in self._root.iterdir() if folder.is_dir())
        return [folder for folder in folders if folder != self._folder and _is_free(folder)]

    def _left_behind(self) -> list[tuple[Path, Entry]]:
        found = []
        for folder in self._ended():
            for path in sorted(folder.glob(f"*{SUFFIX}")):
                try:
                    found.append((path, msgspec.json.decode(path.read_bytes(), type=Entry)))
                except FileNotFoundError:
                    continue  # adopted by another Blender just now
                except msgspec.MsgspecError:
                    path.unlink(missing_ok=True)  # cut off by the crash: nothing to ask for
        return found

    def _sweep(self) -> None:
        for folder in self._ended():
            if not any(folder.glob(f"*{SUFFIX}")):
                shutil.rmtree(folder, ignore_errors=True)


def _is_free(folder: Path) -> bool:
    try:
        with (folder / LOCK).open("rb+") as file:
            return try_lock(file, shared=False)
    except FileNotFoundError:
        # Either it is being made at this moment or its Blender was killed before its first lock;
        # such a folder has no jobs yet.
        return False
