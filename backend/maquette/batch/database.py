"""The SQLite file of a manifest: its tables, who holds it, and what can be wrong with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

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


class Database:
    """The file in a folder, made where there is none; all others are kept out of it. A context
    manager.

    Args:
        called: what a user calls the folder.

    Raises MaquetteError("batch-running", "bad-manifest"), and from its block also
    MaquetteError("output-unusable") where the disk does not take what is written.
    """

    def __init__(self, folder: Path, called: str | None = None) -> None:
        self._folder = folder
        self._connection = _connect(folder, called)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._connection.close()
        if isinstance(error, sqlite3.OperationalError):
            raise MaquetteError(
                "output-unusable",
                f"The manifest in {self._folder} can't be written: {error}.",
                "Free some space there, then run the command again.",
            ) from error
        if isinstance(error, sqlite3.DatabaseError):
            raise _bad(self._folder / FILE, str(error)) from error

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(statement, values)

    def step(self) -> sqlite3.Connection:
        """All of a block's changes or none."""
        self._connection.execute("BEGIN")
        return self._connection  # commits or rolls back when its block is left

    def decoded(self, text: str, kind: type[Record]) -> Record:
        """A record of the file. Raises MaquetteError("bad-manifest")."""
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.MsgspecError as error:
            what = f"it holds what this Maquette doesn't know: {error}"
            raise _bad(self._folder / FILE, what) from error

    def set_output(self, output: int, **values: Any) -> None:
        """Change columns of an output."""
        columns = ", ".join(f"{name} = ?" for name in values)
        self.execute(f"UPDATE outputs SET {columns} WHERE id = ?", (*values.values(), output))

    def wait_again(self, which: str, *values: Any) -> None:
        """Have outputs made again: those that a condition is true of."""
        self.execute(
            "UPDATE outputs SET state = 'waiting', job = NULL, made = NULL, error = NULL"
            f" WHERE {which}",
            values,
        )


def _connect(folder: Path, called: str | None) -> sqlite3.Connection:
    """Raises MaquetteError("batch-running", "bad-manifest")."""
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
            f"Another batch works in {called or f'the folder {folder}'}.",
            "Wait until it is done, or name another folder with --output.",
        ) from error
    except sqlite3.DatabaseError as error:
        raise _bad(path, str(error)) from error
    if layout not in (0, LAYOUT):
        raise _bad(path, f"it has layout {layout}, and this Maquette reads {LAYOUT}")
    return db


def _bad(path: Path, what: str) -> MaquetteError:
    return MaquetteError(
        "bad-manifest",
        f"The manifest {path} can't be used: {what}.",
        "Name another folder with --output, or move the manifest away to begin anew.",
    )
