"""Models of other programs, as the command captures them."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from maquette_wire import container
from maquette_wire.capture import Capture, captures_of
from maquette_wire.messages import Submit

from blender_addon import command, models
from tests.blender_addon.capture import scenes

SIZE = (12.0, 8.0, 20.0)


def _fbx(path: str) -> None:
    with models._enabled("io_scene_fbx"):
        bpy.ops.export_scene.fbx(filepath=path)


EXPORTERS: dict[str, Callable[[str], Any]] = {
    ".glb": lambda path: bpy.ops.export_scene.gltf(filepath=path, export_cameras=True),
    ".gltf": lambda path: bpy.ops.export_scene.gltf(
        filepath=path, export_format="GLTF_SEPARATE", export_cameras=True
    ),
    ".obj": lambda path: bpy.ops.wm.obj_export(filepath=path),
    ".usda": lambda path: bpy.ops.wm.usd_export(filepath=path),
    ".usdc": lambda path: bpy.ops.wm.usd_export(filepath=path),
    ".usdz": lambda path: bpy.ops.wm.usd_export(filepath=path),
    ".fbx": _fbx,
    ".stl": lambda path: bpy.ops.wm.stl_export(filepath=path),
    ".ply": lambda path: bpy.ops.wm.ply_export(filepath=path),
}


def tower(ground: bool = True, at: tuple[float, float, float] = (0, 0, 0)) -> None:
    """A tower of `SIZE` with a lower part before it, on ground of its own."""
    x, y, z = at
    scenes.box((x, y, z + SIZE[2] / 2), SIZE, "Tower")
    scenes.box((x + 3, y - 8, z + 2), (6, 8, 4), "Wing")
    if ground:
        scenes.box((x, y, z - 0.05), (120, 120, 0.1), "Ground")


def captured(folder: Path, model: Path, *words: str) -> list[Capture]:
    target = folder / "model.maquette"
    size = [] if "--size" in words else ["--long-side", "96"]
    arguments = ["--model", str(model), *size, *words, "--output", str(target)]
    assert command.main(arguments) == 0
    return captures_of(*container.read(target, kind=Submit))


def extents() -> np.ndarray:
    """Of the tower, as it lies in the scene now: [low, high]."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    thing = next(each for each in bpy.data.objects if each.name.startswith("Tower"))
    thing = next(each for each in (thing, *thing.children) if each.type == "MESH")
    evaluated = thing.evaluated_get(depsgraph)
    points = np.array([evaluated.matrix_world @ each.co for each in evaluated.data.vertices], float)
    return np.array([points.min(0), points.max(0)])


def said_by(capfd: pytest.CaptureFixture[str]) -> list[str]:
    lines = capfd.readouterr().err.splitlines()
    return [line.removeprefix("maquette: ") for line in lines if line.startswith("maquette: ")]


def eye_of(capture: Capture) -> np.ndarray:
    return np.linalg.inv(np.reshape(capture.view.view_matrix, (4, 4)))[:3, 3]


@pytest.mark.parametrize("suffix", EXPORTERS)
def test_a_model_stands_upright_in_metres_and_is_seen_from_around(
    tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]
):
    tower()
    model = tmp_path / f"Haus am Süd-Weg 1{suffix}"
    EXPORTERS[suffix](str(model))
    scenes.box((0, 0, 0), (500, 500, 500), "Left over")
    street, bird = captured(tmp_path, model)
    assert "Left over" not in bpy.data.objects
    if suffix not in (".stl", ".ply"):  # which hold one mesh
        low, high = extents()
        assert high - low == pytest.approx(SIZE, abs=1e-3) and low[2] == pytest.approx(0, abs=1e-3)
    assert said_by(capfd) == [
        f"{model.name} brings no camera: it is seen from 'Street' and 'Bird'."
    ]
    assert (street.view.name, bird.view.name) == ("Street", "Bird")
    assert (street.view.width, street.view.height) == (96, 56)
    assert eye_of(street)[2] == pytest.approx(1.6, abs=0.11) and eye_of(bird)[2] > 20
    for capture in (street, bird):
        seen = np.isfinite(np.asarray(capture.depth))
        assert 0.2 < seen.mean() <= 1.0
        assert np.asarray(capture.color)[seen].std() > 5


