"""The manifest's sources, and what was captured of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from maquette_wire.errors import MaquetteError
from maquette_wire.source import Source
from maquette_wire.view import View

from .asked import Asked
from .database import Database
from .gather import Found


@dataclass(frozen=True)
class Taken:
    """A capture of the manifest. `picture`: file of its colour, in the folder."""

    id: int
    source: Source
    view: View
    picture: str


class Captured:
    """Sources by their numbers, and their captures.

    Attributes:
        taken: the largest number that another run has given to a source.
    """

    def __init__(self, db: Database) -> None:
        self.taken = 0
        self._db = db

    def number(self, asked: Asked) -> int:
        """A source's number; new where it wasn't asked for before."""
        text = msgspec.json.encode(asked).decode()
        self._db.execute(
            "INSERT OR IGNORE INTO sources (id, asked)"
            " SELECT max(coalesce(max(id), 0), ?) + 1, ? FROM sources",
            (self.taken, text),
        )
        (number,) = self._db.execute("SELECT id FROM sources WHERE asked = ?", (text,)).fetchone()
        return number

    def of(self, source: int) -> list[Taken]:
        """What was captured of a source."""
        found = self._db.execute("SELECT * FROM captures WHERE asked = ? ORDER BY place", (source,))
        return [self._taken(row) for row in found]

    def update(self, source: int, found: Sequence[Found] | None) -> list[Taken]:
        """Note what was captured of a source; None: all is as it was.

        Pictures of another state of the source are to be made again.
        """
        with self._db.step():
            self._db.execute(
                "UPDATE sources SET state = 'captured', error = NULL WHERE id = ?", (source,)
            )
            older = self.of(source)
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
                    self._db.wait_again("capture = ?", was.id)
            for gone in older[len(found) :] if found is not None else ():
                self._db.execute("DELETE FROM outputs WHERE capture = ?", (gone.id,))
                self._db.execute("DELETE FROM captures WHERE id = ?", (gone.id,))
        return self.of(source)

    def fail(self, source: int, error: MaquetteError) -> None:
        """Note that nothing could be captured of a source."""
        self._db.execute(
            "UPDATE sources SET state = 'failed', error = ? WHERE id = ?", (str(error), source)
        )

    def _taken(self, row: sqlite3.Row) -> Taken:
        source, view = self._db.decoded(row["source"], Source), self._db.decoded(row["view"], View)
        return Taken(row["id"], source, view, row["picture"])


def _files(source: Source) -> tuple[str, str | None]:
    """What the files of a source hold."""
    return source.sha256, source.depth_sha256


def _text(record: msgspec.Struct) -> str:
    return msgspec.json.encode(record).decode()
