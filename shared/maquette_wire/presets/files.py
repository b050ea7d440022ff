"""Presets in files: one JSON file, pictures included, is how a user's own are kept and shared."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ..errors import MaquetteError
from .words import Preset, checked

KIND, FORMAT = "maquette-presets", 1
SUFFIX = ".maquette-presets"
FILE_BYTES = 64 * 1024 * 1024


class _Head(msgspec.Struct, frozen=True):
    """What every version of the file begins with."""

    kind: str
    format: int


class _File(msgspec.Struct, frozen=True, kw_only=True):
    presets: tuple[Preset, ...]
    kind: str = KIND
    format: int = FORMAT


def read(path: Path) -> list[Preset]:
    """The presets of a file, in their order; two may have one name.

    Raises MaquetteError("no-presets") for another kind of file or a damaged one, and
    "later-presets" for one that a later version wrote; OSError.
    """
    if path.stat().st_size > FILE_BYTES:
        raise _no_presets(path, "it is too large for one")
    data = path.read_bytes()
    try:
        head = msgspec.json.decode(data, type=_Head)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _no_presets(path, "it was made by something else, or it is damaged") from None
    if head.kind != KIND:
        raise _no_presets(path, "it was made by something else")
    if head.format > FORMAT:
        raise MaquetteError(
            "later-presets",
            f"{path} was written by a later version of Maquette.",
            "Update Maquette to use its presets.",
        )
    try:
        return [checked(preset) for preset in msgspec.json.decode(data, type=_File).presets]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _no_presets(path, f"it is damaged: {str(error).replace('$.', '')}") from error
    except MaquetteError as error:
        raise _no_presets(path, f"it is damaged: {error.sentence.rstrip('.')}") from error


def write(path: Path, presets: Sequence[Preset]) -> None:
    """Write presets under a temporary name and rename it. Raises OSError."""
    data = msgspec.json.format(msgspec.json.encode(_File(presets=tuple(presets))), indent=1)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # the error that led here is the one to tell
            temporary.unlink(missing_ok=True)
        raise


def _no_presets(path: Path, why: str) -> MaquetteError:
    return MaquetteError(
        "no-presets",
        f"{path} is no file of presets: {why}.",
        "Choose a file that Export Presets wrote.",
    )
