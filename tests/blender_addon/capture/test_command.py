"""The command that captures for a shell."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from maquette_wire import container
from maquette_wire.capture import captures_of
from maquette_wire.messages import Submit

from blender_addon import command
from tests.blender_addon.capture import scenes


def _last_line(capfd: pytest.CaptureFixture[str]) -> str:
    return capfd.readouterr().err.strip().splitlines()[-1]


def test_named_cameras_go_into_one_file_in_their_order(tmp_path: Path):
    scenes.box((0, 10, 0), (50, 1, 50))
    scenes.camera((0, 0, 0), (0, 1, 0), "Near")
    scenes.camera((0, -10, 0), (0, 1, 0), "Straße / Süd 1")
    target = tmp_path / "two.maquette"
    words = ["--camera", "Straße / Süd 1", "--camera", "Near", "--long-side", "64"]
    assert command.main([*words, "--output", str(target)]) == 0
    first, second = captures_of(*container.read(target, kind=Submit))
    assert (first.view.name, first.view.width) == ("Straße / Süd 1", 64)
    assert np.asarray(first.depth) == pytest.approx(19.5, rel=1e-4)
    assert np.asarray(second.depth) == pytest.approx(9.5, rel=1e-4)


def test_the_active_camera_at_a_size(tmp_path: Path):
    scenes.camera((0, 0, 0), (0, 1, 0), "Other")
    bpy.context.scene.camera = scenes.camera((0, 0, 0), (0, 1, 0), "Active")
    target = tmp_path / "one.maquette"
    assert command.main(["--size", "40x24", "--output", str(target)]) == 0
    (capture,) = captures_of(*container.read(target, kind=Submit))
    assert (capture.view.name, capture.view.width, capture.view.height) == ("Active", 40, 24)


def test_sky_alone_is_captured_with_a_warning(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    scenes.camera((0, 0, 0), (0, 1, 0), "Up")
    target = tmp_path / "sky.maquette"
    assert command.main(["--long-side", "64", "--output", str(target)]) == 0
    assert "'Up' sees nothing but sky" in _last_line(capfd)
    assert target.exists()


def test_the_cameras_as_json(capfd: pytest.CaptureFixture[str]):
    scenes.camera((0, 0, 0), (0, 1, 0), "Near")
    assert command.main(["--list-cameras"]) == 0
    scene = json.loads(capfd.readouterr().out)
    (camera,) = scene.pop("cameras")
    assert scene == {
        "frame": 1,
        "frame_start": 1,
        "frame_end": 250,
        "frame_step": 1,
        "frames_per_second": 24.0,
    }
    assert camera == {"name": "Near", "type": "persp", "active": True, "width": 512, "height": 288}


@pytest.mark.parametrize(
    ("cameras", "words", "said"),
    [
        (0, [], "has no camera. Add one in Blender (Add > Camera)"),
        (2, ["--camera", "Nope"], "has no camera 'Nope'. It has 'A', 'B'."),
        (2, [], "has no active camera. Name one of its cameras with --camera: 'A', 'B'."),
        (1, ["--size", "12y"], "'12y' is no size; write it like 768x512"),
        (1, ["--size", "9000x9000"], "9000 x 9000 pixels"),
        (1, ["--long-side", "1"], "1 pixels is too small"),
        (1, ["--frame", "x"], "'x' is no frame; write it like 24"),
        (1, ["--frame", "9999999"], "There is no frame 9999999. Blender has -1048574 to 1048574"),
        (1, ["--frames", "1-9"], "'1-9' are no frames; write them like 1..250:10"),
        (1, ["--frames", "9..1"], "'9..1' has no frames"),
        (1, ["--frames", "1..99999999"], "There is no frame 99999999"),
        (1, ["--frames", "1..65"], "65 captures of 512 x 288 pixels were asked for, and one call"),
        (2, ["--frames", "1..33", "--all-cameras"], "66 captures of 512 x 288"),
        (1, ["--frame", "1", "--surface", "s.npz"], "--surface is the model at one moment"),
        (1, ["--sideways"], "unrecognized arguments: --sideways"),
    ],
)
def test_an_error_is_one_line_that_names_the_fix(
    cameras: int, words: list[str], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    for name in "AB"[:cameras]:
        scenes.camera((0, 0, 0), (0, 1, 0), name)
    if cameras == 2:
        bpy.context.scene.camera = None
    assert command.main([*words, "--output", str(tmp_path / "x.maquette")]) == 1
    line = _last_line(capfd)
    assert line.startswith("maquette: ") and said in line
    assert not list(tmp_path.iterdir())


def test_a_folder_that_isnt_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    scenes.camera((0, 0, 0), (0, 1, 0))
    target = tmp_path / "nowhere" / "x.maquette"
    assert command.main(["--long-side", "64", "--output", str(target)]) == 1
    assert "No such file or directory. Choose a folder" in _last_line(capfd)
