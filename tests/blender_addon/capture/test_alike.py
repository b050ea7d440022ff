"""What a texture is of and painted from: what viewports and renders both show, as viewports do."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from maquette_wire.view import View

from blender_addon import command
from blender_addon.capture import (
    as_in_viewports,
    bare_of,
    camera_pose,
    camera_view,
    capture_view,
    left_out,
    surface,
    unlike,
)
from tests.blender_addon.capture import scenes, state


def seen_from() -> View:
    """The view of a camera before the house."""
    camera = bpy.data.objects.get("Camera") or scenes.camera((4, -40, 12), (4, 0, 5))
    depsgraph = bpy.context.evaluated_depsgraph_get()
    return camera_view(camera, camera_pose(camera, depsgraph), depsgraph, 96, 64)


def depth(capture: Callable[..., Any], *before: Any) -> np.ndarray:
    return np.asarray(capture(*before, seen_from()).depth)


def a_house() -> Any:
    return scenes.box((0, 0, 5), (10, 10, 10), "House")


# --- other meshes in renders ----------------------------------------------------------------------


def finer(house: Any) -> str:
    house.modifiers.new("Subdivision", "SUBSURF")  # Blender's own levels: 1, and 2 in renders
    return "Subdivision"


def in_renders_alone(house: Any) -> str:
    array = house.modifiers.new("Array", "ARRAY")
    array.count, array.relative_offset_displace, array.show_viewport = 3, (1.5, 0, 0), False
    return "Array"


def in_viewports_alone(house: Any) -> str:
    house.modifiers.new("Bevel", "BEVEL").width = 3.0
    house.modifiers["Bevel"].show_render = False
    return "Bevel"


def rounder(house: Any) -> str:
    house.data.clear_geometry()
    house.data.from_pydata([(5, 0, 0), (3, 0, 10)], [(0, 1)], [])
    screw = house.modifiers.new("Screw", "SCREW")
    screw.steps, screw.render_steps = 5, 32
    return "Screw"


def simplified(house: Any) -> str:
    subdivision = house.modifiers.new("Subdivision", "SUBSURF")
    subdivision.levels = subdivision.render_levels = 3
    render = bpy.context.scene.render
    render.use_simplify, render.simplify_subdivision = True, 1
    return "Simplify"


def of_another_curve(_house: Any) -> str:
    curve = bpy.data.curves.new("Ring", "CURVE")
    curve.dimensions, curve.bevel_depth = "3D", 1.0
    spline = curve.splines.new("BEZIER")
    spline.bezier_points.add(1)
    for point, (x, z) in zip(spline.bezier_points, ((0, 0), (8, 12)), strict=True):
        point.co = (x, -6, z)
        point.handle_left_type = point.handle_right_type = "FREE"
        point.handle_left, point.handle_right = (x - 9, -6, z), (x + 9, -6, z)
    curve.resolution_u, curve.render_resolution_u = 2, 24
    scenes.link("Ring", curve)
    return ""


MESHES = (finer, in_renders_alone, in_viewports_alone, rounder, simplified, of_another_curve)


@pytest.mark.parametrize("change", MESHES)
def test_a_texture_is_painted_from_the_meshes_that_viewports_show(change: Callable[[Any], str]):
    name = change(a_house())
    bpy.context.view_layer.update()
    seen_from()
    before = state.dump()
    said = unlike(bpy.context, ["House"])
    with as_in_viewports(bpy.context) as capture:
        shown = depth(capture)
    assert state.difference(before, state.dump()) == {}
    assert (f"of 'House' ({name})." in said) if name else said == ""
    as_rendered = depth(capture_view, bpy.context)
    # Now as renders really are the same.
    for thing in bpy.data.objects:
        for each in (*thing.modifiers, thing.data):
            for one, other in (
                ("show_viewport", "show_render"),
                ("levels", "render_levels"),
                ("steps", "render_steps"),
                ("resolution_u", "render_resolution_u"),
            ):
                if hasattr(each, other):
                    setattr(each, other, getattr(each, one))
    bpy.context.scene.render.simplify_subdivision_render = 1
    assert unlike(bpy.context, ["House"]) == ""
    np.testing.assert_allclose(shown, depth(capture_view, bpy.context), rtol=1e-4)
    assert not np.allclose(shown, as_rendered, rtol=1e-3)


def test_nodes_that_ask_where_they_are_evaluated_are_named():
    outer, inner = (bpy.data.node_groups.new(name, "GeometryNodeTree") for name in "oi")
    inner.nodes.new("GeometryNodeIsViewport")
    outer.nodes.new("GeometryNodeGroup").node_tree = inner
    house = a_house()
    house.modifiers.new("Scatter", "NODES").node_group = outer
    house.modifiers.new("Empty", "NODES")
    assert "'House' (Scatter)" in unlike(bpy.context, ["House"])
    house.modifiers["Scatter"].show_viewport = house.modifiers["Scatter"].show_render = False
    assert unlike(bpy.context, ["House"]) == ""


# --- what is hidden -------------------------------------------------------------------------------


def in_collection(thing: Any, *names: str) -> Any:
    """Put a thing into a collection within others; the layer collection of the first."""
    bpy.context.scene.collection.objects.unlink(thing)
    parent = bpy.context.scene.collection
    for name in names:
        made = bpy.data.collections.new(name)
        parent.children.link(made)
        parent = made
    parent.objects.link(thing)
    return bpy.context.view_layer.layer_collection.children[names[0]]


def by_eye(thing: Any) -> None:
    thing.hide_set(True)


def by_monitor(thing: Any) -> None:
    thing.hide_viewport = True


def by_collection_eye(thing: Any) -> None:
    in_collection(thing, "Part").hide_viewport = True


def by_collection_monitor(thing: Any) -> None:
    in_collection(thing, "Part").collection.hide_viewport = True


def by_camera(thing: Any) -> None:
    thing.hide_render = True


def by_collection_camera(thing: Any) -> None:
    in_collection(thing, "Part").collection.hide_render = True


IN_VIEWPORTS = (by_eye, by_monitor, by_collection_eye, by_collection_monitor)
IN_RENDERS = (by_camera, by_collection_camera)


@pytest.mark.parametrize("hide", [*IN_VIEWPORTS, *IN_RENDERS])
def test_what_is_hidden_in_one_of_them_is_left_out_and_named(hide: Callable[[Any], None]):
    a_house()
    bpy.context.view_layer.update()
    alone = depth(capture_view, bpy.context)
    screen = scenes.box((0, -10, 10), (30, 1, 20), "Screen")
    bpy.context.view_layer.update()
    hide(screen)
    bpy.context.view_layer.update()
    before = state.dump()
    assert surface(bpy.context).names == ["House"]
    with as_in_viewports(bpy.context) as capture:
        np.testing.assert_allclose(depth(capture), alone, rtol=1e-4)
    where = "viewport" if hide in IN_VIEWPORTS else "renders"
    assert left_out(bpy.context).startswith(
        f"Left out: Screen (hidden in {'the ' * (where == 'viewport')}{where}). A texture is of"
    )
    changed = state.difference(before, state.dump())
    # What a collection's monitor hides Blender only notes with the next change of a collection.
    assert changed.pop("Screen in viewport 0", (None, (False, False)))[1] == (False, False)
    assert changed == {}
    # Hidden in both, or a helper: meant so, and nothing to tell.
    by_camera(screen)
    by_monitor(screen)
    assert left_out(bpy.context) == ""
    screen.hide_viewport, screen.display_type = False, "WIRE"
    if hide in (by_monitor, *IN_RENDERS):
        assert left_out(bpy.context) == ""


def test_what_an_excluded_collection_has_is_left_out_and_a_collection_in_it_isn_t():
    layer = in_collection(a_house(), "Site", "Building")
    bpy.context.view_layer.update()
    layer.exclude = True
    scenes.box((30, 0, 5), (10, 10, 10), "Annex")
    bpy.context.view_layer.update()
    assert surface(bpy.context).names == ["Annex"] and left_out(bpy.context) == ""
    layer.children["Building"].exclude = False
    bpy.context.view_layer.update()
    assert sorted(surface(bpy.context).names) == ["Annex", "House"]
    layer.collection.hide_render = True
    assert surface(bpy.context).names == ["Annex"]


@pytest.mark.parametrize("hide", [*IN_VIEWPORTS, *IN_RENDERS])
@pytest.mark.parametrize("kind", ["nodes", "collection"])
def test_instances_are_shown_as_blender_shows_them(hide: Callable[[Any], None], kind: str):
    """Nodes and particles show what is hidden itself; an instance of a collection doesn't, but for
    the eye."""
    column = scenes.box((0, 0, 6), (4, 4, 12), "Column")
    kit = bpy.data.collections.new("Kit")
    kit.objects.link(column)
    copy = scenes.link("Copy", bpy.data.meshes.new("Empty") if kind == "nodes" else None)
    if kind == "nodes":
        group = bpy.data.node_groups.new("Scatter", "GeometryNodeTree")
        group.interface.new_socket("Out", in_out="OUTPUT", socket_type="NodeSocketGeometry")
        shown, out = (
            group.nodes.new(name) for name in ("GeometryNodeObjectInfo", "NodeGroupOutput")
        )
        shown.inputs["Object"].default_value = column
        shown.inputs["As Instance"].default_value = True
        group.links.new(shown.outputs["Geometry"], out.inputs[0])
        copy.modifiers.new("Scatter", "NODES").node_group = group
    else:
        copy.instance_type, copy.instance_collection = "COLLECTION", kit
    copy.location = (0, 0, 1)
    ground = scenes.box((0, 0, -0.1), (9, 9, 0.2), "Ground")
    bpy.context.view_layer.update()
    hide(column)
    bpy.context.view_layer.update()
    names = set(surface(bpy.context).names) - {"Ground"}
    by_eye_alone = hide in (by_eye, by_collection_eye, by_collection_monitor, by_collection_camera)
    there = kind == "nodes" or by_eye_alone
    assert names == ({"Copy"} if there else set())
    assert bare_of(bpy.context.evaluated_depsgraph_get()) == (["Copy"] if there else [])
    ground.hide_render = True
    with as_in_viewports(bpy.context) as capture:
        assert np.isfinite(depth(capture)).any() == there


# --- what is asked for by name --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hide", "said"),
    [
        (by_eye, "'Annex' is hidden in the viewport"),
        (by_collection_monitor, "'Annex' is hidden in the viewport"),
        (by_camera, "'Annex' is hidden in renders"),
        (by_collection_camera, "'Annex' is hidden in renders"),
        (lambda thing: setattr(in_collection(thing, "Part"), "exclude", True), "view layer exclud"),
        (lambda thing: bpy.context.scene.collection.objects.unlink(thing), "is in another scene"),
        (lambda thing: setattr(thing, "name", "Shed"), "no visible object with faces called"),
    ],
)
def test_why_what_is_named_is_not_there_is_said(
    hide: Callable[[Any], None], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    a_house()
    annex = scenes.box((30, 0, 5), (10, 10, 10), "Annex")
    bpy.context.view_layer.update()
    hide(annex)
    bpy.context.view_layer.update()
    words = ["--surface", str(tmp_path / "s.npz"), "--around", "1", "--long-side", "32"]
    words += ["--output", str(tmp_path / "c.maquette")]
    assert command.main([*words, "--object", "Annex"]) == 1
    assert said in capfd.readouterr().err


def test_the_command_names_what_is_left_out_and_what_renders_otherwise(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    finer(a_house())
    annex = scenes.box((30, 0, 5), (10, 10, 10), "Annex")
    bpy.context.view_layer.update()
    by_eye(annex)
    words = ["--surface", str(tmp_path / "s.npz"), "--around", "1", "--long-side", "32"]
    words += ["--output", str(tmp_path / "c.maquette")]
    assert command_said(words, capfd) == (True, True)
    assert command_said([*words, "--object", "House"], capfd) == (False, True), "as it was chosen"


def command_said(words: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[bool, bool]:
    assert command.main(words) == 0
    said = capfd.readouterr().err
    return "Left out: Annex (hidden in the viewport)" in said, "'House' (Subdivision)" in said
