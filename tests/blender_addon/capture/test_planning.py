"""Planned views see the surface, as the depth of what they capture shows."""

# pyright: reportOptionalMemberAccess=false

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.view import View

from blender_addon.capture import Plan, Surface, capture_view, overview, plan, surface
from blender_addon.capture.clusters import Part, clusters_of
from blender_addon.capture.view import camera_pose, camera_view
from tests.blender_addon.capture import scenes

WELL = np.cos(np.radians(75))
Box = tuple[tuple[float, float, float], tuple[float, float, float]]

COURT: list[Box] = [
    ((0, -9, 5), (24, 6, 10)),
    ((0, 9, 5), (24, 6, 10)),
    ((-9, 0, 5), (6, 12, 10)),
    ((9, 0, 5), (6, 12, 10)),
]
BLOCKS: list[Box] = [
    ((x * 30.0, y * 30.0, 10 + 5 * abs(x - y)), (18, 18, 20 + 10 * abs(x - y)))
    for x in (-1, 0, 1)
    for y in (-1, 0, 1)
]


FAR_APART: list[Box] = [((x, x / 10, 10), (60, 40, 20)) for x in (-250, 250)]
DISTRICT: list[Box] = [
    ((x * 50.0, y * 50.0, 6 + (x * y) % 3), (36, 36, 12 + 2 * ((x * y) % 3)))
    for x in range(12)
    for y in range(12)
]


def ground() -> None:
    scenes.box((0, 0, -0.5), (500, 500, 1), "Ground")


