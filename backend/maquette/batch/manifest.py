"""The manifest of a batch: what was captured and painted of what was asked, in one SQLite file.

It is written before a job is sent and after its pictures are on disk, so that a batch that is
killed at any moment goes on where it was. One batch at a time holds it. Where results go to a URL,
a picture that is on disk is "painted", and "done" when it is there too.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe
from maquette_wire.source import Source
from maquette_wire.view import View

from . import database
from .asked import Asked
from .database import Record
from .elsewhere import Elsewhere
from .gather import Found
from .names import name_of
from .records import Row, failed_row, output_row, write_rows


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


class Away(Protocol):
    """What is at the URL that results go to."""

    elsewhere: Elsewhere
    last_source: int

    def has(self, file: str) -> bool: ...


class Manifest:
    """The manifest in a folder; made where there is none. A context manager.

    Args:
        called: what a user calls the folder.

    Attributes:
        away: what is at the URL that the folder's results go to; None where they stay.

    Raises MaquetteError("batch-running", "bad-manifest"), and from its block also
    MaquetteError("output-unusable") where the disk does not take what is noted.
    """

    def __init__(self, folder: Path, called: str | None = None) -> None:
        self.folder = folder
        self.away: Away | None = None
        self._db = database.connect(folder, called)

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._db.close()
        database.explain(self.folder, error)

    # --- sources and captures -------------------------------------------------------------------

    def source(self, asked: Asked) -> int:
        """A source's number; new where it wasn't asked for before."""
        text = msgspec.json.encode(asked).decode()
        self._db.execute(
            "INSERT OR IGNORE INTO sources (id, asked)"
            " SELECT max(coalesce(max(id), 0), ?) + 1, ? FROM sources",
            (self.away.last_source if self.away else 0, text),
        )
        (number,) = self._db.execute("SELECT id FROM sources WHERE asked = ?", (text,)).fetchone()
        return number

    def captures(self, source: int) -> list[Taken]:
        """What was captured of a source."""
        found = self._db.execute("SELECT * FROM captures WHERE asked = ? ORDER BY place", (source,))
        return [self._taken(row) for row in found]

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
            self._db.execute("UPDATE outputs SET error = NULL WHERE state = 'painted'")
            self._db.execute("UPDATE sources SET state = 'unasked', error = NULL")

    def want(
        self, capture: Taken, recipes: Sequence[Recipe], stem: str, *, prompt: bool = True
    ) -> list[Output]:
        """Have each of these recipes painted on a capture; returns those that are to be painted.

        One that is done stays, unless its file is gone; one that another run made is taken over.
        What is only to be sent, `unsent` tells.

        Args:
            stem: what names of new ones begin with; the prompt follows if `prompt` says so.
        """
        waiting = []
        with self._step():
            known = self._known(capture)
            for recipe in recipes:
                row = known.get(recipe)
                is_made = row is not None and self._is_made(row)
                claimed = None if is_made else self._claimed(row, capture, recipe)
                if row is None:
                    file = claimed["file"] if claimed else self._older(capture, recipe)
                    file = file or self._name(stem, recipe, recipes, prompt)
                    row = self._db.execute(
                        "INSERT INTO outputs (capture, recipe, file) VALUES (?, ?, ?)"
                        " RETURNING id, state, file",
                        (capture.id, recipe.to_json(), file),
                    ).fetchone()
                self._db.execute("UPDATE outputs SET wanted = 1 WHERE id = ?", (row["id"],))
                if claimed:
                    self._take_over(row["id"], capture, claimed)
                elif not is_made:
                    file = row["file"]
                    is_painted = self._is_painted(row)
                    if self.away and self.away.elsewhere.is_another(file, recipe):
                        file = self._name(stem, recipe, recipes, prompt)
                        if is_painted:
                            (self.folder / row["file"]).rename(self.folder / file)
                    if is_painted:
                        self._set(row["id"], state="painted", file=file)
                    else:
                        self._set(row["id"], file=file)
                        self._wait_again("id = ?", row["id"])
                        waiting.append(Output(row["id"], capture.id, recipe, file))
        return waiting

    def _is_made(self, row: sqlite3.Row) -> bool:
        """Whether a picture is where it is to be."""
        if row["state"] != "done":
            return False
        return self.away.has(row["file"]) if self.away else (self.folder / row["file"]).is_file()

    def _is_painted(self, row: sqlite3.Row) -> bool:
        """Whether a picture is here, and only to be sent."""
        is_painted = self.away is not None and row["state"] in ("done", "painted")
        return is_painted and (self.folder / row["file"]).is_file()

    def _claimed(self, row: sqlite3.Row | None, capture: Taken, recipe: Recipe) -> Row | None:
        """A picture that another run made of this, where there is one."""
        if self.away is None:
            return None
        found = self.away.elsewhere.claim(capture.source, capture.view, recipe)
        own = None if row is None else row["file"]
        if found and found["file"] != own and self._is_known(found["file"]):
            return None
        return found

    def _older(self, capture: Taken, recipe: Recipe) -> str | None:
        """The name of a picture that another run made before the source changed."""
        if self.away is None:
            return None
        found = self.away.elsewhere.claim_older(capture.source, capture.view, recipe)
        return found["file"] if found and not self._is_known(found["file"]) else None

    def _take_over(self, output: int, capture: Taken, found: Row) -> None:
        (self.folder / found["file"]).unlink(missing_ok=True)  # what it was before, if anything
        made = (json.dumps(found["recipe"]), "\n".join(found["warnings"]), found["seconds"])
        self._db.execute(
            "UPDATE outputs SET state = 'done', file = ?, job = NULL, error = NULL,"
            " made = ?, warnings = ?, seconds = ? WHERE id = ?",
            (found["file"], *made, output),
        )
        picture = found["source_picture"]
        if picture and self.away and self.away.has(picture):
            self._db.execute("UPDATE captures SET picture = ? WHERE id = ?", (picture, capture.id))

    def unsent(self, capture: Taken) -> list[Output]:
        """Wanted pictures of a capture that are painted, and not at the URL."""
        found = self._db.execute(
            "SELECT id, recipe, file FROM outputs"
            " WHERE capture = ? AND wanted AND state = 'painted' ORDER BY id",
            (capture.id,),
        )
        return [
            Output(row["id"], capture.id, self._read(row["recipe"], Recipe), row["file"])
            for row in found
        ]

    def _known(self, capture: Taken) -> dict[Recipe, sqlite3.Row]:
        """Outputs of a capture by what they are of, however an older Maquette wrote that down: a
        field that it didn't have is at its default. Of two, the one that is done."""
        found = self._db.execute(
            "SELECT id, recipe, state, file FROM outputs WHERE capture = ?"
            " ORDER BY state = 'done', id DESC",
            (capture.id,),
        )
        return {self._read(row["recipe"], Recipe): row for row in found}

    def _read(self, text: str, kind: type[Record]) -> Record:
        return database.decoded(self.folder, text, kind)

    def assign(self, outputs_of_job: Sequence[Output], job: str | None) -> None:
        """Note that a job makes these outputs, before it is sent; or none does, with None."""
        with self._step():
            for output in outputs_of_job:
                self._db.execute("UPDATE outputs SET job = ? WHERE id = ?", (job, output.id))

    def done(self, output: Output, recipe: Recipe, warnings: Sequence[str], seconds: float) -> None:
        """Note that an output is on disk. recipe: with all that was filled in."""
        self._db.execute(
            "UPDATE outputs SET state = ?, made = ?, warnings = ?, seconds = ?, error = NULL"
            " WHERE id = ?",
            (
                "painted" if self.away else "done",
                recipe.to_json(),
                "\n".join(warnings),
                seconds,
                output.id,
            ),
        )

    def sent(self, output: Output) -> None:
        """Note that an output is at the URL."""
        self._db.execute(
            "UPDATE outputs SET state = 'done', error = NULL WHERE id = ?", (output.id,)
        )

    def fail_sending(self, output: Output, error: MaquetteError) -> None:
        """Note why an output can't be brought to the URL. It need not be painted again."""
        self._db.execute("UPDATE outputs SET error = ? WHERE id = ?", (str(error), output.id))

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
        """Write the outputs, and sources that gave none, for others to read.

        Raises MaquetteError("output-unusable").
        """
        write_rows(self.folder, self.rows())

    def rows(self) -> list[Row]:
        """What is done, failed, or wanted and not there yet, then the sources that failed, then
        what other runs have made at the URL."""
        found = self._db.execute(
            "SELECT o.*, c.source AS origin, c.view, c.picture FROM outputs o"
            " JOIN captures c ON c.id = o.capture"
            " WHERE o.wanted OR o.state = 'done' ORDER BY o.id"
        )
        failed = self._db.execute(
            "SELECT asked, error FROM sources WHERE state = 'failed' ORDER BY id"
        )
        own = [self._output_row(row) for row in found]
        files = {row["file"] for row in own}
        others = self.away.elsewhere.rows.values() if self.away else ()
        return [
            *own,
            *(failed_row(json.loads(row["asked"])["file"], row["error"]) for row in failed),
            # Numbers tell rows of one run apart.
            *({**row, "number": None} for row in others if row["file"] not in files),
        ]

    # --- inside ---------------------------------------------------------------------------------

    def _wait_again(self, which: str, *values: Any) -> None:
        self._db.execute(
            "UPDATE outputs SET state = 'waiting', job = NULL, made = NULL, error = NULL"
            f" WHERE {which}",
            values,
        )

    def _set(self, output: int, **values: Any) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        self._db.execute(f"UPDATE outputs SET {columns} WHERE id = ?", (*values.values(), output))

    def _step(self) -> sqlite3.Connection:
        """All of a block's changes or none."""
        self._db.execute("BEGIN")
        return self._db  # commits or rolls back when its block is left

    def _name(self, stem: str, recipe: Recipe, recipes: Sequence[Recipe], prompt: bool) -> str:
        """A free name of an output."""
        base = name_of(stem, recipe, recipes, prompt=prompt)
        name, number = f"{base}.png", 2
        while self._is_taken(name):
            name, number = f"{base}-{number}.png", number + 1
        return name

    def _is_taken(self, name: str) -> bool:
        there = self.away is not None and self.away.has(name)
        return there or self._is_known(name) or (self.folder / name).exists()

    def _is_known(self, file: str) -> bool:
        found = self._db.execute("SELECT 1 FROM outputs WHERE file = ?", (file,)).fetchone()
        return found is not None

    def _taken(self, row: sqlite3.Row) -> Taken:
        source, view = self._read(row["source"], Source), self._read(row["view"], View)
        return Taken(row["id"], source, view, row["picture"])

    def _output_row(self, row: sqlite3.Row) -> Row:
        state = row["state"]
        if state == "painted":  # it isn't where it is to be
            state = "failed" if row["error"] else "waiting"
        return output_row(
            number=row["id"],
            state=state,
            file=row["file"],
            source=self._read(row["origin"], Source),
            view=self._read(row["view"], View),
            picture=row["picture"],
            seconds=row["seconds"],
            warnings=(row["warnings"] or "").splitlines(),
            error=row["error"],
            recipe=self._read(row["made"] or row["recipe"], Recipe),
        )


def _files(source: Source) -> tuple[str, str | None]:
    """What the files of a source hold."""
    return source.sha256, source.depth_sha256


def _text(record: msgspec.Struct) -> str:
    return msgspec.json.encode(record).decode()
