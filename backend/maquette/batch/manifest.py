"""The manifest of a batch: what was captured and painted of what was asked, in one SQLite file.

It is written before a job is sent and after its pictures are on disk, so that a batch that is
killed at any moment goes on where it was. One batch at a time holds it. Where results go to a URL,
a picture that is on disk is "painted", and "done" when it is there too.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe
from maquette_wire.source import Source
from maquette_wire.view import View

from .captured import Captured, Taken
from .database import Database
from .records import Row, failed_row, output_row, write_rows
from .wanted import Away, Output, Wanted


class Manifest:
    """The manifest in a folder; made where there is none. A context manager.

    Args:
        called: what a user calls the folder.

    Attributes:
        captured: its sources, and what was captured of them.

    Raises MaquetteError("batch-running", "bad-manifest"), and from its block also
    MaquetteError("output-unusable") where the disk does not take what is noted.
    """

    def __init__(self, folder: Path, called: str | None = None) -> None:
        self.folder = folder
        self._away: Away | None = None
        self._db = Database(folder, called)
        self.captured = Captured(self._db)

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._db.__exit__(kind, error, trace)

    def goes_to(self, away: Away) -> None:
        """The folder's results go to a URL from now on: what is there."""
        self._away, self.captured.taken = away, away.last_source

    # --- outputs --------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a run: nothing is wanted yet, and what failed is to be tried again."""
        with self._db.step():
            self._db.execute("UPDATE outputs SET wanted = 0")
            self._db.wait_again("state = 'failed'")
            self._db.execute("UPDATE outputs SET error = NULL WHERE state = 'painted'")
            self._db.execute("UPDATE sources SET state = 'unasked', error = NULL")

    def want(
        self, capture: Taken, recipes: Sequence[Recipe], stem: str, *, prompt: bool = True
    ) -> list[Output]:
        """Have each of these recipes painted on a capture; returns those that are to be painted.

        What is only to be sent, `unsent` tells. Arguments as `Wanted.outputs` has them.
        """
        wanted = Wanted(self._db, self.folder, self._away)
        return wanted.outputs(capture, recipes, stem, prompt=prompt)

    def unsent(self, capture: Taken) -> list[Output]:
        """Wanted pictures of a capture that are painted, and not at the URL."""
        found = self._db.execute(
            "SELECT id, recipe, file FROM outputs"
            " WHERE capture = ? AND wanted AND state = 'painted' ORDER BY id",
            (capture.id,),
        )
        return [
            Output(row["id"], capture.id, self._db.decoded(row["recipe"], Recipe), row["file"])
            for row in found
        ]

    def assign(self, outputs_of_job: Sequence[Output], job: str | None) -> None:
        """Note that a job makes these outputs, before it is sent; or none does, with None."""
        with self._db.step():
            for output in outputs_of_job:
                self._db.execute("UPDATE outputs SET job = ? WHERE id = ?", (job, output.id))

    def done(self, output: Output, recipe: Recipe, warnings: Sequence[str], seconds: float) -> None:
        """Note that an output is on disk. recipe: with all that was filled in."""
        self._db.execute(
            "UPDATE outputs SET state = ?, made = ?, warnings = ?, seconds = ?, error = NULL"
            " WHERE id = ?",
            (
                "painted" if self._away else "done",
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
        others = self._away.elsewhere.rows.values() if self._away else ()
        return [
            *own,
            *(failed_row(json.loads(row["asked"])["file"], row["error"]) for row in failed),
            # Numbers tell rows of one run apart.
            *({**row, "number": None} for row in others if row["file"] not in files),
        ]

    # --- inside ---------------------------------------------------------------------------------

    def _output_row(self, row: sqlite3.Row) -> Row:
        state = row["state"]
        if state == "painted":  # it isn't where it is to be
            state = "failed" if row["error"] else "waiting"
        return output_row(
            number=row["id"],
            state=state,
            file=row["file"],
            source=self._db.decoded(row["origin"], Source),
            view=self._db.decoded(row["view"], View),
            picture=row["picture"],
            seconds=row["seconds"],
            warnings=(row["warnings"] or "").splitlines(),
            error=row["error"],
            recipe=self._db.decoded(row["made"] or row["recipe"], Recipe),
        )
