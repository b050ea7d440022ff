"""F12 and Render Animation with Maquette as render engine, against a scripted server."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from maquette_wire import png
from maquette_wire.home import Home
from maquette_wire.messages import Submit
from maquette_wire.surface import surface_of

from blender_addon import engine, painter
from blender_addon.capture import exr
from blender_addon.capture.scope import Scope
from tests.shared.mock_server import MockServer

pytestmark = pytest.mark.usefixtures("settings", "camera")
WIDTH, HEIGHT = 80, 60


def levels(submit: Submit, index: int) -> bytes:
    """A picture in which every level of sRGB occurs, another one for each frame."""
    seed = int(submit.recipe.geometry * 100) + len(submit.recipe.prompt)
    values = np.arange(WIDTH * HEIGHT * 3).reshape(HEIGHT, WIDTH, 3) * 7 + seed + index * 31
    return (values % 256).astype(np.uint8).tobytes()


def painted(submit: Submit, index: int = 0) -> np.ndarray:
    return np.frombuffer(levels(submit, index), np.uint8).reshape(HEIGHT, WIDTH, 3)


@pytest.fixture(autouse=True)
def scene(camera: bpy.types.Object, server: MockServer) -> Any:
    """A scene that renders with Maquette, its colours as painted."""
    scene: Any = bpy.context.scene
    scene.render.engine = "MAQUETTE"
    scene.render.resolution_x, scene.render.resolution_y = WIDTH * 2, HEIGHT * 2
    scene.render.resolution_percentage = 50
    scene.render.dither_intensity = 0.0
    scene.view_settings.view_transform = "Standard"
    scene.maquette.seed = 5
    server.paint = levels
    return scene


def submits(server: MockServer) -> list[Submit]:
    return [message for message in server.received if isinstance(message, Submit)]


def pixels(path: Path) -> np.ndarray:
    """sRGB bytes of a file [height, width, channels], row 0 at the top."""
    image: Any = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    values = np.array(image.pixels[:]).reshape(image.size[1], image.size[0], -1)[::-1]
    bpy.data.images.remove(image)
    return np.rint(values * 255).astype(int)


def file_format(scene: Any, name: str, **settings: Any) -> None:
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "MULTI_LAYER_IMAGE" if name == "OPEN_EXR_MULTILAYER" else "IMAGE"
    image.file_format = name
    for key, value in settings.items():
        setattr(image, key, value)


def f12(scene: Any, path: Path) -> Path:
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return path


def test_f12_is_the_painted_picture_with_its_recipe(scene: Any, server: MockServer, tmp_path: Path):
    path = f12(scene, tmp_path / "frame.png")
    (submit,) = submits(server)
    assert (submit.views[0].width, submit.views[0].height) == (WIDTH, HEIGHT)
    assert submit.recipe.seed == 5 and submit.recipe.prompt == "red brick library at dusk"
    assert (pixels(path)[..., :3] == painted(submit)).all()
    assert png.read_recipe(path).prompt == submit.recipe.prompt
    end = time.monotonic() + 10  # the server is told last, and listens in a thread of its own
    while server.jobs and time.monotonic() < end:
        time.sleep(0.01)
    assert server.jobs == {}, "the server has heard that the picture is there"


def test_a_jpeg_is_close_to_it_and_an_exr_holds_linear_colour_and_depth(
    scene: Any, server: MockServer, tmp_path: Path
):
    server.paint = lambda submit, index: bytes([200, 100, 50]) * (WIDTH * HEIGHT)
    file_format(scene, "JPEG", quality=95)
    shown = pixels(f12(scene, tmp_path / "frame.jpg"))[..., :3]
    assert np.abs(shown - (200, 100, 50)).max() <= 3
    file_format(scene, "OPEN_EXR_MULTILAYER", color_depth="32", exr_codec="NONE")
    if hasattr(scene.render.image_settings, "use_exr_interleave"):
        scene.render.image_settings.use_exr_interleave = True
    bpy.context.view_layer.use_pass_z = True
    channels = exr.read_channels(f12(scene, tmp_path / "frame.exr"))
    passes = {".".join(name.split(".")[-2:]): values for name, values in channels.items()}
    assert np.allclose(passes["Combined.R"], ((200 / 255 + 0.055) / 1.055) ** 2.4)
    depth = passes["Depth.Z"]
    assert depth[HEIGHT // 2, WIDTH // 2] == pytest.approx(13.0, rel=1e-3)
    assert depth[0, 0] == pytest.approx(1e10)


def test_a_transparent_film_has_no_sky(scene: Any, server: MockServer, tmp_path: Path):
    scene.render.film_transparent = True
    file_format(scene, "PNG", color_mode="RGBA")
    shown = pixels(f12(scene, tmp_path / "frame.png"))
    assert shown[0, 0, 3] == 0 and shown[HEIGHT // 2, WIDTH // 2, 3] == 255
    middle = painted(submits(server)[0])[HEIGHT // 2, WIDTH // 2]
    assert (shown[HEIGHT // 2, WIDTH // 2, :3] == middle).all()


@pytest.mark.parametrize("crop", [False, True])
def test_a_border_is_that_part_of_the_same_picture(
    crop: bool, scene: Any, server: MockServer, tmp_path: Path
):
    render = scene.render
    render.use_border, render.use_crop_to_border = True, crop
    render.border_min_x, render.border_max_x = 0.25, 0.75
    render.border_min_y, render.border_max_y = 0.5, 1.0
    shown = pixels(f12(scene, tmp_path / "frame.png"))[..., :3]
    part = painted(submits(server)[0])[: HEIGHT // 2, WIDTH // 4 : WIDTH * 3 // 4]
    if not crop:
        assert shown.shape == (HEIGHT, WIDTH, 3) and not shown[HEIGHT // 2 :].any()
        shown = shown[: HEIGHT // 2, WIDTH // 4 : WIDTH * 3 // 4]
    assert (shown == part).all()


def test_pixels_that_are_not_square_show_what_blender_would(scene: Any, server: MockServer):
    scene.render.pixel_aspect_x = 2.0
    bpy.ops.render.render()
    wide = np.reshape(submits(server)[0].views[0].projection_matrix, (4, 4))
    assert wide[1, 1] / wide[0, 0] == pytest.approx(2 * WIDTH / HEIGHT)


def test_each_view_layer_is_painted_of_what_it_shows(
    scene: Any, server: MockServer, tmp_path: Path
):
    other = scene.view_layers.new("Empty")
    for child in other.layer_collection.children:
        child.exclude = True
    scene.collection.objects.unlink(bpy.data.objects["Cube"])
    house = bpy.data.collections.new("House")
    house.objects.link(bpy.data.objects["Cube"])
    scene.collection.children.link(house)
    other.layer_collection.children["House"].exclude = True
    bpy.ops.render.render()
    seen = [packet for packet in server.packets if isinstance(packet.message, Submit)]
    depths = [np.frombuffer(packet.frames[1], np.float32) for packet in seen]
    assert [bool(np.isfinite(depth).any()) for depth in depths] == [True, False]


def frames(scene: Any, folder: Path, last: int = 3) -> list[Path]:
    """The first frames of an animation."""
    scene.frame_start, scene.frame_end = 1, last
    scene.render.filepath = str(folder / "frame-")
    bpy.ops.render.render(animation=True)
    return sorted(folder.glob("frame-*.png"))


def test_frames_have_their_own_cameras_settings_and_prompts(
    scene: Any, server: MockServer, camera: bpy.types.Object, tmp_path: Path
):
    garden = bpy.data.objects.new("Garden", bpy.data.cameras.new("Garden"))
    garden.matrix_world = camera.matrix_world
    garden.location.y = -20
    scene.collection.objects.link(garden)
    for frame, bound in ((1, camera), (3, garden)):
        scene.timeline_markers.new(bound.name, frame=frame).camera = bound
    for frame, value in ((1, 0.2), (3, 0.6)):
        scene.maquette.geometry = value
        scene.keyframe_insert("maquette.geometry", frame=frame)
        scene.maquette.bay_width = value * 10
        scene.keyframe_insert("maquette.bay_width", frame=frame)
    later = scene.maquette.prompts.add()
    later.frame, later.prompt = 2, "white plaster"
    paths = frames(scene, tmp_path)
    made = submits(server)
    assert [submit.views[0].name for submit in made] == ["Street", "Street", "Garden"]
    assert [submit.recipe.geometry for submit in made] == pytest.approx([0.2, 0.4, 0.6], abs=1e-6)
    assert [submit.recipe.bay for submit in made] == pytest.approx([2.0, 4.0, 6.0], abs=1e-5)
    assert [submit.recipe.prompt for submit in made] == [
        "red brick library at dusk",
        "white plaster",
        "white plaster",
    ]
    assert {submit.recipe.seed for submit in made} == {5}
    assert all(not submit.together and len(submit.views) == 1 for submit in made)
    for path, submit in zip(paths, made, strict=True):
        assert (pixels(path)[..., :3] == painted(submit)).all()


def test_steady_frames_follow_the_one_before_until_a_cut(
    scene: Any, server: MockServer, camera: bpy.types.Object, tmp_path: Path
):
    scene.maquette.steady = True
    garden = bpy.data.objects.new("Garden", camera.data)
    garden.matrix_world = camera.matrix_world
    scene.collection.objects.link(garden)
    for frame, bound in ((1, camera), (4, garden)):
        scene.timeline_markers.new(bound.name, frame=frame).camera = bound
    paths = frames(scene, tmp_path, last=4)
    jobs = [packet for packet in server.packets if isinstance(packet.message, Submit)]
    assert [job.message.together for job in jobs] == [False, True, True, False]
    shown = [pixels(path)[..., :3] for path in paths]
    for job, before in ((jobs[1], [0]), (jobs[2], [0, 1])):
        given = surface_of(job.message, job.frames)[1]
        assert list(given) == list(range(len(before)))
        for place, frame in enumerate(before):
            assert (np.asarray(given[place]).reshape(HEIGHT, WIDTH, 3) == shown[frame]).all()
    # The box stands still, and is mostly the frame before; the sky is the new picture's.
    new = painted(jobs[1].message, 1).astype(int)
    middle, sky = (HEIGHT * 3 // 4, WIDTH // 2), (2, 2)
    mixed = new[middle] + 0.75 * (shown[0][middle] - new[middle])
    assert np.abs(shown[1][middle] - mixed).max() <= 1 and (shown[1][sky] == new[sky]).all()
    bpy.ops.render.render()
    assert not submits(server)[-1].together, "another render starts anew"


def error_of(scene: Any) -> str:
    """What Blender says of a render that fails."""
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.render.render()
    return str(caught.value)


def test_what_can_not_be_rendered_is_said_in_a_sentence(scene: Any, server: MockServer):
    scene.render.use_multiview = True
    assert "Turn off Stereoscopy" in error_of(scene)
    scene.render.use_multiview = False
    scene.camera.data.type = "PANO"
    assert "Perspective or Orthographic" in error_of(scene)
    scene.camera.data.type = "PERSP"
    scene.maquette.prompt = " "
    assert "The prompt is empty" in error_of(scene)
    assert submits(server) == []
    scene.camera = None
    assert "camera" in error_of(scene).lower()


def test_a_refused_job_ends_the_animation_with_the_reason(
    scene: Any, server: MockServer, tmp_path: Path
):
    server.limits = type(server.limits)(prompt_characters=3)
    with pytest.raises(RuntimeError, match="prompt has 25 characters"):
        frames(scene, tmp_path)
    assert not list(tmp_path.glob("frame-0002*"))


def test_a_server_that_is_not_there_is_said(scene: Any, server: MockServer, home: Home):
    server.die()
    home.record.unlink()
    preferences = bpy.context.preferences.addons["blender_addon"].preferences
    preferences.place = "LOCAL"  # type: ignore[union-attr]
    preferences.command = "/nowhere/maquette"  # type: ignore[union-attr]
    try:
        assert "no Maquette server program" in error_of(scene)
    finally:
        preferences.command = ""  # type: ignore[union-attr]


def test_a_server_that_does_not_answer_is_given_up(
    scene: Any, server: MockServer, monkeypatch: pytest.MonkeyPatch
):
    server.die()
    monkeypatch.setattr(painter, "OUTAGE_SECONDS", 0.5)
    assert "127.0.0.1" in error_of(scene)


def test_a_render_that_is_stopped_ends_its_job(
    scene: Any, server: MockServer, monkeypatch: pytest.MonkeyPatch
):
    server.hold = True
    began = time.monotonic()
    stopped = threading.Event()
    monkeypatch.setattr(engine._Target, "stopped", lambda _target: stopped.is_set())
    timer = threading.Timer(0.5, stopped.set)
    timer.start()
    bpy.ops.render.render()
    assert time.monotonic() - began < 5
    assert server.jobs == {}


def test_another_view_transform_is_warned_of(scene: Any, capfd: pytest.CaptureFixture[str]):
    scene.view_settings.view_transform = "AgX"
    bpy.ops.render.render()
    assert "choose Standard" in capfd.readouterr().out


def test_a_render_leaves_the_scene_as_it_was(scene: Any):
    before = {name: len(getattr(bpy.data, name)) for name in ("objects", "meshes", "scenes")}
    bpy.ops.render.render()
    after = {name: len(getattr(bpy.data, name)) for name in ("objects", "meshes", "scenes")}
    assert before == after and isinstance(Scope(), Scope)


def test_blenders_own_panels_show_for_it():
    for name in ("RENDER_PT_format", "RENDER_PT_output", "RENDER_PT_color_management"):
        assert "MAQUETTE" in getattr(bpy.types, name).COMPAT_ENGINES
