"""The poster: every picture whole in its place, labels beside it, and paper where nothing is."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from maquette.sheets import Row, poster, write_poster
from maquette.sheets.axes import arrange, choose_axes
from maquette.sheets.layout import CELL_MIN, PIXELS, plan
from maquette.sheets.lettering import INK, PAPER, Type, wrap
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray
from PIL import Image

from tests.backend.sheets.folders import plain, save

LONG = "an unusually long prompt about a building with a very long façade " * 4 + "x" * 90


def _row(folder: Path, prompt: str, seed: int, color: tuple[int, int, int], **changes) -> Row:
    file = save(folder / f"{len(list(folder.iterdir()))}.png", plain(color, 96, 64)).name
    return Row(file=file, recipe=Recipe(prompt=prompt, seed=seed), **changes)


def _grid(folder: Path, prompts=("brick", "snow"), seeds=(0, 1, 2), **changes) -> list[Row]:
    return [
        _row(folder, prompt, seed, (200, 10 * row, 10 * column), **changes)
        for row, prompt in enumerate(prompts)
        for column, seed in enumerate(seeds)
    ]


def _poster(folder: Path, rows: list[Row], **axes) -> NDArray[np.uint8]:
    assert write_poster(folder, rows, folder / "poster.png", "Title", **axes) == []
    return np.asarray(Image.open(folder / "poster.png"))


def _box(page: NDArray[np.uint8], color: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Left, top, width and height of the area of exactly this colour."""
    down, across = np.nonzero((page == color).all(axis=-1))
    assert len(down), f"no {color}"
    left, top = int(across.min()), int(down.min())
    return left, top, int(across.max()) - left + 1, int(down.max()) - top + 1


def test_rows_are_prompts_and_columns_are_seeds_by_themselves(tmp_path):
    page = _poster(tmp_path, _grid(tmp_path))
    boxes = [[_box(page, (200, 10 * row, 10 * column)) for column in range(3)] for row in range(2)]
    assert {box[2:] for line in boxes for box in line} == {(96, 64)}
    for line in boxes:
        assert len({top for _, top, _, _ in line}) == 1
        assert [box[0] for box in line] == sorted({box[0] for box in line})
    assert [line[0][0] for line in boxes] == [boxes[0][0][0]] * 2
    assert boxes[1][0][1] >= boxes[0][0][1] + 64


def test_labels_stand_beside_the_rows_and_above_the_columns(tmp_path):
    rows = _grid(tmp_path)
    layout = plan(rows, {row.file: (96, 64) for row in rows if row.file}, "Title", "sub")
    at = {text.line: (text.x, text.y) for text in layout.texts}
    placed = {picture.name: (picture.x, picture.y) for picture in layout.placed}
    for column in range(3):
        assert at[f"seed {column}"][0] == placed[rows[column].file or ""][0]
        assert at[f"seed {column}"][1] < placed[rows[column].file or ""][1]
    for row, prompt in enumerate(("brick", "snow")):
        assert at[prompt][1] == placed[rows[3 * row].file or ""][1]
        assert at[prompt][0] < placed[rows[3 * row].file or ""][0]


def test_lines_and_how_strongly_they_hold_are_rows_and_columns(tmp_path):
    rows = [
        msgspec.structs.replace(
            _row(tmp_path, "p", 0, (200, 10, 10)),
            recipe=Recipe(prompt="p", lines=kind, lines_influence=influence),
        )
        for kind in ("none", "mlsd")
        for influence in (0.3, 0.6)
    ]
    sizes = {row.file: (96, 64) for row in rows if row.file}
    layout = plan(rows, sizes, "Title", "sub", "lines", "lines-influence")
    said = {text.line for text in layout.texts}
    assert {"no lines", "straight lines", "lines hold 0.3", "lines hold 0.6"} <= said
    assert len({(picture.x, picture.y) for picture in layout.placed}) == 4


def test_a_missing_picture_leaves_paper(tmp_path):
    rows = _grid(tmp_path)
    whole = _poster(tmp_path, rows)
    left, top, width, height = _box(whole, (200, 10, 10))
    page = _poster(tmp_path, [row for row in rows if row is not rows[4]])
    assert page.shape == whole.shape
    assert (page[top : top + height, left : left + width] == PAPER).all()
    assert _box(page, (200, 10, 20)) == _box(whole, (200, 10, 20))


