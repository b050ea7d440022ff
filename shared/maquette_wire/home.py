"""Home: where a user's keys, models, jobs and running-server record are.

``MAQUETTE_HOME`` names the folder; without it, it is the platform's place for a user's data. No
other module makes up a path.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import MaquetteError

VARIABLE = "MAQUETTE_HOME"


@dataclass(frozen=True)
class Home:
    """The folder of one user's Maquette.

    ``root`` and everything below it are made readable by their owner only.
    """

    root: Path

    @classmethod
    def default(cls, environment: Mapping[str, str] | None = None) -> Home:
        """The home that ``environment`` (``os.environ`` where None) asks for; nothing is made."""
        environment = os.environ if environment is None else environment
        given = environment.get(VARIABLE)
        return cls(Path(given).expanduser().absolute() if given else _platform_folder(environment))

    @property
    def keys(self) -> Path:
        """Folder of the CURVE keys and of the list of authorised clients."""
        return self.root / "keys"

    @property
    def models(self) -> Path:
        """Folder of downloaded models and of a user's own, one folder each."""
        return self.root / "models"

    @property
    def loras(self) -> Path:
        """Folder of a user's LoRAs, one safetensors file each."""
        return self.root / "loras"

    @property
    def presets(self) -> Path:
        """The user's own presets, see ``presets``."""
        return self.root / "presets.json"

    @property
    def hashes(self) -> Path:
        """Hashes of model files that were computed before."""
        return self.root / "hashes.json"

    @property
    def packs(self) -> Path:
        """How many pictures a device makes at once, as it was measured."""
        return self.root / "packs.json"

    @property
    def server(self) -> Path:
        """Folder of the server: its journal and its spool."""
        return self.root / "server"

    @property
    def journal(self) -> Path:
        """The SQLite file of accepted jobs."""
        return self.server / "journal.sqlite"

    @property
    def spool(self) -> Path:
        """Folder of captures and results of accepted jobs."""
        return self.server / "spool"

    @property
    def exchange(self) -> Path:
        """Folder where frames pass between processes of this machine."""
        return self.server / "exchange"

    @property
    def record(self) -> Path:
        """Where the running local server is, see ``local``."""
        return self.root / "server.json"

    @property
    def lock(self) -> Path:
        """Held by the running local server."""
        return self.root / "server.lock"

    @property
    def blender(self) -> Path:
        """Folder of the Blender profiles that the command line captures with."""
        return self.root / "blender"

    @property
    def fetched(self) -> Path:
        """Files at URLs that were asked for, as long as they stay the same."""
        return self.root / "fetched"

    @property
    def batches(self) -> Path:
        """What batches work in whose results go to a URL."""
        return self.root / "batches"

    @property
    def unfinished(self) -> Path:
        """Notes of running Blenders on the jobs that they wait for."""
        return self.root / "unfinished"

    @property
    def concepts(self) -> Path:
        """Pictures that have no place beside a .blend, as it isn't saved or can't be written to."""
        return self.root / "concepts"

    @property
    def backend(self) -> Path:
        """How to start the backend that is installed for this user, see ``installed``."""
        return self.root / "backend.json"

    @property
    def log(self) -> Path:
        """What a server that was started by another program printed."""
        return self.root / "server.log"

    def make(self, folder: Path | None = None) -> Path:
        """Make ``folder`` (the root where None) with its parents, owner-only; returns it.

        Raises MaquetteError("home-unusable") naming the folder.
        """
        folder = folder or self.root
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        try:
            for place in reversed(missing):
                # Above the root other programs' folders may be made, with their usual rights.
                own = place == self.root or self.root in place.parents
                place.mkdir(mode=0o700 if own else 0o777, exist_ok=True)
            if not folder.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "it is a file")
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "it can't be written to")
        except OSError as error:
            raise unusable(folder, error) from error
        return folder


def unusable(place: Path, error: OSError) -> MaquetteError:
    """What it means for a user that a file or folder of Maquette's can't be used."""
    fix = "Make it writable"
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        fix = "Free some space on that disk"
    elif error.errno in (errno.EEXIST, errno.ENOTDIR):
        fix = "Move the file away that is in its place"
    return MaquetteError(
        "home-unusable",
        f"{place}, where Maquette keeps its files, can't be used: {error.strerror}.",
        f"{fix}, or set {VARIABLE} to another folder.",
    )


def _platform_folder(environment: Mapping[str, str]) -> Path:
    user = Path.home()
    if sys.platform == "win32":
        local = environment.get("LOCALAPPDATA")
        return (Path(local) if local else user / "AppData" / "Local") / "Maquette"
    if sys.platform == "darwin":
        return user / "Library" / "Application Support" / "Maquette"
    data = environment.get("XDG_DATA_HOME", "")
    # The XDG specification tells to ignore a relative path.
    return (Path(data) if data.startswith("/") else user / ".local" / "share") / "maquette"
