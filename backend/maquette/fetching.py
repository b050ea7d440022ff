"""Sources at URLs: which there are, and copies of them that last as long as they don't change.

Each source has a folder of its own in `Home.fetched`, with the depth maps beside it, so that what
reads files finds them as it would on a disk. A file is the same where its server says so: by entity
tag or checksum, time of change, and size. Where it says nothing, the file is fetched again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from maquette_wire.errors import MaquetteError
from maquette_wire.home import unusable

from . import depth_files, remote

STAMPS = ".stamps.json"
KEPT_SECONDS = 30 * 24 * 3600.0
"""For so long a copy that nobody asked for is kept."""
PART_SECONDS = 24 * 3600.0
"""After so long what was to become a copy is given up."""
_TELLING = (
    *("etag", "content-md5", "md5", "md5hash", "crc32c", "checksum", "digest", "blob_id"),
    *("last-modified", "lastmodified", "last_modified", "mtime", "modify", "modificationtime"),
    *("updated", "created"),
)
"""What filesystems call, in lower case, what changes when a file does."""


@dataclass(frozen=True)
class Fetched:
    """The copy of a source. `urls`: of it and of the depth maps beside it, by their copies."""

    path: Path
    urls: Mapping[Path, str]


@dataclass(frozen=True)
class Far:
    """A file at a URL.

    Attributes:
        url: that it is asked for by.
        path: in its filesystem.
        place: what its name is read from.
        info: what its filesystem says of it.
    """

    url: str
    path: str
    place: PurePosixPath
    info: dict[str, Any] = field(repr=False)


class Fetcher:
    """Finds files at URLs, and fetches them into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._known: dict[str, Far] = {}  # by the URL that may be kept
        self._beside: dict[str, dict[depth_files.Key, list[Far]]] = {}

    def matching(self, url: str, suffixes: Sequence[str]) -> dict[str, PurePosixPath]:
        """Files that a URL names: itself, as a folder, or as a pattern. By their URLs as these may
        be kept, what their names are read from.

        Args:
            suffixes: in lower case, of files that are taken from a folder, and by a pattern beside
                those with its own.

        Raises MaquetteError("no-source", "no-protocol", "not-allowed", "connection-lost").
        """
        try:
            files, is_folder = remote.attempt(lambda: _look(url, suffixes), url)
        except MaquetteError as error:
            if error.code != "not-there":
                raise
            files, is_folder = [], False
        wanted = set(suffixes) if is_folder else {*suffixes, remote.location(url).suffix.lower()}
        files = [each for each in files if each.place.suffix.lower() in wanted]
        if is_folder:
            files = [each for each in files if not each.place.name.startswith(".")]
        if not files:
            what = "no picture or .blend in the folder" if is_folder else "nothing that is called"
            raise MaquetteError(
                "no-source", f"There is {what} {remote.public(url)}.", "Correct the URL."
            )
        found = {remote.public(each.url): each for each in files}
        self._known |= found
        return {name: each.place for name, each in found.items()}

    def fetch(self, name: str) -> Fetched:
        """The copy of a file by its URL, with the depth maps beside it.

        Raises MaquetteError("no-source", "not-there", "no-protocol", "not-allowed",
        "connection-lost", "home-unusable").
        """
        if name not in self._known:
            self.matching(name, (remote.location(name).suffix.lower(),))
        far = self._known[name]
        folder = self._folder / hashlib.sha256(name.encode()).hexdigest()[:24]
        stamps: dict[str, str] = {}
        urls: dict[Path, str] = {}
        with _usable(folder):
            before = _read(folder / STAMPS)
            for each in (far, *self._depths(far)):
                inside = each.place.relative_to(far.place.parent)
                path = folder.joinpath(*(_safe(part) for part in inside.parts))
                stamp = remote.attempt(lambda each=each: _stamp(each), each.url)
                if not stamp or before.get(str(inside)) != stamp or not path.is_file():
                    _copy(each, path)
                stamps[str(inside)] = stamp
                urls[path] = remote.public(each.url)
            _forget_others(folder, urls)
            _replace(folder / STAMPS, json.dumps(stamps).encode())
        return Fetched(next(iter(urls)), urls)

    def sweep(self) -> None:
        """Remove copies that nobody has asked for in a month."""
        for path in self._folder.glob(f"*/{STAMPS}"):
            if _age(path) > KEPT_SECONDS:
                shutil.rmtree(path.parent, ignore_errors=True)

    def _depths(self, far: Far) -> list[Far]:
        """The depth maps beside a picture, where its folder can be listed."""
        path = far.path.partition("?")[0] if far.path == far.url else far.path  # of HTTP
        parent = path.rpartition("/")[0]
        origin = _url_of(far.url, far.path, parent)
        if origin not in self._beside:
            try:
                found = remote.attempt(lambda: _listed(origin), origin)
            except MaquetteError as error:
                if error.code == "connection-lost":
                    raise
                found = []
            named = depth_files.by_picture([each.place for each in found])
            by_place = {each.place: each for each in found}
            self._beside[origin] = {
                key: [by_place[place] for place in places] for key, places in named.items()
            }
        maps = self._beside[origin].get(depth_files.key_of(far.place), [])
        return [each for each in maps if each.place != far.place]