def test_the_source_picture_is_the_first_column_when_asked(tmp_path):
    save(tmp_path / "s.png", plain((0, 0, 255), 96, 64))
    rows = _grid(tmp_path, prompts=("brick",), source_picture="s.png")
    rows += _grid(tmp_path, prompts=("snow",), source_picture="s.png")
    with pytest.raises(AssertionError, match="no"):
        _box(_poster(tmp_path, rows), (0, 0, 255))
    page = _poster(tmp_path, rows, sources=True)
    left, _, width, height = _box(page, (0, 0, 255))
    assert width == 96
    assert height > 2 * 64  # in both rows
    assert left + width <= _box(page, (200, 0, 0))[0]


def test_margins_stay_empty_with_the_longest_of_labels(tmp_path):
    page = _poster(tmp_path, _grid(tmp_path, prompts=(LONG, "snow"), seeds=(0, 4294967295)))
    for edge in (page[:, :48], page[:, -48:], page[-48:]):
        assert (edge == PAPER).all()
    assert (page == INK).all(axis=-1).any()
    left, top, *_ = _box(page, (200, 0, 0))
    assert (page[top:, left - 8 : left] == PAPER).all()


def test_pictures_flow_where_there_is_no_grid_to_see(tmp_path):
    rows = [_row(tmp_path, f"prompt {n}", 100 + n, (n, 200, 0)) for n in range(7)]
    assert choose_axes(rows, None, None) is None
    page = _poster(tmp_path, rows)
    assert {_box(page, (n, 200, 0))[2:] for n in range(7)} == {(96, 64)}
    assert len({_box(page, (n, 200, 0))[1] for n in range(7)}) > 1


def test_pictures_of_other_sizes_are_fitted_undistorted(tmp_path):
    save(tmp_path / "tall.png", plain((0, 255, 0), 50, 200))
    save(tmp_path / "taller.png", plain((0, 0, 255), 50, 400))
    tall = Row(file="tall.png", source_picture="taller.png", recipe=Recipe(prompt="snow", seed=5))
    page = _poster(tmp_path, [*_grid(tmp_path), tall], sources=True)
    for color, ratio in (((0, 255, 0), 4), ((0, 0, 255), 8), ((200, 0, 0), 64 / 96)):
        *_, width, height = _box(page, color)
        assert abs(height / width - ratio) < 0.1
        assert height <= 4 * 96  # the tallest concept's, at the widest one's width


def test_a_third_setting_gets_a_section_of_its_own_for_each_value(tmp_path):
    rows = _grid(tmp_path, view="Street") + _grid(tmp_path, view="Bird")
    axes = choose_axes(rows, None, None)
    assert axes
    sections = arrange(rows, axes)
    assert [section.heading for section in sections] == ["Street", "Bird"]
    assert [len(section.cells) for section in sections] == [6, 6]


def test_pictures_that_nothing_tells_apart_are_all_there(tmp_path):
    rows = _grid(tmp_path) * 2
    axes = choose_axes(rows, None, None)
    assert axes
    assert [len(section.cells) for section in arrange(rows, axes)] == [6, 6]


def test_strength_follows_geometry_without_sections_of_its_own(tmp_path):
    rows = [
        Row(file="a.png", recipe=Recipe(prompt=p, geometry=g, strength=1 - g / 2))
        for p in ("brick", "snow")
        for g in (0.2, 0.5, 0.9)
    ]
    axes = choose_axes(rows, "geometry", None)
    assert axes
    assert axes.across
    assert axes.across.name == "prompt"
    (section,) = arrange(rows, axes)
    assert len(section.cells) == 6


def test_what_all_pictures_share_is_below_the_title_but_usual_windows(tmp_path):
    usual = _grid(tmp_path)
    assert poster._subtitle(usual, usual) == "6 pictures · pocket · geometry 0.7"
    recipes = [row.recipe for row in usual if row.recipe]
    changes = {"windows": "grid", "storey": 4.0}
    rows = [Row(recipe=msgspec.structs.replace(recipe, **changes)) for recipe in recipes]
    said = poster._subtitle(rows, rows)
    assert said == "6 pictures · pocket · geometry 0.7 · grid windows · storey 4 m"


