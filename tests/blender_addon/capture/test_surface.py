"""The model's surface: what is textured, in the world, unwrapped without touching the user's."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from maquette_wire import container
from maquette_wire.capture import captures_of
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Submit

from blender_addon import command
from blender_addon.capture import Surface, bare_of, fitness, surface
from tests.blender_addon.capture import scenes, state


def areas(made: Surface) -> tuple[np.ndarray, np.ndarray]:
    """Of the triangles, in square metres and in UV space."""
    across = made.corners[:, 1:] - made.corners[:, :1]
    flat = made.uvs[:, 1:] - made.uvs[:, :1]
    in_world = np.linalg.norm(np.cross(across[:, 0], across[:, 1]), axis=1) / 2
    return in_world, np.abs(np.linalg.det(flat)) / 2


def outwards(made: Surface) -> np.ndarray:
    """Whether each triangle of a convex object faces away from its middle."""
    middle = made.corners.mean((0, 1))
    normal = np.cross(
        made.corners[:, 1] - made.corners[:, 0], made.corners[:, 2] - made.corners[:, 0]
    )
    return ((made.corners.mean(1) - middle) * normal).sum(1) > 0


def test_a_box_in_metres_with_even_density_inside_the_square():
    scenes.box((10, 20, 5), (4, 6, 10))
    made = surface(bpy.context)
    assert made.names == ["Box"] and len(made.corners) == 12
    assert made.corners.min((0, 1)) == pytest.approx((8, 17, 0), abs=1e-5)
    assert made.corners.max((0, 1)) == pytest.approx((12, 23, 10), abs=1e-5)
    assert outwards(made).all()
    in_world, in_map = areas(made)
    density = np.sqrt(in_map / in_world)
    assert density.max() / density.min() < 1.2
    assert made.uvs.min() >= 0 and made.uvs.max() <= 1 and in_map.sum() > 0.3


def test_nothing_of_the_users_changes():
    scenes.town()
    before = state.dump()
    surface(bpy.context)
    assert state.difference(before, state.dump()) == {}


@pytest.mark.parametrize("scale", [(-1, 1, 1), (-2, 0.5, 3), (-1, -1, -1)])
def test_a_mirrored_object_keeps_its_outside(scale: tuple[float, float, float]):
    scenes.box((0, 0, 0), (2, 2, 2)).scale = scale
    bpy.context.view_layer.update()
    assert outwards(surface(bpy.context)).all()


def test_modifiers_and_instances_are_part_of_it():
    thing: Any = scenes.box((0, 0, 1), (2, 2, 2))
    array = thing.modifiers.new("Array", "ARRAY")
    array.count, array.relative_offset_displace = 3, (2, 0, 0)
    collection = bpy.data.collections.new("Kit")
    kit = scenes.box((0, 0, 1), (1, 1, 2), "Column")
    bpy.context.scene.collection.objects.unlink(kit)
    collection.objects.link(kit)
    for number in range(2):
        empty = bpy.data.objects.new(f"Copy {number}", None)
        empty.instance_type, empty.instance_collection = "COLLECTION", collection
        empty.location = (0, 10 + 5 * number, 0)
        bpy.context.scene.collection.objects.link(empty)
    bpy.context.view_layer.update()
    made = surface(bpy.context)
    assert sorted(made.names) == ["Box", "Copy 0", "Copy 1"]
    counts = np.bincount(made.objects, minlength=3)
    assert sorted(counts) == [12, 12, 36]


def test_ground_is_left_out_unless_it_is_named():
    scenes.box((0, 0, -0.05), (400, 400, 0.1), "Ground")
    scenes.box((0, 0, 5), (10, 10, 10), "House")
    scenes.box((0, 0, 10.1), (30, 30, 0.2), "Flat roof")
    made = surface(bpy.context)
    assert sorted(made.names) == ["Flat roof", "House"] and made.left_out == ["Ground"]
    assert surface(bpy.context, ["Ground"]).names == ["Ground"]


def test_ground_above_a_cellar_is_ground_and_a_slab_of_the_house_is_none():
    scenes.box((0, 0, 4), (10, 10, 14), "House")
    scenes.box((0, 0, -0.05), (60, 60, 0.1), "Ground")
    scenes.box((0, 0, 3), (12, 12, 0.1), "Slab")
    made = surface(bpy.context)
    assert sorted(made.names) == ["House", "Slab"] and made.left_out == ["Ground"]


def test_ground_inside_an_instance_takes_nothing_else_with_it():
    collection = bpy.data.collections.new("Plot")
    for center, size, name in (((0, 0, 0), (90, 90, 0.1), "Lawn"), ((0, 0, 3), (6, 6, 6), "Hut")):
        thing = scenes.box(center, size, name)
        bpy.context.scene.collection.objects.unlink(thing)
        collection.objects.link(thing)
    plot = bpy.data.objects.new("Plot 1", None)
    plot.instance_type, plot.instance_collection = "COLLECTION", collection
    bpy.context.scene.collection.objects.link(plot)
    bpy.context.view_layer.update()
    made = surface(bpy.context)
    assert made.names == ["Plot 1"] and len(made.corners) == 12


def test_views_around_a_scene_without_a_surface(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    scenes.box((0, 0, 5), (10, 10, 10))
    words = ["--around", "2", "--size", "48x32", "--output", str(tmp_path / "c.maquette")]
    assert command.main(words) == 0
    seen = captures_of(*container.read(tmp_path / "c.maquette", kind=Submit))
    assert [(each.view.name, each.view.width) for each in seen] == [
        ("around 1", 48),
        ("around 2", 48),
    ]
    assert "The 2 views see" in capfd.readouterr().err


def test_views_around_nothing_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    words = ["--around", "3", "--output", str(tmp_path / "c.maquette")]
    assert command.main(words) == 1
    assert "the scene shows no object with faces" in capfd.readouterr().err
    assert not (tmp_path / "c.maquette").exists()


def test_a_flat_thing_alone_is_no_ground():
    scenes.box((0, 0, 0), (9, 9, 0.01), "Carpet")
    assert surface(bpy.context).names == ["Carpet"]


def test_what_is_not_rendered_is_left_out():
    scenes.box((0, 0, 5), (10, 10, 10), "House")
    scenes.box((20, 0, 5), (10, 10, 10), "Study").hide_render = True
    # What a collection hides in renders alone, and within an instance of another.
    kit, part = (bpy.data.collections.new(name) for name in ("Kit", "Part"))
    kit.children.link(part)
    for place, collection in ((40, kit), (60, part)):
        thing = scenes.box((place, 0, 5), (10, 10, 10), collection.name)
        bpy.context.scene.collection.objects.unlink(thing)
        collection.objects.link(thing)
    copy = scenes.link("Copy", None)
    copy.instance_type, copy.instance_collection = "COLLECTION", kit
    bpy.context.scene.collection.children.link(kit)
    part.hide_render = True
    assert sorted(surface(bpy.context).names) == ["Copy", "House", "Kit"]
    assert bare_of(bpy.context.evaluated_depsgraph_get()) == ["Copy"]
    kit.hide_render = True
    assert surface(bpy.context).names == ["House"]


@pytest.mark.parametrize(
    ("things", "chosen", "said"),
    [
        ([], [], "shows no object with faces"),
        ([((0, 0, 0), (1, 1, 1), "House")], ["Shed"], "called 'Shed'"),
    ],
)
def test_what_cannot_be_textured_is_said(things: list[Any], chosen: list[str], said: str):
    for center, size, name in things:
        scenes.box(center, size, name)
    with pytest.raises(MaquetteError, match=said):
        surface(bpy.context, chosen)


def test_vertices_that_are_no_numbers_are_named():
    house: Any = scenes.box((0, 0, 0), (1, 1, 1), "House")
    house.data.vertices[0].co.x = float("nan")
    with pytest.raises(MaquetteError, match="'House' has vertices that are not numbers") as caught:
        surface(bpy.context)
    # What the sentence says to do helps.
    assert "bpy.context.object.data.validate()" in caught.value.hint
    house.data.validate()
    assert surface(bpy.context).names == ["House"]


def test_what_no_camera_sees_as_it_is_is_named():
    house: Any = scenes.box((0, 0, 5), (10, 10, 10), "House")
    house.location = (400_000.0, 5_000_000.0, 0.0)
    bpy.context.view_layer.update()
    with pytest.raises(MaquetteError, match=r"lies 5,000 km from the world's origin.* 0\.5 m"):
        surface(bpy.context)
    house.location = (4_000.0, 5_000.0, 0.0)
    bpy.context.view_layer.update()
    assert surface(bpy.context).names == ["House"]
    house.data.vertices[0].co.x = 1e6
    with pytest.raises(MaquetteError, match="'House' is more than 100 km across"):
        surface(bpy.context)


def test_the_command_writes_the_surface_and_sees_it_from_all_sides(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    scenes.box((30, 0, 6), (10, 8, 12), "House")
    scenes.box((30, 0, -0.5), (400, 400, 1), "Ground")
    words = ["--surface", str(tmp_path / "s.npz"), "--around", "5", "--long-side", "64"]
    assert command.main([*words, "--output", str(tmp_path / "c.maquette")]) == 0
    with np.load(tmp_path / "s.npz") as file:
        assert file["corners"].shape == (12, 3, 3) and file["uvs"].shape == (12, 3, 2)
        assert json.loads(file["named"].tobytes()) == {
            "names": ["House"],
            "left_out": ["Ground"],
            "tiles": [1001],
            "loop_counts": [24],
            "layered": [True],
        }
        assert file["loop_uvs"].shape == (24, 2)
    captures = captures_of(*container.read(tmp_path / "c.maquette", kind=Submit))
    assert 2 <= len(captures) <= 5
    assert {(each.view.width, each.view.height) for each in captures} == {(64, 64)}
    # Four walls and the roof, 512 of 592 m².
    said = f"The {len(captures)} views see 86% of the surface's area under 75 degrees, of 86% that"
    assert said in capfd.readouterr().err


def test_a_surface_that_nothing_sees_is_an_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    scenes.box((0, 0, 5), (2, 2, 2), "Safe")
    scenes.box((0, 0, 5), (9, 9, 9), "House")
    words = ["--surface", str(tmp_path / "s.npz"), "--object", "Safe", "--around", "3"]
    assert command.main([*words, "--output", str(tmp_path / "c.maquette")]) == 1
    assert "No place was found" in capfd.readouterr().err


def test_faces_that_look_inwards_have_places_of_their_own():
    """Some of a model that shows both sides of a face: Blender's unwrapper alone folds these onto
    their neighbours."""
    house: Any = scenes.box((0, 0, 5), (12, 8, 10), "House")
    for face in list(house.data.polygons)[::2]:
        face.flip()
    made = surface(bpy.context)
    assert fitness.measures(made.corners, made.uvs).fault() == ""
    first, second, third = np.moveaxis(made.corners, 1, 0)
    normals = np.cross(second - first, third - first)
    outward = (normals * (made.corners.mean(1) - (0, 0, 5))).sum(1) > 0
    assert outward.sum() == 6, "as they were"


# --- UV maps -------------------------------------------------------------------------------------


def mapped(thing: Any, place: tuple[float, float] = (0.0, 0.0), size: float = 1.0) -> Any:
    """A box whose faces lie in a grid of 3 x 2 cells, in a part of the map."""
    thing.data.uv_layers.new(name="Mine")
    layer = thing.data.uv_layers["Mine"]
    for number, face in enumerate(thing.data.polygons):
        cell = np.array((number % 3, number // 3)) / 3
        for corner, at in zip(face.loop_indices, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
            layer.uv[corner].vector = (cell + np.array(at) * 0.32) * size + place
    return thing


def test_a_map_that_is_fit_is_the_one_that_is_used():
    thing = mapped(scenes.box((0, 0, 5), (10, 10, 10), "House"))
    made = surface(bpy.context)
    mine = np.empty(24 * 2, np.float32)
    thing.data.uv_layers["Mine"].uv.foreach_get("vector", mine)
    assert np.array_equal(made.loop_uvs(), mine.reshape(-1, 2)) and made.tiles == (1001,)
    assert made.about_uvs == "The texture uses the UV map of 'House'."
    assert not np.array_equal(surface(bpy.context, own_uvs=False).loop_uvs(), mine.reshape(-1, 2))


def test_several_objects_keep_their_maps_where_these_are_one_atlas_together():
    for number, name in enumerate(("House", "Annex", "Shed")):
        place = (number % 2 / 2, number // 2 / 2)
        mapped(scenes.box((20 * number, 0, 5), (10, 10, 10), name), place, 0.5)
    made = surface(bpy.context)
    assert made.about_uvs == "The texture uses the UV maps of 'House', 'Annex' and 1 more."
    assert made.uvs[made.objects == made.names.index("Shed")].min(0)[:, 1].min() >= 0.5


def test_why_a_map_is_not_used_is_said():
    mapped(scenes.box((0, 0, 5), (10, 10, 10), "House"))
    mapped(scenes.box((20, 0, 5), (10, 10, 10), "Annex"))
    made = surface(bpy.context)
    assert made.about_uvs == (
        "The texture has a UV map of its own, not the UV maps of 'House', 'Annex': there faces lie "
        "on each other on 100% of it."
    )
    in_map = areas(made)[1]
    assert made.uvs.min() >= 0 and made.uvs.max() <= 1 and in_map.sum() > 0.3
    scenes.box((40, 0, 5), (10, 10, 10), "Plain")
    assert surface(bpy.context, ["Plain"]).about_uvs == "", "it has none to use"


def test_a_picture_for_each_object_and_each_keeps_its_own_map():
    mine = mapped(scenes.box((0, 0, 5), (10, 10, 10), "House"))
    scenes.box((20, 0, 5), (10, 10, 10), "Annex")
    stretched = mapped(scenes.box((40, 0, 5), (10, 10, 10), "Shed"))
    stretched.data.uv_layers["Mine"].uv[0].vector = (7.0, 0.5)
    made = surface(bpy.context, each=True)
    assert made.tiles == (1001, 1002, 1003)
    assert made.about_uvs.endswith(
        "not the UV map of 'Shed': there 17% of the faces reach beyond its square."
    )
    for number, name in enumerate(made.names):
        own = made.uvs[made.objects == number] - (number, 0)
        assert own.min() >= 0 and own.max() <= 1, name
        assert np.ptp(own, (0, 1)).max() > 0.6, "each has the whole of its picture"
    kept = np.empty(24 * 2, np.float32)
    mine.data.uv_layers["Mine"].uv.foreach_get("vector", kept)
    place = made.names.index("House")
    own = made.loop_uvs()[place * 24 : place * 24 + 24]
    assert np.allclose(own, kept.reshape(-1, 2) + np.array((place, 0)), atol=1e-6)


def test_more_pictures_than_there_can_be_are_refused():
    one = scenes.box((0, 0, 5), (1, 1, 1), "House")
    for number in range(100):
        copy = bpy.data.objects.new(f"Copy {number}", one.data)
        copy.location = (3 * number, 0, 0)
        bpy.context.scene.collection.objects.link(copy)
    bpy.context.view_layer.update()
    with pytest.raises(MaquetteError, match="101 objects is too many"):
        surface(bpy.context, each=True)
    assert len(surface(bpy.context).names) == 101
