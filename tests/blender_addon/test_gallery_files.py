"""The gallery's files: saved elsewhere, shared by several .blend files, missing, bounded."""

from __future__ import annotations

import shutil
from pathlib import Path

import bpy
import pytest
from maquette_wire import metadata, png
from maquette_wire.recipe import Recipe

from blender_addon import results
from blender_addon.gallery import entries, shown
from blender_addon.results import Saved
from tests.blender_addon.conftest import arrived, concepts, pictures, turn
from tests.blender_addon.gallery_scene import (
    files,
    load_scene,
    put_picture,
    save_as,
    settle,
)

# --- saving ---------------------------------------------------------------------------------------


def test_save_as_to_another_folder_keeps_every_picture_findable(gallery, tmp_path):
    old = files()
    # Another project's picture of the same name must not take their place.
    put_picture(tmp_path / "elsewhere" / "maquette", 1, prompt="another project's")
    save_as(tmp_path / "elsewhere" / "house.blend")
    assert files() == old
    bpy.ops.wm.revert_mainfile()
    assert files() == old and all(path.is_file() for path in old)


def test_a_path_is_one_of_this_system(monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patched:
        patched.setattr(entries.os, "sep", "\\")
        assert entries.resolved("C:\\work", "//maquette/a.png") == "C:\\work\\maquette\\a.png"
    assert entries.resolved("", "/elsewhere/a.png") == "/elsewhere/a.png"


def test_a_copy_that_is_saved_finds_them_and_so_does_the_original(gallery, tmp_path):
    old = files()
    save_as(tmp_path / "copies" / "house.blend", copy=True)
    assert files() == old and pictures()[0].path.startswith("//")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "copies" / "house.blend"))
    assert files() == old


def test_a_project_moved_with_its_pictures_finds_those_beside_it(gallery, tmp_path):
    bpy.ops.wm.save_mainfile()
    shutil.copytree(tmp_path / "project", tmp_path / "moved")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "moved" / "house.blend"))
    assert {path.parent for path in files()} == {tmp_path / "moved" / "maquette"}
    assert all(path.is_file() for path in files())


def test_pictures_are_brought_along_and_the_originals_stay(session, gallery, view, tmp_path):
    old = files()
    bpy.ops.maquette.choose_picture(picture=gallery[0].key)
    image = shown.image_of(bpy.context.scene, pictures()[0])
    save_as(tmp_path / "other" / "house.blend")
    settle(session)
    assert len(session.gallery.elsewhere) == 3
    assert bpy.ops.maquette.bring_pictures() == {"FINISHED"}
    settle(session)
    assert {path.parent for path in files()} == {tmp_path / "other" / "maquette"}
    assert all(path.is_file() for path in files() + old)
    assert not session.gallery.elsewhere
    assert results.absolute(image.filepath) == str(files()[0])
    captures = files(name="capture")
    assert all(path.is_file() and path.parent == files()[0].parent for path in captures)


def test_pictures_of_a_file_that_was_never_saved(session, server, camera, home, tmp_path):
    bpy.ops.maquette.restyle()
    turn(session, lambda: arrived(session))
    assert files()[0].parent == home.concepts
    save_as(tmp_path / "house.blend")
    settle(session)
    assert len(session.gallery.elsewhere) == 1, "the panel offers to bring it along"
    bpy.ops.maquette.bring_pictures()
    settle(session)
    assert files()[0].parent == tmp_path / "maquette"
    assert pictures()[0].path.startswith("//maquette/")


def test_a_scene_appended_to_another_file_brings_its_gallery(gallery, tmp_path):
    bpy.context.scene.name = "House"
    bpy.ops.wm.save_mainfile()
    old = files()
    bpy.ops.wm.read_homefile(use_empty=True)
    put_picture(tmp_path / "town" / "maquette", 1, prompt="another project's")
    save_as(tmp_path / "town" / "town.blend")
    blend = str(tmp_path / "project" / "house.blend")
    load_scene(blend, link=False)
    scene = bpy.data.scenes["House"]
    assert files(scene) == old
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.revert_mainfile()
    scene = bpy.data.scenes["House"]
    assert files(scene) == old


