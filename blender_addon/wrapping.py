"""Sentences in panels: Blender's labels cut a text off, so it is broken into lines."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportArgumentType=false

from __future__ import annotations

import blf
import bpy

FONT = 0
POINTS = 11
"""Blender's default size of widget text, in points at a scale of 1."""
MARGIN, ICON = 72, 24
"""Pixels beside the text of a label: the tabs and borders of a sidebar and a box, and an icon."""


def wrapped(layout: bpy.types.UILayout, text: str, width: int, icon: str = "NONE") -> None:
    """Draw a text as lines that fit a region of ``width`` pixels, the first one with the icon."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    room = room_in(width) - (ICON * _scale() if icon != "NONE" else 0)
    lines = broken(text, room)
    for index, line in enumerate(lines):
        shown = icon if index == 0 else ("BLANK1" if icon != "NONE" else "NONE")
        column.label(text=line, icon=shown)


def room_in(width: int) -> float:
    """Pixels for a label's text in a region of ``width`` pixels."""
    return width - MARGIN * _scale()


def broken(text: str, room: float) -> list[str]:
    """The text's lines of at most ``room`` pixels; longer words (a path, a key) are cut."""
    blf.size(FONT, POINTS * _scale())
    lines: list[str] = []
    line = ""
    for word in (piece for whole in text.split() for piece in _cut(whole, room)):
        longer = f"{line} {word}" if line else word
        if line and blf.dimensions(FONT, longer)[0] > room:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line] if line else lines


def _cut(word: str, room: float) -> list[str]:
    pieces = [""]
    for letter in word:
        if pieces[-1] and blf.dimensions(FONT, pieces[-1] + letter)[0] > room:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _scale() -> float:
    return bpy.context.preferences.system.ui_scale
