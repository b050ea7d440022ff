"""What there is to draw over the 3D views, from the server's messages to the last concept."""

# Blender's stubs call optional what this scene has.
# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from maquette_wire import messages, png

from blender_addon.delivery import folder_of, target_of
from blender_addon.jobs import State
from blender_addon.overlay import pictures
from blender_addon.pictures import read_own, read_pixels
from blender_addon.recipes import recipe_of
from blender_addon.view_looks import look_of
from tests.blender_addon.conftest import a_capture, arrived, turn


def _begin(session):
    from blender_addon.backend import Local

    session.want_server(Local(""))
    scene = bpy.context.scene
    target = target_of(scene, folder_of("", session.home))
    return session.restyle(recipe_of(scene.maquette), a_capture(), target)


def _preview(session, server, job) -> None:
    turn(session, lambda: job.state is State.QUEUED)
    frame = messages.FrameHeader(name="preview", dtype="u1", shape=(2, 3, 3))
    said = messages.Progress(job=job.name, stage="sampling", step=1, steps=8, frames=(frame,))
    server.say(said, (bytes(range(18)),))
    turn(session, lambda: job.step == 1)


def _painted() -> list[pictures.Picture]:
    return pictures.painted(bpy.context.scene.session_uid)


def test_a_preview_is_shown_of_its_view_until_its_concept_is_there(session, server, settings):
    server.hold = True
    job = _begin(session)
    assert _painted() == []
    _preview(session, server, job)
    (preview,) = _painted()
    assert preview.view == job.views[0]
    assert pictures.painted(12345) == [], "it is no other scene's"
    server.finish(job.name)
    turn(session, lambda: arrived(session))
    assert _painted() == []
    concept = pictures.concept(bpy.context.scene)
    assert concept.view == job.views[0]
    # It doesn't have to be read: it is what has just arrived.
    assert concept.read and concept.picture is not None and concept.picture is not preview
    assert settings.last_result is not None


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_a_preview_goes_with_its_job(session, server, settings, end: str):
    server.hold = True
    job = _begin(session)
    _preview(session, server, job)
    assert _painted()
    if end == "cancelled":
        session.cancel(job.name)
        turn(session, lambda: not session.jobs)
    else:
        server.say(messages.Failed(job=job.name, code="no", sentence="No."))
        turn(session, lambda: job.state is State.FAILED)
    assert _painted() == [] and pictures.concept(bpy.context.scene) is None


def test_another_concept_is_read_from_its_file_when_it_is_wanted(session, server, settings):
    settings.count = 2
    grey = server.paint
    server.paint = lambda submit, picture: bytes([40 * picture + 60]) * len(grey(submit, picture))
    _begin(session)
    turn(session, lambda: arrived(session))
    scene = bpy.context.scene
    first = pictures.concept(scene).picture
    other = settings.pictures[1].name
    assert bpy.ops.maquette.choose_picture(picture=other) == {"FINISHED"}
    second = pictures.concept(scene)
    assert not second.read and second.picture is None
    pictures.want(scene, session.errand)
    turn(session, lambda: second.read)
    assert second.picture is not first
    assert second.picture._pixels[0, 0] == pytest.approx([100 / 255] * 3 + [1], abs=1e-6)
    assert not settings.last_result.has_data, "Blender keeps no copy"


def test_a_concept_whose_file_is_gone_is_not_shown(session, server, settings):
    _begin(session)
    turn(session, lambda: arrived(session))
    Path(bpy.path.abspath(settings.last_result.filepath)).unlink()
    pictures.clear()
    scene = bpy.context.scene
    assert pictures.concept(scene).view is not None
    concept = pictures.concept(scene)
    pictures.want(scene, session.errand)
    turn(session, lambda: concept.read)
    assert concept.picture is None


@pytest.mark.parametrize("touched", ["saved by another program", "painted in Blender"])
def test_a_concept_that_was_touched_is_shown_as_it_is_now(session, server, settings, touched):
    _begin(session)
    turn(session, lambda: arrived(session))
    image, scene = settings.last_result, bpy.context.scene
    image.pixels[:] = [0.0, 1.0, 0.0, 1.0] * (image.size[0] * image.size[1])
    if touched == "saved by another program":
        image.save()
        image.buffers_free()
    pictures.clear()
    concept = pictures.concept(scene)
    pictures.want(scene, session.errand)
    turn(session, lambda: concept.read)
    assert concept.picture._pixels is not None and concept.picture._pixels[..., 1].min() == 1.0
    assert image.is_dirty == (touched == "painted in Blender")


