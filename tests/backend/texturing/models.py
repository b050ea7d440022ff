"""Models and painted views of them, traced in double precision: what a bake is measured against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from maquette.texturing.bake import PaintedView
from maquette.texturing.surface import Surface
from maquette_wire.view import Matrix, View
from numpy.typing import NDArray

Quad = NDArray[np.float64]
"""[4, 3]: corner, corner along u, opposite corner, corner along v."""
Paint = Callable[[NDArray[np.float64], int], NDArray[np.float64]]
"""Colours [n, 3] in [0, 1] of pixels [n, 2] (x, y) that show a quad of this number."""

BOX = ((0, 1, 5, 4), (1, 3, 7, 5), (3, 2, 6, 7), (2, 0, 4, 6), (4, 5, 7, 6), (1, 0, 2, 3))
"""Corners of a box's faces, counter-clockwise from outside; bit 0 is x, bit 1 y, bit 2 z."""


def quad(corner: Sequence[float], along: Sequence[float], up: Sequence[float]) -> Quad:
    begin, u, v = (np.array(each, np.float64) for each in (corner, along, up))
    return np.stack([begin, begin + u, begin + u + v, begin + v])


def box(low: Sequence[float], high: Sequence[float]) -> list[Quad]:
    corners = np.array(
        [[(low, high)[n >> axis & 1][axis] for axis in range(3)] for n in range(8)], np.float64
    )
    return [corners[list(face)] for face in BOX]


def surface_of(
    quads: Sequence[Quad], objects: Sequence[int] | None = None, gap: float = 0.02
) -> Surface:
    """Each quad in a cell of its own; `gap` is the share of a cell that stays free around it."""
    cells = int(np.ceil(np.sqrt(len(quads))))
    corners, uvs = [], []
    for number, each in enumerate(quads):
        base = np.array([number % cells, number // cells], np.float64)
        square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * (1 - 2 * gap) + gap
        place = (base + square) / cells
        for chosen in ([0, 1, 2], [0, 2, 3]):
            corners.append(each[chosen])
            uvs.append(place[chosen])
    owners = np.repeat(objects if objects is not None else np.zeros(len(quads)), 2)
    return Surface(np.array(corners), np.array(uvs), owners.astype(np.int32))


def camera(
    eye: Sequence[float],
    target: Sequence[float],
    width: int = 512,
    height: int = 512,
    *,
    lens: float = 24.0,
    shift: tuple[float, float] = (0.0, 0.0),
    across: float | None = None,
) -> View:
    """A View from `eye` to `target`: `lens` in millimetres before a sensor 36 mm wide, shifted by
    shares of its width; orthographic, `across` metres wide, where that is given."""
    forward = np.array(target, np.float64) - np.array(eye, np.float64)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    to_camera = np.eye(4)
    to_camera[:3, :3] = [right, np.cross(right, forward), -forward]
    to_camera[:3, 3] = -to_camera[:3, :3] @ np.array(eye, np.float64)
    clip = np.zeros((4, 4))
    near, far = 0.1, 1000.0
    if across is None:
        focal = 2.0 * lens / 36.0
        clip[0, 0], clip[1, 1] = focal, focal * width / height
        clip[0, 2], clip[1, 2] = 2 * shift[0], 2 * shift[1] * width / height
        clip[2, 2:] = (near + far) / (near - far), 2 * near * far / (near - far)
        clip[3, 2] = -1.0
    else:
        clip[0, 0], clip[1, 1] = 2 / across, 2 / across * width / height
        clip[0, 3], clip[1, 3] = -2 * shift[0], -2 * shift[1] * width / height
        clip[2, 2:] = -2 / (far - near), -(far + near) / (far - near)
        clip[3, 3] = 1.0
    return View(
        view_matrix=cast(Matrix, tuple(to_camera.ravel().tolist())),
        projection_matrix=cast(Matrix, tuple(clip.ravel().tolist())),
        width=width,
        height=height,
        kind="perspective" if across is None else "orthographic",
    )


def trace(
    view: View, quads: Sequence[Quad]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Depth [h, w] (inf for nothing), number of the quad [h, w] (-1), its (u, v) [h, w, 2]."""
    to_world = np.linalg.inv(np.array(view.view_matrix).reshape(4, 4))
    unproject = np.linalg.inv(
        np.array(view.projection_matrix).reshape(4, 4) @ np.array(view.view_matrix).reshape(4, 4)
    )
    rows, columns = np.mgrid[: view.height, : view.width]
    x = 2.0 * (columns + 0.5) / view.width - 1.0
    y = 1.0 - 2.0 * (rows + 0.5) / view.height
    ends = []
    for z in (-1.0, 1.0):
        point = np.stack([x, y, np.full(x.shape, z), np.ones(x.shape)], -1) @ unproject.T
        ends.append(point[..., :3] / point[..., 3:])
    start, way = ends[0], ends[1] - ends[0]
    forward = -to_world[:3, 2]
    eye = to_world[:3, 3]
    depth = np.full(x.shape, np.inf)
    number = np.full(x.shape, -1)
    places = np.zeros((*x.shape, 2))
    for index, each in enumerate(quads):
        u, v = each[1] - each[0], each[3] - each[0]
        normal = np.cross(u, v)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = ((each[0] - start) @ normal) / (way @ normal)
            hit = start + share[..., None] * way
            # The place on the quad, whose sides need not be square to each other.
            inside = (hit - each[0]) @ np.linalg.pinv(np.stack([u, v], 1)).T
            metres = (hit - eye) @ forward
            struck = (share > 0) & (inside >= 0).all(-1) & (inside <= 1).all(-1) & (metres < depth)
        depth[struck], number[struck], places[struck] = metres[struck], index, inside[struck]
    return depth, number, places


def painted(view: View, quads: Sequence[Quad], paint: Paint) -> PaintedView:
    """A view of quads, its picture painted in pixels; what nothing stands in is black."""
    depth, number, _ = trace(view, quads)
    picture = np.zeros((view.height, view.width, 3))
    rows, columns = np.mgrid[: view.height, : view.width]
    for index in range(len(quads)):
        shown = number == index
        pixels = np.stack([columns[shown], rows[shown]], 1).astype(np.float64)
        picture[shown] = paint(pixels, index)
    return PaintedView(view, depth.astype(np.float32), np.rint(picture * 255).astype(np.uint8))
