"""The SQLite file of a manifest: its tables, who holds it, and what can be wrong with it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TypeVar

import msgspec
from maquette_wire.errors import MaquetteError

FILE = "manifest.sqlite"
LAYOUT = 1

Record = TypeVar("Record", bound=msgspec.Struct)

SCHEMA = """
CREATE TABLE sources (
    id INTEGER PRIMARY KEY,
    asked TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'waiting',
    error TEXT
);
CREATE TABLE captures (
    id INTEGER PRIMARY KEY,
    asked INTEGER NOT NULL REFERENCES sources,
    place INTEGER NOT NULL,
    source TEXT NOT NULL,
    view TEXT NOT NULL,
    picture TEXT NOT NULL,
    UNIQUE (asked, place)
);
CREATE TABLE outputs (
    id INTEGER PRIMARY KEY,
    capture INTEGER NOT NULL REFERENCES captures,
    recipe TEXT NOT NULL,
    file TEXT NOT NULL UNIQUE COLLATE NOCASE,
    state TEXT NOT NULL DEFAULT 'waiting',
    wanted INTEGER NOT NULL DEFAULT 1,
    job TEXT,
    made TEXT,
    warnings TEXT,
    seconds REAL,
    error TEXT,
    UNIQUE (capture, recipe)
);
CREATE INDEX outputs_of_jobs ON outputs (job) WHERE job IS NOT NULL
"""


def connect(folder: Path, called: str | None = None) -> sqlite3.Connection:
    """Open the file in a folder, made where there is none, and keep all others out of it.

    Args:
        called: what a user calls the folder.

    Raises MaquetteError("batch-running", "bad-manifest").
    """
    path = folder / FILE
    try:
        db = sqlite3.connect(path, timeout=1.0, isolation_level=None)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("BEGIN IMMEDIATE")  # takes the lock, which stays
        (layout,) = db.execute("PRAGMA user_version").fetchone()
        if layout == 0:
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {LAYOUT}")
        db.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise _bad(path, str(error)) from error
        raise MaquetteError(
            "batch-running",
            f"Another batch on this machine works in {called or f'the folder {folder}'}.",
            "Wait until it is done, or name another folder with --output.",
        ) from error
    except sqlite3.DatabaseError as error:
        raise _bad(path, str(error)) from error
    if layout not in (0, LAYOUT):
        raise _bad(path, f"it has layout {layout}, and this Maquette reads {LAYOUT}")
    return db


def decoded(folder: Path, text: str, kind: type[Record]) -> Record:
    """A record of the file. Raises MaquetteError("bad-manifest")."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as error:
        raise _bad(folder / FILE, f"it holds what this Maquette doesn't know: {error}") from error


def explain(folder: Path, error: BaseException | None) -> None:
    """Say in a user's words what the file raised while it was used; other errors are left alone.

    Raises MaquetteError("output-unusable", "bad-manifest").
    """
    if isinstance(error, sqlite3.OperationalError):
        raise MaquetteError(
            "output-unusable",
            f"The manifest in {folder} can't be written: {error}.",
            "Free some space there, then run the command again.",
        ) from error
    if isinstance(error, sqlite3.DatabaseError):
        raise _bad(folder / FILE, str(error)) from error


def _bad(path: Path, what: str) -> MaquetteError:
    return MaquetteError(
        "bad-manifest",
        f"The manifest {path} can't be used: {what}.",
        "Name another folder with --output, or move the manifest away to begin anew.",
    )