def test_a_linked_scene_shows_its_gallery_and_can_not_be_changed(session, gallery, tmp_path):
    bpy.context.scene.name = "House"
    bpy.ops.wm.save_mainfile()
    old = files()
    bpy.ops.wm.read_homefile(use_empty=True)
    blend = str(tmp_path / "project" / "house.blend")
    load_scene(blend, link=True)
    save_as(tmp_path / "town" / "town.blend")
    scene = bpy.data.scenes["House"]
    assert files(scene) == old
    view = bpy.context.window_manager.maquette_gallery
    assert entries.shown(scene, view) == [2, 1, 0]
    settle(session)
    assert not session.gallery.missing
    with bpy.context.temp_override(scene=scene):
        for name in ("star_picture", "delete_picture", "empty_trash", "bring_pictures"):
            assert not getattr(bpy.ops.maquette, name).poll()
        with pytest.raises(RuntimeError, match="linked from another file"):
            bpy.ops.maquette.star_picture(picture=gallery[0].key)


# --- files that several .blend files have ---------------------------------------------------------


def throw_away(session, seed: int) -> None:
    """Delete the picture with this seed and empty the trash."""
    (entry,) = (each for each in pictures() if each.seed == str(seed))
    bpy.ops.maquette.delete_picture(picture=entry.name)
    bpy.ops.maquette.empty_trash()
    settle(session)
    assert str(seed) not in [each.seed for each in pictures()]


def reopen(session, path: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(path))
    settle(session)


def test_the_next_version_of_a_file_leaves_the_one_before_its_pictures(session, gallery, tmp_path):
    first, second = (tmp_path / "project" / name for name in ("house.blend", "house-2.blend"))
    bpy.ops.wm.save_mainfile()
    save_as(second)
    throw_away(session, 1)
    assert (
        session.notices[-1].text == "Also in the gallery of house.blend, so not deleted: 2 files."
    )
    assert gallery[0].path.exists() and gallery[0].capture.exists()
    # The version before leaves the next one its pictures as well.
    reopen(session, first)
    assert len(pictures()) == 3 and not session.gallery.missing
    throw_away(session, 2)
    assert gallery[1].path.exists()
    # Nor does the next one need the first any more, once that is on the disk.
    throw_away(session, 1)
    assert gallery[0].path.exists(), "the next version on the disk still has it"
    bpy.ops.wm.save_mainfile()
    reopen(session, second)
    bpy.ops.wm.save_mainfile()
    settle(session)
    assert [entry.seed for entry in pictures()] == ["1", "2", "3"]
    throw_away(session, 1)
    assert not gallery[0].path.exists() and not gallery[0].capture.exists()
    # A .blend that isn't there any more needs nothing.
    first.unlink()
    throw_away(session, 3)
    assert not gallery[2].path.exists()


def test_a_copy_of_the_file_manager_keeps_its_pictures_once_it_was_opened(session, gallery):
    bpy.ops.wm.save_mainfile()
    project = Path(bpy.data.filepath)
    reopen(session, Path(shutil.copy(project, project.with_name("copy.blend"))))
    reopen(session, project)
    throw_away(session, 1)
    assert gallery[0].path.exists() and "gallery of copy.blend" in session.notices[-1].text
    # The one that was renamed is another name for the same needs.
    renamed = project.with_name("copy.blend").rename(project.with_name("villa.blend"))
    reopen(session, renamed)
    assert not session.gallery.missing
    reopen(session, project)
    throw_away(session, 2)
    assert gallery[1].path.exists() and "gallery of villa.blend" in session.notices[-1].text


def test_a_scene_that_was_appended_keeps_its_pictures(session, gallery, tmp_path):
    bpy.context.scene.name = "House"
    bpy.ops.wm.save_mainfile()
    project = bpy.data.filepath
    bpy.ops.wm.read_homefile(use_empty=True)
    save_as(tmp_path / "town" / "town.blend")
    load_scene(project, link=False)
    bpy.ops.wm.save_mainfile()
    reopen(session, Path(project))
    throw_away(session, 1)
    assert gallery[0].path.exists()
    assert session.notices[-1].text == "Also in the gallery of town.blend, so not deleted: 2 files."
    # With pictures of its own in its folder, the town needs those of the house no more.
    reopen(session, tmp_path / "town" / "town.blend")
    bpy.context.window.scene = bpy.data.scenes["House"]
    bpy.ops.maquette.bring_pictures()
    settle(session)
    bpy.ops.wm.save_mainfile()
    reopen(session, Path(project))
    throw_away(session, 2)
    assert not gallery[1].path.exists()


