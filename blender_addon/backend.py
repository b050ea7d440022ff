"""Reaching a server: the local one, started on demand, or a remote one. No bpy here."""

from __future__ import annotations

import enum
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maquette_wire import local
from maquette_wire.client import Client, Connected, Disconnected, Event, Rejected
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.installed import noted_backend
from maquette_wire.messages import Welcome

SERVE = ("serve", "--endpoint", "tcp://127.0.0.1:*")
PORT = 47820
"""The port of ``maquette serve``."""
SHEET_SECONDS = 600
VERSION_SECONDS = 60
"""The first start of a Python from a slow disk takes long."""


class Status(enum.Enum):
    """What the panel's server line is about."""

    IDLE = "idle"
    """Nothing was asked of a server yet."""
    STARTING = "starting"
    CONNECTING = "connecting"
    READY = "ready"
    LOST = "lost"
    """It was there and isn't now; attempts go on."""
    TROUBLE = "trouble"
    """Somebody has to change something: ``error`` says what."""


@dataclass(frozen=True)
class Remote:
    """A server on another machine (or one that was started by hand)."""

    address: str
    key: str

    @property
    def loopback(self) -> bool:
        """Whether the address stays on this machine."""
        host = self.address.removeprefix("tcp://").rpartition(":")[0].strip("[]").lower()
        return host in ("localhost", "::1") or host.startswith("127.")


@dataclass(frozen=True)
class Local:
    """This computer's server; ``command`` is the preferences' text, empty for "find it"."""

    command: str


Choice = Local | Remote


def address_of(given: str) -> str:
    """A server's address from what a user typed: ``tcp://`` and the usual port may be left out.

    Raises MaquetteError("bad-address").
    """
    text = given.strip()
    if not text:
        raise MaquetteError(
            "bad-address",
            "The address of the server is missing.",
            "Paste the line that maquette serve prints there, in the add-on's preferences.",
        )
    host, _, port = text.removeprefix("tcp://").rpartition(":")
    if not host or (host.startswith("[") and not host.endswith("]")):
        host, port = text.removeprefix("tcp://"), str(PORT)
    if "/" in host or not port.isdecimal():
        raise MaquetteError(
            "bad-address",
            f"{text!r} is no address of a server.",
            f"Write it as tcp://host:{PORT} in the add-on's preferences.",
        )
    return f"tcp://{host}:{port}"


def find_command(given: str, home: Home) -> list[str]:
    """How the backend's command line is run, by what the user gave, was noted, or is on the PATH.

    Args:
        given: path of a ``maquette`` program, of a Python that has it, or of the folder of its
            environment; may be empty.

    Raises MaquetteError("no-backend").
    """
    if given.strip():
        path = Path(given.strip()).expanduser()
        program = _program_in(path) if path.is_dir() else path
        if program is None or not program.is_file():
            raise MaquetteError(
                "no-backend",
                f"There is no Maquette server program at {path}.",
                "Correct the path in the add-on's preferences, or clear it to search.",
            )
        return _command(program)
    noted = noted_backend(home)
    if noted is not None:
        return noted
    found = shutil.which("maquette")
    if found is None:
        raise MaquetteError(
            "no-backend",
            "The program that paints the pictures isn't installed on this computer.",
            "Run `python build.py demo` in Maquette's folder once, or enter in the preferences "
            "where it is, or the address of another computer's server.",
        )
    return [found]


def version_of(command: list[str]) -> str:
    """What ``command --version`` says; waits for it, so not for the main thread.

    Raises MaquetteError("no-backend").
    """
    done = _run([*command, "--version"], VERSION_SECONDS)
    said = done.stdout.strip()
    if done.returncode or not said.startswith("maquette"):
        raise MaquetteError(
            "no-backend",
            f"{command[0]} is no Maquette server program.",
            "Choose the Python of the environment that Maquette was installed in.",
        )
    return said.splitlines()[0]


def make_sheet(
    command: Sequence[str],
    pictures: Sequence[Path],
    page: Path,
    title: str,
    axes: Sequence[str] = (),
) -> str:
    """Have the backend put pictures, or all of folders, on one page, or on a poster where its name
    ends in .png; returns its path. Waits for it, so not for the main thread.

    Args:
        axes: settings of a poster's rows and columns; of the columns alone where it is one.

    Raises MaquetteError("no-backend", "no-sheet").
    """
    words = [*command, "sheet", *map(str, pictures), "--output", str(page), "--title", title]
    for option, axis in zip(("--columns", "--rows"), reversed(axes), strict=False):
        words += [option, axis]
    done = _run(words, SHEET_SECONDS)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it says nothing"]
        raise MaquetteError("no-sheet", f"{page.name} can't be made: {lines[-1]}")
    return str(page)


