"""Where a picture lies in a 3D view so that it covers what it was made of. No bpy here.

A picture has a View; a 3D view's region has a view matrix and a window matrix of its own. Where
both look from the same place in the same direction, a point of the picture lands on one pixel of
the region whatever its depth, and the picture is a rectangle of the region: in a zoomed and panned
camera view as well, with a shifted lens, or in an orthographic view that was moved sideways.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from maquette_wire.view import View
from numpy.typing import ArrayLike, NDArray

TOLERANCE = 0.5
"""Pixels by which near and far points of the picture may lie apart."""
SNAP = 0.05
"""An edge so near to a pixel's is on it but for rounding, and the picture exact to its pixels."""


@dataclass(frozen=True)
class Rectangle:
    """Pixels of a region, from its lower left corner."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.top - self.bottom

    def within(self, other: Rectangle) -> Rectangle | None:
        """The part that lies inside another one; None where that is nothing."""
        part = Rectangle(
            max(self.left, other.left),
            max(self.bottom, other.bottom),
            min(self.right, other.right),
            min(self.top, other.top),
        )
        return part if part.width > 0 and part.height > 0 else None

    def across(self, share: float) -> float:
        """The place from left (0) to right (1)."""
        return self.left + share * self.width

    def share(self, x: float) -> float:
        """The reverse of ``across``, from 0 to 1."""
        return min(max((x - self.left) / self.width, 0.0), 1.0)


def placed(
    view: View, view_matrix: ArrayLike, window_matrix: ArrayLike, width: int, height: int
) -> Rectangle | None:
    """Where a View's picture lies in a region of ``width`` x ``height`` pixels.

    None where it lies nowhere, as the region is looked through from elsewhere or otherwise.

    Args:
        view_matrix: world to the region's camera [4, 4].
        window_matrix: from there to its clip coordinates [4, 4].
    """
    projection = np.reshape(np.asarray(view.projection_matrix, np.float64), (4, 4))
    own = np.reshape(np.asarray(view.view_matrix, np.float64), (4, 4))
    try:
        to_world = np.linalg.inv(projection @ own)
    except np.linalg.LinAlgError:
        return None
    to_region = np.asarray(window_matrix, np.float64) @ np.asarray(view_matrix, np.float64)
    clip = to_region @ to_world @ _corners(projection, view.kind == "perspective")
    if not np.isfinite(clip).all() or (clip[3] * clip[3, 0] <= 0).any():
        return None
    pixels = (clip[:2] / clip[3] + 1) / 2 * np.array([[width], [height]])
    near, far = pixels[:, :4], pixels[:, 4:]
    (left, bottom), (right, top) = far[:, 0], far[:, 3]
    square = np.array([[left, right, left, right], [bottom, bottom, top, top]])
    if max(np.abs(near - far).max(), np.abs(far - square).max()) > TOLERANCE:
        return None
    if right <= left or top <= bottom:
        return None
    return Rectangle(*(_snapped(float(edge)) for edge in (left, bottom, right, top)))


def _corners(projection: NDArray[np.float64], perspective: bool) -> NDArray[np.float64]:
    """The picture's corners near and far, in its clip coordinates [4, 8].

    Not at the near plane: there a single-precision matrix's last digit would move a pixel.
    """
    depths = (0.0, 1.0)
    if perspective:
        with np.errstate(divide="ignore", invalid="ignore"):  # a matrix that was edited by hand
            start = projection[2, 3] / (projection[2, 2] - 1)
            end = projection[2, 3] / (projection[2, 2] + 1)
            middle = np.sqrt(abs(start * end))
            depths = (projection[2, 3] / middle - projection[2, 2], 1.0)
    return np.array([[x, y, z, 1.0] for z in depths for y in (-1, 1) for x in (-1, 1)]).T


def _snapped(edge: float) -> float:
    return float(round(edge)) if abs(edge - round(edge)) < SNAP else edge


def unobstructed(region: Rectangle, others: list[tuple[str, Rectangle]]) -> Rectangle:
    """What of a region is not under others that overlap it (coordinates of the window).

    Args:
        others: (alignment, rectangle) of the area's other regions.
    """
    left, bottom, right, top = region.left, region.bottom, region.right, region.top
    for alignment, other in others:
        if other.within(region) is None:
            continue
        if alignment == "LEFT":
            left = max(left, other.right)
        elif alignment == "RIGHT":
            right = min(right, other.left)
        elif alignment == "BOTTOM":
            bottom = max(bottom, other.top)
        elif alignment == "TOP":
            top = min(top, other.bottom)
    return Rectangle(left, bottom, max(right, left), max(top, bottom))
