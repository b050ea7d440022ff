"""The sources that a batch is asked for, each with how it is captured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

import msgspec
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.messages import Limits

from .. import depth_files, remote
from ..fetching import Fetcher
from ..sources import SCENES, opening_words
from .patterns import files_in, files_like, natural
from .task import Task, frames_of, several

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".exr")
"""Suffixes of what is taken from a folder, beside `sources.SCENES`."""
COLOURS = "sources"
"""Folder in the output folder for the colours that were captured."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One source with how it is captured: what tells it from others in the manifest.

    Attributes:
        file: absolute path, or a URL as it may be kept.
        long_side: pixels that it is painted at; a smaller picture as it is.
        cameras, frames, opening: of a scene (`Sources.of_scene`).
        metres_per_level, near_is_black, near_is_white: how a picture's depth is meant.
        estimator: what sees the depth of a picture that has none, where the task says so.
    """

    file: str
    long_side: int
    cameras: tuple[str, ...] = ()
    frames: tuple[int, ...] = ()
    opening: tuple[str, ...] = ()
    metres_per_level: float | None = None
    near_is_black: bool = False
    near_is_white: bool = False
    estimator: str | None = None


def sources_of(task: Task, fetcher: Fetcher | None = None) -> list[Asked]:
    """Every source, each once, in the order given and by name within a folder or pattern.

    Args:
        fetcher: finds those at URLs; one of the user's home where None.

    Raises MaquetteError("bad-size", "bad-frames"), MaquetteError("no-source") for a name or
    pattern that nothing answers to, and where all are pictures in the output folder, and as
    `Fetcher.matching` does.
    """
    if not several(task.sources):
        raise MaquetteError(
            "no-source", "There is no source.", "Name pictures, folders or .blend files."
        )
    bounds = Limits()
    if not bounds.side_min <= task.long_side <= bounds.side_max:
        raise MaquetteError(
            "bad-size",
            f"The long side is {task.long_side} pixels.",
            f"Use {bounds.side_min} to {bounds.side_max} pixels.",
        )
    fetcher = fetcher or Fetcher(Home.default().fetched)
    output = _place(task.output)
    found: dict[str, PurePath] = {}
    for name in several(task.sources):
        for file, place in _matching(name, fetcher).items():
            # What a batch makes is no source of the next.
            if place.suffix.lower() != ".png" or place.parent not in (output, output / COLOURS):
                found[file] = place
    if not found:
        raise MaquetteError(
            "no-source",
            f"All sources are pictures in the folder {task.output}, which the new ones go to.",
            "Name another folder with --output.",
        )
    pictures = set(depth_files.without_depth_files(found.values()))
    return [_asked(file, place, task) for file, place in found.items() if place in pictures]


def _place(name: str) -> PurePath:
    """A folder, to compare with those of sources."""
    if remote.is_url(name):
        return remote.location(remote.public(name))
    return Path(remote.local(name)).resolve()


def _matching(name: str, fetcher: Fetcher) -> dict[str, PurePath]:
    """Files that a name stands for, and what their own names are read from."""
    known = (*SCENES, *PICTURES)
    if remote.is_url(name):
        far = fetcher.matching(name, known)
        return dict(sorted(far.items(), key=lambda each: natural(each[1])))
    path = Path(remote.local(name)).expanduser()
    if path.is_dir():
        paths = files_in(path, known)
    else:
        paths = [path] if path.exists() else files_like(path, known)
    if not paths:
        what = "no picture or .blend in the folder" if path.is_dir() else "nothing that is called"
        raise MaquetteError("no-source", f"There is {what} {name}.", "Correct the name.")
    found = [each.resolve() if each.exists() else each.absolute() for each in paths]
    return {str(each): each for each in sorted(found, key=natural)}


def _asked(file: str, place: PurePath, task: Task) -> Asked:
    if place.suffix.lower() in SCENES:
        return Asked(
            file=file,
            long_side=task.long_side,
            cameras=tuple(several(task.cameras)),
            frames=frames_of(task),
            opening=opening_words(task.around, task.up, task.unit),
        )
    return Asked(
        file=file,
        long_side=task.long_side,
        metres_per_level=task.metres_per_level,
        near_is_black=task.near_is_black,
        near_is_white=task.near_is_white,
        estimator=task.estimator,
    )


def words(asked: Asked) -> Sequence[str]:
    """How the extension's command is asked for a scene's captures."""
    if asked.cameras == ("*",):
        chosen = ["--all-cameras"]
    else:
        chosen = [word for name in asked.cameras for word in ("--camera", name)]
    return [*chosen, "--long-side", str(asked.long_side)]
