"""Walls are found as they are, and their openings are regular, on the wall, and the same from every
view."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from maquette.facades import openings as openings_module
from maquette.facades.guide import FacadeGuide, with_windows
from maquette.facades.kinds import KINDS, kind_of
from maquette.facades.layout import Grid, lay_out
from maquette.facades.openings import openings_seen
from maquette.facades.sight import Sight
from maquette.facades.walls import Wall, find_walls
from maquette_wire.capture import Capture
from maquette_wire.recipe import Recipe
from maquette_wire.view import View
from numpy.typing import NDArray
from scipy import ndimage

from tests.backend.scenes import Box, massing
from tests.backend.texturing.models import Quad, box, camera, quad, trace

HOUSE = box((0, 0, 0), (12, 8, 9.6))
GROUND = quad((-60, -60, 0), (120, 0, 0), (0, 120, 0))


def capture_of(view: View, quads: Sequence[Quad]) -> Capture:
    depth = trace(view, quads)[0].astype(np.float32)
    return Capture(view, np.zeros((*depth.shape, 3), np.uint8), np.ascontiguousarray(depth))


def seen(
    captures: Sequence[Capture], kind: str = "punched", storey: float = 3.2, bay: float = 3.0
) -> tuple[list[Wall], list[Grid], list[NDArray[np.float32]]]:
    sights = [Sight.of(capture) for capture in captures]
    walls = find_walls(sights)
    grids = lay_out(walls, sights, KINDS[kind], storey, bay)
    return walls, grids, [openings_seen(capture, grids) for capture in captures]


def wall_facing(walls: Sequence[Wall], x: float, y: float) -> Wall:
    (found,) = [w for w in walls if w.pieces.normals[0] @ (x, y) > 0.99]
    return found


def front(*quads: Quad, eye: tuple[float, float, float] = (6, -20, 5)) -> Capture:
    return capture_of(camera(eye, (6, 0, 5)), [*(quads or HOUSE), GROUND])


def test_walls_have_their_true_size_and_ends() -> None:
    view = camera((26, -18, 7), (6, 4, 4))
    walls, _, _ = seen([capture_of(view, [*HOUSE, GROUND])])
    assert len(walls) == 2, "neither roof nor ground is a wall"
    for wall, length in ((wall_facing(walls, 0, -1), 12.0), (wall_facing(walls, 1, 0), 8.0)):
        assert wall.length == pytest.approx(length, abs=2 * wall.spacing)
        assert (wall.bottom, wall.top) == pytest.approx((0.0, 9.6), abs=2 * wall.spacing)
        assert wall.ends == (True, True, True, True)


def test_openings_stand_in_whole_bays_and_storeys() -> None:
    capture = front()
    _, (grid,), (openings,) = seen([capture])
    assert grid.present.shape == (3, 4) and grid.present.all()
    assert grid.bay == pytest.approx(3.0, abs=0.05)
    assert grid.storey == pytest.approx(3.2, rel=0.05)
    # Along a line through the windows of the first floor: four of them, equally wide and far.
    row = round(float(Sight.of(capture).locate(np.array([[6.0, 0.0, 4.95]]))[1][0]))
    line = openings[row] > 0.5
    edges = np.flatnonzero(np.diff(line.astype(int)))
    begins, ends = edges[::2], edges[1::2]
    assert len(begins) == 4
    assert np.ptp(ends - begins) <= 1 and np.ptp(np.diff(begins)) <= 1
    assert openings[np.isinf(capture.depth)].max() == 0.0


def test_a_picture_is_worked_on_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts leave no trace."""
    capture = front()
    whole = seen([capture])[2][0]
    monkeypatch.setattr(openings_module, "_PIXELS", 7000)
    assert np.abs(seen([capture])[2][0] - whole).max() < 0.05


