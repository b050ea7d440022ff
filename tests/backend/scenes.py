"""Captures of boxes on a ground plane, ray-cast with NumPy: exact depth and a plain grey picture.

For tests that need a real massing without a Blender.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.view import Matrix, View
from numpy.typing import NDArray

Box = tuple[float, float, float, float, float, float]
"""(x low, x high, y low, y high, z low, z high) in metres."""

HOUSES: tuple[Box, ...] = ((-6, 2, 12, 22, 0, 7), (3, 9, 16, 26, 0, 15), (-14, -9, 20, 30, 0, 10))
_SUN = np.array([0.35, -0.75, 0.55])


def massing(
    width: int = 128,
    height: int = 96,
    boxes: Sequence[Box] = HOUSES,
    *,
    eye: tuple[float, float, float] = (0.0, -6.0, 2.0),
    pitch: float = 6.0,
    turn: float = 8.0,
    lens: float = 1.4,
    kind: Literal["perspective", "orthographic"] = "perspective",
    ground: bool = True,
    name: str = "street",
) -> Capture:
    """A capture of boxes from `eye`, looking along +Y, turned left and pitched up by degrees.

    lens: focal length over half the picture's width; for an orthographic view one over its half
    width in units of 16 m.
    """
    view = _view(width, height, eye, np.radians(pitch), np.radians(turn), lens, kind, name)
    origin, direction = _rays(view)
    depth = np.full((height, width), np.inf)
    color = np.full((height, width, 3), 205.0)
    forward = -np.array(view.view_matrix).reshape(4, 4)[2, :3]
    for box in boxes:
        distance, normal = _hit(origin, direction, box)
        _keep(depth, color, distance * (direction @ forward), _shade(normal, 0.8))
    if ground:
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.where(direction[..., 2] < 0, -origin[..., 2] / direction[..., 2], np.inf)
        along = np.where(np.isfinite(distance), distance, 0.0) * (direction @ forward)
        along = np.where(np.isfinite(distance) & (distance < 400.0), along, np.inf)
        up = np.broadcast_to(np.array([0.0, 0.0, 1.0]), direction.shape)
        _keep(depth, color, along, _shade(up, 0.6))
    pixels = np.rint(np.clip(color, 0, 255)).astype(np.uint8)
    return Capture(view, pixels, np.ascontiguousarray(depth, dtype=np.float32))


def frames(capture: Capture) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Colour and depth of a capture as arrays."""
    return np.asarray(capture.color), np.asarray(capture.depth)


def _view(
    width: int,
    height: int,
    eye: tuple[float, float, float],
    pitch: float,
    turn: float,
    lens: float,
    kind: Literal["perspective", "orthographic"],
    name: str,
) -> View:
    forward = np.array([-np.sin(turn) * np.cos(pitch), np.cos(turn) * np.cos(pitch), np.sin(pitch)])
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    to_camera = np.eye(4)
    to_camera[:3, :3] = [right, up, -forward]
    to_camera[:3, 3] = -to_camera[:3, :3] @ np.array(eye)
    near, far = 0.1, 1000.0
    clip = np.zeros((4, 4))
    if kind == "perspective":
        clip[0, 0], clip[1, 1] = lens, lens * width / height
        clip[2, 2], clip[2, 3] = (near + far) / (near - far), 2 * near * far / (near - far)
        clip[3, 2] = -1.0
    else:
        clip[0, 0], clip[1, 1] = lens / 16.0, lens / 16.0 * width / height
        clip[2, 2], clip[2, 3] = -2.0 / (far - near), -(far + near) / (far - near)
        clip[3, 3] = 1.0
    return View(
        view_matrix=_matrix(to_camera),
        projection_matrix=_matrix(clip),
        width=width,
        height=height,
        kind=kind,
        name=name,
    )


def _matrix(values: NDArray[np.float64]) -> Matrix:
    return cast(Matrix, tuple(values.ravel().tolist()))


def _rays(view: View) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Origins and directions [H, W, 3] in the world."""
    to_world = np.linalg.inv(np.array(view.view_matrix).reshape(4, 4))
    clip = np.array(view.projection_matrix).reshape(4, 4)
    x = 2.0 * (np.arange(view.width) + 0.5) / view.width - 1.0
    y = 1.0 - 2.0 * (np.arange(view.height) + 0.5) / view.height
    across, down = np.meshgrid(x / clip[0, 0], y / clip[1, 1])
    flat = np.zeros_like(across)
    if view.kind == "perspective":
        start = np.zeros((*across.shape, 3))
        direction = np.stack([across, down, flat - 1.0], axis=-1)
    else:
        start = np.stack([across, down, flat], axis=-1)
        direction = np.stack([flat, flat, flat - 1.0], axis=-1)
    turned = direction @ to_world[:3, :3].T
    origin = start @ to_world[:3, :3].T + to_world[:3, 3]
    return origin, turned / np.linalg.norm(turned, axis=-1, keepdims=True)


def _hit(
    origin: NDArray[np.float64], direction: NDArray[np.float64], box: Box
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance along each ray (inf for a miss) and the normal there, by the slab method."""
    low, high = np.array(box[0::2]), np.array(box[1::2])
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (low - origin) / direction, (high - origin) / direction
    enter, leave = np.minimum(first, second), np.maximum(first, second)
    axis = np.argmax(np.nan_to_num(enter, nan=-np.inf), axis=-1)
    nearest = np.take_along_axis(enter, axis[..., None], -1)[..., 0]
    struck = (nearest <= np.nanmin(leave, axis=-1)) & (nearest > 0)
    normal = -np.sign(direction) * np.eye(3)[axis]
    return np.where(struck, nearest, np.inf), normal


def _shade(normal: NDArray[np.float64], albedo: float) -> NDArray[np.float64]:
    light = np.clip(normal @ (_SUN / np.linalg.norm(_SUN)), 0.0, 1.0)
    grey = 255.0 * albedo * (0.35 + 0.65 * light)
    return np.repeat(grey[..., None], 3, axis=-1)


def _keep(
    depth: NDArray[np.float64],
    color: NDArray[np.float64],
    metres: NDArray[np.float64],
    shade: NDArray[np.float64],
) -> None:
    nearer = metres < depth
    depth[nearer] = metres[nearer]
    color[nearer] = shade[nearer]
