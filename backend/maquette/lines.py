"""The lines that a picture is held to, white on black, for models that are shown lines.

Exact ones need no detector: where surfaces end and turn follows from the capture's own depth, to
the pixel, and where windows and doors are from the façades that are laid out. They are as thin as
those that models learned from (Canny, "A Computational Approach to Edge Detection", TPAMI 1986):
one pixel.
"""

from __future__ import annotations

import numpy as np
from maquette_wire.view import View
from numpy.typing import NDArray
from scipy import ndimage

from .edges import depth_edges
from .retouching.outlines import widened

_REACH = 4
"""Pixels around one that tell whether there is an edge."""


def exact_lines(
    depth: NDArray[np.floating],
    view: View,
    openings: NDArray[np.floating] | None = None,
    *,
    wraps: bool = False,
) -> NDArray[np.uint8]:
    """The silhouettes, creases and skyline of a capture, and the outlines of its openings, uint8
    [H, W].

    depth: metres [H, W], +inf for sky. openings: [H, W], how much of each pixel is an opening of a
    wall. wraps: the capture goes on at its opposite edge; the view is orthographic then.
    """
    beyond = min(_REACH, *depth.shape) if wraps else 0
    if beyond:
        view = widened(view, 1.0 + 2.0 * beyond / depth.shape[0])
        depth = np.pad(depth, beyond, mode="wrap")
    silhouettes, creases = depth_edges(depth, view)
    nothing = ~np.isfinite(depth)  # beyond the horizon as well, which is no edge
    drawn = silhouettes | creases | (~nothing & ndimage.binary_dilation(nothing))
    if beyond:
        drawn = drawn[beyond:-beyond, beyond:-beyond]
    if openings is not None:
        holes = openings > 0.5
        inside = np.asarray(ndimage.binary_erosion(holes, border_value=1), bool)
        drawn = drawn | (holes & ~inside)
    return np.where(drawn, np.uint8(255), np.uint8(0))