@pytest.mark.parametrize("suffix", [".glb", ".usdc", ".fbx"])
def test_a_models_own_cameras_see_what_they_saw(tmp_path: Path, suffix: str):
    tower()
    for name, place in (("North", (10, -60, 12)), ("South", (-40, -30, 5))):
        camera = scenes.camera(place, (0, 0, 8), name, lens=30)
        camera.data.clip_end = 1000
    # A glTF's camera has the proportions of the scene.
    bpy.context.scene.render.resolution_x, bpy.context.scene.render.resolution_y = 96, 64
    bpy.context.view_layer.update()
    before = tmp_path / "before.maquette"
    words = ["--all-cameras", "--size", "96x64"]
    assert command.main([*words, "--output", str(before)]) == 0
    expected = captures_of(*container.read(before, kind=Submit))
    EXPORTERS[suffix](str(tmp_path / f"a{suffix}"))
    seen = captured(tmp_path, tmp_path / f"a{suffix}", "--size", "96x64")[:2]
    for one in seen:
        other = next(each for each in expected if each.view.name[:5] == one.view.name[:5])
        first, second = np.asarray(one.depth), np.asarray(other.depth)
        both = np.isfinite(first) & np.isfinite(second)
        assert both.mean() > 0.3
        assert np.quantile(np.abs(first - second)[both] / second[both], 0.9) < 0.02


