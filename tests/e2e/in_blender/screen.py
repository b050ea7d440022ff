"""What is on the display: pixels, places, and where words are.

A word is found by how Blender itself draws it: the same font at the same size gives the same
pixels, so that a true place has a likeness of 0.99 and the next best one of 0.85 at most.

Places are ``Box`` in pixels of the display, from its upper left corner. The window fills it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import blf
import bpy
import gpu
import numpy as np
from matching import Grey, correlation
from mathutils import Matrix

LIKE = 0.93
MARGIN = 2
"""Pixels around a word that belong to its template."""
CLEAR = 5
"""Pixels beside a word within which the next word of the same label begins."""
FAINT = 12.0
"""Difference of two grey levels, of 255, that is none."""


class Box(NamedTuple):
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> tuple[int, int]:
        return self.x + self.width // 2, self.y + self.height // 2


Place = Callable[[], Box]


def scaled(pixels: float) -> int:
    """So many pixels of a design at a scale of 1, in those of the display."""
    return round(pixels * bpy.context.preferences.system.ui_scale)


def everywhere() -> Box:
    window = bpy.context.window_manager.windows[0]
    return Box(0, 0, window.width, window.height)


def area_of(kind: str) -> bpy.types.Area:
    screen = bpy.context.window_manager.windows[0].screen
    return next(area for area in screen.areas if area.type == kind)


def has_area(kind: str) -> bool:
    return any(area.type == kind for area in bpy.context.window_manager.windows[0].screen.areas)


def region_of(area: str, region: str) -> bpy.types.Region:
    return next(each for each in area_of(area).regions if each.type == region)


def box_of(area: str, region: str = "WINDOW") -> Box:
    """Where a region of the first area of a kind is."""
    return _flipped(region_of(area, region))


def around(*areas: str) -> Box:
    """What has the first areas of these kinds in it, with their headers and sidebars."""
    boxes = [_flipped(area_of(area)) for area in areas]
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = (
        max(box.x + box.width for box in boxes),
        max(box.y + box.height for box in boxes),
    )
    return Box(x, y, right - x, bottom - y)


def _flipped(found: bpy.types.Region | bpy.types.Area) -> Box:
    window = bpy.context.window_manager.windows[0]
    return Box(found.x, window.height - found.y - found.height, found.width, found.height)


def in_sidebar() -> Box:
    return box_of("VIEW_3D", "UI")


def in_view_area() -> Box:
    """The 3D view with its sidebar."""
    return around("VIEW_3D")


def in_areas(*kinds: str) -> Place:
    """What has all areas of these kinds in it."""
    return lambda: around(*kinds)


def upper_part(area: str, height: int) -> Place:
    """So many pixels of an area, at a scale of 1, from its top."""
    return lambda: around(area)._replace(height=scaled(height))


def between(first: str, last: str) -> Place:
    """The sidebar's rows from one label to another; both can be read."""

    def place() -> Box:
        box, picture = in_sidebar(), grey()
        top, *_ = places(picture, first, box)
        *_, bottom = places(picture, last, box)
        above, below = top.y - scaled(12), bottom.y + bottom.height + scaled(14)
        return Box(box.x, above, box.width - scaled(26), below - above)

    return place


def grey() -> Grey:
    """The display as it is now: [height, width], 0 to 255."""
    whole = everywhere()
    command = ["import", "-window", "root", "-depth", "8", "gray:-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(whole.height, whole.width).astype(np.float32)


def cut(picture: Grey, box: Box) -> Grey:
    return picture[max(0, box.y) : box.y + box.height, max(0, box.x) : box.x + box.width]


def save(path: Path, box: Box) -> None:
    """A true screenshot of a part of the display, as a PNG."""
    crop = f"{box.width}x{box.height}+{box.x}+{box.y}"
    command = ["import", "-window", "root", "-crop", crop, "+repage", str(path)]
    subprocess.run(command, check=True)


def places(picture: Grey, word: str, within: Box, *, upright: bool = False) -> list[Box]:
    """Where a label is exactly ``word``, from top to bottom; ``upright``: as on a region's tab."""
    template = np.rot90(lettering(word), -1) if upright else lettering(word)
    rows, columns = template.shape
    part = cut(picture, within)
    likeness = correlation(part, template)
    found: list[Box] = []
    while likeness.size and likeness.max() >= LIKE:
        row, column = map(int, np.unravel_index(int(likeness.argmax()), likeness.shape))
        if upright or _alone(part, row, column, rows, columns):
            found.append(Box(within.x + column, within.y + row, columns, rows))
        likeness[max(0, row - rows // 2) : row + rows // 2 + 1, max(0, column - columns // 2) :][
            :, : columns + 1
        ] = 0
    return sorted(found, key=lambda box: (box.y, box.x))


def most_like(picture: Grey, word: str, within: Box) -> float:
    """How alike the most alike place is, whole label or not."""
    likeness = correlation(cut(picture, within), lettering(word))
    return float(likeness.max(initial=-1))


def _alone(picture: Grey, row: int, column: int, rows: int, columns: int) -> bool:
    """Whether nothing is written right before or behind a word."""
    beside = (
        picture[row : row + rows, max(0, column - CLEAR + MARGIN) : column],
        picture[row : row + rows, column + columns :][:, : CLEAR - MARGIN],
    )
    return all(not part.size or float(np.ptp(part)) < 2 * FAINT for part in beside)


def lettering(word: str) -> Grey:
    """A word as Blender's interface draws it, white on black, cropped to its ink and a margin."""
    points = bpy.context.preferences.ui_styles[0].widget.points
    return _drawn(word, points * bpy.context.preferences.system.ui_scale)


@lru_cache(maxsize=256)
def _drawn(word: str, points: float) -> Grey:
    blf.size(0, points)
    size = (int(blf.dimensions(0, word)[0]) + 16, int(3 * points))
    offscreen = gpu.types.GPUOffScreen(*size)
    # Blender's stubs know no context managers.
    drawing: Any = (offscreen.bind(), gpu.matrix.push_pop(), gpu.matrix.push_pop_projection())
    with drawing[0], drawing[1], drawing[2]:
        frame = gpu.state.active_framebuffer_get()
        frame.clear(color=(0, 0, 0, 1))
        gpu.matrix.load_identity()
        scale = Matrix.Diagonal((2 / size[0], 2 / size[1], -1, 1))
        gpu.matrix.load_projection_matrix(Matrix.Translation((-1, -1, 0)) @ scale)
        blf.color(0, 1, 1, 1, 1)
        blf.position(0, 8, int(points), 0)
        blf.draw(0, word)
        read = frame.read_color(0, 0, *size, 4, 0, "UBYTE")
    offscreen.free()
    ink = np.array(read.to_list(), np.float32).reshape(size[1], size[0], 4)[::-1, :, 0]
    rows, columns = np.nonzero(ink.max(1) > FAINT)[0], np.nonzero(ink.max(0) > FAINT)[0]
    assert len(rows), f"nothing to see of {word!r}"
    return np.pad(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], MARGIN)
