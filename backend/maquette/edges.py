"""Do a picture's edges lie on the model's? The share of exact depth edges within 2 px of an image
edge.

The model's edges come from a capture's own depth, at pixel precision. *Silhouettes* are steps:
neighbouring pixels on different surfaces, or surface and sky. *Creases* are turns of one surface:
the corners of a building between two walls, eaves, ridges. Both are found against planes, in which
inverse depth is affine over the picture in perspective and depth is in parallel projection: the
ground at a grazing angle has neither, nor has the horizon, where it reaches infinity.

The image's edges are local maxima of the colour gradient, as in Canny (1986) with the tensor
gradient of Di Zenzo (1986). A picture full of texture has an edge near everything, so the number
alone says little: `EdgeReport.chance` is what the same edges would score by accident, as the mean
over shifted copies of the model's edges, and `lift` is the share of the way from there to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from maquette_wire.view import View
from numpy.typing import NDArray
from scipy import ndimage

from .positions import camera_normals, camera_points, dot

_STEP = 0.02  # relative step of (inverse) depth beyond what the planes explain
_HORIZON = 3.0  # pixels by which a plane that ends would have reached infinity
_TURN = 20.0  # degrees between the normals of a crease
_SMOOTH = 1e-4  # relative bend of (inverse) depth from a pixel to those on both sides of it
_SIGMA = 1.0  # pixels, of the gradient's Gaussian
_CONTRAST = 3.0  # levels of 255 for each pixel, the weakest gradient that is an edge
_DENSITY = 0.07  # the largest share of pixels that are image edges; the strongest stay


@dataclass(frozen=True)
class EdgeReport:
    """How well a picture's edges lie on the model's.

    recall: share of all exact edges with an image edge within the tolerance; None without any.
    silhouettes, creases: the same for each class.
    chance: what `recall` would be by accident.
    lift: (recall - chance) / (1 - chance); 1 perfect, 0 no better than accident.
    edge_pixels: number of exact edge pixels.
    """

    recall: float | None
    silhouettes: float | None
    creases: float | None
    chance: float
    lift: float | None
    edge_pixels: int


def edge_recall(
    depth: NDArray[np.floating],
    view: View,
    image: NDArray[np.uint8],
    tolerance: float = 2.0,
) -> EdgeReport:
    """Compare a picture with the depth of the capture it was made from.

    depth: metres [H, W], +inf for sky. view: its camera. image: uint8 sRGB [H, W, 3]. tolerance:
    pixels. Raises ValueError where the sizes differ.
    """
    if image.shape != (*depth.shape, 3):
        raise ValueError(f"The picture is {image.shape}, its depth {depth.shape}.")
    silhouettes, creases = depth_edges(depth, view)
    both = silhouettes | creases
    found = image_edges(image)
    if found.any():
        distance = np.asarray(ndimage.distance_transform_edt(~found))
        near = distance <= tolerance
    else:
        near = np.zeros_like(found)
    recall = _share(near, both)
    chance = _chance(near, both)
    lift = None if recall is None else (recall - chance) / max(1.0 - chance, 1e-9)
    return EdgeReport(
        recall=recall,
        silhouettes=_share(near, silhouettes),
        creases=_share(near, creases),
        chance=chance,
        lift=lift,
        edge_pixels=int(np.count_nonzero(both)),
    )


def depth_edges(
    depth: NDArray[np.floating], view: View
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Silhouettes and creases of a depth map [H, W], each bool [H, W]; a crease is no silhouette.

    A silhouette is marked on its nearer side.
    """
    planes = _Planes.of(depth, view)
    steps = np.zeros(planes.sky.shape, bool)
    creases = np.zeros(planes.sky.shape, bool)
    for axis in (0, 1):
        steps |= _marked(planes.steps(axis), planes.nearness, axis)
        creases |= _first(planes.turns(axis), axis)
    beside = np.asarray(ndimage.binary_dilation(steps, iterations=2), bool)
    return steps, creases & ~beside


