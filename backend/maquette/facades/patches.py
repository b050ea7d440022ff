"""Plane, upright pieces of surface in one capture: what walls are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..positions import camera_normals, dot, points_at, to_world
from ..regions import connected
from .sight import Floats, Sight

_PIXELS = 512
"""A larger capture is looked at in so many pixels a side at most."""
_UPRIGHT = math.sin(math.radians(6.0))
"""The most that a wall's normal may point up or down."""
_TURN = math.cos(math.radians(1.0))
_BEND = 0.05
"""Of neighbours on one plane: the angle between their normals, and how far off each other's plane
they may lie, as a share of their distance."""
_LEAST = 24
"""Pixels of a patch, fewer are no wall."""


@dataclass(frozen=True)
class Patches:
    """Pieces of walls, n of them. A wall's own axes are its tangent, to the right for who stands
    before it, and up.

    Attributes:
        normals: [n, 2], outward, in the plan. offsets: [n], metres of their planes from the origin
            along them.
        left, right: [n], metres along the tangent. bottom, top: [n], metres above zero.
        spacing: [n], metres between the samples that they were found by.
        area: [n], square metres that were seen.
    """

    normals: Floats
    offsets: Floats
    left: Floats
    right: Floats
    bottom: Floats
    top: Floats
    spacing: Floats
    area: Floats

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def tangents(self) -> Floats:
        """[n, 2], to the right for who stands before the wall."""
        return tangents_of(self.normals)

    def corners(self, along: Floats, up: Floats) -> Floats:
        """World positions [n, 3] of places on each of them."""
        plan = self.normals * self.offsets[:, None] + self.tangents * along[:, None]
        return np.concatenate([plan, up[:, None]], 1)

    def pick(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Patches:
        return Patches(**{name: values[which] for name, values in vars(self).items()})


def tangents_of(normals: Floats) -> Floats:
    """Up times normal, in the plan [..., 2]."""
    return np.stack([-normals[..., 1], normals[..., 0]], -1)


def joined(several: list[Patches]) -> Patches:
    """All of them in one."""
    names = vars(several[0])
    return Patches(**{name: np.concatenate([getattr(p, name) for p in several]) for name in names})


def find_patches(sight: Sight) -> Patches:
    """The plane, upright pieces of surface that a capture shows, at most about 512 pixels a side of
    it looked at."""
    rows, columns = (_centres(length) for length in sight.depth.shape)
    depth = sight.depth[np.ix_(rows, columns)].astype(np.float64)
    hit = np.isfinite(depth)
    metres = np.where(hit, depth, 1.0)
    local = points_at(metres, sight.view, rows[:, None], columns[None, :], sight.depth.shape)
    endless = sight.view.kind == "perspective"
    values = np.where(hit, 1.0 / metres if endless else -metres, 0.0)
    away = camera_normals(local, values)
    matrix = np.array(sight.view.view_matrix).reshape(4, 4)[:3, :3]
    points, normals = to_world(local, sight.view), -away @ matrix
    upright = hit & (np.abs(normals[..., 2]) < _UPRIGHT)
    labels, count = _connected(upright, points, normals)
    return _described(labels, count, points, normals)


def _centres(length: int) -> NDArray[np.intp]:
    """Places of the samples along a side, all pixels of a small one."""
    wanted = min(length, _PIXELS)
    return ((np.arange(wanted) + 0.5) * length / wanted).astype(np.intp)


def _connected(
    upright: NDArray[np.bool_], points: Floats, normals: Floats
) -> tuple[NDArray[Any], int]:
    """The planes' numbers, whole and from 1, 0 elsewhere [h, w], and how many there are."""
    links = []
    for axis in (0, 1):
        point, normal = np.moveaxis(points, axis, 0), np.moveaxis(normals, axis, 0)
        apart = point[1:] - point[:-1]
        length = np.maximum(np.sqrt(dot(apart, apart)), 1e-9)
        off = np.maximum(np.abs(dot(apart, normal[1:])), np.abs(dot(apart, normal[:-1])))
        linked = (dot(normal[1:], normal[:-1]) > _TURN) & (off < _BEND * length)
        links.append(np.moveaxis(linked, 0, axis))
    return connected(upright, *links)


def _described(labels: NDArray[np.int32], count: int, points: Floats, normals: Floats) -> Patches:
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    kept = np.flatnonzero(sizes >= _LEAST)
    kept = kept[kept > 0]
    number = np.full(count + 1, -1)
    number[kept] = np.arange(len(kept))
    mine = number[labels]
    pixels = np.flatnonzero(mine.ravel() >= 0)
    owner = mine.ravel()[pixels]
    place, facing = points.reshape(-1, 3)[pixels], normals.reshape(-1, 3)[pixels]

    def mean(values: Floats) -> Floats:
        return np.bincount(owner, values, len(kept)) / sizes[kept]

    direction = np.stack([mean(facing[:, 0]), mean(facing[:, 1])], 1)
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
    offsets = mean(dot(place[:, :2], direction[owner]))
    along = dot(place[:, :2], tangents_of(direction)[owner])
    across, down = (_steps(mine, points, axis).ravel()[pixels] for axis in (1, 0))
    width, height = mean(across), mean(down)
    # Where it is a single sample wide, as the other way.
    width, height = np.where(width > 0.0, width, height), np.where(height > 0.0, height, width)
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(len(kept)))

    def span(values: Floats) -> tuple[Floats, Floats]:
        if not len(kept):
            return np.zeros(0), np.zeros(0)
        ordered = values[order]
        return np.minimum.reduceat(ordered, starts), np.maximum.reduceat(ordered, starts)

    (left, right), (bottom, top) = span(along), span(place[:, 2])
    # The true ends lie between the last sample and the next.
    return Patches(
        direction,
        offsets,
        left - width / 2,
        right + width / 2,
        bottom - height / 2,
        top + height / 2,
        np.maximum(width, height),
        width * height * sizes[kept].astype(np.float64),
    )


def _steps(labels: NDArray[Any], points: Floats, axis: int) -> Floats:
    """Metres from each sample to the next on its patch along an axis, [h, w]; of two neighbours,
    to the one that there is."""
    label, point = np.moveaxis(labels, axis, 0), np.moveaxis(points, axis, 0)
    same = label[1:] == label[:-1]
    apart = point[1:] - point[:-1]
    length = np.where(same, np.sqrt(dot(apart, apart)), 0.0)
    result = np.zeros(label.shape)
    result[:-1] = length
    result[1:] = np.where(result[1:] > 0.0, result[1:], length)
    return np.moveaxis(result, 0, axis)