def _look(url: str, suffixes: Sequence[str]) -> tuple[list[Far], bool]:
    """Files that a URL names, and whether it is a folder."""
    origin = url.rstrip("/")
    fs, path = remote.opened(origin)
    fs.invalidate_cache()
    web = path == origin  # whose ? begins a query
    is_pattern = any(mark in path for mark in ("*[" if web else "*?["))
    if is_pattern:
        infos, is_folder = [*fs.glob(path, detail=True).values()], False
    elif remote.location(origin).suffix.lower() not in suffixes and fs.isdir(path):
        infos, is_folder = fs.ls(path, detail=True), True
    else:
        infos, is_folder = [fs.info(path)], False
    return [_far(origin, path, each) for each in infos if each["type"] == "file"], is_folder


def _listed(origin: str) -> list[Far]:
    """Files of a folder, and of a folder for depth maps in it."""
    fs, path = remote.opened(origin)
    infos = fs.ls(path, detail=True)
    for each in [each for each in infos if each["type"] == "directory"]:
        if PurePosixPath(each["name"]).name.lower() == depth_files.FOLDER:
            infos = infos + fs.ls(each["name"], detail=True)
    return [_far(origin, path, each) for each in infos if each["type"] == "file"]


def _far(origin: str, path: str, info: dict[str, Any]) -> Far:
    url = _url_of(origin, path, info["name"])
    return Far(url, info["name"], remote.location(url), info)


def _url_of(url: str, path: str, other: str) -> str:
    """The URL of another path of the filesystem in which a URL is this path."""
    if url.endswith(path):
        return f"{url.removesuffix(path)}{other}"
    fs, _ = remote.opened(url)
    return fs.unstrip_protocol(other)


def _stamp(far: Far) -> str:
    """What changes when a file does; empty where nothing says so."""
    stamp = _telling(far.info)
    if not stamp:  # a list of files may say less
        fs, _ = remote.opened(far.url)
        stamp = _telling(fs.info(far.path))
    return stamp


def _telling(info: Mapping[str, Any]) -> str:
    said = {name.lower(): value for name, value in info.items() if value}
    told = [f"{name} {said[name]}" for name in _TELLING if name in said]
    return ", ".join([*told, f"size {info.get('size')}"]) if told else ""


def _copy(far: Far, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{secrets.token_hex(4)}.part")

    def get() -> None:
        fs, _ = remote.opened(far.url)
        fs.get_file(far.path, str(part))
        here = part.stat().st_size
        if far.info.get("size") not in (None, here):
            there = fs.info(far.path).get("size")  # it may have changed since
            if there != here:
                raise OSError(f"{here} of {there} bytes have arrived")

    try:
        remote.attempt(get, far.url)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _forget_others(folder: Path, known: Mapping[Path, str]) -> None:
    """Remove what isn't beside the source any more, and what a killed run left."""
    for path in folder.rglob("*"):
        if path in known or path.name == STAMPS or not path.is_file():
            continue
        if not path.name.endswith(".part") or _age(path) > PART_SECONDS:
            path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime


def _safe(name: str) -> str:
    """A name as every file system takes it."""
    return re.sub(r'[\0-\x1f<>:"|?*\\/]', "_", name)


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # then everything is fetched
    return found if isinstance(found, dict) else {}


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f".{secrets.token_hex(4)}.part")
    part.write_bytes(content)
    part.replace(path)


@contextlib.contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unusable(folder, error) from error
