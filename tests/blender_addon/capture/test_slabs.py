"""Depth buffers of 24 bits become metres that are exact at any distance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from maquette_wire.view import View

from blender_addon.capture import slabs


def view(kind: Any, near: float, far: float) -> View:
    if kind == "perspective":
        rows = [
            [1.5, 0, 0.2, 0], [0, 2, -0.1, 0],
            [0, 0, -(far + near) / (far - near), -2 * far * near / (far - near)], [0, 0, -1, 0],
        ]  # fmt: skip
    else:
        depth = [0, 0, -2 / (far - near), -(far + near) / (far - near)]
        rows = [[0.1, 0, 0, 0.2], [0, 0.1, 0, 0], depth, [0, 0, 0, 1]]
    flat: list[Any] = [np.eye(4).ravel().tolist(), np.array(rows, np.float64).ravel().tolist()]
    return View(
        view_matrix=tuple(flat[0]), projection_matrix=tuple(flat[1]), width=4, height=4, kind=kind
    )


def buffer_of(depth: np.ndarray, projection: np.ndarray) -> np.ndarray:
    """What a 24-bit depth buffer holds of these depths [n], 1 where they are outside."""
    matrix = projection.astype(np.float64)
    points = np.stack([0 * depth, 0 * depth, -depth, np.ones_like(depth)])
    clip = matrix @ points
    value = (clip[2] / clip[3] + 1) / 2
    steps = np.rint(value * (2**24 - 1)) / (2**24 - 1)
    return np.where((value < 0) | (value >= 1), 1.0, steps).astype(np.float32)


@pytest.mark.parametrize("near", [0.001, 0.01, 0.1, 1.0])
def test_slabs_are_exact_from_near_to_far(near: float):
    seen = view("perspective", near, 1000)
    depth = np.geomspace(near * 1.001, 990, 5000)
    parts = []
    for part in slabs.slabs(slabs.clip_range(seen)):
        projection = slabs.with_clip_range(seen, part)
        parts.append(slabs.to_metres(buffer_of(depth, projection), projection, True))
    assert slabs.nearest(parts) == pytest.approx(depth, rel=1e-4)


def test_one_buffer_of_the_whole_range_is_not():
    seen = view("perspective", 0.01, 1000)
    depth = np.geomspace(0.02, 900, 5000)
    projection = slabs.with_clip_range(seen, slabs.clip_range(seen))
    metres = slabs.to_metres(buffer_of(depth, projection), projection, True)
    assert not np.allclose(metres, depth, rtol=1e-3)


@pytest.mark.parametrize("kind", ["perspective", "orthographic"])
def test_the_clip_range_of_a_matrix(kind: str):
    near, far = slabs.clip_range(view(kind, 0.25, 750))
    assert (near, far) == pytest.approx((0.25, 750))
    other = slabs.with_clip_range(view(kind, 0.25, 750), (2, 30))
    again = view(kind, 2, 30)
    assert other == pytest.approx(slabs.projection_of(again), rel=1e-6)


def test_nothing_is_infinite():
    projection = slabs.with_clip_range(view("perspective", 1, 10), (1, 10))
    metres = slabs.to_metres(np.ones((2, 2), np.float32), projection, True)
    assert np.isposinf(metres).all()
    assert slabs.seen_range(metres) is None


def test_an_orthographic_range_is_tightened_only_where_it_is_coarse():
    assert slabs.tighter((0.1, 100), (10, 90)) is None
    tight = slabs.tighter((0.1, 1e6), (10, 90))
    assert tight is not None
    assert tight[0] < 10 and tight[1] > 90
    assert slabs.tighter(tight, (10, 90)) is None
