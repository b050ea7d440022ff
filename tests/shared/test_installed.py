"""The note that tells the add-on which backend is installed."""

from __future__ import annotations

import sys

from maquette_wire.home import Home
from maquette_wire.installed import note_backend, noted_backend


def test_the_note_comes_back_while_its_program_is_there(home: Home) -> None:
    assert noted_backend(home) is None
    note_backend(home, [sys.executable, "-m", "maquette"])
    assert noted_backend(home) == [sys.executable, "-m", "maquette"]
    note_backend(home, ["/no/such/python", "-m", "maquette"])
    assert noted_backend(home) is None


def test_a_damaged_note_is_none(home: Home) -> None:
    home.make()
    for content in (b"", b"[]", b"{}", b"\xff", b"[1, 2]"):
        home.backend.write_bytes(content)
        assert noted_backend(home) is None
