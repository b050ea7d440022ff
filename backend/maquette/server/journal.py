"""Journal: the jobs of a server in SQLite, so that an accepted job survives every process.

Transactions are committed before the loop tells anyone about them. In write-ahead mode with
``synchronous = NORMAL`` a commit survives the death of every process; after a power cut the last
moments before it may be missing, never anything older, and the database is never damaged.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from maquette_wire.errors import MaquetteError

log = logging.getLogger(__name__)

RESERVE_BYTES = 256 * 1024

State = Literal["queued", "running", "done", "failed", "cancelled"]

MIGRATIONS = (
    """
    CREATE TABLE jobs (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        job TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
        recipe TEXT NOT NULL,
        previews INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL,
        submitted REAL NOT NULL,
        started REAL,
        finished REAL,
        acknowledged REAL,
        code TEXT NOT NULL DEFAULT '',
        sentence TEXT NOT NULL DEFAULT '',
        hint TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX jobs_by_state ON jobs (state, sequence);
    """,
    """
    ALTER TABLE jobs ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
    UPDATE jobs SET place = sequence;
    DROP INDEX jobs_by_state;
    CREATE INDEX jobs_by_state ON jobs (state, place);
    CREATE INDEX jobs_by_place ON jobs (place);
    """,
)
"""What brings a database from version i (``PRAGMA user_version``) to version i + 1."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the journal.

    Attributes:
        sequence: order of acceptance.
        job: the client's UUID for it.
        owner: the CURVE public key (Z85) of the client it belongs to.
        recipe: as JSON, as the client sent it.
        attempts: how many workers died while they had it.
        bytes: disk space that it takes or may still take in the spool.
        submitted, started, finished, acknowledged: seconds since the epoch.
        code, sentence, hint: why it failed.
        place: of two queued jobs the one with the smaller place runs first.
    """

    sequence: int
    job: str
    owner: str
    state: State
    recipe: str
    previews: bool
    attempts: int
    bytes: int
    submitted: float
    started: float | None
    finished: float | None
    acknowledged: float | None
    code: str
    sentence: str
    hint: str
    place: int


COLUMNS = ", ".join(Job.__struct_fields__)


class Journal:
    """The jobs on disk. Every method is one transaction.

    A full disk raises MaquetteError("disk-full") and leaves the journal as it was. Only new jobs
    meet that at once: a small reserve of disk space is given up for how the accepted ones end.

    Args:
        path: the database file; made where there is none, brought up to date where it is older.
        clock: seconds since the epoch.

    Raises:
        MaquetteError: "journal-newer" for a file of a later version, "journal-damaged" for one
            that isn't a journal.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._reserve = path.with_suffix(".reserve")
        self._clock = clock
        self._database = sqlite3.connect(path, isolation_level=None, timeout=10.0)
        try:
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            _check(self._database, path)
            self._migrate()
            self.keep_reserve()
        except sqlite3.DatabaseError as error:
            self._database.close()
            raise _translated(error, path) from error
        except MaquetteError:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the file; the journal can't be used afterwards."""
        self._database.close()

    def _migrate(self) -> None:
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise MaquetteError(
                "journal-newer",
                f"The job journal {self._path} was written by a newer Maquette.",
                "Update Maquette, or choose another folder with --home.",
            )
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            self._database.executescript(
                f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;"
            )

    def keep_reserve(self) -> None:
        """Set disk space aside (again), if there is some."""
        if self._reserve.exists():
            return
        try:
            self._reserve.write_bytes(bytes(RESERVE_BYTES))
        except OSError as error:
            self._reserve.unlink(missing_ok=True)
            log.warning("There is no disk space to set aside for the job journal: %s", error)

    def _write(self, statement: str, values: Sequence[object], *, new: bool = False) -> bool:
        """Run one statement as one transaction; returns whether it changed a row.

        Args:
            new: for a new job the reserve isn't touched.
        """
        try:
            return self._database.execute(statement, values).rowcount == 1
        except sqlite3.DatabaseError as error:
            full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
            if not full or new or not self._reserve.exists():
                raise _translated(error, self._path) from error
        self._reserve.unlink()
        return self._write(statement, values)

    def _select(self, where: str, *values: object) -> list[Job]:
        rows = self._read(f"SELECT {COLUMNS} FROM jobs WHERE {where}", values)
        return [
            msgspec.convert(dict(zip(Job.__struct_fields__, row, strict=True)), Job, strict=False)
            for row in rows
        ]

    def _read(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise _translated(error, self._path) from error

    def _update(self, job: str, where: str, **values: object) -> bool:
        """Set columns of a job if it is ``where``; returns whether it was."""
        sets = ", ".join(f"{name} = ?" for name in values)
        return self._write(
            f"UPDATE jobs SET {sets} WHERE job = ? AND {where}", (*values.values(), job)
        )

    def get(self, job: str) -> Job | None:
        """The job of this name, if there is one."""
        return next(iter(self._select("job = ?", job)), None)

    def in_state(self, *states: State) -> list[Job]:
        """All jobs in one of these states, in the order of the queue."""
        marks = ", ".join("?" * len(states))
        return self._select(f"state IN ({marks}) ORDER BY place", *states)

    def next_queued(self) -> Job | None:
        """The job to run next: the one accepted first, unless its client has moved it."""
        return next(iter(self._select("state = 'queued' ORDER BY place LIMIT 1")), None)

    def ahead(self, job: Job) -> int:
        """How many jobs run now or will before this one; 0 where it doesn't wait."""
        if job.state != "queued":
            return 0
        query = (
            "SELECT count(*) FROM jobs WHERE state = 'running' OR (state = 'queued' AND place < ?)"
        )
        return self._read(query, (job.place,))[0][0]

    def order(self, jobs: Sequence[str]) -> None:
        """Have queued jobs run in this order, in the places that they have among them."""
        queued = {job.job: job.place for job in self.in_state("queued")}
        moved = [name for name in dict.fromkeys(jobs) if name in queued]
        if not moved:
            return
        places = sorted(queued[name] for name in moved)
        pairs = [value for pair in zip(moved, places, strict=True) for value in pair]
        cases = " ".join(["WHEN ? THEN ?"] * len(moved))
        marks = ", ".join("?" * len(moved))
        self._write(
            f"UPDATE jobs SET place = CASE job {cases} END WHERE job IN ({marks})",
            (*pairs, *moved),
        )

    def unfinished(self) -> int:
        """How many jobs are queued or running."""
        query = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')"
        return self._read(query)[0][0]

    def bytes(self) -> int:
        """Disk space that all jobs take or may still take."""
        return self._read("SELECT coalesce(sum(bytes), 0) FROM jobs")[0][0]

    def add(self, job: str, *, owner: str, recipe: str, previews: bool, size: int) -> Job:
        """Accept a job; its name must be new."""
        self._write(
            "INSERT INTO jobs (job, owner, state, recipe, previews, bytes, submitted, place)"
            " VALUES (?, ?, 'queued', ?, ?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM jobs))",
            (job, owner, recipe, previews, size, self._clock()),
            new=True,
        )
        added = self.get(job)
        assert added is not None
        return added

    def start(self, job: str) -> bool:
        """queued → running."""
        return self._update(job, "state = 'queued'", state="running", started=self._clock())

    def requeue(self, job: str, *, died: bool) -> bool:
        """running → queued, counting the attempt if its worker died of it."""
        return self._write(
            "UPDATE jobs SET state = 'queued', attempts = attempts + ?"
            " WHERE job = ? AND state = 'running'",
            (int(died), job),
        )

    def finish(self, job: str, *, size: int) -> bool:
        """queued or running → done; ``size`` is what its result takes on disk."""
        return self._update(
            job,
            "state IN ('queued', 'running')",
            state="done",
            finished=self._clock(),
            bytes=size,
        )

    def fail(self, job: str, error: MaquetteError) -> bool:
        """queued, running or done (its result is lost) → failed."""
        return self._update(
            job,
            "state IN ('queued', 'running', 'done')",
            state="failed",
            finished=self._clock(),
            bytes=0,
            code=error.code,
            sentence=error.sentence,
            hint=error.hint,
        )

    def cancel(self, job: str) -> bool:
        """queued or running → cancelled."""
        return self._update(
            job,
            "state IN ('queued', 'running')",
            state="cancelled",
            finished=self._clock(),
            bytes=0,
        )

    def acknowledge(self, job: str) -> bool:
        """Note that the client has a finished job's result, or knows of its failure."""
        return self._update(
            job,
            "state IN ('done', 'failed', 'cancelled') AND acknowledged IS NULL",
            acknowledged=self._clock(),
        )

    def emptied(self, job: str) -> bool:
        """Note that a job's files are gone."""
        return self._update(job, "bytes > 0", bytes=0)

    def acknowledged_with_files(self, before: float | None = None) -> list[Job]:
        """Results that may go, first acknowledged first; with ``before``, only older ones."""
        limit = self._clock() if before is None else before
        return self._select(
            "acknowledged <= ? AND bytes > 0 AND state = 'done' ORDER BY acknowledged", limit
        )

    def finished_before(self, moment: float) -> list[Job]:
        """Jobs that reached their end before a moment, acknowledged or not."""
        return self._select(
            "state IN ('done', 'failed', 'cancelled') AND finished < ? ORDER BY finished", moment
        )

    def forget(self, job: str) -> None:
        """Drop a job's row."""
        self._write("DELETE FROM jobs WHERE job = ?", (job,))


def inspect(path: Path) -> None:
    """Look at a journal, also one in use, without changing it.

    Raises MaquetteError("journal-damaged", "journal-unusable") where no server could use it.
    """
    if not path.exists():
        return
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        ) as database:
            _check(database, path)
    except sqlite3.DatabaseError as error:
        raise _translated(error, path) from error


def _check(database: sqlite3.Connection, path: Path) -> None:
    """Read all of a database. Raises MaquetteError("journal-damaged") or sqlite3.DatabaseError."""
    (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise _damaged(path, found.splitlines()[-1])


def _damaged(path: Path, why: object) -> MaquetteError:
    return MaquetteError(
        "journal-damaged",
        f"The job journal {path} is damaged ({why}).",
        f"Move the folder {path.parent} away: the server then begins with an empty one, and "
        "whatever was not fetched yet stays in that folder.",
    )


def _translated(error: sqlite3.DatabaseError, path: Path) -> MaquetteError:
    code = error.sqlite_errorcode & 0xFF  # the rest tells kinds of the same thing apart
    if code == sqlite3.SQLITE_FULL:
        return disk_full()
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return _damaged(path, error)
    return MaquetteError(
        "journal-unusable",
        f"The job journal {path} can't be used ({error}).",
        "Check that its folder exists and is writable, on a local disk.",
    )


def disk_full() -> MaquetteError:
    """The error for a disk without space."""
    return MaquetteError(
        "disk-full",
        "There is no space left on the disk where the server keeps its jobs.",
        "Free some space there (the server's Maquette folder), then send the job again.",
    )
