"""Which UV maps are fit to carry a texture, and what is said of the others."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.capture.fitness import measures
from blender_addon.capture.raster import coverage

SQUARE = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float64)


def quads(*places: np.ndarray) -> np.ndarray:
    """Quads [4, d] as triangles [2 n, 3, d]."""
    return np.array([place[list(which)] for place in places for which in ((0, 1, 2), (0, 2, 3))])


def walls(count: int, width: float = 4.0, height: float = 4.0) -> np.ndarray:
    """Walls beside each other, in metres."""
    corners = np.insert(SQUARE * (width, height), 1, 0.0, axis=1)
    return quads(*(corners + np.array((number * width, 0, 0)) for number in range(count)))


def cells(count: int, gap: float = 0.0) -> np.ndarray:
    """A square cell of a map for each of at most four walls."""
    inner = SQUARE * (0.5 - 2 * gap) + gap
    return quads(*(inner + np.array((number % 2, number // 2)) / 2 for number in range(count)))


def test_a_map_that_is_fit_has_no_fault():
    for gap in (0.0, 0.02):
        found = measures(walls(4), cells(4, gap))
        assert found.fault() == "" and found.tiles == (1001,)
        assert found.overlapping == 0.0, "neighbours share an edge, and that is no overlap"
        assert found.spread == pytest.approx(1.0) and found.outside == found.lost == 0.0


@pytest.mark.parametrize(
    ("corners", "uvs", "said"),
    [
        (walls(4), np.concatenate([cells(2)] * 2), "lie on each other on 100% of it"),
        (walls(4), cells(4) * 1.2, "reach beyond its square"),
        (walls(4), cells(4) - 0.1, "reach beyond its square"),
        (walls(4), cells(4) * (1.0, 0.0), "have no area"),
        (walls(4), np.zeros((8, 3, 2)), "have no area"),
        (walls(4), cells(4) * 0.25, "use 6% of it"),
        (walls(4, 4.0, 1.0), cells(4), "some faces have 4 times the texels"),
        (walls(4), np.full((8, 3, 2), np.nan), "100% of the faces reach beyond"),
    ],
)
def test_what_makes_a_map_unfit_is_said(corners: np.ndarray, uvs: np.ndarray, said: str):
    assert said in measures(corners, uvs).fault()


def test_a_few_faces_do_not_spoil_a_map():
    corners, uvs = walls(4), cells(4, 0.02)
    speck = np.array([[(0, 9, 0), (0.05, 9, 0), (0, 9, 0.05)]])
    tiny = np.array([[(0.5, 0.5), (0.5001, 0.5), (0.5, 0.5001)]])
    found = measures(np.concatenate([corners, speck]), np.concatenate([uvs, tiny]))
    assert found.fault() == ""
    point = np.full((1, 3, 3), 5.0)
    found = measures(np.concatenate([corners, point]), np.concatenate([uvs, tiny * 0]))
    assert found.fault() == "", "a face without area needs no texels"


def test_one_face_larger_than_the_others_is_seen():
    corners, uvs = walls(4), cells(4)
    assert measures(corners * 1.0, uvs).fault() == ""
    corners[:2] *= 4.0
    assert measures(corners, uvs).spread == pytest.approx(4.0)


def test_mirrored_islands_and_tiles_are_fit():
    flipped = cells(4) * (-1.0, 1.0) + (1.0, 0.0)
    assert measures(walls(4), flipped).fault() == ""
    tiles = quads(*(SQUARE + place for place in ((0, 0), (1, 0), (0, 1), (9, 0))))
    found = measures(walls(4), tiles)
    assert found.fault() == "" and found.tiles == (1001, 1002, 1010, 1011)
    assert "beyond" in measures(walls(4), tiles + np.array((1, 0))).fault(), "there is no eleventh"


def test_each_sample_counts_the_triangles_it_lies_in():
    rng = np.random.default_rng(2)
    points = rng.uniform(-8, 40, (40, 3, 2))
    found = coverage(points, 32, 24)
    rows, columns = np.mgrid[:24, :32]
    wanted = np.zeros((24, 32), int)
    for a, b, c in points:
        sides = [
            (q[0] - p[0]) * (rows - p[1]) - (q[1] - p[1]) * (columns - p[0])
            for p, q in ((a, b), (b, c), (c, a))
        ]
        wanted += (np.min(sides, 0) > 0) | (np.max(sides, 0) < 0)
    assert np.array_equal(found, wanted)


def test_a_million_triangles():
    side = 708
    x, y = np.meshgrid(np.arange(side) / side, np.arange(side) / side)
    cell = np.stack([x.ravel(), y.ravel()], 1)[:, None] + SQUARE / side
    uvs = np.concatenate([cell[:, [0, 1, 2]], cell[:, [0, 2, 3]]])
    corners = np.concatenate([uvs * 50.0, np.zeros((*uvs.shape[:2], 1))], 2)
    found = measures(corners, uvs)
    assert found.fault() == "" and len(uvs) > 1_000_000
    doubled = measures(np.concatenate([corners, corners + 99.0]), np.concatenate([uvs, uvs]))
    assert doubled.overlapping == pytest.approx(1.0)