def points_of(made: Surface, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Points all over a surface, and their normals, by chance."""
    rng = np.random.default_rng(1)
    across = np.cross(
        made.corners[:, 1] - made.corners[:, 0], made.corners[:, 2] - made.corners[:, 0]
    )
    area = np.linalg.norm(across, axis=1)
    chosen = rng.choice(len(area), count, p=area / area.sum())
    weights = rng.dirichlet((1, 1, 1), count)
    points = np.einsum("sk,skx->sx", weights, made.corners[chosen])
    return points, across[chosen] / area[chosen, None]


def seen_in(capture: Capture, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Which points the depth of a capture shows, under 75 degrees."""
    view = capture.view
    matrix = np.reshape(view.view_matrix, (4, 4))
    at = points @ matrix[:3, :3].T + matrix[:3, 3]
    clip = np.c_[at, np.ones(len(at))] @ np.reshape(view.projection_matrix, (4, 4)).T
    ndc = clip[:, :2] / clip[:, 3:]
    inside = (np.abs(ndc) < 1).all(1) & (at[:, 2] < 0)
    x = ((ndc[:, 0] + 1) / 2 * view.width).astype(int).clip(0, view.width - 1)
    y = ((1 - ndc[:, 1]) / 2 * view.height).astype(int).clip(0, view.height - 1)
    perspective = view.kind == "perspective"
    way = -at / np.linalg.norm(at, axis=1)[:, None] if perspective else np.array([[0.0, 0.0, 1.0]])
    cosine = ((normals @ matrix[:3, :3].T) * way).sum(1)
    # A pixel shows up to its own width, under 75 degrees, beside the point.
    apart = np.abs(np.asarray(capture.depth)[y, x] + at[:, 2])
    side = 2 / (view.width * view.projection_matrix[0]) * (-at[:, 2] if perspective else 1.0)
    return inside & (cosine > WELL) & (apart < 4 * side)


def shown_in(capture: Capture) -> float:
    """The share of a picture that shows anything."""
    return float(np.isfinite(np.asarray(capture.depth)).mean())


def captures_of(made: Plan) -> list[Capture]:
    return [capture_view(bpy.context, view) for view in made.views(256, 256)]


def view_of(camera: bpy.types.Object, width: int = 256, height: int = 256) -> View:
    depsgraph = bpy.context.evaluated_depsgraph_get()
    return camera_view(camera, camera_pose(camera, depsgraph), depsgraph, width, height)


def eyes_of(made: Plan) -> np.ndarray:
    return np.array([pose.matrix.translation for pose in made.poses])


def planned(count: int) -> tuple[Plan, np.ndarray, np.ndarray]:
    """A plan of all that there is, and points of its surface with their normals."""
    whole = surface(bpy.context)
    return plan(bpy.context, whole, count), *points_of(whole)


@pytest.mark.parametrize("place", [(0, 0, 0), (121_000, 487_000, 12)])
def test_the_five_sides_of_a_box_by_few_views(place: tuple[float, float, float]):
    x, y, z = place
    scenes.box((x, y, z - 0.5), (500, 500, 1), "Ground")
    scenes.box((x, y, z + 6), (10, 8, 12), "House")
    made = plan(bpy.context, surface(bpy.context), 5)
    assert 2 <= len(made.poses) <= 5
    assert made.reachable == pytest.approx(512 / 592, abs=0.01)
    assert made.seen[-1] >= 0.99 * made.reachable
    assert made.seen == sorted(made.seen) and len(made.seen) == len(made.poses) + 1


@pytest.mark.parametrize("scene", ["court", "blocks", "town"])
def test_the_coverage_is_what_the_captures_depth_says(scene: str):
    ground()
    if scene == "town":
        scenes.town()
    for number, (center, size) in enumerate({"court": COURT, "blocks": BLOCKS}.get(scene, [])):
        scenes.box(center, size, f"Wing {number}")
    whole = surface(bpy.context)
    made = plan(bpy.context, whole, 4)
    points, normals = points_of(whole)
    seen = np.zeros(len(points), bool)
    assert made.seen[0] == 0.0
    for capture, share in zip(captures_of(made), made.seen[1:], strict=True):
        seen |= seen_in(capture, points, normals)
        assert share == pytest.approx(seen.mean(), abs=0.03)
    assert made.seen[-1] > 0.9 * made.reachable


def test_a_courtyards_inner_walls_are_seen_from_above():
    ground()
    for center, size in COURT:
        scenes.box(center, size)
    made, points, normals = planned(4)
    # Faces that look into the court, which is 12 m wide and 10 m deep.
    inner = (np.abs(points[:, :2]) < 6.01).all(1) & (normals[:, 2] == 0)
    assert inner.sum() > 100
    seen = np.any([seen_in(each, points, normals) for each in captures_of(made)], axis=0)
    assert seen[inner].mean() > 0.85


def test_views_are_no_more_than_it_takes_and_none_looks_down_steeply():
    ground()
    scenes.box((0, 0, 6), (10, 8, 12), "House")
    made = plan(bpy.context, surface(bpy.context), 12)
    assert len(made.poses) < 8
    steepest = max(pose.matrix[2][2] for pose in made.poses)
    assert np.degrees(np.arcsin(steepest)) < 55.0


def test_a_tower_behind_a_wall_is_seen_past_it():
    ground()
    scenes.box((0, 0, 15), (12, 12, 30), "Tower")
    scenes.box((0, -14, 25), (120, 1, 50), "Wall")
    tower = surface(bpy.context, ["Tower"])
    made = plan(bpy.context, tower, 5)
    points, normals = points_of(tower)
    shown = [seen_in(each, points, normals) for each in captures_of(made)]
    assert all(each.mean() > 0.05 for each in shown)
    south = (normals[:, 1] < -0.9) & (points[:, 2] > 1)
    assert np.any(shown, axis=0)[south].mean() > 0.65
    # In the gap, at a person's eye level.
    eyes = eyes_of(made)
    assert ((eyes[:, 2] < 1.61) & (eyes[:, 2] > 1.59) & (eyes[:, 1] > -14)).any()


def test_no_camera_stands_inside_a_building():
    ground()
    scenes.box((0, 0, 5), (20, 16, 10), "House")
    room: Any = scenes.box((0, 0, 5), (19, 15, 9), "Room")
    room.data.flip_normals()
    buildings = [((0, 0), 10, 10), *((at, 9, 60) for at in ((30, 0), (-30, 0), (0, 30), (0, -30)))]
    for (x, y), half, top in buildings[1:]:
        scenes.box((x, y, top / 2), (2 * half, 2 * half, top), f"Tower {x} {y}")
    made = plan(bpy.context, surface(bpy.context, ["House", "Room"]), 8)
    eyes = eyes_of(made)
    assert len(eyes) and (eyes[:, 2] > 1).all()
    for at, half, top in buildings:
        assert not ((np.abs(eyes[:, :2] - at) < half).all(1) & (eyes[:, 2] < top)).any()
    # The room is as large as the house, and out of reach.
    assert made.reachable < 0.5


@pytest.mark.parametrize("joined", [False, True])
def test_views_of_blocks_far_apart_are_each_full_of_one(joined: bool):
    """A picture of both shows them in one part of a hundred."""
    blocks = [scenes.box(*each, f"Block {number}") for number, each in enumerate(FAR_APART)]
    if joined:
        with bpy.context.temp_override(active_object=blocks[0], selected_editable_objects=blocks):
            bpy.ops.object.join()
    whole = surface(bpy.context)
    made = plan(bpy.context, whole, 6)
    points, normals = points_of(whole)
    captures = captures_of(made)
    assert len(captures) == 6
    assert min(shown_in(each) for each in captures) > 0.12
    shown = np.array([seen_in(each, points, normals) for each in captures])
    assert made.seen[-1] > 0.97 * made.reachable
    assert shown.any(0).mean() == pytest.approx(made.seen[-1], abs=0.03)
    east = points[:, 0] > 0
    assert 2 <= sum(each[east].sum() > each[~east].sum() for each in shown) <= 4
    assert all(shown_in(each) > 0.12 for each in captures_of(plan(bpy.context, whole, 1)))


def test_the_two_views_of_blocks_far_apart_are_each_full_of_one():
    for center, size in FAR_APART:
        scenes.box(center, size)
    views = overview(bpy.context, surface(bpy.context), 256, 192)
    assert [view.name for view in views] == ["Street", "Bird"]
    assert min(shown_in(capture_view(bpy.context, view)) for view in views) > 0.15


def test_towers_far_apart_are_whole_in_their_views():
    towers = [((x, 0, 50), (25, 25, 100)) for x in (0, 250, 500)]
    for center, size in towers:
        scenes.box(center, size)
    made = plan(bpy.context, surface(bpy.context), 6)
    assert made.seen[-1] > 0.97 * made.reachable
    for capture in captures_of(made):
        assert shown_in(capture) > 0.12
        depth = np.asarray(capture.depth)
        assert not np.isfinite(depth[[0, -1]]).any(), "foot and top are in the picture"


def test_views_of_a_district_are_near_enough_to_tell_its_houses():
    ground()
    for center, size in DISTRICT:
        scenes.box(center, size)
    made, points, normals = planned(6)
    density = np.zeros(len(points))
    for capture in captures_of(made):
        matrix = np.reshape(capture.view.view_matrix, (4, 4))
        away = -(points @ matrix[2, :3] + matrix[2, 3])
        here = capture.view.projection_matrix[0] / 2 / away
        density = np.maximum(density, np.where(seen_in(capture, points, normals), here, 0.0))
    # A picture of all of it is 800 m across.
    seen = density > 0.0
    assert made.seen[-1] == pytest.approx(seen.mean(), abs=0.03)
    assert seen.mean() > 0.7 * made.reachable
    assert np.median(1 / density[seen]) < 320.0


def test_each_of_many_houses_has_as_many_views_as_it_would_have_alone():
    """What the last of them adds is next to nothing of the whole, and something of a house."""
    for number in range(16):
        scenes.box((number % 8 * 150.0, number // 8 * 150.0, 4), (12, 9, 8))
    made = plan(bpy.context, surface(bpy.context), 48)
    assert len(made.poses) == 48
    assert made.seen[-1] > 0.97 * made.reachable


def test_points_in_one_place_are_one_cluster_however_far_the_bounds_reach():
    """As where all but one tiny face have no area."""
    points = np.zeros((8, 3))
    whole = Part(np.arange(8), points, np.full(3, -500.0), np.full(3, 500.0))
    assert clusters_of(whole, points, 1e-6, 0.3, 12).parts == [whole]


def test_the_same_scene_has_the_same_plan():
    scenes.town()
    whole = surface(bpy.context)
    first, second = (plan(bpy.context, whole, 3) for _ in range(2))
    assert first == second


def test_faces_turned_inside_out_are_seen_all_the_same():
    ground()
    house: Any = scenes.box((0, 0, 6), (10, 8, 12), "House")
    right = plan(bpy.context, surface(bpy.context), 3)
    house.data.flip_normals()
    turned = plan(bpy.context, surface(bpy.context), 3)
    assert turned.seen == pytest.approx(right.seen, abs=0.02)
    for face in list(house.data.polygons)[::2]:
        face.flip()
    some = plan(bpy.context, surface(bpy.context), 3)
    assert some.seen == pytest.approx(right.seen, abs=0.02)


@pytest.mark.parametrize(
    ("lens", "share"),
    [
        ({"type": "ORTHO", "ortho_scale": 40.0}, 96 / 592),
        ({"lens": 30.0, "shift_y": 0.1}, 96 / 592),
    ],
)
def test_cameras_that_are_there_count_first(lens: dict[str, Any], share: float):
    ground()
    scenes.box((0, 0, 6), (10, 8, 12), "House")
    made = surface(bpy.context)
    west = view_of(scenes.camera((-40, 0, 5), (0, 0, 5), **lens))
    away = view_of(scenes.camera((-40, 0, 5), (-80, 0, 5), **lens))
    bpy.context.view_layer.update()
    alone = plan(bpy.context, made, 0, [west, away])
    assert alone.poses == [] and alone.seen == [pytest.approx(share, abs=0.01)]
    more = plan(bpy.context, made, 1, [west])
    # The other corner: two walls and the roof are new.
    assert more.seen[1] - more.seen[0] == pytest.approx((96 + 120 + 80) / 592, abs=0.02)


@pytest.mark.filterwarnings("error")
def test_faces_without_an_area_are_nothing_to_see():
    mesh = bpy.data.meshes.new("Flat")
    mesh.from_pydata([(1, 1, 1), (2, 1, 1), (3, 1, 1)], [], [(0, 1, 2)])
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Flat", mesh))
    bpy.context.view_layer.update()
    with pytest.raises(MaquetteError, match="no face of 'Flat' has an area"):
        surface(bpy.context)
