"""Materials, rendered: a tile of 2.4 m spans 2.4 m on whatever it lies on, and is level."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from maquette_wire import material_files
from maquette_wire.material import Material
from maquette_wire.recipe import Recipe
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from blender_addon import materials, saved_materials
from blender_addon.commissions import MappingKind

SIDE, SHOWN, PIXELS = 128, 4.8, 96
"""Pixels of the maps; metres that a render shows, and its pixels."""
PERIOD = PIXELS * 2.4 / SHOWN


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    """A tile whose red grows to the right and whose green grows upwards."""
    steps = np.round(np.linspace(10, 245, SIDE)).astype(np.uint8)
    albedo = np.full((SIDE, SIDE, 3), 128, np.uint8)
    albedo[..., 0], albedo[..., 1] = steps[None], steps[::-1, None]
    flat = {
        "albedo": albedo,
        "normal": np.broadcast_to(np.uint8([128, 128, 255]), (SIDE, SIDE, 3)).copy(),
        "height": bytes(2 * SIDE**2),
        "roughness": np.full((SIDE, SIDE), 255, np.uint8),
        "occlusion": np.full((SIDE, SIDE), 255, np.uint8),
    }
    material = Material(size=2.4, pixels=SIDE).filled("plaster")
    recipe = Recipe(prompt="plaster")
    files = material_files.encode(flat, recipe, material, (0.0, 0.0), software="test")
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path / "albedo.png"


def seen(
    vertices: list[tuple[float, float, float]], albedo: Path, mapping: MappingKind, **placed: Any
) -> NDArray[np.float32]:
    """A face, given counter-clockwise from below left, with the material, rendered squarely as
    float32 [PIXELS, PIXELS, 2]: how far to the right and how far up in its tile each pixel is."""
    scene = bpy.context.scene
    mesh = bpy.data.meshes.new("Face")
    mesh.from_pydata(vertices, [], [list(range(len(vertices)))])
    mesh.update()
    mesh.materials.append(materials.make(saved_materials.read(albedo), mapping))
    thing = shown = bpy.data.objects.new("Face", mesh)
    if "instance_scale" in placed:
        hidden = bpy.data.collections.new("Instanced")
        hidden.objects.link(thing)
        shown = bpy.data.objects.new("Instance", None)
        shown.instance_type, shown.instance_collection = "COLLECTION", hidden
        shown.scale = placed["instance_scale"]
    scene.collection.objects.link(shown)
    if "parent_scale" in placed:
        thing.parent = bpy.data.objects.new("Parent", None)
        scene.collection.objects.link(thing.parent)
        thing.parent.scale = placed["parent_scale"]
    thing.rotation_euler = placed.get("turned", (0, 0, 0))
    thing.scale = placed.get("scale", (1, 1, 1))
    bpy.context.view_layer.update()
    whole = thing.matrix_world if shown is thing else shown.matrix_world @ thing.matrix_basis
    corners = [whole @ Vector(vertex) for vertex in vertices]
    across = (corners[1] - corners[0]).normalized()
    out = across.cross(corners[-1] - corners[0]).normalized()
    up = out.cross(across)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    camera.data.type, camera.data.ortho_scale = "ORTHO", SHOWN
    turned = Matrix((across, up, out)).transposed().to_4x4()
    turned.translation = sum(corners, Vector()) / len(corners) + out * 5
    camera.matrix_world = turned
    world: Any = bpy.data.worlds.new("World")
    scene.world, world.color = world, (1.0, 1.0, 1.0)
    if bpy.app.version >= (5, 0):
        world.node_tree.nodes["Background"].inputs["Color"].default_value = 1.0, 1.0, 1.0, 1.0
    render = scene.render
    render.engine, scene.cycles.samples = "CYCLES", 4
    scene.cycles.use_denoising = False
    render.dither_intensity = 0.0
    render.resolution_x = render.resolution_y = PIXELS
    scene.view_settings.view_transform = "Standard"
    render.filepath = str(albedo.parent / "render.png")
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(render.filepath)
    pixels = np.empty(PIXELS * PIXELS * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(PIXELS, PIXELS, 4)[..., :2]  # row 0 is at the bottom


def check(shown: NDArray[np.float32]) -> None:
    """Two tiles across and two up, level, and as they were painted."""
    for line in (shown[..., 0].mean(0), shown[..., 1].mean(1)):
        ends = np.flatnonzero(np.diff(line) < -0.2)
        ends = ends[np.diff(ends, prepend=-9) > 2]  # one that falls between pixels is seen twice
        assert 1 <= len(ends) <= 2, line
        if len(ends) == 2:
            assert ends[1] - ends[0] == pytest.approx(PERIOD, abs=1.1)
        rises = np.diff(line)
        assert (rises > 0).mean() > 0.9
        # From its darkest to its brightest once in a tile.
        assert np.median(rises) == pytest.approx(np.ptp(line) / PERIOD, rel=0.1)
    assert shown[..., 0].std(0).mean() < 0.05 and shown[..., 1].std(1).mean() < 0.05


FRONT = [(-0.5, 0, -0.5), (0.5, 0, -0.5), (0.5, 0, 0.5), (-0.5, 0, 0.5)]
SIDE_FACE = [(0, -0.5, -0.5), (0, 0.5, -0.5), (0, 0.5, 0.5), (0, -0.5, 0.5)]


@pytest.mark.parametrize("mapping", ["FACES", "BOX"])
@pytest.mark.parametrize(
    ("face", "placed"),
    [
        (FRONT, {"scale": (6, 1, 5)}),
        (SIDE_FACE, {"scale": (1, 6, 7)}),
        (FRONT, {"scale": (3, 1, 5), "parent_scale": (2, 1, 1.5)}),
        (FRONT, {"scale": (6, 1, 5), "turned": (0.2, 0.4, 0.9)}),
        (FRONT, {"scale": (3, 1, 5), "instance_scale": (2, 1, 1.5)}),
    ],
)
def test_a_wall_of_any_scale(maps, mapping, face, placed):
    check(seen(face, maps, mapping, **placed))


@pytest.mark.parametrize("degrees", [15, 35, 45, 55, 70])
@pytest.mark.parametrize("facing", [0, 30, 90, 200])
def test_slopes_and_angled_walls_along_their_faces(maps, degrees, facing):
    """Of one mesh with no turn of its own, as a model of a house has them."""
    pitch, turn = math.radians(degrees), math.radians(facing)
    across = Vector((math.cos(turn), math.sin(turn), 0)) * 3
    up = Vector((-math.sin(turn) * math.cos(pitch), math.cos(turn) * math.cos(pitch), 0))
    up = (up + Vector((0, 0, math.sin(pitch)))) * 3
    corners = [tuple(-across - up), tuple(across - up), tuple(across + up), tuple(up - across)]
    check(seen(corners, maps, "FACES"))


def test_a_slope_that_is_stretched(maps):
    corners = [(-2, -2, -1), (2, -2, -1), (2, 2, 1), (-2, 2, 1)]
    check(seen(corners, maps, "FACES", scale=(2, 1.5, 4)))


def test_a_floor(maps):
    corners = [(-3, -3, 0), (3, -3, 0), (3, 3, 0), (-3, 3, 0)]
    check(seen(corners, maps, "FACES"))
