"""Which .blend files have which pictures, so that none deletes what another one shows. No bpy here.

Every .blend that is opened or saved leaves a list in each folder that files of its galleries lie
in: as they are on the disk, not as they are being changed. Paths in it are relative to that folder,
so that a project which is moved as a whole goes on knowing its files. A .blend that isn't where it
was last opened or saved needs nothing.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

LISTS = ".used-by"
"""The folder with the lists, in the one with the pictures."""


class Used(msgspec.Struct, frozen=True):
    """What a .blend has of a folder.

    Attributes:
        blend: its path, from the folder; absolute where it is on another drive.
        files: names.
    """

    blend: str
    files: list[str]


def folders_of(paths: Iterable[str]) -> set[Path]:
    """The folders that files lie in."""
    return {Path(path).parent for path in paths}


def note(blend: Path, paths: Iterable[str], folders: Iterable[Path]) -> None:
    """Leave the lists of a .blend.

    Args:
        paths: all files that it has.
        folders: that may have a list of it from before, and those of the files.
    """
    names: dict[Path, list[str]] = defaultdict(list)
    for path in paths:
        names[Path(path).parent].append(Path(path).name)
    for folder in folders:
        # Where nothing can be written, or no folder is, others hardly delete anything either.
        with contextlib.suppress(OSError):
            if folder in names:
                _write(folder, blend, sorted(names[folder]))
            else:
                _list_of(folder, blend).unlink(missing_ok=True)


def others(paths: Iterable[str], blend: Path | None) -> dict[str, str]:
    """Those of the files that other .blend files have, each with the name of one that does.

    Args:
        blend: the one that asks; None where it was never saved.
    """
    wanted = set(paths)
    found: dict[str, str] = {}
    for folder in folders_of(wanted):
        for used in _read(folder):
            other = Path(os.path.normpath(folder / used.blend))
            if _is_another(other, blend):
                has = (str(folder / name) for name in used.files)
                found |= {path: other.name for path in has if path in wanted}
    return found


def _is_another(path: Path, blend: Path | None) -> bool:
    """Whether there is a .blend, which is not this one by another way to it."""
    try:
        return path.is_file() and (blend is None or not path.samefile(blend))
    except OSError:
        return True  # this one is gone, or can't be looked at


def _write(folder: Path, blend: Path, names: list[str]) -> None:
    path = _list_of(folder, blend)
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        temporary.write_bytes(msgspec.json.encode(Used(_from(folder, blend), names)))
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _read(folder: Path) -> Iterator[Used]:
    for path in (folder / LISTS).glob("*.json"):
        # One that was removed meanwhile, or that another program wrote, says nothing.
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            yield msgspec.json.decode(path.read_bytes(), type=Used)


def _list_of(folder: Path, blend: Path) -> Path:
    """The list of a .blend: others of the same name may lie in other folders."""
    number = zlib.crc32(_from(folder, blend).encode())
    return folder / LISTS / f"{blend.stem}-{number:08x}.json"


def _from(folder: Path, blend: Path) -> str:
    try:
        return Path(os.path.relpath(blend, folder)).as_posix()
    except ValueError:  # on another drive
        return str(blend)
