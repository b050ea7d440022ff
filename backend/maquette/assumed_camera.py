"""The camera of a picture that has none: lens, tilt, shift and height, from its depth.

Buildings and the ground are level or upright, and their walls stand at right angles, in the eyes of
the true camera alone: in those of a longer lens they lean, and of a wrong tilt they lie down. So
lenses are tried with tilts, and with vertical shifts of a level camera, and the one is taken for
which most of the picture is as it is built: the Manhattan-world assumption of Coughlan and Yuille
("Manhattan World", ICCV 1999), with surfaces in place of a picture's edges. Cameras are held level
from left to right, as those of renders are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
from maquette_wire.view import Matrix, View
from numpy.typing import NDArray

from .positions import Floats, camera_normals, dot, points_at, to_world

_SENSOR = 36.0
_LENS = 35.0
"""Millimetres, of a picture whose depth doesn't tell."""
_LENSES = _LENS * 2.0 ** np.linspace(-1.25, 1.25, 11)
_TILTS = np.radians(np.arange(-25.0, 75.0, 0.7))
_SHIFTS = np.linspace(-1.0, 1.0, 41)
_FINER_LENSES = 2.0 ** np.linspace(-0.15, 0.15, 7)
_FINER_TILTS = np.radians(np.linspace(-0.6, 0.6, 13))
_FINER_SHIFTS = np.linspace(-0.05, 0.05, 11)
_SAMPLES, _MOST = 160, 800
"""Along a side of the depth map, at most, and in all."""
_LEAST = 100
"""Samples without which nothing is said."""
_SHARP = np.sin(np.radians(3.0)), np.sin(np.radians(1.5))
"""How far from level or upright a surface may be, at first and then."""
_SMOOTH = np.cos(np.radians(2.0))
"""Between samples beside each other on one surface."""
_LEVEL = 1.6
"""What a level surface counts for, beside an upright one: the ground is in most pictures."""
_CORNERS = 0.5
"""What right angles between walls count for beside their being upright."""
_UNUSUAL = 0.03, 0.02, 0.03
"""The share of the picture that must speak for a lens of twice the usual length, a tilt of a
radian, and a shift of half the height."""
_PLAIN = 0.3
"""Share of the picture that must be level or upright."""
_LOW, _EYES = 1.0, 1.7
"""Metres above the ground: lower than the one no camera is held, at the other most are."""


class _Camera(NamedTuple):
    """lens: millimetres, for the longer side. tilt: radians downwards. shift: of the lens
    downwards, in half heights of the picture."""

    lens: float = _LENS
    tilt: float = 0.0
    shift: float = 0.0