def test_windows_and_bays_are_the_axes_of_a_poster_with_their_labels(tmp_path):
    rows = [
        Row(
            file=save(tmp_path / f"{windows}{bay}.png", plain((1, 2, 3), 96, 64)).name,
            recipe=Recipe(prompt="brick", windows=windows, bay=bay),
        )
        for windows in ("punched", "curtain wall")
        for bay in (6.0, 1.5)
    ]
    axes = choose_axes(rows, "windows", None)
    assert axes
    assert axes.across
    assert axes.across.name == "bay"
    sizes = {row.file: (96, 64) for row in rows if row.file}
    layout = plan(rows, sizes, "T", "sub", down="windows", across="bay")
    labels = [text.line for text in layout.texts]
    assert " ".join(labels).endswith("punched windows curtain wall"), labels
    assert labels.index("bay 1.5 m") < labels.index("bay 6 m")


def test_with_one_axis_named_and_nothing_to_cross_it_with_pictures_follow_each_other(tmp_path):
    rows = [Row(file=f"{n}.png", recipe=Recipe(prompt="ab"[n // 4], seed=n)) for n in range(8)]
    axes = choose_axes(rows, "prompt", None)
    assert axes
    assert axes.across is None
    (section,) = arrange(rows, axes)
    assert section.cells[("b", 2)] is rows[6]


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        (("sed", None), "--rows sed is no setting.*Choose one of source, view, frame, prompt"),
        ((None, "frame"), "--columns frame: none .* has a frame.*varies here: prompt, seed"),
        (("seed", "seed"), "both seed.*Leave one"),
    ],
)
def test_axes_that_cannot_be_are_refused_with_the_way_out(axes, said):
    rows = [Row(recipe=Recipe(prompt=p, seed=s)) for p in "ab" for s in (0, 1)]
    with pytest.raises(MaquetteError, match=said):
        choose_axes(rows, *axes)


def test_a_poster_shrinks_to_what_programs_open_and_is_refused_beyond_it():
    def rows(seeds: int) -> list[Row]:
        return [
            Row(file="a.png", recipe=Recipe(prompt=f"prompt {p}", seed=s))
            for p in range(20)
            for s in range(seeds)
        ]

    sizes = {"a.png": (1024, 768)}
    small, middle = plan(rows(5), sizes, "t", "s"), plan(rows(60), sizes, "t", "s")
    assert (small.cell, middle.cell < 512) == (512, True)
    assert middle.cell >= CELL_MIN
    assert middle.width * middle.height <= PIXELS
    with pytest.raises(MaquetteError, match=r"10000 pictures would have \d+ mega.*sheet.html"):
        plan(rows(500), sizes, "t", "s")


def test_unreadable_pictures_are_said_and_others_drawn(tmp_path):
    rows = _grid(tmp_path)
    data = (tmp_path / (rows[0].file or "")).read_bytes()
    (tmp_path / (rows[0].file or "")).write_bytes(data[: len(data) - 60])  # its head is whole
    (tmp_path / (rows[1].file or "")).write_text("no picture")
    said = write_poster(tmp_path, rows, tmp_path / "poster.png", "Title")
    assert sorted(str(rows[n].file) in " ".join(said) for n in (0, 1)) == [True, True]
    page = np.asarray(Image.open(tmp_path / "poster.png"))
    assert _box(page, (200, 10, 20))[2:] == (96, 64)


def test_a_poster_replaces_its_like_and_never_a_concept(tmp_path):
    rows = _grid(tmp_path)
    _poster(tmp_path, rows)
    _poster(tmp_path, rows)
    concept = tmp_path / (rows[0].file or "")
    before = concept.read_bytes()
    with pytest.raises(MaquetteError, match=r"no poster of Maquette's.*--output"):
        write_poster(tmp_path, rows, concept, "Title")
    assert concept.read_bytes() == before


def test_outputs_without_a_picture_make_no_poster(tmp_path):
    with pytest.raises(MaquetteError, match="None of the 2 outputs has a picture yet"):
        write_poster(tmp_path, [Row(state="failed"), Row(state="waiting")], tmp_path / "a.png", "t")


def test_words_that_are_too_long_are_broken_and_nothing_is_lost():
    face = Type().face(20)
    lines = wrap(LONG, face, 120)
    assert all(face.getlength(line) <= 120 for line in lines)
    assert "".join(lines).replace(" ", "") == LONG.replace(" ", "")