def surface_ends(
    depth: NDArray[np.floating], view: View
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Between which neighbours one surface ends and another begins: a silhouette, a crease, or the
    horizon. Down, bool [H - 1, W], and across, [H, W - 1]."""
    planes = _Planes.of(depth, view)
    ends = []
    for axis in (0, 1):
        empty = np.moveaxis(planes.sky, axis, 0)
        skyline = np.moveaxis(empty[:-1] != empty[1:], 0, axis)
        ends.append(planes.steps(axis) | planes.turns(axis) | skyline)
    return ends[0], ends[1]


def is_exact(depth: NDArray[np.floating], view: View) -> bool:
    """Whether most of what a capture sees lies on planes or gentle curves, as of a model; of depth
    that was guessed of a picture little does."""
    nearness, scale, sky = _nearness(np.asarray(depth, np.float64), view)
    smooth = total = 0
    for axis in (0, 1):
        value, size = (np.moveaxis(each, axis, 0) for each in (nearness, scale))
        seen = ~np.moveaxis(sky, axis, 0)[1:-1]
        bend = np.abs(value[2:] - 2.0 * value[1:-1] + value[:-2])
        smooth += int(np.count_nonzero(seen & (bend < _SMOOTH * size[1:-1])))
        total += int(np.count_nonzero(seen))
    return smooth > 0.5 * total


def image_edges(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Edges of a picture uint8 [H, W, 3], one pixel wide: bool [H, W]."""
    tensor = np.zeros((3, *image.shape[:2]))
    for channel in range(3):
        plane = image[..., channel].astype(np.float64)
        down, across = _slopes(plane)
        tensor += np.stack([across * across, down * down, across * down]) / 3.0
    xx, yy, xy = tensor
    spread = np.sqrt((xx - yy) ** 2 + 4.0 * xy * xy)
    strength = np.sqrt((xx + yy + spread) / 2.0)
    angle = 0.5 * np.arctan2(2.0 * xy, xx - yy)
    thin = _maxima(strength, np.cos(angle), np.sin(angle)) & (strength > _CONTRAST)
    room = int(_DENSITY * strength.size)
    if np.count_nonzero(thin) > room:
        weakest = np.partition(strength[thin], -room)[-room]
        thin &= strength >= weakest
    return thin


def _slopes(plane: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Derivatives of a Gaussian-smoothed plane, downwards and to the right, for each pixel."""
    slopes = []
    for axis in (0, 1):
        along = ndimage.gaussian_filter1d(plane, _SIGMA, axis, order=1, mode="nearest")
        slopes.append(ndimage.gaussian_filter1d(along, _SIGMA, 1 - axis, mode="nearest"))
    return slopes[0], slopes[1]


def _share(near: NDArray[np.bool_], edges: NDArray[np.bool_]) -> float | None:
    return float(near[edges].mean()) if edges.any() else None


def _chance(near: NDArray[np.bool_], edges: NDArray[np.bool_]) -> float:
    """The mean recall of shifted edges, far enough that no line lies on itself."""
    height, width = near.shape
    shares = []
    for down, across in ((0.0, 0.23), (0.0, -0.31), (0.19, 0.0), (-0.27, 0.0), (0.17, 0.29)):
        moved = np.roll(edges, (round(down * height), round(across * width)), axis=(0, 1))
        share = _share(near, moved)
        shares.append(0.0 if share is None else share)
    return float(np.mean(shares))


@dataclass(frozen=True)
class _Planes:
    """A depth map in values that are affine over the picture on every plane.

    Attributes:
        nearness: larger is nearer [H, W]. scale: what a step is relative to. endless: whether the
        values go to 0 at infinity, so that there is a horizon. normals: see `camera_normals`.
    """

    nearness: NDArray[np.float64]
    scale: NDArray[np.float64]
    sky: NDArray[np.bool_]
    normals: NDArray[np.float64]
    endless: bool

    @classmethod
    def of(cls, depth: NDArray[np.floating], view: View) -> _Planes:
        metres = np.asarray(depth, np.float64)
        nearness, scale, sky = _nearness(metres, view)
        normals = camera_normals(camera_points(np.where(sky, 1.0, metres), view), nearness)
        return cls(nearness, scale, sky, normals, view.kind == "perspective")

    def steps(self, axis: int) -> NDArray[np.bool_]:
        """Between which neighbours along an axis the surface is another, one less along it."""
        value = np.moveaxis(self.nearness, axis, 0)
        size = np.moveaxis(self.scale, axis, 0)
        empty = np.moveaxis(self.sky, axis, 0)
        jump = value[1:] - value[:-1]
        # What the plane on either side foretells for the jump; one of them agreeing is enough.
        before = np.concatenate([jump[:1], jump[:-1]])
        after = np.concatenate([jump[1:], jump[-1:]])
        missed = np.minimum(np.abs(jump - before), np.abs(jump - after))
        tolerance = _STEP * np.maximum(size[:-1], size[1:])
        edge = (missed > tolerance) & (np.abs(jump) > tolerance)
        # A ground plane that has all but reached infinity ends at the horizon, not at an edge.
        slope = np.where(empty[1:], before, after)
        horizon = (slope * jump > 0.0) & (np.abs(jump) < _HORIZON * np.abs(slope)) & self.endless
        outline = (empty[:-1] != empty[1:]) & ~horizon
        edge = (edge & ~(empty[:-1] | empty[1:])) | outline
        return np.moveaxis(edge, 0, axis)

    def turns(self, axis: int) -> NDArray[np.bool_]:
        """Between which neighbours along an axis normals differ by more than the crease angle, one
        less along it."""
        normal = np.moveaxis(self.normals, axis, 0)
        empty = np.moveaxis(self.sky, axis, 0)
        turned = dot(normal[:-1], normal[1:]) < np.cos(np.radians(_TURN))
        return np.moveaxis(turned & ~(empty[:-1] | empty[1:]), 0, axis)


def _nearness(
    metres: NDArray[np.float64], view: View
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """`nearness`, `scale` and `sky` of `_Planes`."""
    sky = ~np.isfinite(metres)
    if view.kind == "perspective":
        nearness = np.where(sky, 0.0, 1.0 / np.where(sky, 1.0, metres))
        return nearness, nearness, sky
    far = float(metres[~sky].max()) if not sky.all() else 0.0
    near = float(metres[~sky].min()) if not sky.all() else 0.0
    scale = np.full_like(metres, max(far - near, 1e-6))
    return np.where(sky, -far, -metres), scale, sky


def _marked(
    between: NDArray[np.bool_], nearness: NDArray[np.float64], axis: int
) -> NDArray[np.bool_]:
    """What is so between neighbours along an axis, marked on the nearer one of the two."""
    edge, value = np.moveaxis(between, axis, 0), np.moveaxis(nearness, axis, 0)
    result = np.zeros(value.shape, bool)
    nearer_first = value[:-1] >= value[1:]
    result[:-1] |= edge & nearer_first
    result[1:] |= edge & ~nearer_first
    return np.moveaxis(result, 0, axis)


def _first(between: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """What is so between neighbours along an axis, marked on the first one of the two."""
    room = [(0, 0), (0, 0)]
    room[axis] = (0, 1)
    return np.pad(between, room)


def _maxima(
    strength: NDArray[np.float64], across: NDArray[np.float64], down: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Where the strength is largest along the gradient, interpolated between pixels."""
    rows, columns = np.indices(strength.shape)
    ahead = ndimage.map_coordinates(
        strength, [rows + down, columns + across], order=1, mode="nearest"
    )
    behind = ndimage.map_coordinates(
        strength, [rows - down, columns - across], order=1, mode="nearest"
    )
    return (strength >= ahead) & (strength > behind)
