"""A filesystem that is far away: a folder of this machine, slow and with a connection that breaks.

`far:///folder/file` is `/folder/file`. `MAQUETTE_TEST_FAR_SECONDS` is what sending a file takes; it
grows meanwhile, as files do on servers that are no object stores.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.local import LocalFileSystem

PIECES = 8


class Far(LocalFileSystem):
    """`breaks` is called with what is done ("put", "get", "ls", "mv") to which path, and may
    raise."""

    protocol = "far"
    cachable = False
    breaks: ClassVar[Callable[[str, str], None]] = staticmethod(lambda what, path: None)

    @classmethod
    def _strip_protocol(cls, path: Any) -> str:
        return os.fspath(path).removeprefix("far://").rstrip("/") or "/"

    def ls(self, path: str, detail: bool = False, **options: Any) -> Any:
        type(self).breaks("ls", path)
        return super().ls(path, detail, **options)

    def get_file(self, rpath: str, lpath: str, *_: Any, **options: Any) -> None:
        type(self).breaks("get", rpath)
        super().get_file(rpath, lpath, **options)

    def mv(self, path1: str, path2: str, *_: Any, **options: Any) -> None:
        type(self).breaks("mv", path2)
        super().mv(path1, path2, **options)

    def put_file(self, lpath: str, rpath: str, *_: Any, **options: Any) -> None:
        data = Path(lpath).read_bytes()
        seconds = float(os.environ.get("MAQUETTE_TEST_FAR_SECONDS", "0"))
        step = max(1, len(data) // PIECES)
        with Path(rpath).open("wb") as file:
            file.write(data[:step])
            file.flush()
            type(self).breaks("put", rpath)
            for start in range(step, len(data), step):
                time.sleep(seconds / PIECES)
                file.write(data[start : start + step])
                file.flush()


fsspec.register_implementation("far", Far, clobber=True)
