"""Sentences in panels: Blender's labels cut a text off, so it is broken into lines."""

from __future__ import annotations

import blf
import bpy

FONT = 0
POINTS = 11
"""Blender's default size of widget text, in points at a scale of 1."""
MARGIN = 36
"""Pixels beside the text of a label in a box: borders, icon, scroll bar."""


def wrapped(layout: bpy.types.UILayout, text: str, width: int, icon: str = "NONE") -> None:
    """Draw a text as lines that fit a region of ``width`` pixels, the first one with the icon."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    lines = broken(text, width)
    for index, line in enumerate(lines):
        shown = icon if index == 0 else ("BLANK1" if icon != "NONE" else "NONE")
        column.label(text=line, icon=shown)


def broken(text: str, width: int) -> list[str]:
    """The text's lines in a region of ``width`` pixels; a word that is longer gets its own."""
    scale = bpy.context.preferences.system.ui_scale
    room = max(width - MARGIN * scale, 40 * scale)
    blf.size(FONT, POINTS * scale)
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and blf.dimensions(FONT, longer)[0] > room:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line] if line else lines
