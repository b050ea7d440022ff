"""Captures of a batch, in files of its folder.

What is waiting to be painted lies in `.captures/`, and is removed when nothing waits for it any
more; the colours that were captured stay in `sources/`, to be looked at beside the concepts. These
functions run in a thread of their own and know nothing of the manifest's database.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from maquette_wire import container, png
from maquette_wire.capture import Capture, captures_of
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Submit
from maquette_wire.recipe import Recipe
from maquette_wire.source import Source, file_digest
from maquette_wire.submission import submission
from maquette_wire.view import View
from msgspec.structs import replace

from .. import depth_files, outputs, remote
from ..fetching import Fetcher
from ..sources import SCENES, Sourced, Sources
from .asked import COLOURS, Asked, words
from .names import joined

CAPTURES = ".captures"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""What every other capture would meet as well."""


@dataclass(frozen=True)
class Found:
    """A capture that was made: its Source, its View, and the file of its colour in the folder."""

    source: Source
    view: View
    picture: str


class Gatherer:
    """Makes the captures of a batch's folder.

    Args:
        estimator: model for pictures without depth, where nothing else is asked for and none has
            seen them before: what a run paints with does not change what was captured.
        fetcher: fetches sources at URLs.

    Raises MaquetteError("output-unusable").
    """

    def __init__(
        self, folder: Path, sources: Sources, estimator: str, fetcher: Fetcher | None = None
    ) -> None:
        self._folder = folder
        self._sources = sources
        self._estimator = estimator
        self._fetcher = fetcher or Fetcher(sources.home.fetched)
        outputs.prepared(folder / CAPTURES)
        outputs.prepared(folder / COLOURS)

    def take(
        self, asked: Asked, known: Sequence[Source], number: int, again: bool
    ) -> list[Found] | None:
        """Capture a source; None where it is as it was when `known` was captured of it.

        Args:
            number: of the source, for names that are not shared.
            again: also where it is as it was.

        Raises MaquetteError.
        """
        if not remote.is_url(asked.file):
            return self._take(asked, Path(asked.file), str, known, number, again)
        fetched = self._fetcher.fetch(asked.file)
        try:
            return self._take(asked, fetched.path, fetched.urls.__getitem__, known, number, again)
        except MaquetteError as error:  # it is the copy that can't be read
            sentence = error.sentence.replace(str(fetched.path), asked.file)
            raise MaquetteError(error.code, sentence, error.hint) from error

    def _take(
        self,
        asked: Asked,
        path: Path,
        called: Callable[[Path], str],
        known: Sequence[Source],
        number: int,
        again: bool,
    ) -> list[Found] | None:
        """`take` of a file on this machine. called: what a Source calls it, and its depth map."""
        try:
            depth = None if is_scene(path) else depth_files.sibling_depth(path)
            depth_name = None if depth is None else called(depth.resolve())
            if known and not again and _unchanged(path, depth, depth_name, known[0]):
                return None
            before = known[0].estimator if known else None
            estimator = asked.estimator or before or self._estimator
            sourced = self._sourced(asked, path, depth, estimator)
            names = {"file": called(path), "depth": depth_name}
            return [
                self._keep(Sourced(capture, replace(source, **names)), number)
                for capture, source in sourced
            ]
        except OSError as error:
            where = error.filename or path
            if error.errno in NO_ROOM:
                raise MaquetteError(
                    "output-unusable",
                    f"{where} can't be written: {error.strerror}.",
                    "Free some space or name another folder with --output, then run the command "
                    "again.",
                ) from error
            raise MaquetteError(
                "bad-source", f"{where}: {error.strerror}.", "See to that and run the batch again."
            ) from error

    def _sourced(
        self, asked: Asked, path: Path, depth: Path | None, estimator: str
    ) -> list[Sourced]:
        if is_scene(path):
            return self._sources.of_scene(path, words(asked), asked.opening, asked.frames)
        return [
            self._sources.of_picture(
                path,
                depth,
                metres_per_level=asked.metres_per_level,
                near_is_black=asked.near_is_black,
                near_is_white=asked.near_is_white,
                estimator=estimator,
            )
        ]

    def _keep(self, sourced: Sourced, number: int) -> Found:
        capture, source = sourced
        packet = submission(Recipe(prompt=""), [capture])
        container.write(self._file(source.capture), packet.message, packet.frames)
        parts = [str(number), *parts_of(source, capture.view)]
        picture = f"{COLOURS}/{joined(parts)}.png"
        png.write(self._folder / picture, capture.color, capture.view.width, capture.view.height)
        return Found(source, capture.view, picture)

    def has(self, source: Source) -> bool:
        """Whether a capture lies in its file."""
        return self._file(source.capture).is_file()

    def load(self, source: Source) -> Capture:
        """A capture from its file. Raises MaquetteError."""
        try:
            (capture,) = captures_of(*container.read(self._file(source.capture), kind=Submit))
        except OSError as error:
            raise MaquetteError(
                "no-capture",
                f"A capture of {remote.place(source.file).name} is gone: {error.strerror}.",
                "Run the batch again.",
            ) from error
        return capture

    def drop(self, source: Source) -> None:
        """Remove a capture's file, where it can be: nothing waits for it."""
        with contextlib.suppress(OSError):  # Windows keeps a mapped file; `sweep` removes it
            self._file(source.capture).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove all that no run needs: what is left is of one that was killed."""
        shutil.rmtree(self._folder / CAPTURES, ignore_errors=True)

    def _file(self, digest: str) -> Path:
        return self._folder / CAPTURES / f"{digest[:16]}{container.SUFFIX}"


def is_scene(path: Path) -> bool:
    """Whether Blender opens a file."""
    return path.suffix.lower() in SCENES


def parts_of(source: Source, view: View) -> list[str]:
    """A file's name, camera and frame, as parts of a file's name."""
    parts = [outputs.slug(remote.place(source.file).stem)]
    if source.view is not None:
        parts.append(outputs.slug(view.name))
    if source.frame is not None:
        parts.append(f"f{source.frame}")
    return parts


def _unchanged(path: Path, depth: Path | None, depth_name: str | None, known: Source) -> bool:
    """Whether files are those that were captured."""
    if depth_name != known.depth:
        return False
    if depth is not None and file_digest(depth) != known.depth_sha256:
        return False
    return file_digest(path) == known.sha256
