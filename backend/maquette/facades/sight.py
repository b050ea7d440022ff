"""What captures see at points of the world: the point, something before it, or past it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.view import View
from numpy.typing import NDArray

from ..positions import points_at, to_world

Floats = NDArray[np.float64]

PAST = 0.4
"""Metres behind a wall from which on what is seen there is not the wall, nor a reveal in it."""
_AROUND = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right]
"""Neighbours of a pixel that shows what is behind a wall: one that shows the wall clears it."""
_SKY = 1e7
"""Metres, farther than anything."""
_NEAR = 1e-3
"""Metres before the camera from which on a point can be seen."""


@dataclass(frozen=True)
class Sight:
    """One capture. depth: float32 [H, W], metres along the view axis, +inf where nothing is."""

    view: View
    depth: NDArray[np.float32]

    @classmethod
    def of(cls, capture: Capture) -> Sight:
        return cls(capture.view, np.asarray(capture.depth))

    def locate(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """World points [n, 3] → their pixels (columns and rows, whole numbers at pixel centres)
        and their depth in metres, each [n]."""
        view = np.array(self.view.view_matrix).reshape(4, 4)
        projection = np.array(self.view.projection_matrix).reshape(4, 4)
        seen = points @ view[:3, :3].T + view[:3, 3]
        clip = seen @ projection[:, :3].T + projection[:, 3]
        w = np.where(np.abs(clip[:, 3]) < 1e-12, 1e-12, clip[:, 3])
        columns = (clip[:, 0] / w + 1.0) / 2.0 * self.depth.shape[1] - 0.5
        rows = (1.0 - clip[:, 1] / w) / 2.0 * self.depth.shape[0] - 0.5
        return columns, rows, -seen[:, 2]

    def behind(self, points: Floats, normals: Floats) -> Floats:
        """By how many metres what is seen at points of walls, [n, 3], lies behind their planes: 0
        where the walls are seen, negative where something hides them, NaN out of the picture and
        for walls that face away.

        normals: [n, 2], outward, in the plan. Measured along them, it is as exact for a wall at a
        grazing angle, where the depth of neighbouring pixels differs by metres.
        """
        return self._behind(points, normals, *self._placed(points, normals))

    def past(self, points: Floats, normals: Floats) -> NDArray[np.intp]:
        """Numbers of the points of walls at which what is seen, there and all around, lies more
        than `PAST` behind."""
        columns, rows, ahead = self._placed(points, normals)
        doubted = np.arange(len(points))
        for down, right in ((0, 0), *_AROUND):
            if not len(doubted):
                break
            far = self._behind(
                points[doubted],
                normals[doubted],
                columns[doubted] + right,
                rows[doubted] + down,
                ahead[doubted],
            )
            doubted = doubted[far > PAST]
        return doubted

    def _placed(self, points: Floats, normals: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """The pixels of points of walls, columns and rows as of `locate`, and whether they are
        before the camera and face it."""
        columns, rows, depth = self.locate(points)
        facing = (self._toward(points)[:, :2] * normals).sum(1) > 0.0
        return columns, rows, (depth > _NEAR) & facing

    def _behind(
        self,
        points: Floats,
        normals: Floats,
        columns: Floats,
        rows: Floats,
        ahead: NDArray[np.bool_],
    ) -> Floats:
        """As `behind`, of what is seen at these pixels."""
        height, width = self.depth.shape
        inside = ahead & (np.abs(columns - (width - 1) / 2) <= width / 2)
        inside &= np.abs(rows - (height - 1) / 2) <= height / 2
        column = np.where(inside, np.rint(columns), 0).astype(np.intp).clip(0, width - 1)
        row = np.where(inside, np.rint(rows), 0).astype(np.intp).clip(0, height - 1)
        metres = np.minimum(self.depth[row, column], _SKY)
        seen = to_world(points_at(metres, self.view, row, column, (height, width)), self.view)
        distance = ((points - seen)[:, :2] * normals).sum(1)
        # The sky is behind everything, also beside a plane that runs towards it.
        distance = np.where(metres >= _SKY, np.inf, distance)
        return np.where(inside, distance, np.nan)

    def _toward(self, points: Floats) -> Floats:
        """From world points [n, 3] to the camera."""
        matrix = np.array(self.view.view_matrix).reshape(4, 4)
        if self.view.kind == "orthographic":
            return np.broadcast_to(matrix[2, :3], points.shape)
        return -matrix[:3, :3].T @ matrix[:3, 3] - points


def see_past(sights: Sequence[Sight], points: Floats, normals: Floats) -> NDArray[np.bool_]:
    """Whether some capture sees what lies more than `PAST` behind the wall at each point [n, 3], so
    that the wall isn't there. normals: [n, 2]."""
    past = np.zeros(len(points), bool)
    for sight in sights:
        left = np.flatnonzero(~past)
        past[left[sight.past(points[left], normals[left])]] = True
    return past
