"""Jumps of a depth map: where one surface ends before another."""

from __future__ import annotations

from typing import Any

import numpy as np
from maquette_wire.view import View
from numpy.typing import NDArray
from scipy import ndimage

_JUMP_PIXELS = 4.0
"""Neighbouring pixels whose depths differ by more than this many pixel sides may be a jump."""
_SLACK = 0.25
"""Of the difference of two pixels: what a continued slope may miss it by."""

Depth = NDArray[np.float32]


def away_from_jumps(depth: Depth, view: View, reach: int | None = None) -> Depth:
    """Pixels between each pixel and the next jump of depth, float32 [h, w].

    Beside a jump, a picture's colour may come from either side: a painted edge is never exact to
    the pixel. reach: pixels beyond which a distance isn't told, up to 10; it is much faster.
    """
    jump = jumps(depth, view)
    if reach is not None:
        return _near(jump, reach)
    if not jump.any():
        return np.full(depth.shape, np.float32(np.hypot(*depth.shape)))
    distance: Any = ndimage.distance_transform_edt(~jump)
    return distance.astype(np.float32)


def flattened(depth: Depth, view: View) -> Depth:
    """What of a depth map is affine in the pixel on a plane: the inverse in perspective, depth
    itself otherwise; 0 where nothing is seen."""
    if view.kind == "perspective":
        return np.reciprocal(np.maximum(depth, np.float32(1e-6)))
    return np.where(np.isfinite(depth), depth, np.float32(0.0))


def pixel_side(view: View) -> float:
    """Of a pixel in metres, at a depth of one metre or, orthographic, at every depth."""
    return 2.0 / (view.width * abs(view.projection_matrix[0]))


def jumps(depth: Depth, view: View) -> NDArray[np.bool_]:
    """The pixels on both sides of a jump, [h, w]. Depth jumps where a neighbour lies further off
    than both surfaces, continued by their slope, would have it."""
    flat = flattened(depth, view)
    jump = np.zeros(depth.shape, bool)
    for z, q, marks in ((depth, flat, jump), (depth.T, flat.T, jump.T)):
        with np.errstate(invalid="ignore"):
            apart = np.abs(z[1:] - z[:-1])
        pixel = np.float32(_JUMP_PIXELS * pixel_side(view))
        # Not so where both see nothing, which differ by no number.
        far = (
            apart > pixel * np.minimum(z[1:], z[:-1])
            if view.kind == "perspective"
            else apart > pixel
        )
        at, across = np.nonzero(far)
        last = len(q) - 1

        def value(
            steps: int, at: Any = at, across: Any = across, q: Any = q, last: int = last
        ) -> Any:
            return q[(at + steps).clip(0, last), across]

        here, there = value(0), value(1)
        slack = _SLACK * np.abs(there - here)
        before = np.where(at > 0, 2 * here - value(-1), here)
        after = np.where(at + 1 < last, 2 * there - value(2), there)
        broken = (np.abs(there - before) > slack) & (np.abs(here - after) > slack)
        broken |= np.isinf(apart[at, across])
        for step in (0, 1):
            marks[at[broken] + step, across[broken]] = True
    return jump


def _near(jump: NDArray[np.bool_], reach: int) -> Depth:
    """Distances up to `reach`, along rows and then, squared, along columns (Saito and Toriwaki,
    "New algorithms for Euclidean distance transformation of an n-dimensional digitized picture",
    Pattern Recognition 27, 1994)."""
    steps = np.where(jump, np.uint8(0), np.uint8(reach + 1))
    for _ in range(reach):
        np.minimum(steps[:, 1:], steps[:, :-1] + np.uint8(1), out=steps[:, 1:])
        np.minimum(steps[:, :-1], steps[:, 1:] + np.uint8(1), out=steps[:, :-1])
    squares = np.minimum(steps, np.uint8(reach)) ** 2
    nearest = squares.copy()
    for step in range(1, reach + 1):
        far = np.uint8(step**2)
        np.minimum(nearest[step:], squares[:-step] + far, out=nearest[step:])
        np.minimum(nearest[:-step], squares[step:] + far, out=nearest[:-step])
    return np.sqrt(np.arange(reach**2 + 1, dtype=np.float32))[nearest]
