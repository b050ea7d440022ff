"""Where a View sees a point of the surface, and whether something stands before it.

Depth maps are compared plane by plane rather than point by point: a point's surface is continued to
the centres of the four pixels around it, and each pixel counts where the depth map agrees with that
plane. So a bias need not grow with slope, a pixel that shows another surface never gives its
colour, and the comparison is as strict at grazing views as at frontal ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from maquette_wire.view import View
from numpy.typing import NDArray
from torch import Tensor

from .tensors import squares, which, which_above

DEPTH_TOLERANCE = 1e-3
"""Of the distance: what depth in a capture may be off by (docs/architecture.md)."""
PIXEL_TOLERANCE = 0.5
"""Of a pixel's side on the surface: what curvature may add between a point and a pixel."""
_LEAST_SHARE = 0.02
"""Of the four pixels around a point: what must show its surface for the point to be seen."""


@dataclass(frozen=True)
class Camera:
    """A View in the coordinates of `origin`, as tensors on one device.

    `to_pixel` [2, 4] takes (x, y, depth, one) to the pixel, times depth in perspective.
    `rotation` [3, 3] and `shift` [3] take points to camera coordinates. A pixel (x, y) sees camera
    points `start + depth * toward`, both affine in the pixel: `start` and `toward` are [2, 3],
    rows for camera x and y, columns for pixel x, pixel y and one.
    """

    width: int
    height: int
    perspective: bool
    rotation: Tensor
    shift: Tensor
    start: Tensor
    toward: Tensor
    to_pixel: Tensor
    pixel: float
    """Side of a pixel in metres, at a depth of one metre or, orthographic, at every depth."""

    @classmethod
    def of(cls, view: View, origin: NDArray[np.float64], device: torch.device) -> Camera:
        """`origin` [3]: near the model, so that float32 holds its coordinates to fractions of a
        millimetre wherever in the world it stands."""
        matrix = np.array(view.view_matrix, np.float64).reshape(4, 4)
        projection = np.array(view.projection_matrix, np.float64).reshape(4, 4)
        perspective = view.kind == "perspective"
        # Rows of clip x and y, against camera x, y, depth and one.
        clip = projection[:2] * [1.0, 1.0, -1.0, 1.0]
        size = np.array([view.width, view.height], np.float64)
        # Pixel = scale * ndc + middle, row 0 at the top.
        scale, middle = size / 2 * [1.0, -1.0], size / 2 - 0.5
        inverse = np.linalg.inv(clip[:, :2])
        ndc = np.zeros((2, 3))
        ndc[[0, 1], [0, 1]] = 1.0 / scale
        ndc[:, 2] = -middle / scale
        one = np.array([0.0, 0.0, 1.0])
        offset = np.outer(clip[:, 3], one)
        if perspective:
            toward = inverse @ (ndc - np.outer(clip[:, 2], one))
            start = -inverse @ offset
        else:
            toward = -inverse @ np.outer(clip[:, 2], one)
            start = inverse @ (ndc - offset)

        def tensor(values: NDArray[np.float64]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(device)

        return cls(
            view.width,
            view.height,
            perspective,
            tensor(matrix[:3, :3]),
            tensor(matrix[:3, :3] @ origin + matrix[:3, 3]),
            tensor(start),
            tensor(toward),
            tensor(scale[:, None] * clip + np.outer(middle, [0, 0, perspective, not perspective])),
            float(np.abs(1.0 / (scale[0] * clip[0, 0]))),
        )

    @cached_property
    def size(self) -> Tensor:
        """[2, 1], width and height."""
        return torch.tensor([[self.width], [self.height]]).to(self.shift)

    @cached_property
    def steps(self) -> Tensor:
        """int64 [4, 1], from a pixel's number to those of the four that begin with it: to the right
        of it and below."""
        steps = [0, 1, self.width, self.width + 1]
        return torch.tensor(steps, device=self.shift.device)[:, None]

    def locate(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Points [3, n] → camera points [3, n], pixels [2, n] (x, y)."""
        camera = self.rotation @ points + self.shift[:, None]
        depth = -camera[2]
        pixels = self.to_pixel[:, :2] @ camera[:2]
        pixels += self.to_pixel[:, 2:3] * depth + self.to_pixel[:, 3:4]
        if self.perspective:
            pixels /= depth.clamp(min=1e-6)
        return camera, pixels

    def clip(self) -> Tensor:
        """[5, 4], against (x, y, z, one) of a point: its place in the picture, from -1 at the left
        and upper edge to 1, times depth in perspective; its depth; and its camera x and y."""
        to_camera = torch.cat([self.rotation, self.shift[:, None]], 1).double()
        one = torch.tensor([[0.0, 0.0, 0.0, 1.0]]).to(to_camera)
        to_camera = torch.cat([to_camera * torch.tensor([[1.0], [1.0], [-1.0]]).to(one), one])
        size = self.size.to(one)
        place = self.to_pixel.double() @ to_camera * (2.0 / size)
        place += (1.0 / size - 1.0) * to_camera[2 if self.perspective else 3]
        return torch.cat([place, to_camera[2:3], to_camera[:2]]).float()

    def side(self, depth: Tensor) -> Tensor:
        """The side of a pixel in metres, on a surface that faces the camera at this depth."""
        return depth * self.pixel if self.perspective else torch.full_like(depth, self.pixel)


@dataclass(frozen=True)
class Sight:
    """What a View sees of points: rows [m] of them, in order. All else is about those alone.

    Attributes:
        rows: int64 [m], the points that are in the picture with nothing before them.
        taps: int64 [4, m], the pixels around the point, y * width + x.
        shares: float32 [4, m], of each in the point's colour; they sum to one.
        cosine: float32 [m], of the angle between the surface's normal and the way to the camera;
            negative for a surface that is turned away.
        density: float32 [m], pixels for each metre across, as if the surface faced the camera.
    """

    rows: Tensor
    taps: Tensor
    shares: Tensor
    cosine: Tensor
    density: Tensor

    def gather(self, picture: Tensor) -> Tensor:
        """Values [m, c] of a picture [height * width, c] at those points."""
        result = picture[self.taps[0]] * self.shares[0][:, None]
        for tap, share in zip(self.taps[1:], self.shares[1:], strict=True):
            result += picture[tap] * share[:, None]
        return result


def look(
    camera: Camera,
    depth: Tensor,
    points: Tensor,
    normals: Tensor,
    least: float = -1.0,
    beyond: float = 0.0,
) -> Sight:
    """See points [3, n] with unit normals [3, n] through a camera and its depth map [h * w].

    least: cosine below which points aren't looked for. beyond: pixels past the picture's edge to
    which a surface there is continued; shares may then be negative, and continue its colours.
    """
    at, pixels = camera.locate(points)
    facing = camera.rotation @ normals
    width, height = camera.width, camera.height
    plane = (facing * at).sum(0)
    # Towards the camera where negative, in perspective times the distance.
    away = squares(at).sqrt_().clamp_(min=1e-9)
    cosine = -plane / away if camera.perspective else facing[2]
    x, y = pixels
    edge = 0.5 + beyond
    inside = (x >= -edge) & (y >= -edge) & (x <= width - 1 + edge) & (y <= height - 1 + edge)
    inside &= (at[2] < -1e-6) & (cosine >= least)
    rows = which(inside)
    x, y, plane, cosine = (each.index_select(0, rows) for each in (x, y, plane, cosine))
    facing, distance = facing.index_select(1, rows), -at[2].index_select(0, rows)
    taps, shares, shown = weigh(camera, depth, x, y, distance, slopes(camera, plane, facing))
    seen = which_above(shown, 0.0)
    return Sight(
        rows.index_select(0, seen),
        taps.index_select(1, seen),
        shares.index_select(1, seen),
        cosine.index_select(0, seen),
        1.0 / camera.side(distance.index_select(0, seen)).clamp(min=1e-9),
    )


def weigh(
    camera: Camera, depth: Tensor, x: Tensor, y: Tensor, distance: Tensor, slope: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The `taps` and `shares` of a `Sight`, both [4, n], of points at pixels (x, y), all [n]; and
    `shown` [n], 1 where a point has nothing before it, else 0, and then its shares mean nothing.

    depth: [h * w]; distance: [n], the points' depth; slope: [2, n], as `slopes` says.
    """
    width = camera.width
    left, top = x.floor().clamp_(0, width - 2), y.floor().clamp_(0, camera.height - 2)
    x, y = x - left, y - top
    # Of the four pixels around, [4, m], those above first.
    taps = top.mul(width).add_(left).long() + camera.steps
    first = distance.reciprocal() if camera.perspective else distance
    first = first.addcmul(slope[0], x, value=-1.0).addcmul_(slope[1], y, value=-1.0)
    expected = torch.stack([first, first + slope[0]])
    expected = torch.cat([expected, expected + slope[1]])
    tolerance = DEPTH_TOLERANCE * distance + PIXEL_TOLERANCE * camera.side(distance)
    found = depth.index_select(0, taps.flatten()).view(taps.shape)
    if camera.perspective:
        agrees = found.mul_(expected).sub_(1.0).abs_().le_(expected.mul_(tolerance))
    else:
        agrees = found.sub_(expected).abs_().le_(tolerance)
    across = torch.stack([1 - x, x])
    share = (torch.stack([1 - y, y])[:, None] * across).flatten(0, 1).mul_(agrees)
    total = share.sum(0)
    share /= total.clamp(min=_LEAST_SHARE)
    return taps, share, total.gt_(_LEAST_SHARE)


def slopes(camera: Camera, plane: Tensor, facing: Tensor) -> Tensor:
    """What a depth map flattened (the inverse of depth in perspective), which is affine in the
    pixel on planes, changes by on them from pixel to pixel: [2, n], along x and y. plane: [n], the
    product of the normals `facing` [3, n] with a camera point of it; orthographic, it isn't used.
    """
    # A pixel's ray meets a plane at a depth of above / below, of which in perspective the first is
    # the same for all pixels, and otherwise the second.
    if camera.perspective:
        below = camera.toward[:, :2].T @ facing[:2]
        return below / (plane - camera.start[:, 2] @ facing[:2])
    above = camera.start[:, :2].T @ facing[:2]
    return above / (facing[2] - camera.toward[:, 2] @ facing[:2])


def _depth_of_plane(camera: Camera, spot: Tensor, plane: Tensor, facing: Tensor) -> Tensor:
    """The depth [n] at which rays through pixels meet planes. spot: [n, 3], pixel x, pixel y and
    one; plane: [n], the product of the normals `facing` [n, 3] with a camera point of it."""
    start, toward = spot @ camera.start.T, spot @ camera.toward.T
    above = plane - (facing[:, :2] * start).sum(1)
    below = (facing[:, :2] * toward).sum(1) - facing[:, 2]
    return above / torch.where(below.abs() < 1e-9, 1e-9, below)


def points_seen(camera: Camera, depth: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """What a camera sees at pixels [n, 2] (x, y), also between centres: points and unit normals,
    both [n, 3]. depth: [h, w].

    The nearest pixel's plane is continued to the place. Its normal comes from the neighbours on
    the side, in each direction, where depth changes less, and is turned to the camera. Nothing
    finite comes of a pixel that sees nothing, or has nothing on either side.
    """
    rows, columns = torch.meshgrid(
        torch.arange(camera.height), torch.arange(camera.width), indexing="ij"
    )
    at = _camera_points(camera, torch.stack([columns, rows], -1).to(depth), depth)
    normals = torch.linalg.cross(_slope(at, 1), _slope(at, 0))
    x, y = pixels.round().long().T
    x, y = x.clamp(0, camera.width - 1), y.clamp(0, camera.height - 1)
    at, normal = at[y, x], normals[y, x]
    normal = normal / normal.norm(dim=1, keepdim=True)
    away = (normal * at).sum(1) > 0.0 if camera.perspective else normal[:, 2] < 0.0
    normal = torch.where(away[:, None], -normal, normal)
    spot = _spots(pixels)
    exact = _camera_points(
        camera, pixels, _depth_of_plane(camera, spot, (normal * at).sum(1), normal)
    )
    return (exact - camera.shift) @ camera.rotation, normal @ camera.rotation


def _camera_points(camera: Camera, pixels: Tensor, depth: Tensor) -> Tensor:
    """Camera points [..., 3] of pixels [..., 2] (x, y) at a depth [...]."""
    spot = _spots(pixels)
    across = spot @ camera.start.T + depth[..., None] * (spot @ camera.toward.T)
    return torch.cat([across, -depth[..., None]], -1)


def _spots(pixels: Tensor) -> Tensor:
    """Pixels [..., 2] with a one beside them, [..., 3]."""
    return torch.cat([pixels, torch.ones_like(pixels[..., :1])], -1)


def _slope(points: Tensor, axis: int) -> Tensor:
    """From each camera point [h, w, 3] to the next along an axis, or from the one before, whichever
    lies less far in depth."""
    steps = points.diff(dim=axis)
    after = torch.cat([steps, steps.narrow(axis, -1, 1)], axis)
    before = torch.cat([steps.narrow(axis, 0, 1), steps], axis)
    far = [each[..., 2].abs().nan_to_num(torch.inf) for each in (after, before)]
    return torch.where((far[0] <= far[1])[..., None], after, before)
