"""A journal that can't be used is named with what to do, before anything is lost by it."""

from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path

import pytest
from maquette import checkup
from maquette.server.journal import MIGRATIONS, Journal, inspect
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with some thirty pages of jobs."""
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    for _ in range(200):
        recipe = "r" * 400
        journal.add(uuid.uuid4().hex, owner="me", recipe=recipe, previews=False, size=1)
    journal.close()
    return path


def damage(path: Path) -> None:
    """Overwrite everything behind the first page, which says that it is a database."""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


def test_a_journal_of_a_newer_maquette_is_left_alone(tmp_path: Path):
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(MaquetteError) as refused:
        Journal(path)
    assert refused.value.code == "journal-newer" and str(path) in refused.value.sentence


def test_a_file_that_is_no_journal_is_named(tmp_path: Path):
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"something else entirely, and long enough to be read" * 100)
    with pytest.raises(MaquetteError) as refused:
        Journal(path)
    assert refused.value.code == "journal-damaged" and str(path) in refused.value.sentence


def test_damage_inside_is_found_at_the_start(path: Path):
    inspect(path)
    damage(path)
    before = path.read_bytes()
    for look in (inspect, Journal):
        with pytest.raises(MaquetteError) as refused:
            look(path)
        assert refused.value.code == "journal-damaged"
        assert str(path) in refused.value.sentence
        assert f"Move the folder {path.parent} away" in refused.value.hint
    assert path.read_bytes() == before


def test_damage_while_it_is_used_is_an_error_of_ours(path: Path):
    journal = Journal(path)
    damage(path)
    journal._database.execute("PRAGMA shrink_memory")  # or it all comes from memory
    for read in (journal.bytes, journal.unfinished, lambda: journal.in_state("queued")):
        with pytest.raises(MaquetteError, match="is damaged"):
            read()
    journal.close()


def test_a_journal_in_use_can_be_inspected(path: Path):
    journal = Journal(path)
    journal.add(uuid.uuid4().hex, owner="me", recipe="", previews=False, size=1)
    inspect(path)
    journal.close()


def test_a_journal_that_is_not_there_is_fine(tmp_path: Path):
    inspect(tmp_path / "journal.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_finds_a_damaged_journal(path: Path):
    home = Home(path.parent / "home")
    home.make(home.server)
    path.rename(home.journal)
    damage(home.journal)
    (finding,) = checkup.all_findings(home, only="server")
    assert finding.state == "wrong" and "is damaged" in finding.text and "away" in finding.fix
