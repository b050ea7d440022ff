"""The manifest of a batch: what was captured and painted of what was asked, in one SQLite file.

It is written before a job is sent and after its pictures are on disk, so that a batch that is
killed at any moment goes on where it was. One batch at a time holds it.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe
from maquette_wire.source import Source
from maquette_wire.view import View

from .. import outputs
from .gather import Found
from .task import AXES, Asked

FILE, JSONL, CSV = "manifest.sqlite", "manifest.jsonl", "manifest.csv"
LAYOUT = 1

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


@dataclass(frozen=True)
class Taken:
    """A capture of the manifest. `picture`: file of its colour, in the folder."""

    id: int
    source: Source
    view: View
    picture: str


@dataclass(frozen=True)
class Output:
    """A picture of the manifest. `file`: its name in the folder."""

    id: int
    capture: int
    recipe: Recipe
    file: str


class Manifest:
    """The manifest in a folder; made where there is none. A context manager.

    Raises MaquetteError("batch-running", "bad-manifest"), and from its block also
    MaquetteError("output-unusable") where the disk does not take what is noted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / FILE
        try:
            self._db = sqlite3.connect(path, timeout=1.0, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("BEGIN IMMEDIATE")  # takes the lock, which stays
            (layout,) = self._db.execute("PRAGMA user_version").fetchone()
            if layout == 0:
                for statement in SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {LAYOUT}")
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise _bad(path, str(error)) from error
            raise MaquetteError(
                "batch-running",
                f"Another batch works in the folder {folder}.",
                "Wait until it is done, or name another folder with --output.",
            ) from error
        except sqlite3.DatabaseError as error:
            raise _bad(path, str(error)) from error
        if layout not in (0, LAYOUT):
            raise _bad(path, f"it has layout {layout}, and this Maquette reads {LAYOUT}")

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._db.close()
        if isinstance(error, sqlite3.OperationalError):
            raise MaquetteError(
                "output-unusable",
                f"The manifest in {self.folder} can't be written: {error}.",
                "Free some space there, then run the command again.",
            ) from error
        if isinstance(error, sqlite3.DatabaseError):
            raise _bad(self.folder / FILE, str(error)) from error

    # --- sources and captures -------------------------------------------------------------------

    def source(self, asked: Asked) -> int:
        """A source's number; new where it wasn't asked for before."""
        text = msgspec.json.encode(asked).decode()
        self._db.execute("INSERT OR IGNORE INTO sources (asked) VALUES (?)", (text,))
        (number,) = self._db.execute("SELECT id FROM sources WHERE asked = ?", (text,)).fetchone()
        return number

    def captures(self, source: int) -> list[Taken]:
        """What was captured of a source."""
        found = self._db.execute("SELECT * FROM captures WHERE asked = ? ORDER BY place", (source,))
        return [_taken(row) for row in found]

    def set_captures(self, source: int, found: Sequence[Found] | None) -> list[Taken]:
        """Note what was captured of a source; None: all is as it was.

        Pictures of another state of the source are to be made again.
        """
        with self._step():
            self._db.execute(
                "UPDATE sources SET state = 'captured', error = NULL WHERE id = ?", (source,)
            )
            older = self.captures(source)
            for place, new in enumerate(found or ()):
                values = (_text(new.source), _text(new.view), new.picture)
                if place >= len(older):
                    self._db.execute(
                        "INSERT INTO captures (asked, place, source, view, picture)"
                        " VALUES (?, ?, ?, ?, ?)",
                        (source, place, *values),
                    )
                    continue
                was = older[place]
                self._db.execute(
                    "UPDATE captures SET source = ?, view = ?, picture = ? WHERE id = ?",
                    (*values, was.id),
                )
                # The same files may be captured with other rounding by another Blender, or by
                # the same one: what is painted of them stays.
                another = was.source.capture != new.source.capture
                if another and _files(was.source) != _files(new.source):
                    self._wait_again("capture = ?", was.id)
            for gone in older[len(found) :] if found is not None else ():
                self._db.execute("DELETE FROM outputs WHERE capture = ?", (gone.id,))
                self._db.execute("DELETE FROM captures WHERE id = ?", (gone.id,))
        return self.captures(source)

    def fail_source(self, source: int, error: MaquetteError) -> None:
        """Note that nothing could be captured of a source."""
        self._db.execute(
            "UPDATE sources SET state = 'failed', error = ? WHERE id = ?", (str(error), source)
        )

    # --- outputs --------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a run: nothing is wanted yet, and what failed is to be tried again."""
        with self._step():
            self._db.execute("UPDATE outputs SET wanted = 0")
            self._wait_again("state = 'failed'")
            self._db.execute("UPDATE sources SET state = 'unasked', error = NULL")

    def want(
        self, capture: Taken, recipes: Sequence[Recipe], stem: str, *, prompt: bool = True
    ) -> list[Output]:
        """Have each of these recipes painted on a capture; returns those that are to be painted.

        One that is done stays, unless its file is gone.

        Args:
            stem: what names of new ones begin with; the prompt follows if `prompt` says so.
        """
        waiting = []
        with self._step():
            for recipe in recipes:
                row = self._known(capture, recipe)
                if row is None:
                    self._db.execute(
                        "INSERT INTO outputs (capture, recipe, file) VALUES (?, ?, ?)",
                        (capture.id, recipe.to_json(), self._name(stem, recipe, recipes, prompt)),
                    )
                    row = self._known(capture, recipe)
                    assert row is not None
                self._db.execute("UPDATE outputs SET wanted = 1 WHERE id = ?", (row["id"],))
                if row["state"] == "done" and (self.folder / row["file"]).is_file():
                    continue
                self._wait_again("id = ?", row["id"])
                waiting.append(Output(row["id"], capture.id, recipe, row["file"]))
        return waiting

    def _known(self, capture: Taken, recipe: Recipe) -> sqlite3.Row | None:
        return self._db.execute(
            "SELECT id, state, file FROM outputs WHERE capture = ? AND recipe = ?",
            (capture.id, recipe.to_json()),
        ).fetchone()

    def assign(self, outputs_of_job: Sequence[Output], job: str | None) -> None:
        """Note that a job makes these outputs, before it is sent; or none does, with None."""
        with self._step():
            for output in outputs_of_job:
                self._db.execute("UPDATE outputs SET job = ? WHERE id = ?", (job, output.id))

    def done(self, output: Output, recipe: Recipe, warnings: Sequence[str], seconds: float) -> None:
        """Note that an output is on disk. recipe: with all that was filled in."""
        self._db.execute(
            "UPDATE outputs SET state = 'done', made = ?, warnings = ?, seconds = ?, error = NULL"
            " WHERE id = ?",
            (recipe.to_json(), "\n".join(warnings), seconds, output.id),
        )

    def fail(self, output: Output, error: MaquetteError) -> None:
        """Note why an output can't be made."""
        self._db.execute(
            "UPDATE outputs SET state = 'failed', job = NULL, error = ? WHERE id = ?",
            (str(error), output.id),
        )

    def stored(self, job: str) -> None:
        """Note that the server was told of a finished job's pictures."""
        self._db.execute("UPDATE outputs SET job = NULL WHERE job = ?", (job,))

    def jobs(self) -> list[str]:
        """Jobs that the server was not told the end of."""
        found = self._db.execute("SELECT DISTINCT job FROM outputs WHERE job IS NOT NULL")
        return [row["job"] for row in found]

    def forget_jobs(self) -> None:
        """The server knows of none any more."""
        self._db.execute("UPDATE outputs SET job = NULL")

    def seconds(self) -> float | None:
        """The time of a picture so far (median); None where there is none yet."""
        found = self._db.execute(
            "SELECT seconds FROM outputs WHERE state = 'done' AND seconds > 0 ORDER BY seconds"
        ).fetchall()
        return found[len(found) // 2][0] if found else None

    # --- what others read -----------------------------------------------------------------------

    def export(self) -> None:
        """Write the outputs, and sources that gave none, as JSON lines and as a table.

        Raises MaquetteError("output-unusable").
        """
        rows = self.rows()
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        outputs.write_bytes(self.folder / JSONL, lines.encode())
        columns = ["number", "state", "file", "source", "view", "frame", "prompt", *AXES]
        columns += ["seconds", "error"]
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, columns, extrasaction="ignore")
        table.writeheader()
        table.writerows({**row, **(row["recipe"] or {})} for row in rows)
        outputs.write_bytes(self.folder / CSV, text.getvalue().encode("utf-8-sig"))  # for Excel

    def rows(self) -> list[dict[str, Any]]:
        """What is done, failed, or wanted and not there yet, then the sources that failed."""
        found = self._db.execute(
            "SELECT o.*, c.source AS origin, c.view, c.picture FROM outputs o"
            " JOIN captures c ON c.id = o.capture"
            " WHERE o.wanted OR o.state = 'done' ORDER BY o.id"
        )
        failed = self._db.execute(
            "SELECT asked, error FROM sources WHERE state = 'failed' ORDER BY id"
        )
        return [_output_row(row) for row in found] + [_failed_row(row) for row in failed]

    # --- inside ---------------------------------------------------------------------------------

    def _wait_again(self, which: str, *values: Any) -> None:
        self._db.execute(
            "UPDATE outputs SET state = 'waiting', job = NULL, made = NULL, error = NULL"
            f" WHERE {which}",
            values,
        )

    def _step(self) -> sqlite3.Connection:
        """All of a block's changes or none."""
        self._db.execute("BEGIN")
        return self._db  # commits or rolls back when its block is left

    def _name(self, stem: str, recipe: Recipe, recipes: Sequence[Recipe], prompt: bool) -> str:
        """A free name that says what an output is, and of the recipe what tells it from others."""
        parts = [stem, outputs.slug(recipe.prompt) if prompt else ""]
        for name in AXES:
            if len({getattr(other, name) for other in recipes}) > 1:
                parts.append(_part(name, getattr(recipe, name)))
        whole = "-".join(part for part in parts if part)
        base = whole.encode()[:NAME_BYTES].decode(errors="ignore")
        name, number = f"{base}.png", 2
        while self._is_taken(name):
            name, number = f"{base}-{number}.png", number + 1
        return name

    def _is_taken(self, name: str) -> bool:
        known = self._db.execute("SELECT 1 FROM outputs WHERE file = ?", (name,)).fetchone()
        return known is not None or (self.folder / name).exists()


NAME_BYTES = 200
"""Of a file's name before its number and suffix; file systems take 255."""
SHORT = {
    "seed": "s",
    "geometry": "g",
    "guidance": "w",
    "strength": "a",
    "depth_influence": "d",
    "storey": "h",
    "bay": "b",
    "lines_influence": "l",
}


def _part(name: str, value: Any) -> str:
    """A varied field in a file's name, for instance `g0.5`."""
    if value is None:
        return ""
    if isinstance(value, str):
        return outputs.slug(value) if value else ""
    return f"{SHORT.get(name, name)}{value:.6g}" if name != "seed" else f"s{value}"


def _files(source: Source) -> tuple[str, str | None]:
    """What the files of a source hold."""
    return source.sha256, source.depth_sha256


def _text(record: msgspec.Struct) -> str:
    return msgspec.json.encode(record).decode()


def _output_row(row: sqlite3.Row) -> dict[str, Any]:
    origin = json.loads(row["origin"])
    return {
        "number": row["id"],
        "state": row["state"],
        "file": row["file"],
        "source": origin["file"],
        "source_sha256": origin["sha256"],
        "source_picture": row["picture"],
        "view": json.loads(row["view"])["name"],
        "frame": origin.get("frame"),
        "seconds": row["seconds"],
        "warnings": (row["warnings"] or "").splitlines(),
        "error": row["error"],
        "recipe": json.loads(row["made"] or row["recipe"]),
    }


def _failed_row(row: sqlite3.Row) -> dict[str, Any]:
    """Of a source, which has neither a number nor a recipe."""
    empty = dict.fromkeys(
        ("number", "file", "source_sha256", "source_picture", "view", "frame", "seconds", "recipe")
    )
    source = json.loads(row["asked"])["file"]
    return {**empty, "state": "failed", "source": source, "warnings": [], "error": row["error"]}


def _taken(row: sqlite3.Row) -> Taken:
    return Taken(
        row["id"],
        msgspec.json.decode(row["source"], type=Source),
        msgspec.json.decode(row["view"], type=View),
        row["picture"],
    )


def _bad(path: Path, what: str) -> MaquetteError:
    return MaquetteError(
        "bad-manifest",
        f"The manifest {path} can't be used: {what}.",
        "Name another folder with --output, or move the manifest away to begin anew.",
    )
