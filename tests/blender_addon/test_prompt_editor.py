"""The prompt in a Text Editor: text and setting follow each other, and nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest

from blender_addon import prompt_editor


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("", ""),
        ("red brick", "red brick"),
        ("red brick\nwet plaza", "red brick, wet plaza"),
        ("red brick,\n\n  wet   plaza ;\ndusk.\nsnow\n", "red brick, wet plaza ; dusk. snow"),
    ],
)
def test_line_breaks_stand_for_commas(text: str, prompt: str):
    assert prompt_editor.joined(text) == prompt


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The Text Editors that show a prompt: there is no window here."""
    areas: list[Any] = [bpy.context.screen.areas[0]] if bpy.context.screen.areas else [object()]
    monkeypatch.setattr(prompt_editor, "areas_showing", lambda _text: list(areas))
    return areas


def test_text_and_setting_follow_each_other(shown: list[Any]):
    settings = bpy.context.scene.maquette
    settings.prompt = "church"
    text = prompt_editor.text_of(bpy.context.scene, "prompt")
    assert text.as_string().strip() == "church"
    assert prompt_editor.text_of(bpy.context.scene, "prompt") == text
    assert bpy.app.timers.is_registered(prompt_editor._tick)
    text.clear()
    text.write("church\nin snow")
    assert prompt_editor.synchronise()
    assert settings.prompt == "church, in snow"
    settings.prompt = "villa"  # put back from a picture, or typed in the panel
    prompt_editor.synchronise()
    assert text.as_string().strip() == "villa"
    bpy.context.scene.name = "Renamed"
    text.write(" at night")
    prompt_editor.synchronise()
    assert settings.prompt == "villa at night"


def test_two_texts_edit_two_settings(shown: list[Any]):
    settings = bpy.context.scene.maquette
    texts = [prompt_editor.text_of(bpy.context.scene, n) for n in ("prompt", "negative_prompt")]
    texts[0].write("church")
    texts[1].write("people\ncars")
    prompt_editor.synchronise()
    assert (settings.prompt, settings.negative_prompt) == ("church", "people, cars")


def test_nothing_is_left_when_nobody_looks(shown: list[Any]):
    text = prompt_editor.text_of(bpy.context.scene, "prompt")
    text.write("church")
    shown.clear()
    assert not prompt_editor.synchronise()
    assert not bpy.data.texts
    assert bpy.context.scene.maquette.prompt == "church"
    assert prompt_editor._tick() is None


@pytest.mark.parametrize("end", ["disable", "load", "scene"])
def test_nothing_is_left_of_an_end(shown: list[Any], end: str):
    text = prompt_editor.text_of(bpy.context.scene, "prompt")
    ends: dict[str, Callable[[], object]] = {
        "disable": lambda: bpy.ops.preferences.addon_disable(module="blender_addon"),
        "load": lambda: bpy.ops.wm.read_homefile(use_empty=True),
        "scene": lambda: bpy.data.scenes.remove(bpy.context.scene),
    }
    if end == "scene":
        bpy.data.scenes.new("Other")
    ends[end]()
    if end == "scene":
        text.write("x")
        shown.clear()
        prompt_editor.synchronise()
    assert not bpy.data.texts
    if end == "disable":
        assert not bpy.app.timers.is_registered(prompt_editor._tick)
        bpy.ops.preferences.addon_enable(module="blender_addon")


def test_it_is_not_in_a_saved_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Area:
        class spaces:
            class active:
                text = None

    monkeypatch.setattr(prompt_editor, "areas_showing", lambda _text: [Area])
    bpy.data.texts.new("the user's own")
    text = prompt_editor.text_of(bpy.context.scene, "prompt")
    text.write("church\nin snow")
    path = str(tmp_path / "house.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    (back,) = [text for text in bpy.data.texts if prompt_editor.is_prompt(text)]
    assert Area.spaces.active.text == back
    assert back.as_string().strip() == "church\nin snow"
    assert (back.current_line_index, back.current_character) == (1, 7)
    prompt_editor.end_all()
    bpy.ops.wm.read_homefile(use_empty=True)
    library: Any = bpy.data.libraries.load(path)
    with library as (saved, _):
        assert saved.texts == ["the user's own"]


def test_without_a_window_there_is_nothing_to_edit_in():
    with pytest.raises(RuntimeError, match="no window"):
        bpy.ops.maquette.edit_prompt()
