"""Captures at frames of an animation."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from maquette_wire import container
from maquette_wire.capture import Capture, captures_of
from maquette_wire.messages import Submit

from blender_addon import command
from tests.blender_addon.capture import scenes, state


def captured(folder: Path, *words: str) -> list[Capture]:
    target = folder / "frames.maquette"
    assert command.main([*words, "--long-side", "32", "--output", str(target)]) == 0
    return captures_of(*container.read(target, kind=Submit))


def depths(captures: list[Capture]) -> list[float]:
    return [round(float(np.median(np.asarray(each.depth))), 2) for each in captures]


def approach() -> tuple[bpy.types.Object, bpy.types.Object]:
    """A camera that goes from 20 m to 10 m before a wall in ten frames, and one that stands."""
    scenes.box((0, 0.5, 0), (400, 1, 400), "Wall")
    moving = scenes.camera((0, -20, 0), (0, 1, 0), "Moving")
    standing = scenes.camera((0, -5, 0), (0, 1, 0), "Standing")
    for frame, value in {1: -20.0, 11: -10.0}.items():
        moving.location.y = value
        moving.keyframe_insert("location", index=1, frame=frame)
    bpy.context.scene.frame_set(1)
    return moving, standing


def test_frames_go_before_cameras(tmp_path: Path):
    approach()
    seen = captured(tmp_path, "--all-cameras", "--frames", "1..11:5")
    assert [each.view.name for each in seen] == ["Moving", "Standing"] * 3
    assert depths(seen) == [20, 5, 15, 5, 10, 5]


def test_single_frames_in_the_order_given(tmp_path: Path):
    approach()
    seen = captured(tmp_path, "--camera", "Moving", "--frame", "11", "--frame", "-3")
    assert depths(seen) == [10, 20]


def test_drivers_follow_the_frame(tmp_path: Path):
    _, standing = approach()
    driver = standing.driver_add("location", 1).driver
    driver.expression = "-frame"
    assert depths(captured(tmp_path, "--camera", "Standing", "--frames", "7..8")) == [7, 8]


def test_markers_choose_the_camera_of_each_frame(tmp_path: Path):
    moving, standing = approach()
    for frame, camera in ((1, moving), (6, standing)):
        bpy.context.scene.timeline_markers.new(camera.name, frame=frame).camera = camera
    seen = captured(tmp_path, "--frame", "1", "--frame", "6")
    assert [each.view.name for each in seen] == ["Moving", "Standing"]


@pytest.mark.parametrize("works", [True, False])
def test_the_file_is_as_it_was(tmp_path: Path, works: bool):
    moving, _ = approach()
    scene = bpy.context.scene
    scene.frame_set(4, subframe=0.25)
    moving.location.y = -17.5  # without a key
    bpy.context.view_layer.update()
    before = state.dump()
    if works:
        assert depths(captured(tmp_path, "--frames", "1..6:5", "--camera", "Moving")) == [20, 15]
    else:
        target = str(tmp_path / "x.maquette")
        assert command.main(["--frame", "8", "--camera", "Nope", "--output", target]) == 1
    assert state.difference(before, state.dump()) == {}
    assert depths(captured(tmp_path, "--camera", "Moving")) == [17.5]


def test_sky_is_said_with_its_frame(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    approach()
    wall = bpy.data.objects["Wall"]
    for frame, hidden in ((1, False), (2, True)):
        wall.hide_render = hidden
        wall.keyframe_insert("hide_render", frame=frame)
    captured(tmp_path, "--camera", "Standing", "--frames", "1..2")
    said = [line for line in capfd.readouterr().err.splitlines() if "maquette:" in line]
    assert said == ["maquette: warning: the camera 'Standing' sees nothing but sky at frame 2."]
