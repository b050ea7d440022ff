"""The gallery of a scene: kept in the .blend, found again, and its files beside it."""

from __future__ import annotations

import bpy
import numpy as np
import pytest
from maquette_wire import container
from maquette_wire.capture import captures_of
from maquette_wire.messages import Submit
from maquette_wire.recipe import Recipe

from blender_addon import results, thumbnails
from blender_addon.gallery import entries, shown
from blender_addon.results import Saved
from tests.blender_addon.conftest import arrived, concepts, pictures, turn
from tests.blender_addon.gallery_scene import (
    files,
    put_picture,
    save_as,
    settle,
)


def test_a_restyle_has_its_entry_its_capture_and_its_depth(session, server, camera, tmp_path):
    save_as(tmp_path / "house.blend")
    settings = bpy.context.scene.maquette
    settings.seed, settings.seed_locked, settings.count = 12, True, 2
    bpy.ops.maquette.restyle()
    turn(session, lambda: arrived(session))
    first, second = pictures()
    assert (first.title, first.prompt, first.camera) == (
        "Street – seed 12",
        "red brick library at dusk",
        "Street",
    )
    assert (first.width, first.height, second.seed) == (64, 48, "13")
    assert first.made.startswith("20")
    assert first.path == "//maquette/concept-street-seed12.png"
    assert first.depth == second.depth == "//maquette/concept-street-seed12-depth.png"
    assert first.capture == second.capture, "they were made of the same"
    path = files(name="capture")[0]
    (capture,) = captures_of(*container.read(path, kind=Submit))
    depth = np.asarray(capture.depth)
    assert depth[24, 32] == pytest.approx(13.0, abs=0.05) and np.isinf(depth[0, 0])
    raw = capture.view.width * capture.view.height * 7
    assert path.stat().st_size < raw / 2
    assert not settings.last_result.use_fake_user


def test_five_hundred_pictures_need_no_datablock_and_survive_a_reload(session, tmp_path):
    save_as(tmp_path / "house.blend")
    saved = put_picture(tmp_path / "maquette")
    for seed in range(500):
        recipe = Recipe(prompt=f"look {seed}", seed=seed)
        entries.add(
            bpy.context.scene,
            Saved(saved.path, None, recipe, saved.view, "job", saved.capture, results.new_key()),
        )
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.revert_mainfile()
    assert len(pictures()) == 500 and pictures()[499].prompt == "look 499"
    assert not concepts()


def test_a_name_and_a_seed_beyond_blenders_are_kept(gallery):
    saved = put_picture(gallery[0].path.parent, 2**32 - 1, "Straße – 広場", "Ziegel, grün")
    entry = entries.add(bpy.context.scene, saved)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.revert_mainfile()
    entry = pictures()[-1]
    assert (entry.seed, entry.camera) == (str(2**32 - 1), "Straße – 広場")
    view = bpy.context.window_manager.maquette_gallery  # another one, since the file is
    view.search = "GRÜN straße"
    assert entries.shown(bpy.context.scene, view) == [3]
    assert bpy.ops.maquette.use_recipe(picture=entry.name) == {"FINISHED"}
    assert bpy.context.scene.maquette.long_seed == str(2**32 - 1)


def test_search_stars_and_trash_are_what_is_shown_newest_first(gallery, view):
    scene = bpy.context.scene
    assert entries.shown(scene, view) == [2, 1, 0]
    bpy.ops.maquette.star_picture(picture=gallery[1].key)
    view.shown = "STARRED"
    assert entries.shown(scene, view) == [1]
    bpy.ops.maquette.delete_picture(picture=gallery[1].key)
    assert entries.shown(scene, view) == []
    view.shown = "TRASH"
    assert entries.shown(scene, view) == [1]
    view.shown, view.search = "ALL", "seed 3"
    assert entries.shown(scene, view) == [2]


# --- undo -----------------------------------------------------------------------------------------


@pytest.fixture
def undoing() -> None:
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="start")


