"""A painted view, and how well and in what colour it sees points of a surface.

Most of a depth map is planar. There the map agrees with a point or it doesn't, and one bilinear
look-up of depth, trust and colour says all; `projection.look` weighs the single pixels where the
map has an edge or a corner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from maquette_wire.view import View
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample

from ..srgb import linear_of_srgb
from .jumps import away_from_jumps, flattened
from .projection import DEPTH_TOLERANCE, PIXEL_TOLERANCE, Camera, Sight, slopes, weigh
from .pyramid import Pyramid
from .tensors import put_at, squares, which_above

GRAZING = 0.03
"""Least cosine at which a view colours at all."""
_CLEAN_PIXELS = 3
"""From a jump of depth on, pixels are trusted fully from this distance; at the jump hardly."""
_HARDLY = 0.01
_PLANAR = 0.1
"""Of the tolerance: what a pixel of planar depth may differ from what two others continue."""
_BEYOND = 4.0
"""Pixels past its edge to which a picture is continued, hardly trusted, so that its own outermost
pixels mix in nothing else where no other view sees them."""
_AROUND = 1.5
"""Pixels from a point to those around it."""
_LEAST_DEPTH = 1e-6
_CHUNK = 1 << 17
"""Pixels at a time, with as much for each as a processor has at hand."""
_FLAT, _TRUST, _COLOR = 0, 1, 2


@dataclass(frozen=True)
class Eye:
    """A view's camera, its depth [h * w] in metres and a pyramid of it, and tables of its pixels.

    `tables` [5, h, w]: the depth flattened, trust in the picture there, and linear red, green and
    blue. `planar` [h, w]: 1 where depth is planar between a pixel and the next to the right and
    below, else 0.
    `clip` is the camera's.
    """

    camera: Camera
    depth: Tensor
    pyramid: Pyramid
    tables: Tensor
    planar: Tensor
    clip: Tensor

    @classmethod
    def of(
        cls,
        view: View,
        depth: NDArray[np.float32],
        picture: NDArray[np.uint8],
        origin: NDArray[np.float64],
        device: torch.device,
    ) -> Eye:
        camera = Camera.of(view, origin, device)
        whole = torch.empty(_COLOR + 5, view.height, view.width)
        # Of its own, since frames of a capture are read-only.
        flat, trust, *colors, planar, metres = whole.numpy()
        metres[:] = depth
        depth = metres
        flattened(depth, view, out=flat)
        np.divide(away_from_jumps(depth, view, _CLEAN_PIXELS), _CLEAN_PIXELS, out=trust)
        np.maximum(trust, _HARDLY, out=trust)
        rows = max(1, _CHUNK // view.width)
        for top in range(0, view.height, rows):
            some = slice(top, top + rows)
            for channel, values in enumerate(colors):
                linear_of_srgb(picture[some, :, channel], out=values[some])
            # With the rows that tell whether the first and the last of these are planar.
            above = min(top, 1)
            band = _planar(flat[top - above : top + rows + 2], camera)
            planar[some] = band[above : above + rows]
        whole = whole.to(device)
        tables, planar, metres = whole[: _COLOR + 3], whole[-2], whole[-1]
        pyramid = Pyramid.of(metres)
        return cls(camera, metres.flatten(), pyramid, tables, planar, camera.clip())

    def scale_colors(self, factors: Tensor) -> None:
        """Multiply the picture by factors [3]."""
        self.tables[_COLOR:] *= factors[:, None, None]

    def values(self, sight: Sight) -> tuple[Tensor, Tensor]:
        """Trust [m] and linear colours [3, m] at what `look` saw."""
        tables = self.tables[_TRUST:].flatten(1)
        found = tables.index_select(1, sight.taps.flatten()).unflatten(1, sight.taps.shape)
        trust, *colors = (found * sight.shares).sum(1)
        return trust, torch.stack(colors)

    def offsets(self, corners: Tensor, normals: Tensor) -> Tensor:
        """[n], of planes with unit normals [3, n] through points [3, n]: what `see` and `bound`
        need to know of how they face the camera. Not above zero where they face away."""
        facing = self.camera.rotation @ normals
        if not self.camera.perspective:
            return facing[2]
        at = self.camera.rotation @ corners + self.camera.shift[:, None]
        return -(facing * at).sum(0)

    def bound(self, centers: Tensor, radii: Tensor, offsets: Tensor) -> Tensor:
        """How well at most this view sees anything of patches of planes within spheres, [n]: 0
        for those that face away, are out of the picture, or lie wholly behind what it shows.
        centers: [3, n]; radii: [n]."""
        camera = self.camera
        result = torch.zeros_like(radii)
        rows = which_above(offsets, 0.0)
        centers, radii, offsets = (
            each.index_select(-1, rows) for each in (centers, radii, offsets)
        )
        at = torch.addmm(self.clip[:, 3:], self.clip[:, :3], centers)
        depth, place = at[2], at[:2]
        nearest = (depth - radii).clamp_(min=_LEAST_DEPTH)
        near = far = torch.ones_like(depth)
        steep = self.clip[:2, :3].norm(dim=1, keepdim=True)
        if camera.perspective:
            away = squares(at[2:]).sqrt_()
            near, far = (away - radii).clamp_(min=_LEAST_DEPTH), away + radii
            place = place / depth.clamp(min=_LEAST_DEPTH)
            steep = (place.abs() * self.clip[2, :3].norm()).add_(steep).div_(nearest)
        # How far from its centre's place a patch may reach in the picture.
        reach = steep * radii
        cosine = (offsets / near).clamp_(max=1.0)
        half = camera.size / 2
        beside, above = place.abs().le_(1.0 + reach + _BEYOND / half)
        shown = beside.mul_(above).mul_((depth + radii).gt_(_LEAST_DEPTH))
        some = which_above(shown.mul_(cosine.clone().ge_(GRAZING)), 0.0)
        depth, radii, nearest, cosine, offsets, far = (
            each.index_select(0, some) for each in (depth, radii, nearest, cosine, offsets, far)
        )
        # With the pixels around a point, to which its plane is continued.
        pixels = (place.index_select(1, some) + 1.0) * half - 0.5
        reach = reach.index_select(1, some) * half + _AROUND
        slope = (offsets / far).clamp_(min=GRAZING).reciprocal_()
        behind = nearest - camera.side(depth + radii) * (2.0 * _AROUND * slope)
        quality = cosine * camera.side(nearest).rsqrt_()
        quality *= behind.le_(self.pyramid.farthest(pixels, reach) * (1.0 + DEPTH_TOLERANCE))
        result.index_copy_(0, rows.index_select(0, some), quality)
        return result

    def see(
        self, points: Tensor, normals: Tensor, planes: Tensor, offsets: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """How well this view sees points [3, n]: quality [n], which is 0 where it doesn't; the
        cosine [n] of the angle at which it does; and their linear colours [3, n].

        planes: [n], which of the `normals` [3, k] and `offsets` [k] are a point's.
        """
        camera = self.camera
        at = torch.addmm(self.clip[:, 3:], self.clip[:, :3], points)
        place, depth = at[:2], at[2].clamp_(min=_LEAST_DEPTH)
        cosine = offsets.index_select(0, planes)
        if camera.perspective:
            place *= depth.reciprocal()
            cosine *= squares(at[2:]).rsqrt_()
        found = _look_up(self.tables, place, "bilinear", "border")
        # The pixel to the left and above, which `nearest` would round to; past the edge is none.
        before = place - 1.0 / camera.size
        planar = _look_up(self.planar[None], before, "nearest", "zeros")[0]
        # What is so is 1, and else 0: faster than truths, which PyTorch handles one by one.
        flat, tolerance = found[_FLAT], DEPTH_TOLERANCE
        if camera.perspective:
            # Of the depth, which is one where the map agrees with the point.
            flat, tolerance = flat * depth, tolerance + PIXEL_TOLERANCE * camera.pixel
            limit = flat * tolerance
            agrees = flat.sub_(1.0).abs_().le_(limit)
        else:
            limit = depth * tolerance + PIXEL_TOLERANCE * camera.pixel
            agrees = flat.sub_(depth).abs_().le_(limit)
        shown = cosine.clone().ge_(GRAZING)
        clear = cosine * camera.side(depth).rsqrt_()
        quality, colors = found[_TRUST].mul_(clear), found[_COLOR:]
        quality *= agrees.mul_(planar).mul_(shown)
        rough = which_above(shown, planar)
        if len(rough):
            own = planes.index_select(0, rough)
            facing = camera.rotation @ normals.index_select(1, own)
            seen = self._look_closely(
                place.index_select(1, rough),
                depth.index_select(0, rough),
                slopes(camera, -offsets.index_select(0, own), facing),
            )
            seen[0] *= clear.index_select(0, rough)
            put_at(found[_TRUST:], rough, seen)
        return quality, cosine, colors

    def _look_closely(self, place: Tensor, depth: Tensor, slope: Tensor) -> Tensor:
        """[4, n], by the single pixels around points: trust in the picture there, 0 where something
        lies before them, and linear colours. place: [2, n]; depth: [n]; slope: [2, n], as `slopes`
        says."""
        x, y = ((place + 1.0) * self.camera.size).mul_(0.5).sub_(0.5)
        taps, shares, shown = weigh(self.camera, self.depth, x, y, depth, slope)
        tables = self.tables[_TRUST:].flatten(1)
        found = tables.index_select(1, taps.flatten()).unflatten(1, taps.shape)
        found = found.mul_(shares).sum(1)
        trust = found[0].clamp_(_HARDLY, 1.0)
        if float(place.abs().amax()) > 1.0:
            beyond = (place.abs() - 1.0).mul_(self.camera.size).mul_(0.5).amax(0)
            out = which_above(beyond, 0.0)
            trust[out] = _HARDLY * (beyond[out] <= _BEYOND)
            found[1:, out] = self._continued(place[:, out])
        trust *= shown
        return found

    def _continued(self, spots: Tensor) -> Tensor:
        """Colours [3, m] past the picture's edge, at places [2, m]: what it has on this side of
        the outermost pixels' centres, turned over about their colour."""
        last = 1.0 - 1.0 / self.camera.size
        edge = spots.minimum(last).maximum(-last)
        at_edge, mirrored = (
            _look_up(self.tables[_COLOR:], each, "bilinear", "border")
            for each in (edge, 2.0 * edge - spots)
        )
        return 2.0 * at_edge - mirrored


