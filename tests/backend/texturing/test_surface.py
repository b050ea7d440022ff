"""Which texel shows what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from maquette.texturing.raster import Texels, texels_of
from maquette.texturing.surface import Surface
from maquette_wire.errors import MaquetteError


def surface(*triangles: list[tuple[float, float]]) -> Surface:
    """A flat surface whose world positions are its UVs in metres."""
    uvs = np.array(triangles, np.float64)
    corners = np.concatenate([uvs, np.zeros((*uvs.shape[:2], 1))], 2)
    return Surface(corners, uvs, np.zeros(len(uvs), np.int32))


def placed(surface: Surface, texels: Texels) -> np.ndarray:
    """The positions [m, 3] of texels, in the order of their places."""
    corners = np.moveaxis(surface.corners, 0, 2).astype(np.float32)
    return texels.positions(corners).T[np.argsort(texels.places)]


def test_a_square_of_two_triangles_covers_each_of_its_texels_once():
    made = surface([(0, 0), (1, 0), (1, 1)], [(0, 0), (1, 1), (0, 1)])
    texels = texels_of(made, 16)
    assert np.array_equal(np.sort(texels.places), np.arange(256))
    assert texels.inside.all() and texels.shared == 0


def test_a_texel_shows_the_point_at_its_centre_with_row_0_at_the_top():
    made = surface([(0, 0), (1, 0), (1, 1)], [(0, 0), (1, 1), (0, 1)])
    texels = texels_of(made, 8)
    position = placed(made, texels)
    assert np.allclose(position[0, :2], (0.5 / 8, 1 - 0.5 / 8), atol=1e-6)
    rows, columns = np.divmod(np.sort(texels.places), 8)
    assert np.allclose(position[:, 0], (columns + 0.5) / 8, atol=1e-6)
    assert np.allclose(position[:, 1], 1 - (rows + 0.5) / 8, atol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_texels_are_those_whose_centre_lies_in_a_triangle(seed: int):
    """Against the plain definition, texel by texel; triangles may reach beyond the texture."""
    rng = np.random.default_rng(seed)
    uvs = rng.uniform(-0.2, 1.2, (1, 3, 2))
    made = Surface(rng.normal(size=(1, 3, 3)), uvs, np.zeros(1, np.int32))
    size = 32
    texels = texels_of(made, size)
    rows, columns = np.mgrid[:size, :size]
    u, v = (columns + 0.5) / size, 1 - (rows + 0.5) / size
    a, b, c = uvs[0]
    sides = [
        (q[0] - p[0]) * (v - p[1]) - (q[1] - p[1]) * (u - p[0]) for p, q in ((a, b), (b, c), (c, a))
    ]
    wanted = (np.min(sides, 0) >= 0) | (np.max(sides, 0) <= 0)
    assert set(texels.places[texels.inside]) == set(np.flatnonzero(wanted))
    margin = set(texels.places[~texels.inside])
    grown = {
        (row + y) * size + column + x
        for row, column in np.argwhere(wanted)
        for y in (-1, 0, 1)
        for x in (-1, 0, 1)
        if 0 <= row + y < size and 0 <= column + x < size
    }
    beside = {
        row * size + column
        for row, column in np.argwhere(wanted)
        for row, column in ((row + 1, column), (row - 1, column), (row, column + 1))
        if 0 <= row < size and 0 <= column < size
    } - set(np.flatnonzero(wanted))
    assert beside <= margin and len(margin) <= len(grown) + 8


def test_a_triangle_narrower_than_a_texel_is_not_lost():
    made = surface([(0.1, 0.501), (0.9, 0.501), (0.9, 0.502)])
    texels = texels_of(made, 16)
    assert len(texels) and np.isfinite(placed(made, texels)).all()
    columns = texels.places % 16
    assert columns.min() <= 2 and columns.max() >= 13


def test_margins_show_the_nearest_point_and_never_beyond_the_triangle():
    made = surface([(0.25, 0.25), (0.75, 0.25), (0.25, 0.75)])
    texels = texels_of(made, 16)
    assert (~texels.inside).any()
    position = placed(made, texels)
    assert (position[:, :2] >= 0.25 - 1e-6).all() and (position[:, :2].sum(1) <= 1 + 1e-6).all()


def test_margins_of_a_narrow_triangle_show_what_is_square_to_its_edge():
    """A facet of a round wall: across its cuts a texture goes on."""
    made = surface([(0.30, 0.05), (0.36, 0.05), (0.30, 0.95)])
    texels = texels_of(made, 64)
    rows, columns = np.divmod(np.sort(texels.places), 64)
    own = np.stack([columns + 0.5, 63.5 - rows], 1)
    left = (columns < 0.30 * 64 - 0.5) & (rows > 6) & (rows < 58)
    away = np.abs(64 * placed(made, texels)[:, :2] - own)[left]
    assert left.any() and (away <= (0.71, 0.001)).all()


def test_tiles_lie_one_below_the_other():
    square = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9)]
    moved = [[(u + du, v + dv) for u, v in square] for du, dv in ((0, 0), (3, 0), (2, 1))]
    made = replace(surface(*moved), tiles=(1001, 1004, 1013))
    texels = texels_of(made, 16)
    one = texels_of(surface(square), 16)
    assert texels.total == 3 * 256 and len(np.unique(texels.places)) == len(texels)
    for tile in range(3):
        here = np.flatnonzero(texels.places // 256 == tile)
        here, alone = here[np.argsort(texels.places[here])], np.argsort(one.places)
        assert np.array_equal(texels.places[here] % 256, one.places[alone])
        assert (texels.triangles[here] == tile).all()
        assert np.allclose(texels.weights(here), one.weights(alone), atol=1e-5)


def test_what_lies_in_no_tile_has_no_texels():
    square = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9)]
    away = [(u + 12.0, v) for u, v in square]
    made = replace(surface(square, away), tiles=(1001, 1003))
    assert set(texels_of(made, 16).triangles) == {0}


def test_overlaps_are_counted_and_neighbours_are_not():
    left = [(0, 0), (0.5, 0), (0.5, 1)]
    assert texels_of(surface(left, left), 32).shared > 50
    assert texels_of(surface(left, [(0.5, 0), (1, 0), (0.5, 1)]), 32).shared == 0


def test_faces_without_area_have_no_texels_and_no_normal():
    point = [(0.5, 0.5)] * 3
    made = surface(point, [(0.2, 0.2), (0.6, 0.6), (0.4, 0.4)])
    assert len(texels_of(made, 16)) == 0
    assert not made.normals().any()


@pytest.mark.parametrize(
    ("corners", "said"),
    [(np.zeros((0, 3, 3)), "no face"), (np.full((1, 3, 3), np.nan), "not numbers")],
)
def test_surfaces_that_cannot_be_textured_are_refused(corners: np.ndarray, said: str):
    with pytest.raises(MaquetteError, match=said):
        Surface(corners, np.zeros((len(corners), 3, 2)), np.zeros(len(corners), np.int32))
