"""The note that tells the add-on which backend is installed."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.installed import note_backend, noted_backend


def test_the_note_comes_back_while_its_program_is_there(home: Home) -> None:
    assert noted_backend(home) is None
    note_backend(home, [sys.executable, "-m", "maquette"])
    assert noted_backend(home) == [sys.executable, "-m", "maquette"]
    note_backend(home, ["/no/such/python", "-m", "maquette"])
    assert noted_backend(home) is None


def test_a_full_disk_is_said_and_leaves_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(MaquetteError, match=r"No space left.*Free some space"):
        note_backend(home, [sys.executable])
    assert list(home.root.iterdir()) == []


def test_below_a_file_there_is_no_note(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert noted_backend(Home(tmp_path / "file" / "home")) is None


def test_a_damaged_note_is_none(home: Home) -> None:
    home.make()
    for content in (b"", b"[]", b"{}", b"\xff", b"[1, 2]"):
        home.backend.write_bytes(content)
        assert noted_backend(home) is None