@pytest.mark.parametrize("content", ["noise", "rows", "columns", "plain"])
def test_a_thread_reads_what_we_write_as_blender_does(tmp_path, content: str):
    noise = np.random.default_rng(3).integers(0, 256, (37, 53, 3), np.uint8)
    shown = {
        "noise": noise,
        "rows": np.repeat(noise[:1], 37, 0),
        "columns": np.repeat(noise[:, :1], 53, 1),
        "plain": np.full_like(noise, 9),
    }[content]
    path = tmp_path / "concept.png"
    png.write(path, shown.tobytes(), 53, 37, {"maquette": "{}"})
    read = read_own(path)
    assert read is not None and (read == shown).all() and (read_pixels(path) == shown).all()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert read_own(path) is None and read_own(tmp_path / "gone.png") is None


def test_another_file_has_other_pictures(session, server, settings):
    _begin(session)
    turn(session, lambda: arrived(session))
    assert pictures.concept(bpy.context.scene) is not None
    pictures.set_live(pictures.Live(1, 1, "Live"))
    pictures.keep("job", 1, a_capture().view, np.zeros((2, 2, 3), np.uint8))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=False)
    assert pictures.live is None and pictures.painted(1) == []
    assert pictures.concept(bpy.context.scene) is None


def test_a_picture_that_was_edited_by_hand_has_no_place(settings):
    image = bpy.data.images.new("Any", 4, 4)
    image["maquette_view"] = "{nonsense"
    settings.last_result = image
    assert pictures.concept(bpy.context.scene).view is None
    image["maquette_view"] = 5
    pictures.clear()
    assert pictures.concept(bpy.context.scene).view is None


# --- how each view shows them ---------------------------------------------------------------------


def _views() -> list[bpy.types.Area]:
    """The 3D views of a screen that has two."""
    return [area for area in bpy.data.screens["Animation"].areas if area.type == "VIEW_3D"][:2]


def _press(area: bpy.types.Area) -> None:
    with bpy.context.temp_override(screen=bpy.data.screens["Animation"], area=area):
        assert bpy.ops.maquette.own_look() == {"FINISHED"}


def _looks() -> list[tuple[bool, float]]:
    found = [look_of(area.spaces.active, bpy.context.scene) for area in _views()]
    return [(look.overlay_shown, round(look.overlay_opacity, 3)) for look in found]


def test_a_view_of_its_own_look_leaves_the_others_the_scenes():
    settings = bpy.context.scene.maquette
    settings.overlay_opacity = 0.5
    one, _other = _views()
    _press(one)
    assert _looks() == [(True, 0.5), (True, 0.5)], "it begins with what was there"
    look_of(one.spaces.active, bpy.context.scene).overlay_shown = False
    settings.overlay_opacity = 0.75
    assert _looks() == [(False, 0.5), (True, 0.75)]
    _press(one)
    assert _looks() == [(True, 0.75), (True, 0.75)]


def test_the_looks_of_views_are_saved_with_the_file(tmp_path):
    _press(_views()[1])
    look = look_of(_views()[1].spaces.active, bpy.context.scene)
    look.overlay_opacity, look.use_wipe, look.wipe = 0.25, True, 0.125
    path = str(tmp_path / "house.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile()
    assert _looks() == [(True, 1.0), (True, 1.0)], "another file has none of them"
    bpy.ops.wm.open_mainfile(filepath=path)
    assert _looks() == [(True, 1.0), (True, 0.25)]
    look = look_of(_views()[1].spaces.active, bpy.context.scene)
    assert (look.use_wipe, look.wipe) == (True, 0.125)


def test_a_new_view_follows_the_scene_and_a_copied_one_is_as_its_original():
    window, scene = bpy.context.window_manager.windows[0], bpy.context.scene
    one = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    with bpy.context.temp_override(window=window, area=one):
        assert bpy.ops.maquette.own_look() == {"FINISHED"}
    look_of(one.spaces.active, scene).overlay_opacity = 0.25
    other = next(area for area in window.screen.areas if area.type == "PROPERTIES")
    other.type = "VIEW_3D"
    assert look_of(other.spaces.active, scene).overlay_opacity == 1.0
    before = set(bpy.data.screens)
    with bpy.context.temp_override(window=window):
        bpy.ops.workspace.duplicate()
    (copied,) = set(bpy.data.screens) - before
    views = [area.spaces.active for area in copied.areas if area.type == "VIEW_3D"]
    assert sorted(round(look_of(view, scene).overlay_opacity, 3) for view in views) == [0.25, 1.0]
