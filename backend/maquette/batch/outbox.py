"""A batch's results at a URL: what is there, and what is sent there.

What a working folder has and the URL has not is sent by the next run.
"""

from __future__ import annotations

import contextlib
import hashlib
import posixpath
import re
import tempfile
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from maquette_wire.errors import MaquetteError

from .. import outputs, remote
from .asked import COLOURS
from .elsewhere import Elsewhere, Row, row_of_picture, rows_of_lines
from .lease import Lease
from .store import PART, Store

SENDERS = 4
"""Files that are sent at once: most of the time of one is waiting for an answer."""


class Outbox:
    """What is at a URL, as long as this run holds it: to the end of its block.

    Args:
        url: of a folder; it is made where it is missing and its store has such a thing.
        folder: the working folder, whose files are sent, and which this run alone holds.
        listing: name of the manifest there (`manifest.jsonl`).
        say: is called with each sentence for the user.

    Attributes:
        elsewhere: pictures there that other runs have made.
        last_source: the largest number of a source there.

    Raises MaquetteError("bad-output"), and on entering its block MaquetteError("batch-running",
    "no-protocol", "not-there", "not-allowed", "connection-lost").
    """

    def __init__(self, url: str, folder: Path, listing: str, say: Callable[[str], None]) -> None:
        self._given_up = threading.Event()
        self._store = Store(url, self._given_up.wait)
        self._lease = Lease(self._store, folder, say)
        self._folder, self._listing = folder, listing
        self._lock = threading.Lock()
        self._files: set[str] = set()
        self.elsewhere = Elsewhere()
        self.last_source = 0

    def __enter__(self) -> Outbox:
        with contextlib.ExitStack() as held:
            held.enter_context(self._lease)
            self._files = self._clean()
            self.elsewhere = Elsewhere(self._made())
            self._held = held.pop_all()
        numbers = (re.match(rf"{COLOURS}/(\d+)-", name) for name in self._files)
        self.last_source = max((int(found[1]) for found in numbers if found), default=0)
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    @property
    def name(self) -> str:
        """Of the folder there."""
        return self._store.name

    def __truediv__(self, file: str) -> str:
        """The URL of a file there, as it may be shown."""
        return f"{self._store}/{file}".rstrip("/")

    def check(self) -> None:
        """Raises MaquetteError("batch-taken-over") where another run writes there, as is known."""
        if self._lease.lost is not None:
            raise self._lease.lost

    def has(self, file: str) -> bool:
        """Whether a file is there, by its name from the folder."""
        return file in self._files

    def send(self, file: str) -> None:
        """Bring a file of the working folder there, over an older one; for any thread.

        Raises MaquetteError("batch-taken-over", "not-there", "not-allowed", "connection-lost").
        """
        self._lease.check()
        try:
            self._store.put(self._folder / file, file)
        except MaquetteError:
            self._lease.check()  # another may have swept it away
            raise
        with self._lock:
            self._files.add(file)

    def bring(self, files: Iterable[str]) -> list[str]:
        """Copies in the working folder of files that are there alone; a sentence for each that
        can't be had."""
        missing = [each for each in files if self.has(each) and not (self._folder / each).exists()]
        problems = []

        def one(file: str) -> str | None:
            try:
                self._store.get(file, self._folder / file)
            except MaquetteError as error:
                return str(error)
            return None

        with ThreadPoolExecutor(SENDERS) as threads:
            problems = [*threads.map(one, missing)]
        return [each for each in problems if each]

    def give_up(self) -> None:
        """Try nothing again any more: the user waits for the end."""
        self._given_up.set()

    # --- what is there --------------------------------------------------------------------------

    def _clean(self) -> set[str]:
        """Names of the files there, and in the folder of colours; what a killed run was sending is
        removed."""
        files: set[str] = set()
        for folder in ("", COLOURS):
            for name in self._store.names(folder):
                file = posixpath.join(folder, name)
                if name.startswith(".") and name.endswith(PART):
                    self._store.remove(file)
                else:
                    files.add(file)
        return files

    def _made(self) -> list[Row]:
        """Pictures there that are done: those of the manifest there, and those that a run made
        which was killed before it could write it."""
        rows: list[Row] = []
        if text := self._store.read(self._listing):
            rows = rows_of_lines(text.decode("utf-8", "replace"), self._files)
        listed = {row["file"] for row in rows}
        own = {path.name for path in self._folder.glob("*.png")}
        left = [each for each in sorted(self._files - listed - own) if each.endswith(".png")]
        with ThreadPoolExecutor(SENDERS) as threads:
            found = threads.map(self._row, [each for each in left if "/" not in each])
            return rows + [row for row in found if row]

    def _row(self, file: str) -> Row | None:
        """A picture there by what it says; a copy stays where it is a batch's."""
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".there-") as name:
            path = Path(name) / file
            self._store.get(file, path)
            row = row_of_picture(path)
            if row is not None:
                path.replace(self._folder / file)
            return row


def working_folder(batches: Path, url: str) -> Path:
    """Where a batch works whose results go to a URL: the same one each time."""
    name = outputs.slug(remote.location(url).name)
    return batches / f"{name}-{hashlib.sha256(url.rstrip('/').encode()).hexdigest()[:12]}"
