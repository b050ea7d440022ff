"""One exposure for all views: colour factors from what two of them both see; and one for all sides
of a model, where its light is to be taken out."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

_STAY = 0.05
"""How much views are held to their own colours, against a pair that shares every sample."""
_DARK = 0.02
"""Linear values below this say nothing of a factor."""
_WAYS = 8
"""Ways in the plan that a side may face; what faces between two is of both."""
_KINDS = 4
_SIDES = 2 * _WAYS + 2
"""Upright and sloping ones, and up and down."""
_UPRIGHT, _LEVEL = 0.3, 0.95
"""The most that an upright surface's normal may point up, and the least of a level one's."""
_ROUNDS = 6
_ALIKE = 0.05
"""Difference of logarithms below which all are as good."""
_FEW = 8
"""Points of a material in a view by which it is half believed."""
_MOST, _TINTED = 1.2, 0.3
"""Logarithms of the most that light may do to a side, and to one of its colours against the others:
what is of another hue, as a red and a blue side, is meant, and stays as it is."""


def color_factors(colors: Tensor, seen: Tensor) -> Tensor:
    """[views, 3] factors for linear colours [views, n, 3] of n points, where `seen` [views, n].

    Least squares over all pairs of views on the mean logarithm of what both see (Brown and Lowe,
    "Automatic Panoramic Image Stitching using Invariant Features", IJCV 2007, section 6), with a
    little weight on leaving a view as it is; views that share nothing with others stay so.
    """
    count = len(colors)
    logs = colors.clamp(min=_DARK).log().double()
    shared = torch.zeros(count, count, dtype=torch.float64, device=colors.device)
    apart = torch.zeros(count, count, 3, dtype=torch.float64, device=colors.device)
    for i in range(count):
        for j in range(i + 1, count):
            both = seen[i] & seen[j] & (colors[i] > _DARK).all(1) & (colors[j] > _DARK).all(1)
            amount = both.sum()
            if amount:
                shared[i, j] = shared[j, i] = amount
                apart[i, j] = (logs[j] - logs[i])[both].mean(0)
                apart[j, i] = -apart[i, j]
    weight = shared / shared.max().clamp(min=1.0)
    # Gradient of sum w_ij (g_i - g_j - apart_ij)² + stay g_i², set to zero.
    system = torch.diag(weight.sum(1) + _STAY) - weight
    wanted = (weight[:, :, None] * apart).sum(1)
    return torch.linalg.solve(system, wanted).exp().float()


def side_factors(
    colors: Tensor,
    seen: Tensor,
    points: tuple[Tensor, Tensor],
    planes: tuple[Tensor, Tensor],
) -> Tensor:
    """Factors [views, 3, k] for linear colours on planes, by which no side of an object is darker
    than another, in no view.

    What light does to a surface is taken to follow from the way that it faces, in each view anew;
    what is left is a view's own idea of the material, of which there is one for each object's
    upright, sloping and level faces.

    colors: [views, n, 3], linear, of n points, where `seen` [views, n]; factors are 1 where none
    is. points, planes: unit
    normals [3, n], [3, k], and objects [n], [k].
    """
    count = len(colors)
    if not seen.any():
        return torch.ones(count, 3, planes[0].shape[1], device=colors.device)
    view, point = (each.cpu().numpy() for each in seen.nonzero(as_tuple=True))
    logs = colors[seen].clamp(min=_DARK).log().double().cpu().numpy()
    faces, kinds = _sides(points[0])
    objects, of_planes = (each[1].cpu().numpy() for each in (points, planes))
    found, material = np.unique((objects * _KINDS + kinds)[point], return_inverse=True)
    lit = _by_view(faces[point], view, count)
    light, apart = np.zeros((count, _SIDES, 3)), np.empty_like(logs)
    for channel, own in enumerate(logs.T):
        light[..., channel], apart[:, channel] = _parted(own, lit, material, count)
    cells = view * len(found) + material
    ideas = _medians(apart, cells, count * len(found)).reshape(count, len(found), 3)
    faces, kinds = _sides(planes[0])
    factors = np.einsum("ks,vsc->vck", faces, light)
    wanted = of_planes * _KINDS + kinds
    places = np.searchsorted(found, wanted).clip(max=len(found) - 1)
    known = found[places] == wanted
    factors -= (ideas[:, places] * known[:, None]).transpose(0, 2, 1)
    dimmed = factors.mean(1, keepdims=True)
    tint = np.abs(factors - dimmed).max(1, keepdims=True)
    factors = factors.clip(-_MOST, _MOST) * (2.0 - tint / _TINTED).clip(0.0, 1.0)
    return torch.from_numpy(np.exp(factors)).float().to(colors.device)


def _by_view(faces: NDArray[np.float64], view: NDArray[np.int64], count: int) -> sparse.csr_array:
    """[n, views * sides], of points that are seen in a view and face some sides [n, sides]."""
    rows, sides = np.nonzero(faces)
    places = rows, view[rows] * _SIDES + sides
    return sparse.csr_array((faces[places[0], sides], places), (len(faces), count * _SIDES))


def _parted(
    logs: NDArray[np.float64], lit: sparse.csr_array, material: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What to add to logarithms [n] of colours for each view and side, [views, sides], so that
    those of a material [n] are as alike as they can be; and how far each is from it then, [n].

    Least absolute differences, by weights that are made anew, so that what lies in less than half
    of a side, as windows, has no say.
    """
    made = sparse.csr_array((np.ones(len(logs)), (np.arange(len(logs)), material)))
    weights, light, apart = np.ones(len(logs)), np.zeros(count * _SIDES), np.zeros(len(logs))
    for _ in range(_ROUNDS):
        # Materials follow from the light, so that only that is solved for.
        amounts = made.T @ weights
        means = (made.T @ (weights * logs)) / amounts
        weighted = lit * weights[:, None]
        cross = (weighted.T @ made).toarray()
        stay = _STAY * (lit.T @ weights) + 1e-6
        system = (weighted.T @ lit).toarray() + np.diag(stay) - cross / amounts @ cross.T
        light = np.linalg.solve(system, cross @ means - lit.T @ (weights * logs))
        flat = logs + lit @ light
        apart = flat - made @ ((made.T @ (weights * flat)) / amounts)
        weights = 1.0 / np.maximum(np.abs(apart), _ALIKE)
    return light.reshape(count, _SIDES), apart


