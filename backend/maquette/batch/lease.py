"""Who writes to a URL: a file beside the manifest there, which a run renews as long as it goes on.

Clocks of machines differ and stores keep their own, so no time that is written down is compared:
whether another run goes on is watched. Stores can't be locked either, so a run looks at the file
each time before it renews it, and stops where that is another's. Of two that begin at once, the
one that wrote it last goes on.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from maquette_wire.errors import MaquetteError

from .. import outputs
from .store import Store

FILE = "manifest.lease"
PLACE = ".place"
"""Names the working folder, in it: a run that holds the folder follows all that wrote from it."""
RENEWED = 30.0
"""Seconds between two renewals."""
SILENCE = 4 * RENEWED
"""Seconds after which a run that has not renewed its file is taken to have ended."""
TAKEN_OVER = "batch-taken-over"


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A run that writes to a URL.

    Attributes:
        run: tells it from all others.
        place: of its working folder.
        host, process: where it goes on.
        since, renewed: by the clock of its machine.
    """

    run: str
    place: str
    host: str
    process: int
    since: datetime
    renewed: datetime

    def __str__(self) -> str:
        since = self.since.astimezone()
        return f"on {self.host}, process {self.process}, since {since:%Y-%m-%d %H:%M}"


class Lease:
    """The right to write to a store, from the beginning to the end of its block.

    Args:
        folder: the working folder, which this run alone holds.
        say: is called with each sentence for the user.

    Entering its block raises MaquetteError("batch-running") where another run goes on, and as
    `Store` does.
    """

    def __init__(self, store: Store, folder: Path, say: Callable[[str], None]) -> None:
        self._store, self._say = store, say
        now = datetime.now(UTC)
        self._holder = Holder(
            run=secrets.token_hex(8),
            place=_place(folder),
            host=socket.gethostname(),
            process=os.getpid(),
            since=now,
            renewed=now,
        )
        self._lost: MaquetteError | None = None
        self._heard = 0.0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew_on, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        found = self._store.read(FILE)
        if found is not None and not self._is_of_this_folder(found):
            self._watch(found)
        self._write()
        if not self._is_own(now := self._store.read(FILE)):  # another was as quick
            raise self._running(now)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        # Where it can't be removed, the next run watches it and goes on.
        with contextlib.suppress(MaquetteError):
            if self._lost is None and self._is_own(self._store.read(FILE)):
                self._store.remove(FILE)

    @property
    def lost(self) -> MaquetteError | None:
        """Why this run may write no more, as far as it has heard."""
        return self._lost

    def check(self) -> None:
        """See that this run may write; asks the store where nothing was heard of it for long, as
        after a lost connection or a machine's sleep.

        Raises MaquetteError("batch-taken-over"), and as `Store` does.
        """
        if not self._is_fresh:
            with self._lock:
                if not self._is_fresh:  # not by another thread either
                    self._renew()
        if self._lost is not None:
            raise self._lost

    @property
    def _is_fresh(self) -> bool:
        # By a clock that goes on while the machine sleeps.
        return abs(time.time() - self._heard) < SILENCE / 2

    def _renew_on(self) -> None:
        while not self._ended.wait(RENEWED):
            # A lost connection is told by the pictures that can't be sent.
            with self._lock, contextlib.suppress(MaquetteError):
                self._renew()

    def _renew(self) -> None:
        if self._lost is not None:
            return
        found = self._store.read(FILE)
        if self._is_own(found):
            self._write()
            return
        self._lost = MaquetteError(
            TAKEN_OVER,
            f"Another batch{_named(found)} has taken over {self._store}, as this one was not heard "
            "of for a while; what this one has painted stays.",
            "When that one is done, the same command goes on from here.",
        )

    def _write(self) -> None:
        renewed = msgspec.structs.replace(self._holder, renewed=datetime.now(UTC))
        self._store.write(FILE, msgspec.json.encode(renewed))
        self._heard = time.time()

    def _watch(self, found: bytes) -> None:
        """Wait until a run is known to have ended. Raises MaquetteError("batch-running")."""
        self._say(
            f"A batch{_named(found)} wrote to {self._store}; seeing whether it still does, for "
            f"{SILENCE:.0f} seconds at most."
        )
        end = time.monotonic() + SILENCE
        while time.monotonic() < end:
            time.sleep(RENEWED / 10)
            now = self._store.read(FILE)
            if now is None:
                return
            if now != found:
                raise self._running(now if _holder(now) else found)
        self._say("It is not running any more, so this one goes on in its place.")

    def _running(self, found: bytes | None) -> MaquetteError:
        return MaquetteError(
            "batch-running",
            f"Another batch writes to {self._store}{_named(found)}.",
            "Wait until it is done, stop it there, or name another place with --output.",
        )

    def _is_own(self, found: bytes | None) -> bool:
        other = _holder(found)
        return other is not None and other.run == self._holder.run

    def _is_of_this_folder(self, found: bytes) -> bool:
        other, own = _holder(found), self._holder
        # The folder may have been copied with a machine.
        return other is not None and (other.place, other.host) == (own.place, own.host)


def _holder(found: bytes | None) -> Holder | None:
    """Whose a file is; None where it is missing, half written, or of another Maquette."""
    try:
        return None if found is None else msgspec.json.decode(found, type=Holder)
    except msgspec.MsgspecError:
        return None


def _named(found: bytes | None) -> str:
    other = _holder(found)
    return "" if other is None else f" ({other})"


def _place(folder: Path) -> str:
    path = folder / PLACE
    if not path.is_file():
        outputs.write_bytes(path, secrets.token_hex(8).encode())
    return path.read_text("ascii")
