"""What the frames of one render have in common, so that an animation doesn't flicker.

A steady frame is painted together with the frame before and the first one of its take, which are
given, so that it takes their colours over where they see the same surface. What is left of the
flicker is taken out of the picture itself: the frame before is carried over through the exact
depths of both, and laid over the new one where both see the same surface. Depth decides what that
is: what has moved, or comes into view, is the new picture's. Nothing outlives a render. No bpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.view import View
from numpy.typing import NDArray

CARRIED = 0.75
"""Share of the frame before where both see the same surface. At 1 every frame would be its
predecessor's copy of a copy."""
SAME = 0.005
"""Share of the depth within which two frames see the same surface: half a per cent is what a
surface seen from the side changes by within a pixel."""
SURROUND = 2
"""Pixels around a place that must show the same surface as well."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Frame:
    """A painted frame: what it shows, and its picture, uint8 sRGB [height, width, 3]."""

    capture: Capture
    picture: Picture


@dataclass(frozen=True)
class Take:
    """Frames without a cut: of one camera and one prompt, the first and the last painted."""

    shot: tuple[str, str]
    first: Frame
    last: Frame

    @property
    def given(self) -> list[Frame]:
        """The frames that the next one follows: without the first one, colours drift."""
        return [self.first] if self.first is self.last else [self.first, self.last]

    def goes_on(self, shot: tuple[str, str], view: View) -> bool:
        """Whether a View of a camera with a prompt continues the take."""
        own = self.last.capture.view
        same = (own.width, own.height, own.kind) == (view.width, view.height, view.kind)
        return same and self.shot == shot


@dataclass
class Memory:
    """What a render remembers from frame to frame.

    Attributes:
        takes: by view layer.
        said: sentences that the user knows.
    """

    takes: dict[str, Take] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)

    def take(self, layer: str, shot: tuple[str, str], view: View) -> Take | None:
        """The take that a frame continues; None at the start and after a cut."""
        take = self.takes.get(layer)
        return take if take is not None and take.goes_on(shot, view) else None

    def keep(self, layer: str, shot: tuple[str, str], frame: Frame) -> None:
        """Remember a frame for the next one."""
        take = self.take(layer, shot, frame.capture.view)
        self.takes[layer] = Take(shot, take.first if take else frame, frame)

    def is_news(self, sentence: str) -> bool:
        """Whether a sentence wasn't said in this render yet; it is then."""
        new = sentence not in self.said
        self.said.add(sentence)
        return new

    def clear(self) -> None:
        """A render begins or ends."""
        self.takes.clear()
        self.said.clear()


def given_pictures(take: Take) -> tuple[list[Capture], Mapping[int, Picture]]:
    """Captures and pictures of the frames that the next one follows, as a job has them."""
    captures = [frame.capture for frame in take.given]
    return captures, {place: frame.picture for place, frame in enumerate(take.given)}


def steadied(before: Frame, capture: Capture, picture: Picture) -> Picture:
    """A new picture [h, w, 3] with the frame before laid over what both see."""
    carried, seen = carried_over(before, capture)
    weight = CARRIED * _softened(seen)[..., None]
    mixed = picture + weight * (carried - picture)
    return np.rint(mixed).clip(0, 255).astype(np.uint8)


def carried_over(before: Frame, after: Capture) -> tuple[Floats, Mask]:
    """A frame's picture as another View sees it [h, w, 3], and where both see one surface [h, w].

    Outside of that the picture means nothing.
    """
    depth = np.asarray(after.depth, np.float64)
    known = np.isfinite(depth)
    columns, rows, along = _places(before.capture.view, after.view, np.where(known, depth, 1.0))
    height, width = before.picture.shape[:2]
    inside = known & (along > 0)
    inside &= (columns >= 0) & (columns <= width - 1) & (rows >= 0) & (rows <= height - 1)
    columns, rows = np.where(inside, columns, 0.0), np.where(inside, rows, 0.0)
    there = np.asarray(before.capture.depth, np.float64)
    near = there[np.rint(rows).astype(int), np.rint(columns).astype(int)]
    with np.errstate(invalid="ignore"):
        same = inside & (np.abs(near - along) <= SAME * along)
    return _read(before.picture, columns, rows), same


def _places(before: View, after: View, depth: Floats) -> tuple[Floats, Floats, Floats]:
    """Where a View sees what another one sees at depths [h, w]: column, row and depth; pixel
    centres are whole numbers."""
    x, y = np.meshgrid(np.arange(after.width) + 0.5, np.arange(after.height) + 0.5)
    flat = np.stack([2 * x / after.width - 1, 1 - 2 * y / after.height], -1)
    look, project = _matrices(after)
    # On its ray, clip coordinates of a point are those of the pixel times w.
    w = depth if after.kind == "perspective" else np.ones_like(depth)
    across = flat * w[..., None] + project[:2, 2] * depth[..., None] - project[:2, 3]
    points = np.concatenate(
        [across / np.diag(project)[:2], -depth[..., None], np.ones((*depth.shape, 1))], -1
    )
    other, project = _matrices(before)
    seen = points @ (other @ np.linalg.inv(look)).T
    clip = seen @ project.T
    with np.errstate(divide="ignore", invalid="ignore"):
        place = clip[..., :2] / clip[..., 3:]
    columns = (place[..., 0] + 1) / 2 * before.width - 0.5
    rows = (1 - place[..., 1]) / 2 * before.height - 0.5
    return columns, rows, -seen[..., 2]


def _matrices(view: View) -> tuple[Floats, Floats]:
    return np.reshape(view.view_matrix, (4, 4)), np.reshape(view.projection_matrix, (4, 4))


def _read(picture: Picture, columns: Floats, rows: Floats) -> Floats:
    """A picture at places [h, w] within it, between its pixels linearly."""
    left = np.floor(columns).astype(int).clip(0, picture.shape[1] - 2)
    top = np.floor(rows).astype(int).clip(0, picture.shape[0] - 2)
    x, y = (columns - left)[..., None], (rows - top)[..., None]
    upper = picture[top, left] * (1 - x) + picture[top, left + 1] * x
    lower = picture[top + 1, left] * (1 - x) + picture[top + 1, left + 1] * x
    return upper * (1 - y) + lower * y


def _softened(seen: Mask) -> Floats:
    """A mask as weights [h, w] that fall to nothing within it, towards its edge."""
    framed = np.pad(seen.astype(np.float64), SURROUND)
    for axis in (0, 1):
        count = framed.shape[axis] - 2 * SURROUND
        shifted = [np.take(framed, range(by, by + count), axis) for by in range(2 * SURROUND + 1)]
        framed = np.mean(shifted, axis=0)
    return np.where(seen, (2 * framed - 1).clip(0, 1), 0.0)
