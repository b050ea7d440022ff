"""What is restyled, as files → captures, each with the Source that says how to make it again.

A scene is opened in Blender and captured by the extension. A picture brings its depth along, in a
file beside it or as the guess of an estimator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.source import Source, digest, file_digest
from msgspec.structs import replace
from numpy.typing import NDArray

from . import annotators, images, remote
from .catalogue import POCKET, Catalogue
from .extension import MODELS, Extension
from .fetching import Fetcher

SCENES = (".blend", *MODELS)
"""Suffixes, in lower case, of what Blender opens; all else is a picture."""


class Sourced(NamedTuple):
    """A capture and where it came from."""

    capture: Capture
    source: Source


@dataclass(frozen=True)
class Sources:
    """Makes captures.

    Attributes:
        home: the user's files: Blender's profiles, and models.
        say: is called with each sentence for the user.
        program: Blender; found where None.
        extension: Maquette's zip for it; found where None.
    """

    home: Home
    say: Callable[[str], None]
    program: Path | None = None
    extension: Path | None = None

    def of_scene(
        self,
        path: Path,
        words: Sequence[str],
        opening: Sequence[str] = (),
        frames: Sequence[int] = (),
    ) -> list[Sourced]:
        """What cameras of a scene or a model see.

        Args:
            words: which cameras, and how large, as the extension's command takes them.
            opening: likewise, how many views from around and how a model stands.
            frames: of an animation; the file's own one where none is named.

        Raises MaquetteError as `Extension.find` and `Extension.capture` do.
        """
        sha256, file = file_digest(path), str(path.resolve())
        extension = Extension.find(self.home, self.program, self.extension)
        moments = [f"--frame={frame}" for frame in frames]
        captures = extension.capture(path, [*words, *opening, *moments], self.say)
        views = len(captures) // max(len(frames), 1)
        sourced = []
        for number, capture in enumerate(captures):
            source = Source(
                file=file,
                sha256=sha256,
                capture=digest(capture),
                view=capture.view.name,
                frame=frames[number // views] if frames else None,
                opening=tuple(opening),
            )
            sourced.append(Sourced(capture, source))
        return sourced

    def of_picture(
        self,
        path: Path,
        depth: Path | None = None,
        *,
        metres_per_level: float | None = None,
        near_is_black: bool = False,
        near_is_white: bool = False,
        estimator: str | None = None,
    ) -> Sourced:
        """A picture with its depth map, else the depth in the file itself, else an estimate.

        Args:
            metres_per_level, near_is_black, near_is_white: how depth is meant (`images`).
            estimator: a model of the catalogue that brings one, or one of `annotators`.

        Raises MaquetteError("no-depth") where no depth is to be had, and as `images` does.
        """
        levels: dict[str, Any] = {
            "metres_per_level": metres_per_level,
            "near_is_black": near_is_black,
            "near_is_white": near_is_white,
        }
        sha256 = file_digest(path)  # first: it says what is wrong with a link
        source = Source(file=str(path.resolve()), sha256=sha256, capture="", **levels)
        if depth is not None:
            capture = images.read_capture(path, depth, say=self.say, **levels)
            source = replace(source, depth=str(depth.resolve()), depth_sha256=file_digest(depth))
        else:
            color, metres = images.read_picture(path, say=self.say, **levels)
            if metres is None:
                metres, by = self._estimated(path, color, estimator)
                source = replace(source, estimator=by)
            capture = images.capture_of(path.stem, color, metres)
        return Sourced(capture, replace(source, capture=digest(capture)))

    def _estimated(
        self, path: Path, color: NDArray[np.uint8], name: str | None
    ) -> tuple[NDArray[np.float32], str]:
        """Depth, and whose it is: one of `annotators`, a model of the catalogue that brings an
        estimator, or the pocket model in the place of one that doesn't."""
        if name is not None and annotators.knows(name):
            self.say(f"The depth of {path.name} is estimated from the picture.")
            return annotators.estimate_depth(name, color), name
        # Loads torch, which nothing else here needs.
        from . import estimate

        catalogue = Catalogue(self.home)
        for by in [] if name is None else dict.fromkeys((name, POCKET)):
            directory = catalogue.present(by).directory
            if estimate.has_estimator(directory):
                whose = "" if by == name else f", by the model {by!r}"
                self.say(f"The depth of {path.name} is estimated from the picture{whose}.")
                return estimate.estimate_depth(directory, color), by
        raise MaquetteError(
            "no-depth",
            f"{path} is a picture alone, which has no depth, and the model {name!r} has no "
            "estimator for it.",
            "Give its depth map (--depth, or a file beside it), name one with --estimator, or "
            "capture the scene itself.",
        )

    def again(self, source: Source, size: tuple[int, int]) -> Sourced:
        """The capture that a Source tells of, made once more of the files as they are now.

        Args:
            size: (width, height) in pixels, of a camera's capture; a picture has its own.

        Raises MaquetteError as `of_scene`, `of_picture` and `Fetcher.fetch` do.
        """
        if remote.is_url(source.file):
            fetched = Fetcher(self.home.fetched).fetch(source.file)
            copies = {url: str(path) for path, url in fetched.urls.items()}
            depth = None if source.depth is None else copies.get(source.depth)
            made = self.again(replace(source, file=str(fetched.path), depth=depth), size)
            named = replace(made.source, file=source.file, depth=source.depth)
            return Sourced(made.capture, named)
        path = Path(source.file)
        if source.view is None:
            return self.of_picture(
                path,
                None if source.depth is None else Path(source.depth),
                metres_per_level=source.metres_per_level,
                near_is_black=source.near_is_black,
                near_is_white=source.near_is_white,
                estimator=source.estimator,
            )
        words = [f"--size={size[0]}x{size[1]}"]
        if "--around" not in source.opening:
            # A model's views have names, but are no cameras that could be asked for.
            is_model = path.suffix.lower() in MODELS
            words.append("--all-cameras" if is_model else f"--camera={source.view}")
        frames = () if source.frame is None else (source.frame,)
        for made in self.of_scene(path, words, source.opening, frames):
            if made.source.view == source.view:
                return made
        raise MaquetteError(
            "no-camera",
            f"{path.name} has no view {source.view!r} any more.",
            "Name the file as it was then.",
        )


def opening_words(around: int | None, up: str | None, unit: float | None) -> tuple[str, ...]:
    """How many views from around, which way is up, and metres of a unit: as `of_scene` takes it."""
    given = {"--around": around, "--up": up, "--unit": unit}
    return tuple(
        word for name, value in given.items() if value is not None for word in (name, f"{value}")
    )
