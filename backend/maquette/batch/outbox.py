"""A batch's results at a URL: what is there, and what is sent there, whole.

Object stores show a file when it is there whole. Elsewhere it is sent under a temporary name and
renamed. What a working folder has and the URL has not is sent by the next run.
"""

from __future__ import annotations

import errno
import hashlib
import posixpath
import re
import tempfile
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from maquette_wire.errors import MaquetteError

from .. import outputs, remote
from .elsewhere import Elsewhere, Row, row_of_picture, rows_of_lines
from .task import COLOURS

SENDERS = 4
"""Files that are sent at once: most of the time of one is waiting for an answer."""
PART = ".part"


class Outbox:
    """What is at a URL.

    Args:
        url: of a folder; it is made where it is missing and its store has such a thing.
        folder: the working folder, whose files are sent.
        listing: name of the manifest there (`manifest.jsonl`).

    Raises MaquetteError("no-protocol", "bad-output", "not-there", "not-allowed",
    "connection-lost").
    """

    def __init__(self, url: str, folder: Path, listing: str) -> None:
        if remote.protocol(url) in ("http", "https") or "?" in url:
            raise MaquetteError(
                "bad-output",
                f"{remote.public(url)} takes no pictures: it is the address of a web page.",
                "Name a folder, or a URL of a store such as s3://bucket/folder.",
            )
        self.url = url.rstrip("/")
        self.folder = folder
        self._given_up = threading.Event()
        self._lock = threading.Lock()
        self._files = self._clean()
        self.elsewhere = Elsewhere(self._made(listing))
        numbers = (re.match(rf"{COLOURS}/(\d+)-", name) for name in self._files)
        self.last_source = max((int(found[1]) for found in numbers if found), default=0)

    @property
    def name(self) -> str:
        """Of the folder there."""
        return remote.location(self.url).name

    def __truediv__(self, file: str) -> str:
        """The URL of a file there, as it may be shown."""
        return f"{remote.public(self.url)}/{file}".rstrip("/")

    def has(self, file: str) -> bool:
        """Whether a file is there, by its name from the folder."""
        return file in self._files

    def send(self, file: str) -> None:
        """Bring a file of the working folder there, over an older one; for any thread.

        Raises MaquetteError("not-there", "not-allowed", "connection-lost").
        """
        here = self.folder / file
        try:
            remote.attempt(lambda: self._put(here, file), f"{self.url}/{file}", wait=self._wait)
        except MaquetteError as error:
            if error.code != "not-there":
                raise
            raise MaquetteError(
                error.code,
                f"Nothing can be put at {self / ''}: there is no such bucket or folder.",
                "Make it, or correct the URL.",
            ) from error
        with self._lock:
            self._files.add(file)

    def bring(self, files: Iterable[str]) -> list[str]:
        """Copies in the working folder of files that are there alone; a sentence for each that
        can't be had."""
        missing = [each for each in files if self.has(each) and not (self.folder / each).exists()]
        problems = []

        def one(file: str) -> str | None:
            try:
                self._get(file, self.folder / file)
            except MaquetteError as error:
                return str(error)
            return None

        with ThreadPoolExecutor(SENDERS) as threads:
            problems = [*threads.map(one, missing)]
        return [each for each in problems if each]

    def give_up(self) -> None:
        """Try nothing again any more: the user waits for the end."""
        self._given_up.set()

    def _wait(self, seconds: float) -> bool:
        return self._given_up.wait(seconds)

    # --- what is there --------------------------------------------------------------------------

    def _clean(self) -> set[str]:
        """Names of the files there, and in the folder of colours; what a killed run was sending is
        removed."""
        files: set[str] = set()
        for folder in ("", COLOURS):
            for name in self._names(folder):
                file = posixpath.join(folder, name)
                if name.startswith(".") and name.endswith(PART):
                    self._do(lambda fs, path: fs.rm_file(path), file)
                else:
                    files.add(file)
        return files

    def _names(self, folder: str) -> list[str]:
        def look(fs: Any, path: str) -> list[str]:
            fs.invalidate_cache()
            infos = fs.ls(path, detail=True)
            return [posixpath.basename(each["name"]) for each in infos if each["type"] == "file"]

        try:
            return self._do(look, folder)
        except MaquetteError as error:
            if error.code != "not-there":
                raise
            return []  # nothing yet

    def _made(self, listing: str) -> list[Row]:
        """Pictures there that are done: those of the manifest there, and those that a run made
        which was killed before it could write it."""
        rows: list[Row] = []
        if self.has(listing):
            text = self._do(lambda fs, path: fs.cat_file(path), listing)
            rows = rows_of_lines(text.decode("utf-8", "replace"), self._files)
        listed = {row["file"] for row in rows}
        own = {path.name for path in self.folder.glob("*.png")}
        left = [each for each in sorted(self._files - listed - own) if each.endswith(".png")]
        with ThreadPoolExecutor(SENDERS) as threads:
            found = threads.map(self._row, [each for each in left if "/" not in each])
            return rows + [row for row in found if row]

    def _row(self, file: str) -> Row | None:
        """A picture there by what it says; a copy stays where it is a batch's."""
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".there-") as name:
            path = Path(name) / file
            self._get(file, path)
            row = row_of_picture(path)
            if row is not None:
                path.replace(self.folder / file)
            return row

    # --- one file -------------------------------------------------------------------------------

    def _do(self, action: Callable[[Any, str], Any], file: str) -> Any:
        url = f"{self.url}/{file}" if file else self.url

        def act() -> Any:
            fs, path = remote.opened(url)
            return action(fs, path)

        return remote.attempt(act, url, wait=self._wait)

    def _get(self, file: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}{PART}")
        try:
            self._do(lambda fs, there: fs.get_file(there, str(part)), file)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _put(self, here: Path, file: str) -> None:
        fs, path = remote.opened(f"{self.url}/{file}")
        if remote.protocol(self.url) in remote.OBJECT_STORES:
            fs.put_file(str(here), path)
            return
        folder, name = posixpath.split(path)
        part = posixpath.join(folder, f".{name}{PART}")
        fs.makedirs(folder, exist_ok=True)
        fs.put_file(str(here), part)
        if fs.size(part) != here.stat().st_size:
            raise OSError("not all of it has arrived")
        try:
            fs.mv(part, path)
        except OSError as error:  # some rename over nothing
            if error.errno != errno.EEXIST:
                raise
            fs.rm_file(path)
            fs.mv(part, path)


def working_folder(batches: Path, url: str) -> Path:
    """Where a batch works whose results go to a URL: the same one each time."""
    name = outputs.slug(remote.location(url).name)
    return batches / f"{name}-{hashlib.sha256(url.rstrip('/').encode()).hexdigest()[:12]}"
