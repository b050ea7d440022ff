"""No two bricks are alike, and the seed says how."""

from __future__ import annotations

import numpy as np
from maquette.materials.patterns import JOINT, lay
from maquette.materials.variety import varied
from maquette_wire.material import Material
from numpy.typing import NDArray

UNITS = lay(Material(size=1.2, pixels=256, pattern="running-bond").filled(""), 256).units
FLAT = np.full((256, 256, 3), (150, 80, 60), np.uint8)


def means(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean level of each unit."""
    laid = UNITS >= 0
    levels = picture[laid].mean(1)
    found = np.bincount(UNITS[laid], levels) / np.bincount(UNITS[laid]).clip(1)
    return found[np.unique(UNITS[laid])]


def test_units_differ_by_the_seed_and_joints_stay() -> None:
    first, again, other = (varied(FLAT, UNITS, 0.12, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert 2.0 < means(first).std() < 10.0
    assert abs(means(first).mean() - FLAT.mean()) < 2.0
    joint = UNITS == JOINT
    assert joint.any() and (first[joint] == FLAT[joint]).all()
    # A unit is of one colour, also where the tile's border cuts it.
    for unit in np.unique(UNITS[UNITS >= 0]):
        assert len(np.unique(first[unit == UNITS], axis=0)) == 1


def test_a_picture_that_has_its_variety_is_left_alone() -> None:
    painted = varied(FLAT, UNITS, 0.3, 5)
    assert np.abs(varied(painted, UNITS, 0.12, 1).astype(int) - painted).max() <= 1


def test_a_surface_without_units_stays() -> None:
    assert varied(FLAT, UNITS, 0.0, 1) is FLAT
    assert varied(FLAT, np.zeros_like(UNITS), 0.12, 1) is FLAT
    assert varied(FLAT, np.full_like(UNITS, JOINT), 0.12, 1) is FLAT
