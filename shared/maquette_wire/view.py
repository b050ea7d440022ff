"""View: the one immutable camera that every map and every projection of a capture uses."""

from __future__ import annotations

from typing import Literal

import msgspec

Matrix = tuple[
    float, float, float, float,
    float, float, float, float,
    float, float, float, float,
    float, float, float, float,
]  # fmt: skip
"""A 4 x 4 matrix in row-major order, applied to column vectors."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A camera at one moment, with the pixel grid it is seen on.

    ``view_matrix`` takes world coordinates (right-handed, Z up, metres) to camera coordinates
    (camera looks along -Z, +Y up, metres). ``projection_matrix`` takes camera coordinates to
    OpenGL clip coordinates (x, y, z in [-w, w]); sensor fit, lens shift and pixel aspect are in
    it. Pixel (column, row) of any map has its centre at
    ``x = 2 (column + 0.5) / width - 1``, ``y = 1 - 2 (row + 0.5) / height`` in normalised device
    coordinates: row 0 is the top.
    """

    view_matrix: Matrix
    projection_matrix: Matrix
    width: int
    height: int
    kind: Literal["perspective", "orthographic"] = "perspective"
    name: str = ""
