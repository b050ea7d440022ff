"""Cameras and viewports of Blender as Views: one set of matrices for a capture and its pixels.

Blender's own ``calc_matrix_camera`` and ``RegionView3D`` give the matrices, so sensor fit, lens
shift, and a viewport's zoom and offset are Blender's by construction. Pixels of a View are always
square: a scene's pixel aspect goes into the proportions of the picture instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from maquette_wire.errors import MaquetteError
from maquette_wire.limits import check_size
from maquette_wire.messages import Limits
from maquette_wire.view import View
from mathutils import Matrix

if TYPE_CHECKING:
    import bpy

SENSOR = 36.0
"""Millimetres across, of cameras of our own."""
GRID = 8
"""Sides are multiples of this: one cell of a latent."""

KINDS: dict[str, Literal["perspective", "orthographic"]] = {
    "PERSP": "perspective",
    "ORTHO": "orthographic",
}
LENS_SETTINGS = (
    "type", "lens", "ortho_scale", "sensor_fit", "sensor_width", "sensor_height",
    "shift_x", "shift_y", "clip_start", "clip_end",
)  # fmt: skip
"""Properties of a camera that decide its projection."""


@dataclass(frozen=True)
class CameraPose:
    """A camera at one moment, apart from the datablock it was read from.

    Attributes:
        name: of the camera object.
        matrix: rigid camera to world transform; a camera's scale has no part in what it sees.
        lens: values of ``LENS_SETTINGS``.
    """

    name: str
    matrix: Matrix
    lens: dict[str, float | str]

    @property
    def kind(self) -> Literal["perspective", "orthographic"]:
        return KINDS[str(self.lens["type"])]


def camera_pose(camera: bpy.types.Object, depsgraph: bpy.types.Depsgraph) -> CameraPose:
    """Where a camera is and how it projects now, with its animation, drivers and constraints.

    Raises MaquetteError("not-a-camera", "unsupported-camera").
    """
    if camera.type != "CAMERA":
        raise MaquetteError(
            "not-a-camera",
            f"{camera.name!r} is a {camera.type.lower()}, not a camera.",
            "Choose a camera.",
        )
    evaluated = camera.evaluated_get(depsgraph)
    lens = {name: getattr(evaluated.data, name) for name in LENS_SETTINGS}
    if lens["type"] not in KINDS:
        raise MaquetteError(
            "unsupported-camera",
            f"The camera {camera.name!r} is of type {str(lens['type']).lower()}, "
            "which no single projection matrix describes.",
            "Set its type to Perspective or Orthographic.",
        )
    world = evaluated.matrix_world
    rigid = Matrix.Translation(world.translation[:]) @ world.to_quaternion().to_matrix().to_4x4()
    return CameraPose(name=camera.name, matrix=rigid, lens=lens)


def camera_view(
    camera: bpy.types.Object,
    pose: CameraPose,
    depsgraph: bpy.types.Depsgraph,
    width: int,
    height: int,
    aspect: tuple[float, float] = (1.0, 1.0),
) -> View:
    """The View of ``camera``, whose pose is ``pose``, on a grid of pixels that are square, or
    shown later with sides of that ``aspect``."""
    projection = camera.evaluated_get(depsgraph).calc_matrix_camera(
        depsgraph, x=width, y=height, scale_x=aspect[0], scale_y=aspect[1]
    )
    return view_of(pose.matrix.inverted(), projection, width, height, pose.kind, pose.name)


def pose_of(view: View) -> CameraPose:
    """A camera that sees what ``view`` does: the reverse of ``camera_view``."""
    projection = np.reshape(view.projection_matrix, (4, 4))
    down = view.height / view.width
    depth, offset = projection[2, 2:]
    if view.kind == "perspective":
        size = {"type": "PERSP", "sensor_width": SENSOR, "lens": projection[0, 0] * SENSOR / 2}
        shift = projection[0, 2] / 2, projection[1, 2] / 2 * down
        clip = offset / (depth - 1), offset / (depth + 1)
    else:
        size = {"type": "ORTHO", "ortho_scale": 2 / projection[0, 0]}
        shift = -projection[0, 3] / 2, -projection[1, 3] / 2 * down
        clip = (offset + 1) / depth, (offset - 1) / depth
    lens = {
        **size,
        "sensor_fit": "HORIZONTAL",
        "shift_x": shift[0],
        "shift_y": shift[1],
        "clip_start": clip[0],
        "clip_end": clip[1],
    }
    matrix = Matrix(np.reshape(view.view_matrix, (4, 4)).tolist()).inverted()
    return CameraPose(name=view.name, matrix=matrix, lens=lens)


def posed_view(
    matrix: Matrix,
    lens: float,
    sensor: float,
    clip: tuple[float, float],
    size: tuple[int, int],
    name: str,
) -> View:
    """The View of a camera that isn't there: perspective, without a shift.

    matrix: rigid camera to world; lens and sensor: millimetres, the sensor's along the picture's
    shorter side; clip: metres; size: width and height in pixels.
    """
    width, height = size
    scale = 2 * lens / sensor
    across, up = (scale * min(size) / side for side in size)
    start, end = clip
    depth, offset = (start + end) / (start - end), 2 * start * end / (start - end)
    projection = np.array(
        [[across, 0, 0, 0], [0, up, 0, 0], [0, 0, depth, offset], [0, 0, -1, 0]], np.float64
    )
    return view_of(matrix.inverted(), projection, width, height, "perspective", name)


def check_grid(name: str, width: int, height: int) -> None:
    """Refuse a size that no server would take, before pixels are made of it.

    Raises MaquetteError("capture-too-small", "capture-too-large").
    """
    limits = Limits()
    if min(width, height) < limits.side_min:
        raise MaquetteError(
            "capture-too-small",
            f"The picture of {name} would be {width} x {height} pixels, too narrow to paint.",
            "Raise Long Side, or make the 3D view or the frame of the render less narrow.",
        )
    check_size(f"The capture of {name}", width, height, limits)


def viewport_view(
    region: bpy.types.Region, region_3d: bpy.types.RegionView3D, width: int, height: int
) -> View:
    """The View of one region of a 3D viewport: what the user sees in it, to its edges.

    Where ``width`` x ``height`` has other proportions than the region, the middle of the picture
    stays, and one side shows a little more than the region does.
    """
    stretch = (width / height) / (region.width / region.height)
    projection = _widened(np.array(region_3d.window_matrix, dtype=np.float64), stretch)
    kind = "perspective" if region_3d.is_perspective else "orthographic"
    return view_of(region_3d.view_matrix, projection, width, height, kind, "Viewport")


def view_of(
    view_matrix: Matrix,
    projection: Matrix | np.ndarray,
    width: int,
    height: int,
    kind: Literal["perspective", "orthographic"],
    name: str,
) -> View:
    """A View from matrices of Blender's or NumPy's type."""
    flat: list[Any] = [
        tuple(np.array(matrix, dtype=np.float64).ravel().tolist())
        for matrix in (view_matrix, projection)
    ]
    return View(
        view_matrix=flat[0],
        projection_matrix=flat[1],
        width=width,
        height=height,
        kind=kind,
        name=name,
    )


def resized(view: View, width: int, height: int) -> View:
    """The View on another grid; one of other proportions shows a little more on one side."""
    stretch = (width / height) / (view.width / view.height)
    projection = _widened(np.reshape(view.projection_matrix, (4, 4)).copy(), stretch)
    own = Matrix(np.reshape(view.view_matrix, (4, 4)).tolist())
    return view_of(own, projection, width, height, view.kind, view.name)


def _widened(projection: np.ndarray, stretch: float) -> np.ndarray:
    """A projection for a picture ``stretch`` times as wide for its height."""
    # Scaling clip coordinates towards the centre shows more; only ever more, never less.
    if stretch > 1:
        projection[0] /= stretch
    else:
        projection[1] *= stretch
    return projection


def moved_back(view: View, distance: float) -> View:
    """The same orthographic picture from a camera ``distance`` metres further back.

    An orthographic viewport shows what is behind its own eye as well; from further back, all
    depths are positive.
    """
    view_matrix = np.reshape(view.view_matrix, (4, 4)).copy()
    view_matrix[2] -= distance * view_matrix[3]
    projection = np.reshape(view.projection_matrix, (4, 4)).copy()
    projection[2, 3] += projection[2, 2] * distance
    return view_of(
        Matrix(view_matrix.tolist()), projection, view.width, view.height, view.kind, view.name
    )


def camera_size(scene: bpy.types.Scene, long_side: int) -> tuple[int, int]:
    """(width, height) of a camera's capture: the proportions of the scene's render.

    Raises MaquetteError("bad-size").
    """
    render = scene.render
    return size_for(
        render.resolution_x * render.pixel_aspect_x,
        render.resolution_y * render.pixel_aspect_y,
        long_side,
    )


def size_for(across: float, down: float, long_side: int) -> tuple[int, int]:
    """(width, height) of proportions ``across`` : ``down``, both multiples of ``GRID``.

    The longer one is ``long_side``, rounded to the grid.

    Raises MaquetteError("bad-size") where ``long_side`` is less than one cell.
    """
    if long_side < GRID:
        raise MaquetteError(
            "bad-size",
            f"A long side of {long_side} pixels is too small to capture.",
            f"Choose {GRID} or more.",
        )
    longest = max(across, down)
    width, height = (
        max(GRID, round(long_side * side / longest / GRID) * GRID) for side in (across, down)
    )
    return width, height
