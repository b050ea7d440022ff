"""Cameras where none of the user's is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from maquette_wire.view import View
from mathutils import Matrix
from numpy.typing import NDArray

from .view import SENSOR, posed_view

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pose:
    """A camera where none of the user's is.

    Attributes:
        matrix: rigid, camera to world.
        lens: millimetres, before a sensor of `SENSOR` along the picture's shorter side.
    """

    matrix: Matrix
    lens: float

    def view(self, width: int, height: int, clip: tuple[float, float], name: str) -> View:
        """The View of this camera; width, height: pixels; clip: metres."""
        return posed_view(self.matrix, self.lens, SENSOR, clip, (width, height), name)


@dataclass(frozen=True)
class Camera:
    """A camera in the coordinates of a survey.

    Attributes:
        to_camera, clip: [4, 4], world to camera, and camera to clip coordinates.
        perspective: or orthographic.
    """

    to_camera: Array
    clip: Array
    perspective: bool = True

    @classmethod
    def of(cls, view: View, middle: Array) -> Camera:
        to_camera = np.reshape(view.view_matrix, (4, 4)).astype(np.float64)
        to_camera[:3, 3] += to_camera[:3, :3] @ middle
        clip = np.reshape(view.projection_matrix, (4, 4)).astype(np.float64)
        return cls(to_camera, clip, view.kind == "perspective")

    @classmethod
    def at(cls, eye: Array, axes: Array, halves: Array) -> Camera:
        """axes: rows are camera x, y and z in the world; halves: tangents of half the field,
        across and up."""
        to_camera = np.eye(4)
        to_camera[:3, :3], to_camera[:3, 3] = axes, -axes @ eye
        clip = np.zeros((4, 4))
        clip[0, 0], clip[1, 1] = 1.0 / halves
        clip[3, 2] = -1.0
        return cls(to_camera, clip)

    def frames(self, points: Array) -> tuple[NDArray[np.bool_], Array]:
        """Which of points [s, 3] lie in the picture, and the density there [s]: the inverse of
        half the picture's width in metres."""
        at = points @ self.to_camera[:3, :3].T + self.to_camera[:3, 3]
        clipped = at @ self.clip[:, :3].T + self.clip[:, 3]
        inside = np.all(np.abs(clipped[:, :3]) <= clipped[:, 3:], axis=1)
        return inside, abs(self.clip[0, 0]) / np.maximum(clipped[:, 3], 1e-9)

    @property
    def eye(self) -> Array:
        return -self.to_camera[:3, :3].T @ self.to_camera[:3, 3]

    def eyes(self, points: Array) -> Array:
        """[s, 3], from where each point is seen."""
        if self.perspective:
            return np.broadcast_to(self.eye, points.shape)
        back = self.to_camera[2, :3]
        return points - (points @ back + self.to_camera[2, 3])[:, None] * back

    def pose(self, middle: Array) -> Pose:
        matrix = np.linalg.inv(self.to_camera)
        matrix[:3, 3] += middle
        return Pose(
            Matrix(matrix.tolist()), SENSOR * float(max(self.clip[0, 0], self.clip[1, 1])) / 2
        )


def ways(count: int, rise: float, turn: float = 0.0) -> Array:
    """[count, 3] unit vectors, at an even turn, `rise` degrees above the horizon."""
    turns, up = turn + 2 * np.pi * np.arange(count) / count, float(np.radians(rise))
    flat = np.stack([np.cos(turns), np.sin(turns)], 1) * np.cos(up)
    return np.insert(flat, 2, np.sin(up), axis=1)


def looking(back: Array) -> Array:
    """Camera axes as rows, upright, of a camera whose z axis is `back`."""
    z: Array = back / np.linalg.norm(back)
    x: Array = np.array([-z[1], z[0], 0.0]) / np.hypot(z[0], z[1])
    return np.stack([x, np.cross(z, x), z])
