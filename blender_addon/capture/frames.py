"""Frames of an animation, for captures of more than the current one."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import bpy
from maquette_wire.errors import MaquetteError

from .animated import kept_animated_values
from .scope import Scope

FIRST, LAST = -1048574, 1048574
"""The frames that Blender has."""


def check_frames(frames: Sequence[int]) -> None:
    """Raises MaquetteError("bad-frame") for one that Blender doesn't have."""
    for frame in frames:
        if not FIRST <= frame <= LAST:
            raise MaquetteError(
                "bad-frame", f"There is no frame {frame}.", f"Blender has {FIRST} to {LAST}."
            )


def through(scene: bpy.types.Scene, frames: Sequence[int]) -> Generator[int]:
    """Each frame while it is the scene's, evaluated: with drivers, animated cameras and markers.

    Afterwards the scene's own frame, camera and unkeyed values are back; without frames, nothing
    is set, and the current one is all there is.
    """
    if not frames:
        yield scene.frame_current
        return
    with _kept_frame(scene):
        for frame in frames:
            scene.frame_set(frame)
            yield frame


@contextmanager
def _kept_frame(scene: Any) -> Iterator[None]:
    # The values go back last: setting the frame evaluates the animation once more.
    with kept_animated_values(), Scope() as scope:
        scope.callback(setattr, scene, "camera", scene.camera)
        scope.callback(scene.frame_set, scene.frame_current, subframe=scene.frame_subframe)
        yield
