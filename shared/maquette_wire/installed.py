"""Which backend is installed for this user: a note that lets the add-on start it on demand."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec

from .home import Home, unusable


def note_backend(home: Home, command: Sequence[str]) -> None:
    """Note how the backend's command line is run, for instance ``[python, "-m", "maquette"]``.

    Raises MaquetteError("home-unusable").
    """
    home.make()
    temporary = home.backend.with_name(f".{secrets.token_hex(8)}")
    try:
        temporary.write_bytes(msgspec.json.encode(list(command)))
        temporary.replace(home.backend)
    except OSError as error:
        with contextlib.suppress(OSError):  # the error that led here is the one to tell
            temporary.unlink(missing_ok=True)
        raise unusable(home.backend, error) from error


def noted_backend(home: Home) -> list[str] | None:
    """The command that was noted last; None where there is none or its program is gone."""
    try:
        command = msgspec.json.decode(home.backend.read_bytes(), type=list[str])
    except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
        return None
    return command if command and Path(command[0]).is_file() else None