def test_views_around_a_model(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    tower()
    EXPORTERS[".glb"](str(tmp_path / "a.glb"))
    seen = captured(tmp_path, tmp_path / "a.glb", "--around", "3", "--size", "96x48")
    assert [each.view.name for each in seen] == ["around 1", "around 2", "around 3"]
    assert [(each.view.width, each.view.height) for each in seen] == [(96, 48)] * 3
    assert "The 3 views see" in said_by(capfd)[-1]


def test_the_cameras_of_a_model_as_json(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    tower()
    scenes.camera((10, -60, 12), (0, 0, 8), "North")
    EXPORTERS[".glb"](str(tmp_path / "a.glb"))
    capfd.readouterr()
    assert command.main(["--model", str(tmp_path / "a.glb"), "--list-cameras"]) == 0
    listed = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert [camera["name"] for camera in listed["cameras"]] == ["North"]


def houses(turned: bool) -> None:
    """Gabled houses in all directions, as a map has them."""
    for index in range(6):
        corners = [(-6, -4, 0), (6, -4, 0), (6, 4, 0), (-6, 4, 0)]
        corners += [(x, y, 6) for x, y, _ in corners] + [(-6, 0, 6.5), (6, 0, 6.5)]
        faces = [(3, 2, 1, 0), (0, 1, 5, 4), (2, 3, 7, 6), (1, 2, 6, 9, 5), (3, 0, 4, 8, 7)]
        mesh = bpy.data.meshes.new("House")
        mesh.from_pydata(corners, [], [*faces, (4, 5, 9, 8), (6, 7, 8, 9)])
        house = scenes.link(f"Tower {index}" if index == 0 else f"House {index}", mesh)
        house.location = (index % 3 * 30, index // 3 * 25, 0)
        house.rotation_euler[2] = 0.35 + 0.2 * index if turned else 0
    scenes.box((30, 12, -0.5), (130, 90, 1), "Lawn")


def test_an_obj_along_z_is_recognised(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    houses(turned=True)
    path = str(tmp_path / "map.obj")
    bpy.ops.wm.obj_export(filepath=path, forward_axis="Y", up_axis="Z")
    captured(tmp_path, Path(path))
    assert said_by(capfd)[0].startswith("map.obj stands along Z, by its walls and roofs")
    assert extents()[1][2] == pytest.approx(6.5, abs=1e-3)
    captured(tmp_path, Path(path), "--up", "y")
    assert extents()[0][2] < -5


@pytest.mark.parametrize("turned", [True, False])
def test_an_obj_along_y_is_not_turned(
    tmp_path: Path, turned: bool, capfd: pytest.CaptureFixture[str]
):
    houses(turned)
    bpy.ops.wm.obj_export(filepath=str(tmp_path / "a.obj"))
    captured(tmp_path, tmp_path / "a.obj")
    assert "stands along Z" not in said_by(capfd)[0]
    assert extents()[1][2] == pytest.approx(6.5, abs=1e-3)


def test_a_model_in_millimetres(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    tower(ground=False)
    path = tmp_path / "mm.obj"
    bpy.ops.wm.obj_export(filepath=str(path), global_scale=1000.0)
    assert command.main(["--model", str(path), "--output", str(tmp_path / "x.maquette")]) == 1
    assert said_by(capfd)[-1].startswith("mm.obj is 20,000 m high. Say how many metres")
    seen = captured(tmp_path, path, "--unit", "0.001")
    low, high = extents()
    assert high - low == pytest.approx(SIZE, rel=1e-3)
    assert eye_of(seen[0])[2] == pytest.approx(1.6, abs=0.1)


def test_a_model_far_from_its_origin_is_moved_there(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    tower(at=(84_000, 60_000, 0))
    bpy.ops.wm.obj_export(filepath=str(tmp_path / "a.obj"))
    street, _ = captured(tmp_path, tmp_path / "a.obj")
    assert np.abs(extents()).max() < 100
    assert np.isfinite(np.asarray(street.depth)).mean() > 0.25
    lines = (tmp_path / "a.obj").read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith("v "):
            x, y, z = map(float, line.split()[1:])
            lines[number] = f"v {x + 5e6} {y} {z}"
    (tmp_path / "far.obj").write_text("\n".join(lines))
    target = str(tmp_path / "x.maquette")
    assert command.main(["--model", str(tmp_path / "far.obj"), "--output", target]) == 1
    assert "far.obj lies so far from its origin" in said_by(capfd)[-1]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xyz", b"x", "a.xyz is no kind of model that is understood. Give a .blend"),
        ("no.glb", None, "no.glb isn't there."),
        ("a.obj", b"", "a.obj is empty. Export it again"),
        ("words.obj", b"these are\nno faces\n", "words.obj holds no faces."),
        ("points.obj", b"v 0 0 0\nv 0 0 1\nv 1 0 0\n", "points.obj holds no faces."),
        ("small.obj", b"v 0 0 0\nv 0 .01 0\nv .01 0 .01\nf 1 2 3\n", "--unit 1000"),
        ("broken.glb", b"glTF\x02\0\0\0\xff\0\0\0 and nothing", "import broken.glb"),
        ("broken.gltf", b'{"asset": {', "import broken.gltf"),
        (
            "parts.gltf",
            b'{"asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],'
            b' "meshes": [{"primitives": [{"attributes": {"POSITION": 3}}]}]}',
            "can't import parts.gltf: its parts contradict each other. Export it again.",
        ),
        ("broken.usdc", b"PXR-USDC and nothing", "broken.usdc"),
        ("broken.usdz", b"PK\x03\x04 and nothing", "broken.usdz"),
        ("broken.fbx", b"Kaydara FBX Binary  \0 and nothing", "broken.fbx"),
        ("broken.stl", b"solid nothing\nendsolid\n", "broken.stl"),
        ("broken.ply", b"ply\nformat nothing\n", "broken.ply"),
    ],
)
def test_a_model_that_is_none_is_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, said: str, capfd: pytest.CaptureFixture[str]
):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    target = tmp_path / "x.maquette"
    assert command.main(["--model", str(tmp_path / name), "--output", str(target)]) == 1
    assert said in said_by(capfd)[-1] and not target.exists()


def test_cameras_that_a_model_lacks(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    tower()
    EXPORTERS[".glb"](str(tmp_path / "a.glb"))
    seen = captured(tmp_path, tmp_path / "a.glb", "--all-cameras", "--frames", "1..2")
    assert [each.view.name for each in seen] == ["Street", "Bird"] * 2
    words = ["--model", str(tmp_path / "a.glb"), "--camera", "X", "--output", str(tmp_path / "x")]
    assert command.main(words) == 1
    assert "The scene 'a.glb' of the open file has no camera" in said_by(capfd)[-1]


def test_up_is_not_for_a_file_that_says_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    words = ["--model", str(tmp_path / "a.glb"), "--up", "z", "--output", str(tmp_path / "x")]
    assert command.main(words) == 1
    assert "a.glb says itself which way is up. Leave --up out" in said_by(capfd)[-1]
