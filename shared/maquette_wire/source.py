"""Source: where a capture came from, so that the picture can be made again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from .capture import Capture, flat


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The files a capture was made of, and how.

    Attributes:
        file: path of a scene, a model or a picture: absolute in memory, in a picture's texts from
            the picture's folder, which tells less of the machine and survives a moved project. Or
            its URL.
        sha256: of that file's bytes (hex), as are all digests here.
        capture: :func:`digest` of the capture.
        view: the camera, of a scene or a model.
        frame: of an animation; None for the frame that the file was saved at.
        opening: words of the extension's command: views from around, how a model stands.
        depth, depth_sha256: the depth map beside a picture: its path, likewise, and digest.
        metres_per_level, near_is_black, near_is_white: how depth was read, of that map or of the
            picture's own file.
        estimator: what saw the depth of a picture that has none.
    """

    file: str
    sha256: str
    capture: str
    view: str | None = None
    frame: int | None = None
    opening: tuple[str, ...] = ()
    depth: str | None = None
    depth_sha256: str | None = None
    metres_per_level: float | None = None
    near_is_black: bool = False
    near_is_white: bool = False
    estimator: str | None = None

    def seen_from(self, folder: Path) -> Source:
        """With paths from a folder; one on another drive stays as it is."""
        return self._with_paths(lambda path: _relative(path, folder))

    def by_name(self) -> Source:
        """With the names of files alone, for a picture that goes far from them."""
        return self._with_paths(lambda path: Path(path).name)

    def found_from(self, folder: Path) -> Source:
        """With absolute paths again."""
        return self._with_paths(lambda path: str((folder / path).resolve()))

    def _with_paths(self, change: Callable[[str], str]) -> Source:
        file, depth = (
            path if path is None or is_url(path) else change(path)
            for path in (self.file, self.depth)
        )
        return replace(self, file=file, depth=depth)


def is_url(path: str) -> bool:
    """Whether a source's file lies at a URL."""
    return "://" in path


def _relative(path: str, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:  # Windows: two drives
        return path


def digest(capture: Capture) -> str:
    """SHA-256 (hex) of a capture's View, colour and depth: what the same picture needs."""
    hashed = hashlib.sha256(msgspec.json.encode(capture.view))
    hashed.update(flat(capture.color))
    hashed.update(flat(capture.depth))
    return hashed.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
