"""Exact lines: where they are, how thin, and what is among them."""

from __future__ import annotations

import numpy as np
from maquette.edges import surface_ends
from maquette.lines import exact_lines
from maquette.materials.patterns import lay
from maquette_wire.material import Material

from tests.backend.scenes import frames, massing


def test_lines_are_where_surfaces_end_and_as_thin_as_a_pixel() -> None:
    street = massing(256, 192)
    _, depth = frames(street)
    lines = exact_lines(depth, street.view)
    assert lines.dtype == np.uint8 and set(np.unique(lines)) == {0, 255}
    down, across = surface_ends(depth, street.view)
    ends = np.zeros(lines.shape, bool)
    ends[:-1] |= down
    ends[1:] |= down
    ends[:, :-1] |= across
    ends[:, 1:] |= across
    drawn = lines > 0
    assert (drawn & ends).sum() > 0.98 * drawn.sum(), "nothing within a surface"
    near = drawn.copy()
    for axis in (0, 1):
        near |= np.roll(near, 1, axis) | np.roll(near, -1, axis)
    assert (near & ends).sum() > 0.98 * ends.sum(), "all of them"
    assert drawn.sum() < 0.7 * ends.sum(), "on one side of each"


def test_openings_are_outlined_within() -> None:
    street = massing(256, 192)
    _, depth = frames(street)
    openings = np.zeros(depth.shape, np.float32)
    openings[90:110, 110:126] = 1.0
    more = (exact_lines(depth, street.view, openings) > exact_lines(depth, street.view)).nonzero()
    found = np.zeros(depth.shape, bool)
    found[more] = True
    outline = np.zeros(depth.shape, bool)
    outline[90:110, 110:126] = True
    outline[91:109, 111:125] = False
    assert found[outline].mean() > 0.9 and not found[~outline].any()


def test_lines_of_a_tile_go_on_at_its_opposite_edge() -> None:
    tile = lay(Material(pattern="running-bond", size=1.0, relief=0.05).filled(""), 128).capture()
    _, depth = frames(tile)
    lines = exact_lines(depth, tile.view, wraps=True)
    moved = exact_lines(np.roll(depth, 40, (0, 1)), tile.view, wraps=True)
    assert lines.any() and np.array_equal(np.roll(lines, 40, (0, 1)), moved)
