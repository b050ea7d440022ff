"""Replays: the capture of a picture made again, and the new picture held against the old one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from maquette_wire import container
from maquette_wire.capture import Capture, captures_of
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Submit
from maquette_wire.metadata import Metadata
from maquette_wire.recipe import Recipe
from maquette_wire.source import Source, digest, is_url
from maquette_wire.view import View
from numpy.typing import NDArray

from . import images, remote
from .outputs import SOFTWARE
from .sources import Sourced, Sources

KEPT = "captures"
"""Folder beside pictures with the captures that they were made of."""
_DIGITS = 16


def kept_path(folder: Path, capture: str) -> Path:
    """Where the capture of this digest is kept for the pictures of a folder: a file with a Submit
    of one view (`maquette_wire.container`)."""
    return folder / KEPT / f"{capture[:_DIGITS]}{container.SUFFIX}"


def kept_capture(picture: Path, source: Source) -> Capture | None:
    """The capture that is kept beside a picture; None where there is none, or not that one."""
    path = kept_path(picture.parent, source.capture)
    try:
        (capture,) = captures_of(*container.read(path, kind=Submit))
    except (OSError, ValueError, MaquetteError):
        return None  # the source has it too
    return capture if digest(capture) == source.capture else None


def moved(source: Source, file: Path | None) -> Source:
    """A source whose file is elsewhere now, and its depth map beside it where it left its place.
    What is at a URL is looked for when it is fetched.

    Raises MaquetteError("no-source") where one of them is gone.
    """
    if file is not None:
        depth = source.depth
        if depth is not None and not Path(depth).is_file():
            depth = str(file.parent.absolute() / Path(depth).name)
        source = msgspec.structs.replace(source, file=str(file.absolute()), depth=depth)
    for name in filter(None, (source.file, source.depth)):
        if not is_url(name) and not Path(name).is_file():
            raise MaquetteError(
                "no-source",
                f"{name}, which the picture was made of, isn't there.",
                "Name the scene or picture where it is now with --source"
                + (", and put the depth map beside it." if source.depth else "."),
            )
    return source


def captured_again(sources: Sources, source: Source, view: View) -> Sourced:
    """What a source gives now, under the name that the view had.

    A picture's view is called as its file is, which another name would make another view.
    Raises MaquetteError as `Sources.again` does.
    """
    made = sources.again(source, (view.width, view.height))
    if made.capture.view.name == view.name:
        return made
    renamed = msgspec.structs.replace(made.capture.view, name=view.name)
    capture = Capture(renamed, made.capture.color, made.capture.depth)
    return Sourced(capture, msgspec.structs.replace(made.source, capture=digest(capture)))


def changes(source: Source, view: View, now: Sourced) -> list[str]:
    """What is not as it was when a picture was made; empty where its capture is the same."""
    if now.source.capture == source.capture:
        return []
    seen, camera = now.capture.view, f"the camera {view.name!r}"
    files = {
        now.source.file: (source.sha256, now.source.sha256),
        now.source.depth: (source.depth_sha256, now.source.depth_sha256),
    }
    found = [
        f"{remote.place(name).name} has other content"
        for name, (before, after) in files.items()
        if name and before != after
    ]
    if (seen.width, seen.height) != (view.width, view.height):
        found.append(
            f"it has {seen.width} x {seen.height} pixels and had {view.width} x {view.height}"
        )
    elif (seen.projection_matrix, seen.kind) != (view.projection_matrix, view.kind):
        found.append(f"{camera} has another lens")
    if seen.view_matrix != view.view_matrix:
        found.append(f"{camera} stands elsewhere")
    if found:
        return found
    if source.estimator is not None:
        return [f"the model {source.estimator!r} estimates another depth"]
    same = f"{remote.place(now.source.file).name} is as it was"
    if source.view is not None:
        # Versions of Blender shade a little differently: up to 8 of 255 levels from 4.2 to 5.0.
        return [f"{same}, but this Blender draws it otherwise than the one then (see --blender)"]
    return [f"{same}, but is read in another way"]


def psnr(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB of two pictures of one size; infinite where they are the
    same to the last bit."""
    error = float(np.mean((before.astype(np.float64) - after) ** 2))
    return math.inf if error == 0.0 else 10.0 * math.log10(255.0**2 / error)


def verdict(
    picture: Path,
    said: Metadata,
    recipe: Recipe,
    pixels: NDArray[np.uint8],
    changed: Sequence[str],
) -> str:
    """How the new picture compares with the old one, and why they differ, as far as it is known.

    Args:
        picture: the old one's file, and what it says of itself.
        recipe: that the new one was made with, all filled in.
        pixels: uint8 [height, width, 3] of the new one.
        changed: what is not as it was with the capture.

    Raises MaquetteError("bad-picture").
    """
    before = images.read_color(picture)
    if before.shape != pixels.shape:
        (height, width), (was_height, was_width) = pixels.shape[:2], before.shape[:2]
        return (
            f"can't be compared: the file has {was_width} x {was_height} pixels and the picture "
            f"made again {width} x {height}"
        )
    ratio = psnr(before, pixels)
    if ratio == math.inf:
        return "the same to the last bit"
    reasons = list(changed)
    if said.recipe.model_hash not in (None, recipe.model_hash):
        reasons.append(f"the model {recipe.model!r} has other weights now")
    if said.software != SOFTWARE:
        reasons.append(f"it was made by {said.software or 'an unknown version'}")
    if not reasons:
        reasons.append(
            "nothing it says is otherwise, so another device or other libraries made it, or its "
            "pixels were changed since"
        )
    if said.prompt_left_out:
        reasons.append("the prompts given may not be its own")
    return f"differs, PSNR {ratio:.1f} dB: {'; '.join(reasons)}"