def test_a_door_stands_on_the_ground() -> None:
    capture = front()
    _, (grid,), (openings,) = seen([capture])
    assert grid.door is not None
    at_foot = grid.wall.places(np.linspace(0.1, 11.9, 119), np.full(119, 0.3))[0]
    columns, rows, _ = Sight.of(capture).locate(at_foot)
    foot = openings[np.rint(rows).astype(int), np.rint(columns).astype(int)] > 0.5
    assert 0.9 < foot.sum() * 0.1 < 2.2, "one door's width, and no window reaches down there"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_covers_its_share(kind: str) -> None:
    capture = front()
    _, _, (openings,) = seen([capture], kind)
    on_wall = np.abs(np.asarray(capture.depth) - 20.0) < 1e-3
    of = KINDS[kind]
    wanted = min(of.width, 1.0) * (of.head - of.sill)
    assert openings[on_wall].mean() == pytest.approx(wanted, abs=0.06)


def test_what_hides_a_wall_does_not_move_its_openings() -> None:
    """A column before the house cuts its wall in two pieces, which stay one wall."""
    column = box((4, -6, 0), (5, -5, 14))
    bare, hidden = front(), front(*HOUSE, *column)
    _, _, (without,) = seen([bare])
    walls, _, (with_column,) = seen([hidden])
    assert wall_facing([w for w in walls if w.length > 2], 0, -1).length == pytest.approx(
        12, abs=0.2
    )
    same = np.isclose(bare.depth, hidden.depth, atol=1e-4)
    assert np.abs(without - with_column)[same].max() < 0.1
    assert with_column[~same].max() == 0.0 or np.asarray(hidden.depth)[~same].min() < 16


def test_houses_in_a_row_are_two_walls_where_one_sees_between_them() -> None:
    row = [*box((0, 0, 0), (5, 8, 6)), *box((8, 0, 0), (13, 8, 6))]
    walls, grids, _ = seen([front(*row)])
    fronts = [w for w in walls if w.pieces.normals[0] @ (0, -1) > 0.99]
    assert sorted(round(w.length) for w in fronts) == [5, 5]
    assert all(g.present.shape[1] == 2 for g in grids if any(g.wall is w for w in fronts))


def test_views_of_one_scene_see_the_same_openings() -> None:
    """Of which one sees half of the wall alone."""
    whole = capture_of(camera((6, -20, 5), (6, 0, 5)), [*HOUSE, GROUND])
    part = capture_of(camera((13, -9, 3), (12, 0, 4), lens=30), [*HOUSE, GROUND])
    _, _, masks = seen([whole, part], "grid")
    rng = np.random.default_rng(0)
    points = np.stack([rng.uniform(0, 12, 4000), np.zeros(4000), rng.uniform(0, 9.6, 4000)], 1)
    normals = np.tile([0.0, -1.0], (4000, 1))
    values, visible = [], np.ones(4000, bool)
    for capture, mask in zip((whole, part), masks, strict=True):
        sight = Sight.of(capture)
        columns, rows, _ = sight.locate(points)
        visible &= np.abs(sight.behind(points, normals)) < 0.01  # false out of the picture
        inside = np.rint(rows).clip(0, 511).astype(int), np.rint(columns).clip(0, 511).astype(int)
        values.append(mask[inside])
    one, other = (value[visible] for value in values)
    assert visible.sum() > 800
    clear = (np.abs(one - 0.5) > 0.49) & (np.abs(other - 0.5) > 0.49)
    assert ((one > 0.5) == (other > 0.5))[clear].mean() > 0.985
    # By itself the second one can't know where the wall's left end is.
    _, _, (alone,) = seen([part], "grid")
    assert np.abs(alone - masks[1]).mean() > 0.01


