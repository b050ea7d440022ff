"""A folder at a URL: its files, read and written whole, and tried again where a connection breaks.

Object stores show a file when it is there whole. Elsewhere it is sent under a temporary name and
renamed.
"""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maquette_wire.errors import MaquetteError

from .. import remote

PART = ".part"


class Store:
    """The folder; for any thread. Files go by their names from it.

    Args:
        url: it is made where it is missing and its store has such a thing.
        wait: is called with the seconds between two trials, and ends them where it returns true.

    Raises MaquetteError("bad-output"); its methods raise MaquetteError("no-protocol", "not-there",
    "not-allowed", "connection-lost").
    """

    def __init__(self, url: str, wait: Callable[[float], object]) -> None:
        if remote.protocol(url) in ("http", "https") or "?" in url:
            raise MaquetteError(
                "bad-output",
                f"{remote.public(url)} takes no pictures: it is the address of a web page.",
                "Name a folder, or a URL of a store such as s3://bucket/folder.",
            )
        self._url = url.rstrip("/")
        self._wait = wait

    def __str__(self) -> str:
        """The URL as it may be shown."""
        return remote.public(self._url)

    @property
    def name(self) -> str:
        """Of the folder."""
        return remote.location(self._url).name

    def names(self, folder: str = "") -> list[str]:
        """Files of a folder in it; none where it isn't there."""

        def look(fs: Any, path: str) -> list[str]:
            fs.invalidate_cache()
            infos = fs.ls(path, detail=True)
            return [posixpath.basename(each["name"]) for each in infos if each["type"] == "file"]

        try:
            return self._do(look, folder)
        except MaquetteError as error:
            if error.code != "not-there":
                raise
            return []  # nothing yet

    def read(self, file: str) -> bytes | None:
        """What a file holds; None where it isn't there."""
        try:
            return self._do(lambda fs, path: fs.cat_file(path), file)
        except MaquetteError as error:
            if error.code != "not-there":
                raise
            return None

    def get(self, file: str, path: Path) -> None:
        """Copy a file to this machine, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}{PART}")
        try:
            self._do(lambda fs, there: fs.get_file(there, str(part)), file)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def put(self, here: Path, file: str) -> None:
        """Copy a file of this machine there, over an older one."""

        def send(fs: Any, path: str) -> None:
            if self._is_for_objects:
                fs.put_file(str(here), path)
                return
            folder, name = posixpath.split(path)
            part = posixpath.join(folder, f".{name}{PART}")
            fs.makedirs(folder, exist_ok=True)
            fs.put_file(str(here), part)
            if fs.size(part) != here.stat().st_size:
                raise OSError("not all of it has arrived")
            try:
                fs.mv(part, path)
            except OSError as error:  # some rename over nothing
                if error.errno != errno.EEXIST:
                    raise
                fs.rm_file(path)
                fs.mv(part, path)

        self._place(send, file)

    def write(self, file: str, content: bytes) -> None:
        """Write a small file in place: it is never missing, but may be read half written."""

        def send(fs: Any, path: str) -> None:
            if not self._is_for_objects:
                fs.makedirs(posixpath.dirname(path), exist_ok=True)
            fs.pipe_file(path, content)

        self._place(send, file)

    def remove(self, file: str) -> None:
        """Remove a file that is there."""
        self._do(lambda fs, path: fs.rm_file(path), file)

    @property
    def _is_for_objects(self) -> bool:
        return remote.protocol(self._url) in remote.OBJECT_STORES

    def _place(self, send: Callable[[Any, str], None], file: str) -> None:
        try:
            self._do(send, file)
        except MaquetteError as error:
            if error.code != "not-there":
                raise
            raise MaquetteError(
                error.code,
                f"Nothing can be put at {self}: there is no such bucket or folder.",
                "Make it, or correct the URL.",
            ) from error

    def _do(self, action: Callable[[Any, str], Any], file: str) -> Any:
        url = f"{self._url}/{file}" if file else self._url

        def act() -> Any:
            fs, path = remote.opened(url)
            return action(fs, path)

        return remote.attempt(act, url, wait=self._wait)
