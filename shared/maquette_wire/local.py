"""The local server: the record of a running one, and starting one without waiting for it.

A server holds a lock as long as it lives and writes where it is into a record. The system drops
the lock with the process, however that ends, so a record is believed only while its lock is held:
process numbers, which are used again, decide nothing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Literal

import msgspec

from .errors import MaquetteError
from .home import Home, unusable

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_SECONDS = 1.0
"""How long a server tries for its lock: somebody who only looks holds it for a moment."""
START_SECONDS = 180.0
"""A first start may compile and read for minutes from a slow disk."""
CRASHES, CRASH_SECONDS = 3, 60.0
"""A server that ended so often, none of them having served for so long, is given up."""
BACK_OFF_SECONDS = 1.0
LOG_BYTES = 4 * 1024 * 1024
ROOM_BYTES = 1024 * 1024
"""Without so much space on the disk a server couldn't even say in its log why it ends."""

_held: set[Path] = set()


class ServerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Where the running local server is."""

    endpoint: str
    public_key: str
    pid: int
    version: str
    protocol: int


class ServerLock:
    """The right to be this home's server; a context manager.

    Raises MaquetteError("already-running") where another process has it.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        home.make()
        self._file: IO[bytes] = home.lock.open("ab")
        home.lock.chmod(0o600)
        end = time.monotonic() + LOCK_SECONDS
        while not try_lock(self._file, shared=False):
            if time.monotonic() > end:
                self._file.close()
                raise _already_running(home)
            time.sleep(0.05)
        _held.add(home.lock.absolute())

    def announce(self, record: ServerRecord) -> None:
        """Tell this user's programs where the server is. Raises OSError."""
        temporary = self._home.record.with_name(f".{secrets.token_hex(8)}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(record))
        temporary.replace(self._home.record)

    def close(self) -> None:
        """Withdraw the record and let the lock go."""
        if not self._file.closed:
            self._home.record.unlink(missing_ok=True)
            _held.discard(self._home.lock.absolute())
            self._file.close()

    def __enter__(self) -> ServerLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def running(home: Home) -> ServerRecord | None:
    """The running local server, or None: a record that a dead server left behind is no server."""
    record = _record(home)
    return record if record is not None and _is_held(home.lock) else None


def starting(home: Home) -> bool:
    """Whether a server of this home lives that hasn't said yet where it is: somebody started it."""
    return running(home) is None and _is_held(home.lock)


class Launcher:
    """Starts the local server and watches it; ``poll`` never waits.

    Args:
        home: whose server it is; passed on as MAQUETTE_HOME.
        command: program and arguments, for instance
            ``[python, "-m", "maquette", "serve", "--endpoint", "tcp://127.0.0.1:*"]``.

    Attributes:
        state: ``idle`` before :meth:`start`, ``starting``, ``ready`` (``record`` says where) or
            ``failed`` (``error`` says why; :meth:`start` tries again).
        crashes: servers in a row that ended soon; at CRASHES none is started any more.
        log_end: the last lines that the server printed, where it failed.
    """

    def __init__(self, home: Home, command: Sequence[str]) -> None:
        self.state: Literal["idle", "starting", "ready", "failed"] = "idle"
        self.record: ServerRecord | None = None
        self.error: MaquetteError | None = None
        self._home = home
        self._command = list(command)
        self.crashes = 0
        self.log_end: tuple[str, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready_at: float | None = None
        self._begun = self._next_try = 0.0

    def start(self) -> None:
        """Begin, with all earlier crashes forgiven. A server that runs already is taken."""
        self.crashes, self._ready_at = 0, None
        self.error, self.log_end = None, ()
        self.state, self._next_try = "starting", 0.0
        self._begun = time.monotonic()

    def poll(self) -> Literal["idle", "starting", "ready", "failed"]:
        """Look at the server, start it (again) where that is due, and return the state."""
        if self.state in ("idle", "failed"):
            return self.state
        now = time.monotonic()
        self.record = running(self._home)
        if self.record is not None:
            if self._ready_at is None:
                self._ready_at = now
            self.state, self._begun = "ready", now
            return self.state
        self.state = "starting"
        ended = self._process is not None and self._process.poll() is not None
        if now - self._begun > START_SECONDS:
            seconds = f"{START_SECONDS:.0f} seconds"
            self._fail("server-slow", f"The local server isn't ready after {seconds}.")
        elif starting(self._home):
            if ended:  # another program's server was first
                self._process = None
        elif ended:
            assert self._process is not None
            self._crashed(now, self._process.returncode)
        elif self._process is None and now >= self._next_try:
            self._begin(now)
        return self.state

    def _begin(self, now: float) -> None:
        self.state, self._begun, self._ready_at = "starting", now, None
        try:
            self._process = start(self._home, self._command)
        except OSError as error:
            self.state = "failed"
            self.error = MaquetteError(
                "backend-missing",
                f"The local server {self._command[0]!r} can't be started: {error.strerror}.",
                "Tell the preferences where the backend's Python is.",
            )
        except MaquetteError as error:
            self.state, self.error = "failed", error

    def _crashed(self, now: float, status: int) -> None:
        served = self._ready_at is not None and now - self._ready_at >= CRASH_SECONDS
        self._process = self._ready_at = None
        self.crashes = 1 if served else self.crashes + 1
        if self.crashes >= CRASHES:
            self._fail(
                "server-crashes",
                f"The local server ended {self.crashes} times in a row, {self._how(status)}.",
            )
        else:
            self.state = "starting"
            self._next_try = now + BACK_OFF_SECONDS * 2 ** (self.crashes - 1)

    def _how(self, status: int) -> str:
        if status < 0:  # what it printed before has nothing to do with it
            return f"the last time killed by the system or a user (signal {-status})"
        last = last_line(self._home.log)
        return f"last with exit status {status}" + (f" ({last})" if last else "")

    def _fail(self, code: str, sentence: str) -> None:
        self.state = "failed"
        self.error = MaquetteError(code, sentence, f"Its log is {self._home.log}.")
        self.log_end = last_lines(self._home.log)


def start(home: Home, command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a server that outlives this program; what it prints goes to the home's log.

    Raises OSError where the program can't be started, MaquetteError("home-unusable") where the
    home can't be written to or its disk is full.
    """
    home.make()
    if shutil.disk_usage(home.root).free < ROOM_BYTES:
        raise unusable(home.root, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    if home.log.exists() and home.log.stat().st_size > LOG_BYTES:
        home.log.replace(home.log.with_suffix(".old.log"))
    environment = {
        name: value
        for name, value in os.environ.items()
        # Blender's own Python must not become the other Python's idea of itself.
        if name not in ("PYTHONHOME", "__PYVENV_LAUNCHER__")
    }
    environment["MAQUETTE_HOME"] = str(home.root)
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    handle = os.open(home.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "ab") as log:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home.root,
            env=environment,
            creationflags=flags,
            start_new_session=True,  # a closed terminal or a Ctrl-C is not the server's
        )


def last_line(log: Path) -> str:
    """The last line of text in a log; empty where there is none."""
    return next(reversed(last_lines(log)), "")


def last_lines(log: Path, count: int = 5) -> tuple[str, ...]:
    """The last lines of text in a log, without empty ones."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except FileNotFoundError:
        return ()
    return tuple(line.strip() for line in lines if line.strip())[-count:]


def _record(home: Home) -> ServerRecord | None:
    try:
        return msgspec.json.decode(home.record.read_bytes(), type=ServerRecord)
    except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
        return None


def _is_held(lock: Path) -> bool:
    # To open and close the file in the process that holds it would let the lock go.
    if lock.absolute() in _held:
        return True
    try:
        with lock.open("rb") as file:
            return not try_lock(file, shared=True)
    except FileNotFoundError:
        return False


def try_lock(file: IO[bytes], shared: bool) -> bool:
    """Try to lock a file until it is closed; false where another process has it."""
    if sys.platform == "win32":
        with contextlib.suppress(OSError):
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            return True
        return False
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.lockf(file.fileno(), kind | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # the two that POSIX allows for "held"
        return False
    return True


def _already_running(home: Home) -> MaquetteError:
    record = _record(home)
    where = f" at {record.endpoint} (process {record.pid})" if record else ""
    return MaquetteError(
        "already-running",
        f"A Maquette server of the folder {home.root} runs already{where}.",
        "Use that one, end it, or set MAQUETTE_HOME to another folder.",
    )