def test_a_gable_does_not_raise_the_storeys_under_the_eaves() -> None:
    """Two storeys of 2.75 m reach the eaves; under the ridge three of 3.2 m would fit."""
    eaves = box((0, 0, 0), (12, 9, 5.5))
    gable = [np.array([(12, 0, 5.5), (12, 9, 5.5), (12, 4.5, 9.8), (12, 4.5, 9.8)], float)]
    slope = [
        quad((0, 0, 5.5), (12, 0, 0), (0, 4.5, 4.3)),
        quad((0, 9, 5.5), (12, 0, 0), (0, -4.5, 4.3)),
    ]
    view = camera((30, -22, 8), (7, 4, 4), 384, 384)
    capture = capture_of(view, [*eaves, *slope, GROUND])
    depth = np.array(capture.depth)
    _paint_triangle(depth, view, gable[0][:3])
    walls, grids, _ = seen([Capture(view, capture.color, depth)])
    assert wall_facing(walls, 1, 0).top == pytest.approx(9.8, abs=0.3)
    (front_grid,) = [g for g in grids if g.wall.pieces.normals[0] @ (0, -1) > 0.99]
    assert front_grid.present.shape[0] == 2 and front_grid.present.all()
    assert front_grid.storey == pytest.approx(2.75, abs=0.1)


def _paint_triangle(depth: NDArray[np.float32], view: View, corners: NDArray[np.float64]) -> None:
    """Put an upright triangle into a depth map, where nothing nearer is."""
    along, up = corners[1] - corners[0], np.array([0.0, 0.0, 1.0])
    plane = quad(corners[0], along, up * (corners[2] - corners[0])[2])
    found, number, place = trace(view, [plane])
    below = place[..., 1] < 1.0 - 2.0 * np.abs(place[..., 0] - 0.5)
    shown = (number == 0) & below & (found < depth)
    depth[shown] = found[shown]


def test_a_verge_before_the_wall_is_another_wall() -> None:
    """A board 30 cm before the front: openings lie on the front, not between the two."""
    verge = quad((0, -0.3, 9.0), (12, 0, 0), (0, 0, 0.6))
    view = camera((6, -40, 14), (6, 0, 5), 128, 128)
    _, _, (openings,) = seen([capture_of(view, [*HOUSE, verge, GROUND])])
    assert openings.max() > 0.9


@pytest.mark.parametrize("across", [None, 40.0])
def test_who_stands_behind_a_building_does_not_see_past_its_front(across: float | None) -> None:
    """From there, what lies behind the front is the building's back."""
    before = capture_of(camera((6, -20, 5), (6, 0, 5), across=across), [*HOUSE, GROUND])
    behind = capture_of(camera((6, 28, 12), (6, 8, 4), across=across), [*HOUSE, GROUND])
    alone = seen([before])[2][0]
    assert np.array_equal(seen([before, behind])[2][0], alone) and alone.any()


def test_no_window_hangs_over_a_gable() -> None:
    """The wall ends at a slope: what would look past it is left out."""
    capture = front()
    depth = np.array(capture.depth)
    rows, columns = np.indices(depth.shape)
    cut = (rows < 256 - 0.6 * (columns - 256)) & (np.abs(depth - 20.0) < 1e-3)
    depth[cut] = np.inf
    sloped = Capture(capture.view, capture.color, depth)
    _, grids, (openings,) = seen([sloped])
    assert openings[cut].max() == 0.0
    (grid,) = [g for g in grids if g.wall.pieces.normals[0] @ (0, -1) > 0.99]
    assert 3 <= grid.present.sum() < 11
    # Those that are there are whole ones of the whole wall.
    full = seen([capture])[2][0] > 0.5
    labels, count = ndimage.label(full)  # type: ignore[misc]
    shares = [float((openings > 0.5)[labels == n + 1].mean()) for n in range(count)]
    cut_off = [share for share in shares if 0.05 < share < 0.8]
    assert len(cut_off) <= 2, "but for the door, which stands in another bay now"


def test_windows_go_on_around_a_curve() -> None:
    turns = np.linspace(0.0, np.pi, 25)
    plan = np.stack([6 - 8 * np.cos(turns), -8 * np.sin(turns)], 1)
    drum = [quad((*a, 0.0), (*(b - a), 0.0), (0.0, 0.0, 9.6)) for a, b in itertools.pairwise(plan)]
    walls, grids, _ = seen([front(*drum, eye=(6, -34, 5))])
    longest = max(walls, key=lambda wall: wall.length)
    assert len(longest.pieces) > 12 and longest.length > 15
    (grid,) = [g for g in grids if g.wall is longest]
    assert grid.bay == pytest.approx(3.0, rel=0.12) and grid.present.mean() > 0.9


