"""The contact sheet shows its pictures whole, and no text leaves its column."""

from __future__ import annotations

import numpy as np
from maquette.sheets.lettering import PAPER
from PIL import Image

from tools import sheet


def _tile(colour: tuple[int, int, int], caption: str) -> sheet.Tile:
    return sheet.Tile(Image.new("RGB", (320, 200), colour), caption, ("a detail",))


def _sheet(count: int, caption: str = "red brick") -> np.ndarray:
    concepts = [_tile((200, 10 * index, 0), caption) for index in range(count)]
    inputs = [_tile((0, 200, 0), "seen"), _tile((0, 0, 200), "depth")]
    notes = [("How to read it", "word " * 60)]
    page = sheet.contact_sheet("Title", "subtitle", concepts, inputs, notes, None)
    return np.asarray(page)


def _box(page: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int]:
    """Width and height of the area in exactly this colour."""
    rows, columns = np.nonzero((page == colour).all(axis=-1))
    return int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def test_each_picture_is_there_whole_and_undistorted():
    page = _sheet(4)
    colours = [(200, 0, 0), (200, 10, 0), (200, 20, 0), (200, 30, 0), (0, 200, 0), (0, 0, 200)]
    for colour in colours:
        width, height = _box(page, colour)
        assert width == sheet.COLUMN
        assert abs(height / width - 200 / 320) < 0.01


def test_margins_stay_empty_with_the_longest_of_captions():
    page = _sheet(3, "a very long prompt that goes on and on " * 12)
    edge = sheet.MARGIN - 8
    paper = np.array(PAPER)
    assert (page[:, :edge] == paper).all()
    assert (page[:, -edge:] == paper).all()
    assert (page[-edge:] == paper).all()