def _look_up(tables: Tensor, place: Tensor, mode: str, padding: str) -> Tensor:
    """Values [c, n] of tables [c, h, w] at places [2, n], from -1 to 1."""
    grid = place.T[None, None]
    return grid_sample(tables[None], grid, mode, padding, align_corners=False)[0, :, 0]


def _planar(flat: NDArray[np.float32], camera: Camera) -> NDArray[np.bool_]:
    """[h, w]: where flattened depth is planar between a pixel and the next to the right and below,
    which it is where each two that are beside each other continue a third."""
    limit = _PLANAR * (DEPTH_TOLERANCE + PIXEL_TOLERANCE * camera.pixel) * flat
    if not camera.perspective:
        limit = _PLANAR * (DEPTH_TOLERANCE * flat + PIXEL_TOLERANCE * camera.pixel)
    squares = np.ones(flat.shape, bool)
    for values, allowed, marks in ((flat, limit, squares), (flat.T, limit.T, squares.T)):
        steps = values[1:] - values[:-1]
        bends = steps[1:] - steps[:-1]
        np.abs(bends, out=bends)
        straight = np.zeros_like(values, bool)
        np.less_equal(bends, allowed[1:-1], out=straight[1:-1])
        pairs = straight[:-1] | straight[1:]
        # A square has two pairs, beside each other.
        pairs[:, :-1] &= pairs[:, 1:]
        marks[:-1] &= pairs
    squares[-1:], squares[:, -1:] = False, False
    return squares
