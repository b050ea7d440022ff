"""Which pictures of a manifest are to be painted: neither what is done nor what others made."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from maquette_wire.recipe import Recipe

from .captured import Taken
from .database import Database
from .elsewhere import Elsewhere
from .names import name_of
from .records import Row


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


class Wanted:
    """What is asked for in a folder, whose results may go to a URL."""

    def __init__(self, db: Database, folder: Path, away: Away | None) -> None:
        self._db, self._folder, self._away = db, folder, away

    def outputs(
        self, capture: Taken, recipes: Sequence[Recipe], stem: str, *, prompt: bool = True
    ) -> list[Output]:
        """Have each of these recipes painted on a capture; returns those that are to be painted.

        One that is done stays, unless its file is gone; one that another run made is taken over.

        Args:
            stem: what names of new ones begin with; the prompt follows if `prompt` says so.
        """
        waiting = []
        with self._db.step():
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
                    if self._away and self._away.elsewhere.is_another(file, recipe):
                        file = self._name(stem, recipe, recipes, prompt)
                        if is_painted:
                            (self._folder / row["file"]).rename(self._folder / file)
                    if is_painted:
                        self._db.set_output(row["id"], state="painted", file=file)
                    else:
                        self._db.set_output(row["id"], file=file)
                        self._db.wait_again("id = ?", row["id"])
                        waiting.append(Output(row["id"], capture.id, recipe, file))
        return waiting

    def _is_made(self, row: sqlite3.Row) -> bool:
        """Whether a picture is where it is to be."""
        if row["state"] != "done":
            return False
        return self._away.has(row["file"]) if self._away else (self._folder / row["file"]).is_file()

    def _is_painted(self, row: sqlite3.Row) -> bool:
        """Whether a picture is here, and only to be sent."""
        is_painted = self._away is not None and row["state"] in ("done", "painted")
        return is_painted and (self._folder / row["file"]).is_file()

    def _claimed(self, row: sqlite3.Row | None, capture: Taken, recipe: Recipe) -> Row | None:
        """A picture that another run made of this, where there is one."""
        if self._away is None:
            return None
        found = self._away.elsewhere.claim(capture.source, capture.view, recipe)
        own = None if row is None else row["file"]
        if found and found["file"] != own and self._is_known(found["file"]):
            return None
        return found

    def _older(self, capture: Taken, recipe: Recipe) -> str | None:
        """The name of a picture that another run made before the source changed."""
        if self._away is None:
            return None
        found = self._away.elsewhere.claim_older(capture.source, capture.view, recipe)
        return found["file"] if found and not self._is_known(found["file"]) else None

    def _take_over(self, output: int, capture: Taken, found: Row) -> None:
        (self._folder / found["file"]).unlink(missing_ok=True)  # what it was before, if anything
        made = (json.dumps(found["recipe"]), "\n".join(found["warnings"]), found["seconds"])
        self._db.execute(
            "UPDATE outputs SET state = 'done', file = ?, job = NULL, error = NULL,"
            " made = ?, warnings = ?, seconds = ? WHERE id = ?",
            (found["file"], *made, output),
        )
        picture = found["source_picture"]
        if picture and self._away and self._away.has(picture):
            self._db.execute("UPDATE captures SET picture = ? WHERE id = ?", (picture, capture.id))

    def _known(self, capture: Taken) -> dict[Recipe, sqlite3.Row]:
        """Outputs of a capture by what they are of, however an older Maquette wrote that down: a
        field that it didn't have is at its default. Of two, the one that is done."""
        found = self._db.execute(
            "SELECT id, recipe, state, file FROM outputs WHERE capture = ?"
            " ORDER BY state = 'done', id DESC",
            (capture.id,),
        )
        return {self._db.decoded(row["recipe"], Recipe): row for row in found}

    def _name(self, stem: str, recipe: Recipe, recipes: Sequence[Recipe], prompt: bool) -> str:
        """A free name of an output."""
        base = name_of(stem, recipe, recipes, prompt=prompt)
        name, number = f"{base}.png", 2
        while self._is_taken(name):
            name, number = f"{base}-{number}.png", number + 1
        return name

    def _is_taken(self, name: str) -> bool:
        there = self._away is not None and self._away.has(name)
        return there or self._is_known(name) or (self._folder / name).exists()

    def _is_known(self, file: str) -> bool:
        found = self._db.execute("SELECT 1 FROM outputs WHERE file = ?", (file,)).fetchone()
        return found is not None
