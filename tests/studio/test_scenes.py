"""Scenes follow from their seeds, and their maps from geometry."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from studio.cameras import SENSOR, Camera
from studio.massing import TYPES, build_site
from studio.massing.registry import type_of
from studio.model import Facade, Model, Part, arc, offset, rectangle
from studio.render import Stage
from studio.scene import compose, finishes
from studio.splits import HELD_OUT_STYLE, HELD_OUT_TYPES, split_of
from studio.walls import prism


def test_the_same_seed_gives_the_same_geometry() -> None:
    for seed in range(0, 66, 5):
        assert compose(seed).site.model.digest() == compose(seed).site.model.digest()
    assert len({compose(seed).site.model.digest() for seed in range(12)}) == 12


def test_the_same_seed_gives_the_same_massing_picture_and_depth(stage: Stage) -> None:
    from studio import looks

    pictures, depths = [], []
    for _ in range(2):
        scene = compose(3)
        stage.load(scene.site.model)
        stage.aim(scene.camera)
        maps = stage.maps(128, 128, scene.camera)
        depths.append(maps.depth)
        pictures.append(looks.draw(maps, "solid", True, random.Random(0)))
    assert np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(depths[0], depths[1])


def test_every_building_type_comes_once_in_each_round() -> None:
    count = len(TYPES)
    for block in range(4):
        assert {type_of(seed) for seed in range(block * count, (block + 1) * count)} == set(TYPES)


@pytest.mark.parametrize("seed", range(len(TYPES)))
def test_buildings_stand_on_the_ground_and_fill_their_box(seed: int) -> None:
    name, site = build_site(seed)
    vertices = np.array(site.model.vertices)
    assert len(vertices) > 8, name
    assert vertices[:, 2].min() == pytest.approx(0.0, abs=1e-6)
    assert np.all(np.isfinite(vertices))
    assert site.focus, f"{name} tells no camera what to frame"
    if site.corridor is None:
        low, high = np.array(site.focus).min(0), np.array(site.focus).max(0)
        assert np.all(vertices.min(0) > low - 2.0) and np.all(vertices.max(0) < high + 8.0), name


def test_windows_line_up_with_floors_and_bays() -> None:
    model, facade = Model(), Facade(floor=3.0, ground_floor=4.0, bay=3.0, parapet=0.5)
    prism(model, rectangle(12.4, 9.0), 0.0, facade.height(4), facade)
    front = [
        (face, cell, number)
        for number, (face, cell, part) in enumerate(
            zip(model.faces, model.cells, model.parts, strict=True)
        )
        if part == Part.WALL and cell[2] and all(abs(model.vertices[i][1]) < 1e-6 for i in face)
    ]
    assert front, "the front has openings"
    for face, (bay, storey, _), _ in front:
        xs = [model.vertices[i][0] for i in face]
        zs = [model.vertices[i][2] for i in face]
        assert (max(xs) - min(xs)) / bay == pytest.approx(round((max(xs) - min(xs)) / bay)), (
            "whole bays"
        )
        assert (max(zs) - min(zs)) / storey == pytest.approx(round((max(zs) - min(zs)) / storey)), (
            "whole floors"
        )


def test_offset_moves_sides_of_a_square_by_the_distance() -> None:
    wider = offset(rectangle(4.0, 4.0), 0.5)
    assert np.allclose(wider, rectangle(5.0, 5.0, 0.0, -0.5))
    circle = arc(0.0, 0.0, 5.0, 0.0, 2 * math.pi, 64)[:-1]
    assert max(math.hypot(*p) for p in offset(circle, -1.0)) == pytest.approx(4.0, abs=0.01)


@pytest.mark.parametrize(
    "camera",
    [
        Camera("two-point", (0.0, -20.0, 1.6), 0.0, 0.0, 28.0, 0.05, 0.2),
        Camera("bird", (0.0, -20.0, 12.0), 0.0, math.radians(-25.0), 35.0),
        Camera("elevation", (0.0, -20.0, 4.0), 0.0, 0.0, ortho_scale=18.0),
    ],
)
def test_depth_of_a_known_scene_is_exact(stage: Stage, camera: Camera) -> None:
    """A wall in the plane y = 0, a ground at z = 0: planar depth has a closed form at every
    pixel centre."""
    size = 96
    model = Model()
    model.face([(-30, 0, 0), (30, 0, 0), (30, 0, 9), (-30, 0, 9)], Part.WALL, 1)
    model.face([(-60, -60, 0), (60, -60, 0), (60, 0, 0), (-60, 0, 0)], Part.GROUND, 0)
    stage.load(model)
    stage.aim(camera)
    maps = stage.maps(size, size, camera)
    centres = (np.arange(size) + 0.5) / size - 0.5
    u, v = np.meshgrid(centres + camera.shift_x, -centres + camera.shift_y)
    matrix = camera.matrix()
    right, up, forward, eye = matrix[:3, 0], matrix[:3, 1], -matrix[:3, 2], matrix[:3, 3]
    if camera.ortho_scale is None:
        rays = forward + (u[..., None] * right + v[..., None] * up) * SENSOR / camera.lens
        starts = np.broadcast_to(eye, rays.shape)
    else:
        rays = np.broadcast_to(forward, (size, size, 3))
        starts = eye + (u[..., None] * right + v[..., None] * up) * camera.ortho_scale
    with np.errstate(divide="ignore", invalid="ignore"):
        to_wall = -starts[..., 1] / rays[..., 1]
        height = starts[..., 2] + to_wall * rays[..., 2]
        to_ground = -starts[..., 2] / rays[..., 2]
    wall = (to_wall > 0) & (height > 0.05) & (height < 8.95)
    ground = (to_ground > 0) & (to_ground < to_wall * 0.99) & (rays[..., 2] < 0)
    assert wall.sum() > 500
    assert np.abs(maps.depth[wall] / to_wall[wall] - 1).max() < 1e-3
    if camera.ortho_scale is None:
        assert np.abs(maps.depth[ground] / to_ground[ground] - 1).max() < 1e-3
    sky = (height > 9.05) & ~ground
    assert np.all(np.isinf(maps.depth[sky]))
    assert np.all(maps.parts[wall] == Part.WALL)


def test_finishes_differ_and_keep_the_held_out_style_apart() -> None:
    for seed in range(120):
        scene_type = type_of(seed)
        split = split_of(seed, scene_type)
        assert (split == "type") == (scene_type in HELD_OUT_TYPES)
        if split == "train":
            described = finishes(compose(seed), 3) if seed < 12 else []
            assert all(each["style"] != HELD_OUT_STYLE for each in described)
    assert finishes(compose(25), 3)[-1]["style"] == HELD_OUT_STYLE
    first = finishes(compose(1), 3)
    assert first == finishes(compose(1), 3)
    photos = [each for each in first if each["wall"]]
    assert len({each["wall"] for each in photos}) == len(photos)
