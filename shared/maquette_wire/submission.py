"""Submission: a Submit with its frames, made of what a job is about."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from . import surface as surfaces
from .capture import Capture, frames_of
from .material import Material
from .messages import Submit
from .packing import Packet
from .recipe import Recipe
from .surface import Surface


def submission(
    recipe: Recipe,
    captures: Sequence[Capture],
    surface: Surface | None = None,
    given: Mapping[int, Any] | None = None,
    *,
    together: bool = False,
    material: Material | None = None,
    previews: bool = False,
    job: str | None = None,
) -> Packet:
    """The Submit of a job, and its frames: views on what they are given, not copies.

    Args:
        surface: what the pictures are to be carried onto, for a texture.
        given: pictures of captures that are taken as they are, uint8 sRGB [height, width, 3], by
            the capture's place; with a surface or together.
        together: the captures show one scene, and their pictures are to fit each other.
        material: what to make without any captures.
        job: its name; a new one where None.
    """
    views = tuple(capture.view for capture in captures)
    headers, frames = frames_of(captures)
    more, buffers = surfaces.frames_of(surface, given or {}, views)
    headers, frames = headers + more, frames + buffers
    submit = Submit(
        job=job or uuid.uuid4().hex,
        recipe=recipe,
        views=views,
        previews=previews,
        together=together,
        texture=None if surface is None else surface.texture,
        material=material,
        frames=headers,
    )
    return Packet(submit, frames)
