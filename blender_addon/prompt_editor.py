"""A prompt in a Text Editor: a text of the add-on's own, followed as long as it is looked at.

While a Text Editor shows it, a timer compares text and setting a few times a second; when none does
any more the text is removed, and the timer ends with the last one. Nor is a text in a saved file:
it is taken away before and shown again after.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import bpy

from .capture.windowed import windowed
from .properties import settings_of
from .redrawing import redraw_panels

SECONDS = 0.2
FONT_SIZE = 16
SCENE, SETTING = "maquette_scene", "maquette_setting"
"""Custom properties of a text of ours: the scene, and the name of the setting that it edits."""
TITLES = {"prompt": "Prompt", "negative_prompt": "Avoid"}


@dataclass
class _State:
    """A text and its setting when they were last alike, and the setting at first."""

    text: str
    value: str
    at_first: str


@dataclass(frozen=True)
class _Away:
    """A text while the file is saved: what it said, where it was shown, and the cursor there."""

    scene: bpy.types.Scene
    setting: str
    content: str
    areas: list[bpy.types.Area]
    cursor: tuple[int, int]


_states: dict[str, _State] = {}
_away: list[_Away] = []


def joined(text: str) -> str:
    """A text of several lines as one; a line break stands for a comma where there is none."""
    whole = ""
    for line in filter(None, (" ".join(line.split()) for line in text.splitlines())):
        separator = " " if re.search(r"[,;.:!?]$", whole) else ", "
        whole = f"{whole}{separator}{line}" if whole else line
    return whole


def text_of(scene: bpy.types.Scene, setting: str) -> Any:
    """The text that edits a scene's setting, made where there is none; it is followed from now."""
    for text in _texts():
        if text[SCENE] == scene and text[SETTING] == setting:
            return text
    value = getattr(settings_of(scene), setting)
    text = _new(scene, setting, value)
    _states[text.name] = _State(text.as_string(), value, value)
    follow()
    return text


def show_in(area: bpy.types.Area, text: bpy.types.Text) -> None:
    """Show a prompt in an area, which becomes a Text Editor."""
    area.ui_type = "TEXT_EDITOR"
    space: Any = area.spaces.active
    space.text = text
    space.show_word_wrap = True
    space.show_line_numbers = space.show_syntax_highlight = False
    space.show_region_footer = False
    space.font_size = FONT_SIZE


def areas_showing(text: bpy.types.Text) -> list[bpy.types.Area]:
    """The Text Editors that show a text."""
    windows = bpy.context.window_manager.windows
    areas = (area for window in windows for area in window.screen.areas)
    return [area for area in areas if getattr(area.spaces.active, "text", None) == text]


def is_prompt(text: bpy.types.Text | None) -> bool:
    """Whether a text is one of ours."""
    return text is not None and SETTING in text


def follow() -> None:
    """Have settings follow their texts, where there are any."""
    if _texts() and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=SECONDS, persistent=True)


def synchronise() -> bool:
    """Bring texts and settings together once; false where no text is left to look at."""
    for text in _texts():
        _take(text)
        if not areas_showing(text):
            _end(text)
    return bool(_texts())


def put_away() -> None:
    """The file is about to be saved."""
    for text in _texts():
        _take(text)
        cursor = text.current_line_index, text.current_character
        _away.append(
            _Away(text[SCENE], text[SETTING], text.as_string(), areas_showing(text), cursor)
        )
        bpy.data.texts.remove(text)


def bring_back() -> None:
    """The file was saved, or could not be."""
    while _away:
        kept = _away.pop()
        text = _new(kept.scene, kept.setting, kept.content)
        text.cursor_set(kept.cursor[0], character=kept.cursor[1])
        for area in kept.areas:
            space: Any = area.spaces.active
            space.text = text


def end_all() -> None:
    """Another file is open, or the add-on ends: texts of ours are of no use."""
    for text in _texts():
        bpy.data.texts.remove(text)
    _states.clear()
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


def _new(scene: bpy.types.Scene, setting: str, content: str) -> Any:
    text: Any = bpy.data.texts.new(f"{TITLES[setting]} of {scene.name}")
    text[SCENE], text[SETTING] = scene, setting
    text.write(content)
    return text


def _texts() -> list[Any]:
    return [text for text in bpy.data.texts if is_prompt(text)]


def _take(text: Any) -> None:
    """Whichever of text and setting changed decides; the text where both did."""
    scene, setting = text[SCENE], text[SETTING]
    if scene is None:  # deleted in the meantime
        return
    settings, now = settings_of(scene), text.as_string()
    value = getattr(settings, setting)
    state = _states.setdefault(text.name, _State(now, value, value))
    if now != state.text:
        value = joined(now)
        if value != getattr(settings, setting):
            setattr(settings, setting, value)
            redraw_panels()
    elif value != state.value:
        text.clear()
        text.write(value)
        now = text.as_string()
    state.text, state.value = now, value


def _end(text: Any) -> None:
    """Nobody looks at the text any more: what was done to the setting is one step to undo."""
    state, title = _states.pop(text.name), TITLES[text[SETTING]]
    bpy.data.texts.remove(text)
    if state.value != state.at_first and not bpy.app.background:
        with windowed():
            bpy.ops.ed.undo_push(message=f"Edit {title}")


def _tick() -> float | None:
    return SECONDS if synchronise() else None