def test_an_undo_drops_no_picture_that_arrived_meanwhile(session, undoing, gallery):
    bpy.ops.object.empty_add()
    bpy.ops.ed.undo_push(message="edit")
    late = put_picture(gallery[0].path.parent, 9)
    entries.add(bpy.context.scene, late)
    session.delivery.concepts.add(bpy.context.scene, late)
    bpy.ops.ed.undo()
    session.tick()
    assert sorted(entry.seed for entry in pictures()) == ["1", "2", "3", "9"]
    assert all(path.is_file() for path in files())
    bpy.ops.ed.redo()
    session.tick()
    assert sorted(entry.seed for entry in pictures()) == ["1", "2", "3", "9"]


def test_deleting_and_starring_are_undone_and_redone(session, gallery, undoing, view):
    for name, field in (("star_picture", "starred"), ("delete_picture", "trashed")):
        getattr(bpy.ops.maquette, name)(picture=gallery[0].key)
        bpy.ops.ed.undo_push(message=name)
        assert getattr(pictures()[0], field)
        bpy.ops.ed.undo()
        session.tick()
        assert not getattr(pictures()[0], field) and len(pictures()) == 3
        bpy.ops.ed.redo()
        session.tick()
        assert getattr(pictures()[0], field)
    assert files()[0].is_file(), "until the trash is emptied"


def test_the_trash_is_emptied_for_good(session, gallery, undoing, view):
    path = gallery[0].path
    bpy.ops.maquette.delete_picture(picture=gallery[0].key)
    bpy.ops.ed.undo_push(message="delete")
    assert bpy.ops.maquette.empty_trash() == {"FINISHED"}
    bpy.ops.ed.undo_push(message="empty")
    settle(session)
    assert not path.exists() and not gallery[0].capture.exists()
    assert gallery[1].path.exists()
    bpy.ops.ed.undo()
    session.tick()
    assert len(pictures()) == 2, "what is gone for good isn't offered"
    assert not bpy.ops.maquette.empty_trash.poll()


def test_a_file_that_another_scenes_gallery_has_is_not_deleted(session, gallery, view):
    bpy.ops.scene.new(type="FULL_COPY")
    copy = bpy.context.scene
    assert len(copy.maquette.pictures) == 3
    bpy.ops.maquette.delete_picture(picture=gallery[0].key)
    bpy.ops.maquette.empty_trash()
    settle(session)
    assert len(copy.maquette.pictures) == 2
    other = next(scene for scene in bpy.data.scenes if scene != copy)
    other.name = "Renamed"
    assert len(other.maquette.pictures) == 3 and gallery[0].path.exists()


# --- datablocks -----------------------------------------------------------------------------------


def test_datablocks_go_when_nothing_shows_them(gallery):
    scene = bpy.context.scene
    images = [shown.image_of(scene, entry) for entry in pictures()]
    assert shown.image_of(scene, pictures()[0]) == images[0], "one for each picture"
    scene.maquette.last_result = images[1]
    images[2].use_fake_user = True
    shown.sweep()
    assert sorted(results.recipe_of_image(image).seed for image in concepts()) == [2, 3]


def test_small_pictures_are_bounded(gallery):
    path = gallery[0].path
    for number in range(thumbnails.KEPT + 20):
        copy = path.with_name(f"copy{number}.png")
        copy.write_bytes(path.read_bytes())
        thumbnails.of_file(str(copy))
    kept = thumbnails._pictures
    assert kept is not None and len(kept) == thumbnails.KEPT
    assert str(path.with_name("copy0.png")) not in kept
    thumbnails.forget([str(path.with_name(f"copy{thumbnails.KEPT}.png"))])
    assert len(kept) == thumbnails.KEPT - 1


def test_the_bound_is_the_preferences(session):
    preferences = bpy.context.preferences.addons["blender_addon"].preferences
    assert session.gallery.limit == preferences.gallery_size == 4000
    preferences.gallery_size = 0
    session.gallery.megabytes = 1e6
    assert not session.gallery.nearly_full(), "any amount"
    preferences.gallery_size = 1000
    session.gallery.megabytes = 950.0
    assert session.gallery.nearly_full()
    preferences.gallery_size = 4000
