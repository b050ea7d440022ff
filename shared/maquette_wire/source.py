"""Source: where a capture came from, so that the picture can be made again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from .capture import Capture, flat


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The files a capture was made of, and how.

    Attributes:
        file: absolute path of a scene, a model or a picture.
        sha256: of that file's bytes (hex), as are all digests here.
        capture: :func:`digest` of the capture.
        view: the camera, of a scene or a model.
        frame: of an animation; None for the frame that the file was saved at.
        depth, depth_sha256: the depth map beside a picture: its absolute path and digest.
        metres_per_level, near_is_black: how that depth map was read.
        estimator: model whose estimator saw the depth of a picture that has none.
    """

    file: str
    sha256: str
    capture: str
    view: str | None = None
    frame: int | None = None
    depth: str | None = None
    depth_sha256: str | None = None
    metres_per_level: float | None = None
    near_is_black: bool = False
    estimator: str | None = None


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
