"""Files on this machine that a name stands for: itself, a folder, or a pattern."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any

ANY_FOLDER = "**"


def files_in(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Files of a folder with one of these suffixes; also links to what is gone, which a user
    should hear of."""
    inside = (each for each in folder.iterdir() if each.suffix.lower() in suffixes)
    return [each for each in inside if not each.name.startswith(".") and _may_be_file(each)]


def files_like(pattern: Path, suffixes: Sequence[str]) -> list[Path]:
    """Files that a pattern names, by these suffixes or by one that the pattern itself ends with.

    `**` stands for any folders, each of them once. Folders that are there are called what they
    are, also with brackets in their name.
    """
    parts = pattern.parts
    there = next((n for n in range(len(parts), 0, -1) if Path(*parts[:n]).exists()), 0)
    parts = (*map(glob.escape, parts[:there]), *parts[there:])
    found = (Path(each) for each in _matching(parts))
    wanted = {*suffixes, pattern.suffix.lower()} - {""}
    return [each for each in found if each.suffix.lower() in wanted and _may_be_file(each)]


def natural(path: PurePath) -> list[Any]:
    """Sorts `view-2` before `view-10`."""
    parts = re.split(r"(\d+)", os.fspath(path).lower())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _matching(parts: Sequence[str]) -> Iterator[str]:
    # `glob` follows links, and so goes through a folder that is linked in itself for ever.
    if ANY_FOLDER not in parts:
        yield from glob.iglob(str(Path(*parts)))  # noqa: PTH207  # any pattern, any root
        return
    at = parts.index(ANY_FOLDER)
    for head in glob.iglob(str(Path(*parts[:at]))) if at else [os.curdir]:  # noqa: PTH207
        for folder in _folders(head):
            yield from _matching((glob.escape(folder), *(parts[at + 1 :] or "*")))


def _folders(top: str) -> Iterator[str]:
    """A folder and all that are in it, each once however it is linked."""
    seen: set[tuple[int, int]] = set()
    for folder, inside, _ in os.walk(top, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            inside.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        inside[:] = sorted(name for name in inside if not name.startswith("."))
        yield folder


def _may_be_file(path: Path) -> bool:
    return path.is_file() or (path.is_symlink() and not path.exists())