def assumed_view(metres: NDArray[np.floating], name: str = "") -> View:
    """A view at the origin, from which depth [H, W], metres along the view axis and +inf for sky,
    is most like what is built; level and of a common lens where that can't be told."""
    height, width = metres.shape
    usual = _view(width, height, _Camera(), name)
    _, normals = _surfaces(metres, usual)
    if len(normals) < _LEAST:
        return usual
    normals = normals[:: -(-len(normals) // _MOST)]
    up = usual.projection_matrix[5]
    tilts = [(tilt, 0.0) for tilt in _TILTS]
    shifts = [(0.0, shift) for shift in _SHIFTS]
    lens, tilt, shift = _best(normals, up, _LENSES, [*tilts, *shifts], _SHARP[0])[0]
    finer = [(0.0, shift + more) for more in _FINER_SHIFTS]
    if not shift:
        finer = [(tilt + more, 0.0) for more in _FINER_TILTS]
    camera, share = _best(normals, up, lens * _FINER_LENSES, finer, _SHARP[1])
    return _view(width, height, camera, name) if share > _PLAIN else usual


def at_scale(metres: NDArray[np.float32], view: View) -> NDArray[np.float32]:
    """Depth [H, W] for its assumed view; enlarged where the ground would be at the camera's feet,
    as in depth that was estimated, and has no scale. That is taken for seen at eye level."""
    points, normals = (to_world(each, view) for each in _surfaces(metres, view))
    heights = -points[normals[:, 2] < -_SMOOTH, 2]
    if len(heights) < _LEAST:
        return metres
    height = float(np.percentile(heights, 90.0))
    return metres * np.float32(_EYES / height) if 0.0 < height < _LOW else metres


def _best(
    normals: Floats,
    up: float,
    lenses: Floats,
    stances: Sequence[tuple[float, float]],
    sharp: float,
) -> tuple[_Camera, float]:
    """The camera of the highest score, and what share of the picture is level or upright for it.

    normals: [n, 3], in the axes of the usual camera; up: its focal length in half heights.
    stances: tilts and shifts, each tried with each lens. sharp: sine of the angle that surfaces
    may be off by.
    """
    tilt, shift = np.array(stances).T[..., None]
    sine, cosine = np.sin(tilt), np.cos(tilt)
    found = []
    for lens in lenses:
        x, y = normals[:, :2].T * (lens / _LENS)
        z = normals[:, 2] + shift / up * normals[:, 1]
        length = np.sqrt(x * x + y * y + z * z)
        rise = (cosine * y + sine * z) / length
        upright = np.exp(-((rise / sharp) ** 2))
        # The normals face away from who looks at them, from above.
        level = np.exp(-(1.0 - rise * rise).clip(0.0) / sharp**2) * (rise < 0.0)
        # Four times the direction in the plan is one for walls at right angles.
        turned = np.square(np.square((x + 1j * (cosine * z - sine * y)) / length))
        corners = np.abs((upright * turned).mean(1))
        score = _LEVEL * level.mean(1) + upright.mean(1) + _CORNERS * corners
        score -= _UNUSUAL[0] * np.log2(lens / _LENS) ** 2
        score -= (_UNUSUAL[1] * np.abs(tilt) + _UNUSUAL[2] * np.abs(shift))[:, 0]
        best = int(score.argmax())
        share = float((upright[best] + level[best]).mean())
        found.append((float(score[best]), _Camera(float(lens), *stances[best]), share))
    _, camera, share = max(found, key=lambda each: each[0])
    return camera, share


def _surfaces(metres: NDArray[np.floating], view: View) -> tuple[Floats, Floats]:
    """Samples that lie on smooth surfaces, in the axes of the view's camera: their positions
    [n, 3] and their normals, which face away from it."""
    step = -(-max(metres.shape) // _SAMPLES)
    rows, columns = (np.arange(step // 2, length, step) for length in metres.shape)
    depth = np.asarray(metres, np.float64)[np.ix_(rows, columns)]
    hit = np.isfinite(depth)
    depth = np.where(hit, depth, 1.0)
    points = points_at(depth, view, rows[:, None], columns[None, :], metres.shape)
    normals = camera_normals(points, np.where(hit, 1.0 / depth, 0.0))
    smooth = np.zeros_like(hit)
    smooth[:-1, :-1] = hit[:-1, :-1] & hit[1:, :-1] & hit[:-1, 1:]
    smooth[:-1] &= dot(normals[:-1], normals[1:]) > _SMOOTH
    smooth[:, :-1] &= dot(normals[:, :-1], normals[:, 1:]) > _SMOOTH
    return points[smooth], normals[smooth]


def _view(width: int, height: int, camera: _Camera, name: str) -> View:
    """From the origin along y, with z upwards."""
    focal = 2.0 * camera.lens / _SENSOR * max(width, height)
    near, far = 0.1, 1000.0
    clip, depth = (near + far) / (near - far), 2.0 * near * far / (near - far)
    sine, cosine = float(np.sin(camera.tilt)), float(np.cos(camera.tilt))
    turned = (1, 0, 0, 0, 0, sine, cosine, 0, 0, -cosine, sine, 0, 0, 0, 0, 1)
    up = focal / height
    projection = (focal / width, 0, 0, 0, 0, up, camera.shift, 0, 0, 0, clip, depth, 0, 0, -1, 0)
    # Floating point also where a whole number would do: a View is hashed as it is written.
    return View(
        view_matrix=cast("Matrix", tuple(map(float, turned))),
        projection_matrix=cast("Matrix", tuple(map(float, projection))),
        width=width,
        height=height,
        name=name,
    )