def test_a_project_that_is_moved_goes_on_knowing_who_has_what(session, gallery, tmp_path):
    bpy.ops.wm.save_mainfile()
    save_as(tmp_path / "project" / "copies" / "house.blend", copy=True)
    settle(session)
    moved = (tmp_path / "project").rename(tmp_path / "moved")
    reopen(session, moved / "house.blend")
    throw_away(session, 1)
    assert (moved / "maquette" / gallery[0].path.name).exists()
    shutil.rmtree(moved / "copies")
    throw_away(session, 2)
    assert not (moved / "maquette" / gallery[1].path.name).exists()


def test_an_image_of_a_picture_is_a_reason_to_keep_it(session, gallery, tmp_path):
    bpy.ops.wm.save_mainfile()
    project = Path(bpy.data.filepath)
    bpy.ops.wm.read_homefile(use_empty=True)
    results.load(gallery[0]).use_fake_user = True
    bpy.context.scene.maquette.pictures.clear()
    save_as(tmp_path / "project" / "reference.blend")
    reopen(session, project)
    throw_away(session, 1)
    assert gallery[0].path.exists() and not gallery[0].capture.exists()


def test_the_bound_is_for_files_that_no_other_blend_has(session, gallery, monkeypatch, tmp_path):
    bpy.ops.wm.save_mainfile()
    save_as(tmp_path / "project" / "house-2.blend")
    settle(session)
    assert session.gallery.megabytes == 0.0
    total = sum(path.stat().st_size for path in files() + files(name="capture"))
    assert session.gallery.shared_megabytes == pytest.approx(total / 1e6)
    more = [put_picture(gallery[0].path.parent, seed) for seed in (4, 5, 6)]
    for each in more:
        entries.add(bpy.context.scene, each)
    bpy.ops.maquette.delete_picture(picture=gallery[0].key)
    newest = more[2].capture
    assert newest is not None
    room = sum(map(size, more[1:])) + newest.stat().st_size / 1e6 + 1e-6  # of rounding
    bound(session, room, monkeypatch)
    assert [each.path.exists() for each in (*gallery, *more)] == [True] * 3 + [False, True, True]
    assert [entry.seed for entry in pictures()] == ["1", "2", "3", "5", "6"]


# --- what is missing, damaged or from elsewhere ---------------------------------------------------


def test_a_missing_file_is_said_and_found_again(session, gallery, view, tmp_path):
    away = tmp_path / "archive"
    away.mkdir()
    for saved in gallery[:2]:
        shutil.move(saved.path, away / saved.path.name)
    settle(session)
    assert session.gallery.missing == {str(saved.path) for saved in gallery[:2]}
    with pytest.raises(RuntimeError, match="can't be read"):
        bpy.ops.maquette.use_recipe(picture=gallery[0].key)
    with pytest.raises(RuntimeError, match="is another picture: its seed is 2"):
        bpy.ops.maquette.find_picture(
            picture=gallery[0].key, filepath=str(away / gallery[1].path.name)
        )
    bpy.ops.maquette.find_picture(picture=gallery[0].key, filepath=str(away / gallery[0].path.name))
    assert files()[0].parent == files()[1].parent == away, "the other one lies there as well"
    settle(session)
    assert not session.gallery.missing


