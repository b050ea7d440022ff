"""What is restyled, as files → captures, each with the Source that says how to make it again.

A scene is opened in Blender and captured by the extension. A picture brings its depth along, in a
file beside it or as the guess of an estimator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.source import Source, digest, file_digest

from . import blender, images
from .catalogue import Catalogue

SCENES = (".blend",)
"""Suffixes of what Blender opens; all else is a picture."""


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

    def of_scene(self, path: Path, words: Sequence[str]) -> list[Sourced]:
        """What cameras of a scene see.

        Args:
            words: which cameras, and how large, as the extension's command takes them.

        Raises MaquetteError as `blender.capture` does.
        """
        found = blender.find(self.program)
        extension = blender.extension_zip(self.extension)
        captures = blender.capture(found, extension, self.home, path, words, self.say)
        file, sha256 = str(path.resolve()), file_digest(path)
        return [
            Sourced(
                each, Source(file=file, sha256=sha256, capture=digest(each), view=each.view.name)
            )
            for each in captures
        ]

    def of_picture(
        self,
        path: Path,
        depth: Path,
        *,
        metres_per_level: float | None = None,
        near_is_black: bool = False,
    ) -> Sourced:
        """A picture and its depth map. Raises MaquetteError as `images.read_capture` does."""
        capture = images.read_capture(
            path, depth, metres_per_level=metres_per_level, near_is_black=near_is_black
        )
        source = Source(
            file=str(path.resolve()),
            sha256=file_digest(path),
            capture=digest(capture),
            depth=str(depth.resolve()),
            depth_sha256=file_digest(depth),
            metres_per_level=metres_per_level,
            near_is_black=near_is_black,
        )
        return Sourced(capture, source)

    def of_picture_alone(self, path: Path, model: str) -> Sourced:
        """A picture with the depth that the estimator of a model sees in it.

        Raises MaquetteError("no-depth") where the model has none, and as `images.read_color` does.
        """
        # Loads torch, which nothing else here needs.
        from . import estimate

        color = images.read_color(path)
        directory = Catalogue(self.home).present(model).directory
        if not estimate.has_estimator(directory):
            raise MaquetteError(
                "no-depth",
                f"{path} is a picture alone, which has no depth, and the model {model!r} has no "
                "estimator for it.",
                "Give its depth map, or capture the scene itself.",
            )
        self.say(f"The depth of {path.name} is estimated from the picture.")
        metres = estimate.estimate_depth(directory, color)
        capture = images.capture_of(path.stem, color, metres)
        source = Source(
            file=str(path.resolve()),
            sha256=file_digest(path),
            capture=digest(capture),
            estimator=model,
        )
        return Sourced(capture, source)

    def again(self, source: Source, size: tuple[int, int]) -> Sourced:
        """The capture that a Source tells of, made once more of the files as they are now.

        Args:
            size: (width, height) in pixels, of a camera's capture; a picture has its own.

        Raises MaquetteError as `of_scene`, `of_picture` and `of_picture_alone` do.
        """
        path = Path(source.file)
        if source.depth is not None:
            made = self.of_picture(
                path,
                Path(source.depth),
                metres_per_level=source.metres_per_level,
                near_is_black=source.near_is_black,
            )
        elif source.estimator is not None:
            made = self.of_picture_alone(path, source.estimator)
        else:
            words = [f"--camera={source.view}", f"--size={size[0]}x{size[1]}"]
            if source.frame is not None:
                words.append(f"--frame={source.frame}")
            (made,) = self.of_scene(path, words)
        return Sourced(made.capture, msgspec.structs.replace(made.source, frame=source.frame))