def test_the_ground_of_an_elevation_is_no_wall() -> None:
    view = camera((6, -40, 5), (6, 0, 5), across=30.0)
    section = quad((-60, -2, -20), (120, 0, 0), (0, 0, 20))
    walls, _, (openings,) = seen([capture_of(view, [*HOUSE, section])])
    assert [round(w.length) for w in walls] == [12]
    assert openings.any()


def test_what_is_low_or_narrow_has_no_window() -> None:
    plinth, pier = box((0, 0, 0), (12, 8, 1.2)), box((16, 0, 0), (17, 1, 9))
    assert seen([front(*plinth, *pier)])[1] == []


def test_the_crown_of_a_tree_has_no_window() -> None:
    turns = np.linspace(0.0, 2 * np.pi, 9)
    plan = 2.4 * np.stack([np.cos(turns), np.sin(turns)], 1) + (6, -4)
    crown = [quad((*a, 3.0), (*(b - a), 0.0), (0.0, 0.0, 2.2)) for a, b in itertools.pairwise(plan)]
    walls, grids, _ = seen([front(*crown)])
    assert len(walls) > 2 and grids == []


def test_a_model_in_millimetres_costs_no_more_and_has_no_window() -> None:
    """Its walls would have millions, none of which anyone sees."""
    huge = [each * 1000.0 for each in [*HOUSE, GROUND]]
    capture = capture_of(camera((6000, -900, 5000), (6000, 0, 5000)), huge)
    wall = wall_facing(find_walls([Sight.of(capture)]), 0, -1)
    assert wall.length * (wall.top - wall.bottom) > 1e6
    tracemalloc.start()
    grids = seen([capture])[1]
    assert tracemalloc.get_traced_memory()[1] < 300e6
    tracemalloc.stop()
    assert grids == []


def test_a_capture_of_nothing_has_no_openings() -> None:
    view = camera((6, -20, 5), (6, 0, 5), 64, 48)
    sky = Capture(view, np.zeros((48, 64, 3), np.uint8), np.full((48, 64), np.inf, np.float32))
    walls, grids, (openings,) = seen([sky])
    assert walls == [] and grids == [] and not openings.any()


def test_walls_of_a_building_share_their_storeys() -> None:
    boxes: tuple[Box, ...] = ((-6, 6, 12, 22, 0, 10.4),)
    capture = massing(256, 192, boxes, eye=(-16.0, -8.0, 4.0), turn=-25.0, pitch=0.0)
    _, grids, _ = seen([capture], storey=3.2)
    assert len(grids) == 2
    assert len({grid.storey for grid in grids}) == 1
    assert grids[0].storey * 3 == pytest.approx(10.4, abs=0.8)


def test_storeys_and_bays_follow_the_recipe() -> None:
    wide = seen([front()], storey=4.8, bay=6.0)[1][0]
    assert wide.present.shape == (2, 2)


def test_a_prompt_names_its_windows() -> None:
    assert kind_of("red brick library, ribbon windows, at dusk") == "ribbon"
    assert kind_of("a fully glazed facade") == "curtain wall"
    assert kind_of("tall windows below, later a curtain wall") == "curtain wall"
    assert kind_of("library at dusk with lit windows") == "punched"
    assert kind_of("stone church in snow") == "tall"
    assert kind_of("concrete church, ribbon windows") == "ribbon"
    assert with_windows(Recipe(prompt="library", windows="ribbon")) == "library, ribbon windows"
    assert with_windows(Recipe(prompt="library, tall windows", windows="ribbon")).endswith(
        "tall windows"
    )
    assert with_windows(Recipe(prompt="library")) == "library"


def test_captures_of_different_scenes_have_no_say_in_each_other() -> None:
    one, other = front(), front(eye=(9, -14, 3))
    recipe = Recipe(prompt="library")
    alone = FacadeGuide(recipe, [one], False).openings(0, "grid")
    beside = FacadeGuide(recipe, [one, other], False).openings(0, "grid")
    assert np.array_equal(alone, beside)
