"""What ``maquette doctor`` looks at: checks that give findings, with the fix where it is needed."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from maquette_wire import local
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.keys import authorised_clients

from . import __version__, blender, jobs
from .catalogue import Catalogue, Entry
from .extension import extension_zip
from .families import layouts
from .families.settings import read_settings

LEAST_FREE = 2e9
"""Bytes on the disk of the home below which jobs may fail."""
PACKAGES = ("torch", "diffusers", "transformers", "pyzmq")


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's: what was looked at, how it is, and what to do."""

    subject: str
    state: Literal["fine", "note", "wrong"]
    text: str
    fix: str = ""


def all_findings(home: Home, only: str | None = None) -> Iterator[Finding]:
    """Every check in turn, or that of one subject; one that can't be done is a finding as well."""
    for subject, check in CHECKS.items():
        if only not in (None, subject):
            continue
        try:
            yield from check(home)
        except MaquetteError as error:
            yield Finding(subject, "wrong", error.sentence, error.hint)
        except OSError as error:
            yield Finding(
                subject, "wrong", f"This can't be checked: {error}.", "See to that first."
            )


def versions(home: Home) -> Iterator[Finding]:
    del home
    found = [f"Maquette {__version__}", f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            text = f"The package {name} is not installed for {sys.executable}."
            yield Finding("versions", "wrong", text, "Install Maquette again.")
    yield Finding("versions", "fine", ", ".join(found))


def device(home: Home) -> Iterator[Finding]:
    del home
    from . import devices

    for name in devices.available():
        yield Finding("device", "fine", devices.describe(devices.find(name)))
    if devices.available() == ("cpu",) and shutil.which("nvidia-smi"):
        yield Finding(
            "device",
            "wrong",
            "This machine has an NVIDIA card, and this PyTorch can't use it.",
            "Install a CUDA build: 'python build.py serve --torch registry' on Linux; elsewhere "
            "see pytorch.org for the address to pass to --torch.",
        )


def folder(home: Home) -> Iterator[Finding]:
    existing = home.root
    while not existing.exists():
        existing = existing.parent
    if not os.access(existing, os.W_OK | os.X_OK):
        fix = "Make it writable, or set MAQUETTE_HOME to another folder."
        yield Finding("folder", "wrong", f"{home.root} can't be written to.", fix)
        return
    free = shutil.disk_usage(existing).free
    text = f"{home.root}, {free / 1e9:.1f} GB free"
    if free < LEAST_FREE:
        yield Finding("folder", "wrong", text, "Free some space, or move MAQUETTE_HOME.")
    else:
        yield Finding("folder", "fine", text)


def keys(home: Home) -> Iterator[Finding]:
    secrets = sorted(home.keys.glob("*.key"))
    if not secrets:
        yield Finding("keys", "fine", "none yet; they are made on first use")
        return
    open_to_others = [path for path in secrets if os.name != "nt" and _mode(path) & 0o077]
    for path in open_to_others:
        yield Finding("keys", "wrong", f"Other users can read {path}.", f"Run: chmod 600 '{path}'")
    if not open_to_others:
        clients = len(authorised_clients(home, loopback=False))
        text = f"readable by their owner only; {clients} clients of other machines are authorised"
        yield Finding("keys", "fine", text)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def models(home: Home) -> Iterator[Finding]:
    catalogue = Catalogue(home)
    for entry in catalogue.entries():
        if entry.present:
            yield _model(entry)
        elif entry.sources:
            text = f"{entry.name} is not fetched (maquette models fetch {entry.name})"
            yield Finding("model", "note", text)
        else:
            text = f"The model {entry.name} is not in {entry.directory}."
            yield Finding("model", "wrong", text, "Install Maquette again.")


def _model(entry: Entry) -> Finding:
    """How a model is that is here; one that is damaged doesn't hide the others."""
    try:
        settings = read_settings(entry.directory)
        layouts.check(entry.directory)
    except MaquetteError as error:
        return Finding("model", "wrong", f"{entry.name}: {error.sentence}", error.hint)
    size = settings.native_size
    return Finding("model", "fine", f"{entry.name}: {entry.title}, {size} px, {entry.licence}")


def server(home: Home) -> Iterator[Finding]:
    from .server import journal

    journal.inspect(home.journal)
    record = local.running(home)
    if record is None:
        yield Finding("server", "fine", "none runs; one is started when it is needed")
        yield _port()
        return
    where = jobs.Server(record.endpoint, record.public_key)
    with jobs.connection(home, where) as client:
        welcome = client.welcome
    runs = ", ".join(welcome.devices) if welcome else ""
    yield Finding("server", "fine", f"runs on {record.endpoint} (process {record.pid}; {runs})")
    if record.version != __version__:
        yield Finding(
            "server",
            "wrong",
            f"It is version {record.version}, this command line is {__version__}.",
            "End it and start it again.",
        )


def _port() -> Finding:
    from .server.service import DEFAULT_ENDPOINT

    host, _, port = DEFAULT_ENDPOINT.removeprefix("tcp://").rpartition(":")
    with socket.socket() as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            return Finding(
                "port",
                "wrong",
                f"{host}:{port}, where 'maquette serve' listens, can't be used: {error.strerror}.",
                f"End the program that has it, or run: maquette serve --endpoint tcp://{host}:*",
            )
    return Finding("port", "fine", f"{host}:{port} is free for 'maquette serve'")


def blender_found(home: Home) -> Iterator[Finding]:
    del home
    yield Finding("Blender", "fine", str(blender.find()))


def extension(home: Home) -> Iterator[Finding]:
    del home
    installed = installed_extensions()
    for path in installed:
        yield Finding("extension", "fine", f"installed in {path}")
    try:
        zip_file = extension_zip()
    except MaquetteError as error:
        state = "note" if installed else "wrong"
        yield Finding("extension", state, error.sentence, error.hint)
        return
    if installed:
        yield Finding("extension", "fine", f"for the command line: {zip_file}")
    else:
        text = f"{zip_file} serves the command line, and is in no Blender of this user yet"
        fix = "In Blender: Edit > Preferences > Get Extensions > v > Install from Disk..."
        yield Finding("extension", "note", text, fix)


def installed_extensions() -> list[Path]:
    """Where the extension is installed in this user's own Blenders."""
    user = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA", user)) / "Blender Foundation" / "Blender"
    elif sys.platform == "darwin":
        base = user / "Library" / "Application Support" / "Blender"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or user / ".config") / "blender"
    return sorted(base.glob("*/extensions/*/maquette"))


CHECKS: dict[str, Callable[[Home], Iterator[Finding]]] = {
    "versions": versions,
    "device": device,
    "folder": folder,
    "keys": keys,
    "model": models,
    "server": server,
    "Blender": blender_found,
    "extension": extension,
}