def test_pictures_in_the_folder_are_found_and_nothing_else(session, gallery, view):
    folder = gallery[0].path.parent
    put_picture(folder, 7, prompt="from the command line")
    whole = gallery[0].path.read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    png.write(folder / "other.png", bytes(12), 2, 2)
    (folder / "text.png").write_text("no picture")
    said = metadata.texts(Recipe(prompt="x"), software="Maquette")
    png.write(folder / "texture.png", bytes(12), 2, 2, said)
    assert bpy.ops.maquette.find_pictures() == {"FINISHED"}
    settle(session)
    assert [entry.prompt for entry in pictures()[3:]] == ["from the command line"]
    assert pictures()[3].capture and pictures()[3].made
    said = session.notices[-1].text
    assert said.startswith("Found 1 picture.") and "Damaged, and left out" in said
    assert "and 1 more" in said
    bpy.ops.maquette.find_pictures()
    settle(session)
    assert len(pictures()) == 4, "they are known now"


def test_a_folder_that_is_not_there_or_not_readable_is_said(session, tmp_path, monkeypatch):
    save_as(tmp_path / "house.blend")
    assert bpy.ops.maquette.find_pictures() == {"CANCELLED"}
    (tmp_path / "maquette").mkdir()

    def refuse(*_arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "glob", refuse)
    bpy.ops.maquette.find_pictures()
    settle(session)
    assert "can't be read: Permission denied" in session.notices[-1].text


def test_files_of_an_earlier_version_are_taken_in(session, gallery, home):
    bpy.ops.wm.read_homefile(use_empty=True)
    old = results.load(gallery[0])
    del old[results.KEY]
    old.use_fake_user = True
    broken = bpy.data.images.new("broken", 8, 8)
    broken.use_fake_user = True
    broken[results.JOB], broken[results.RECIPE] = "job", "{"
    path = gallery[0].path.parent.parent / "old.blend"
    save_as(path)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    turn(session, lambda: not session.gallery.busy)
    (entry,) = pictures()
    assert (entry.title, entry.path) == ("Street – seed 1", "//maquette/concept-street-seed1.png")
    assert concepts()[0].use_fake_user or concepts()[1].use_fake_user
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.revert_mainfile()
    turn(session, lambda: not session.gallery.busy)
    assert len(pictures()) == 1, "once"


# --- the bound ------------------------------------------------------------------------------------


def bound(session, megabytes: float, monkeypatch) -> None:
    monkeypatch.setattr(type(session.gallery), "limit", property(lambda _self: megabytes))
    session.gallery.arrived()
    settle(session)


def size(saved: Saved) -> float:
    return saved.path.stat().st_size / 1e6


def test_captures_go_before_pictures_and_the_user_is_told(session, gallery, monkeypatch):
    bpy.ops.maquette.star_picture(picture=gallery[0].key)
    total = sum(size(each) + each.capture.stat().st_size / 1e6 for each in gallery)
    bound(session, total - gallery[1].capture.stat().st_size / 2e6, monkeypatch)
    assert [each.capture.exists() for each in gallery] == [True, False, True]
    assert [bool(entry.capture) for entry in pictures()] == [True, False, True]
    assert all(each.path.exists() for each in gallery)
    assert "1 file that old pictures were made of" in session.notices[-1].text
    assert session.notices[-1].level == "WARNING"


def test_the_trash_goes_first_then_old_pictures_without_a_star(session, gallery, monkeypatch):
    more = [put_picture(gallery[0].path.parent, seed) for seed in (4, 5)]
    for each in more:
        entries.add(bpy.context.scene, each)
    bpy.ops.maquette.star_picture(picture=gallery[0].key)
    bpy.ops.maquette.delete_picture(picture=gallery[2].key)
    bound(session, 1e-9, monkeypatch)
    assert [each.path.exists() for each in (*gallery, *more)] == [True, False, False, False, True]
    assert sorted(entry.seed for entry in pictures()) == ["1", "5"]
    assert "A star keeps a picture" in session.notices[-1].text
    bound(session, 1e-9, monkeypatch)
    assert "all of it is kept" in session.notices[-1].text


def test_a_picture_that_the_model_uses_is_kept(session, gallery, monkeypatch):
    image = shown.image_of(bpy.context.scene, pictures()[0])
    bpy.data.textures.new("wall", "IMAGE").image = image  # pyright: ignore[reportAttributeAccessIssue]
    bound(session, 1e-9, monkeypatch)
    assert [each.path.exists() for each in gallery] == [True, False, True]
