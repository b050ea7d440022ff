"""Frames between two processes of one machine: files in a folder that only their owner enters.

Encrypting and decrypting ten megabytes of pixels costs more than everything else on loopback,
and protects nothing there that the folder's permissions don't. So commands always travel under
CURVE, and between processes that share a file system the pixels travel beside them: the sender
writes a frame to a file with a random name, the binary part of the message is that name, and the
receiver maps the file and removes it. Nothing is synced: a page that is removed before the system
writes it back never reaches the disk.
"""

from __future__ import annotations

import mmap
import os
import re
import secrets
import stat
import time
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from . import messages
from .errors import MaquetteError

if TYPE_CHECKING:
    from typing_extensions import Buffer

NAME = re.compile(rb"[0-9a-f]{32}")
WORTH_BYTES = 64 * 1024
"""Below this a frame travels faster in the message."""
STEP_BYTES = 1024 * 1024
"""Written in a few milliseconds, also where memory is short and other programs want it."""

T = TypeVar("T")


def finish(steps: Generator[None, None, T]) -> T:
    """Take all steps at once; returns what they come to."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


class Exchange:
    """One end of an exchange folder: ``create`` on the server, ``join`` on the client."""

    def __init__(self, folder: Path, token: str) -> None:
        self.folder = folder
        self.token = token

    @classmethod
    def create(cls, folder: Path) -> Exchange:
        """Empty the folder and open it for this server. Raises OSError.

        Frames of an earlier server are removed: whoever was to take them is gone or asks again.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        for leftover in folder.iterdir():
            _remove(leftover)
        token = secrets.token_hex(16)
        (folder / f"{token}.token").touch(mode=0o600)
        return cls(folder, token)

    @classmethod
    def join(cls, offer: messages.Exchange | None) -> Exchange | None:
        """The client's end of what a Welcome offers; None where this machine doesn't see it."""
        if offer is None or NAME.fullmatch(offer.token.encode()) is None:
            return None
        folder = Path(offer.folder)
        try:
            there = (folder / f"{offer.token}.token").is_file() and os.access(folder, os.W_OK)
            # Root may write into another user's folder, who then can't read what root wrote.
            there = there and (os.name == "nt" or folder.stat().st_uid == os.geteuid())
        except OSError:  # a path that this system can't even look up
            return None
        return cls(folder, offer.token) if there else None

    def offer(self) -> messages.Exchange:
        """What a Welcome says about this folder."""
        return messages.Exchange(folder=str(self.folder), token=self.token)

    def put(self, buffer: Buffer) -> bytes:
        """Write a frame; returns its name, the binary part to send. Raises MaquetteError."""
        return finish(self.put_in_steps(buffer))

    def put_in_steps(self, buffer: Buffer) -> Generator[None, None, bytes]:
        """:meth:`put`, resting after every few megabytes; what isn't finished leaves no file."""
        name = secrets.token_hex(16)
        path = self.folder / name
        complete = False
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
            with os.fdopen(handle, "wb", buffering=0) as file:
                rest = memoryview(buffer).cast("B")
                while rest.nbytes:
                    rest = rest[file.write(rest[:STEP_BYTES]) :]
                    yield
            complete = True
        except OSError as error:
            raise MaquetteError(
                "exchange-failed",
                f"A picture could not be handed over through {self.folder}: {error.strerror}.",
                "Free some space on that disk, or set MAQUETTE_HOME to a folder on another one.",
            ) from error
        finally:
            if not complete:
                _remove(path)
        return name.encode()

    def take(self, name: Buffer, size: int) -> memoryview:
        """The ``size`` bytes of a frame, whose file is gone afterwards.

        Raises MaquetteError("bad-message") for a name that is none, or a file of another size.
        """
        key = bytes(memoryview(name)[:33])
        if NAME.fullmatch(key) is None:
            raise MaquetteError("bad-message", "A frame names no file of the exchange folder.")
        path = self.folder / key.decode()
        try:
            # No symbolic link is followed, and a pipe put there doesn't block the reader.
            handle = os.open(path, os.O_RDONLY | _BINARY | _NO_FOLLOW | _NO_BLOCK)
        except OSError as error:
            raise MaquetteError(
                "frame-lost",
                f"A picture is no longer in the exchange folder {self.folder}: {error.strerror}.",
                "Send the job again.",
            ) from error
        with os.fdopen(handle, "rb", buffering=0) as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size != size:
                raise MaquetteError(
                    "bad-message",
                    f"A frame's file holds {status.st_size} bytes, its header says {size}.",
                )
            # Windows removes no file that is mapped; a copy is the price there.
            data = file.read() if os.name == "nt" else mmap.mmap(handle, size, prot=mmap.PROT_READ)
        _remove(path)
        return memoryview(data)

    def sweep(self, older_than_seconds: float = 3600.0) -> None:
        """Remove frames that nobody took, for instance those of a client that died."""
        limit = time.time() - older_than_seconds
        for path in self.folder.iterdir():
            try:
                if path.suffix != ".token" and path.stat().st_mtime < limit:
                    _remove(path)
            except FileNotFoundError:
                continue  # its receiver took it in the meantime

    def close(self) -> None:
        """Withdraw the offer (the server's end): no new client joins."""
        _remove(self.folder / f"{self.token}.token")


_BINARY = getattr(os, "O_BINARY", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NO_BLOCK = getattr(os, "O_NONBLOCK", 0)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        # Windows: another process still has it open; the next sweep gets it.
        if os.name != "nt":
            raise