def _medians(
    values: NDArray[np.float64], cells: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """[count, 3], of values [n, 3] in cells [n], less where a cell has few."""
    result = np.zeros((count, 3))
    sizes = np.bincount(cells, minlength=count)
    order = np.argsort(cells, kind="stable")
    parts = np.split(values[order], np.cumsum(sizes)[:-1])
    for cell in np.flatnonzero(sizes):
        result[cell] = np.median(parts[cell], axis=0) * sizes[cell] / (sizes[cell] + _FEW)
    return result


def _sides(normals: Tensor) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """How much of each side unit normals [3, n] are of, [n, sides], two neighbours of them summing
    to one; and whether they are upright, sloping, or level and up or down, [n], 0 to 3."""
    x, y, z = normals.double().cpu().numpy()
    kinds = np.where(np.abs(z) <= _UPRIGHT, 0, 1)
    kinds[z > _LEVEL], kinds[z < -_UPRIGHT] = 2, 3
    turn = np.arctan2(y, x) / (2.0 * np.pi) * _WAYS % _WAYS
    before = turn.astype(np.int64) % _WAYS
    share = np.where(kinds < 2, turn - np.floor(turn), 0.0)
    first = np.where(kinds < 2, kinds * _WAYS + before, 2 * _WAYS + kinds - 2)
    second = np.where(kinds < 2, kinds * _WAYS + (before + 1) % _WAYS, first)
    sides, rows = np.zeros((len(z), _SIDES)), np.arange(len(z))
    sides[rows, first] += 1.0 - share
    sides[rows, second] += share
    return sides, kinds