def _run(words: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            env={name: value for name, value in os.environ.items() if name != "PYTHONHOME"},
            creationflags=subprocess.CREATE_NO_WINDOW if os.name == "nt" else 0,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MaquetteError(
            "no-backend", f"{words[0]} can't be run: {error}.", "Choose another program."
        ) from error


class Backend:
    """Keeps a client connected to the chosen server for as long as somebody needs it.

    Attributes:
        status, error: for the panel.
        welcome: what the server said last; kept when the connection is lost, since the models
            that it named are still the best guess.
    """

    def __init__(self, home: Home, client: Client) -> None:
        self.status = Status.IDLE
        self.error: MaquetteError | None = None
        self.welcome: Welcome | None = None
        self.choice: Choice | None = None
        self._home = home
        self._client = client
        self._launcher: local.Launcher | None = None
        self._record: local.ServerRecord | None = None

    @property
    def log_end(self) -> tuple[str, ...]:
        """What the local server printed last, where it was given up."""
        return self._launcher.log_end if self._launcher is not None else ()

    @property
    def starts(self) -> int:
        """How often in a row the local server has ended soon after its start."""
        return self._launcher.crashes if self._launcher is not None else 0

    @property
    def server(self) -> str:
        """Address of the remote server; empty for the local one."""
        return self.choice.address if isinstance(self.choice, Remote) else ""

    def want(self, choice: Choice) -> None:
        """Have a connection to this server soon; asked again, it only checks.

        Raises MaquetteError("no-backend", "bad-key") where that can't be.
        """
        changed = choice != self.choice
        if not changed and self.status in (Status.STARTING, Status.CONNECTING, Status.READY):
            return
        try:
            if isinstance(choice, Remote):
                self._reach_remote(choice)
            else:
                self._reach_local(choice)
        except MaquetteError as error:
            self.status, self.error = Status.TROUBLE, error
            raise
        if changed:
            self.welcome = None
        self.choice = choice

    def not_even_asked(self, error: MaquetteError) -> None:
        """Another server is wanted that can't be tried; what is connected stays so."""
        if self.status is not Status.READY:
            self.status, self.error = Status.TROUBLE, error

    def take(self, event: Event) -> None:
        """Follow the client's connection."""
        if isinstance(event, Connected):
            self.status, self.error, self.welcome = Status.READY, None, event.welcome
        elif isinstance(event, Disconnected):
            self.status, self.error = Status.LOST, event.error
        elif isinstance(event, Rejected):
            self.status, self.error = Status.TROUBLE, event.error

    def watch(self) -> None:
        """Start the local server (again) where that is due; never waits.

        To be called now and then while there is work and no connection.
        """
        if self._launcher is None or self._client.connected:
            return
        state = self._launcher.poll()
        if state == "failed":
            self.status, self.error = Status.TROUBLE, self._launcher.error
        elif state == "starting":
            self.status, self.error = Status.STARTING, None
        elif state == "ready" and self._launcher.record not in (None, self._record):
            record = self._record = self._launcher.record
            assert record is not None
            self.status = Status.CONNECTING
            self._client.connect(record.endpoint, record.public_key)

    def _reach_remote(self, choice: Remote) -> None:
        self._client.connect(choice.address, choice.key)
        self._launcher = self._record = None
        self.status, self.error = Status.CONNECTING, None

    def _reach_local(self, choice: Local) -> None:
        if local.running(self._home) is None:
            command = find_command(choice.command, self._home)
        else:
            command = _found_or_nothing(choice.command, self._home)
        self._launcher = local.Launcher(self._home, [*command, *SERVE])
        self._launcher.start()
        self._record = None
        self.status, self.error = Status.STARTING, None
        self.watch()


def _found_or_nothing(given: str, home: Home) -> list[str]:
    # A server that runs already can be used without knowing how to start another one.
    try:
        return find_command(given, home)
    except MaquetteError:
        return ["maquette"]


def _command(program: Path) -> list[str]:
    if program.name.lower().startswith("python"):
        return [str(program), "-m", "maquette"]
    return [str(program)]


def _program_in(folder: Path) -> Path | None:
    names = ["Scripts/maquette.exe"] if os.name == "nt" else ["bin/maquette"]
    names += ["Scripts/python.exe"] if os.name == "nt" else ["bin/python"]
    places = [folder / base / name for base in ("", ".venv") for name in names]
    return next((place for place in places if place.is_file()), None)
