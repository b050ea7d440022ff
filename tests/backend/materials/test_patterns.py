"""Patterns: true sizes, no seam, one unit wherever it is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from maquette.materials.patterns import JOINT, lay
from maquette_wire.material import PATTERN, PATTERNS, Material, PatternName
from numpy.typing import NDArray
from scipy import ndimage


def filled(pattern: PatternName, size: float = 2.4, **values: object) -> Material:
    return Material(pattern=pattern, size=size, **values).filled("")  # type: ignore[arg-type]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_tile_repeats_without_a_seam(pattern: PatternName) -> None:
    """Where a tile is cut decides nothing: the step over its border is one that is within it."""
    height = lay(filled(pattern), 256).height
    for axis in (0, 1):
        steps = np.abs(np.roll(height, -1, axis) - height)
        across, within = steps.take(-1, axis), steps.take(range(255), axis)
        lines = within.reshape(-1, 255, 256) if axis == 0 else within.T.reshape(-1, 255, 256)
        assert across.max() <= 1.25 * lines.max() + 1e-6
        assert across.mean() <= 1.25 * lines.mean(-1).max() + 1e-6


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_relief_is_as_deep_as_asked(pattern: PatternName) -> None:
    height = lay(filled(pattern, relief=0.02), 256).height
    assert height.max() == 0.0
    assert -0.0201 < height.min() < -0.012
    assert height.dtype == np.float32


def test_bricks_are_of_true_size() -> None:
    """Ten courses of 75 mm and a bond of half a brick, in 0.88 x 0.75 m."""
    relief = lay(filled("running-bond", size=0.75, unit=(0.25, 0.075)), 300)
    joints = relief.height < -0.003
    rows = joints.mean(1) > 0.9
    begins = np.flatnonzero(rows & ~np.roll(rows, 1))
    assert len(begins) == 10
    np.testing.assert_allclose(np.diff(begins), 30, atol=1)
    assert len(np.unique(relief.units[relief.units != JOINT])) == 30
    middle = [joints[int(30 * (row + 0.5))] for row in (0, 1)]
    shift = (np.flatnonzero(middle[1])[0] - np.flatnonzero(middle[0])[0]) % 100
    assert shift == pytest.approx(50, abs=2)


def test_joints_are_as_wide_as_asked() -> None:
    relief = lay(filled("tiles", size=1.2, unit=(0.6, 0.6), joint=0.03), 400)
    middle = relief.units[100]
    assert int((middle == JOINT).sum()) == pytest.approx(2 * 0.03 / 1.2 * 400, abs=2)


def test_a_unit_cut_by_the_border_goes_on_at_the_other_side() -> None:
    units = lay(filled("running-bond", size=0.88), 352).units
    odd = units[int(352 / 12 * 1.5)]
    assert odd[0] == odd[-1] != JOINT


def test_herringbone_blocks_are_all_of_one_size() -> None:
    units = lay(filled("herringbone", size=1.6, joint=0.0), 256).units
    counts = np.bincount(units.ravel())
    counts = counts[counts > 0]
    assert set(counts.tolist()) == {round(0.4 * 0.1 * (256 / 1.6) ** 2)}


def test_hexagons_have_six_neighbours() -> None:
    units = lay(filled("hexagons", size=2.4), 512).units
    assert neighbours(units) == pytest.approx(6.0, abs=0.1)


def neighbours(units: NDArray[np.int32]) -> float:
    """How many other units a unit touches, on average, across joints."""
    in_joints = np.tile(units == JOINT, (3, 3))
    spread: Any = ndimage.distance_transform_edt(in_joints, None, False, True)
    whole = np.tile(units, (3, 3))[tuple(spread)]
    pairs = set()
    for axis in (0, 1):
        a, b = whole, np.roll(whole, -1, axis)
        pairs |= {(int(p), int(q)) for p, q in zip(a[a != b], b[a != b], strict=True)}
    both = {frozenset(pair) for pair in pairs}
    return 2 * len(both) / len(np.unique(units[units != JOINT]))


def test_finer_maps_show_the_same_relief() -> None:
    for pattern in ("running-bond", "cobbles", "herringbone"):
        coarse, fine = (lay(filled(pattern, size=1.2), pixels).height for pixels in (256, 1024))
        means = fine.reshape(256, 4, 256, 4).mean((1, 3))
        assert np.abs(means - coarse).mean() < 0.1 * PATTERN[pattern].relief


def test_the_camera_sees_the_relief_itself() -> None:
    relief = lay(filled("cobbles", size=1.0), 128)
    capture = relief.capture()
    depth = np.asarray(capture.depth)
    np.testing.assert_allclose(depth - depth.min(), -relief.height, atol=1e-6)
    assert capture.view.kind == "orthographic"
    assert 2.0 / capture.view.projection_matrix[0] == pytest.approx(1.0)
    color = np.asarray(capture.color)
    assert 60 < color.mean() < 200 and color.std() > 5


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("swapped", [False, True])
def test_units_of_extreme_sizes_are_laid(pattern: PatternName, swapped: bool) -> None:
    unit = (50.0, 0.01)[:: -1 if swapped else 1]
    relief = lay(
        Material(size=1.2, pixels=256, pattern=pattern, unit=unit, joint=0.0).filled(""), 256
    )
    assert np.isfinite(relief.height).all() and relief.height.max() <= 0.0
    assert relief.units.max() < 256**2
