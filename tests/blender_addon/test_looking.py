"""Going through the gallery: a double click, the keys of the image editor, what is compared."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from blender_addon.gallery import compare, entries, shown
from blender_addon.operators import gallery as clicking
from tests.blender_addon.conftest import pictures
from tests.blender_addon.gallery_scene import put_picture, save_as


@pytest.fixture
def view() -> Any:
    """What the gallery shows."""
    view = bpy.context.window_manager.maquette_gallery
    view.search, view.shown, view.chosen, view.marked, view.page = "", "ALL", "", "", 0
    return view


@pytest.fixture
def gallery(session, view, tmp_path) -> list[Any]:
    """Five pictures, the oldest first, of two cameras in turn."""
    save_as(tmp_path / "house.blend")
    for seed, camera in enumerate(("Street", "Roof", "Street", "Roof", "Street")):
        entries.add(bpy.context.scene, put_picture(tmp_path / "maquette", seed, camera))
    return pictures()


@pytest.fixture
def editor(gallery) -> Any:
    """An image editor that shows the newest picture."""
    area = bpy.context.window_manager.windows[0].screen.areas[0]
    before, area.ui_type = area.ui_type, "IMAGE_EDITOR"
    area.spaces.active.image = shown.image_of(bpy.context.scene, gallery[4])
    yield area
    compare.end()
    area.ui_type = before


def seed_in(editor: Any) -> str:
    entry = shown.entry_of(bpy.context.scene, editor.spaces.active.image)
    return entry.seed if entry else ""


def press(editor: Any, name: str, **options: Any) -> set[str]:
    window = bpy.context.window_manager.windows[0]
    with bpy.context.temp_override(window=window, area=editor):
        return getattr(bpy.ops.maquette, name)(**options)


def test_a_picture_is_compared_with_the_one_before_it_from_the_same_camera(gallery, view):
    def other(entry: Any) -> Any:
        found = entries.compared(bpy.context.scene, view, entry)
        return found and found.seed

    assert [other(entry) for entry in gallery] == ["2", "3", "0", "1", "2"]
    gallery[2].trashed = True
    assert other(gallery[4]) == "0"
    view.marked = gallery[1].name
    assert other(gallery[4]) == "1"
    assert other(gallery[1]) == "3", "not with itself"


def test_stars_and_trash_by_key_are_of_the_picture_in_the_editor(gallery, view, editor):
    view.chosen = gallery[0].name
    assert press(editor, "star_shown") == {"FINISHED"}
    assert [entry.seed for entry in gallery if entry.starred] == ["4"]
    assert press(editor, "delete_shown") == {"FINISHED"}
    assert gallery[4].trashed and seed_in(editor) == "3"
    assert view.chosen == gallery[3].name


def test_the_keys_are_the_editors_own_where_it_shows_something_else(gallery, editor):
    editor.spaces.active.image = bpy.data.images.new("plan", 8, 8)
    window = bpy.context.window_manager.windows[0]
    for name in ("star_shown", "delete_shown", "step_picture"):
        with bpy.context.temp_override(window=window, area=editor):
            assert not getattr(bpy.ops.maquette, name).poll(), name


def test_stepping_compares_each_picture_with_the_same_one(gallery, view, editor):
    view.chosen, view.marked = gallery[4].name, gallery[2].name
    assert press(editor, "compare") == {"FINISHED"}
    seen = []
    for _ in range(3):
        press(editor, "step_picture", by=1)
        comparison = compare.shown_in(editor.spaces.active)
        assert comparison is not None and comparison.second == gallery[2].name
        seen.append(seed_in(editor))
    assert seen == ["3", "1", "0"], "not the one that they are compared with"


def test_a_second_click_on_a_picture_is_told_from_two(monkeypatch):
    now = [10.0]
    monkeypatch.setattr(clicking.time, "monotonic", lambda: now[0])
    inputs: Any = SimpleNamespace(mouse_double_click_time=350)
    clicks = []
    for picture, after in (("a", 0), ("a", 0.2), ("a", 0.2), ("b", 0.1), ("b", 0.5), ("b", 0.3)):
        now[0] += after
        clicks.append(clicking._is_second_click(picture, inputs))
    assert clicks == [False, True, False, False, False, True]


def test_the_next_picture_takes_the_place_of_a_deleted_one_over_the_view(gallery, view):
    settings = bpy.context.scene.maquette
    settings.last_result = shown.image_of(bpy.context.scene, gallery[4])
    for left in ("3", "2", "1", "0"):
        bpy.ops.maquette.delete_picture()
        entry = shown.entry_of(bpy.context.scene, settings.last_result)
        assert entry is not None and entry.seed == left
    bpy.ops.maquette.delete_picture()
    assert settings.last_result is None
