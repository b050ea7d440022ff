"""Rows: what a sheet shows of a batch's manifest or of PNGs, and what it says of the rest."""

from __future__ import annotations

import pytest
from maquette.sheets import Row, rows_of
from maquette.sheets.fields import BY_NAME, varying
from maquette.sheets.rows import MANIFEST
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe

from tests.backend.sheets.folders import plain, save, write_manifest

RECIPE = Recipe(prompt="red brick", seed=3)


def test_a_manifests_lines_are_rows_with_nulls_and_unknown_fields(tmp_path):
    line = {
        "number": 12,
        "source": "renders/tower.png",
        "view": "Street",
        "frame": None,
        "source_picture": "sources/tower-street.png",
        "file": "tower.png",
        "state": "done",
        "error": None,
        "seconds": 0.8,
        "recipe": {"prompt": "brick", "seed": 4, "steps": None, "later": [1]},
        "attempts": 2,
    }
    failed = {"number": 13, "state": "failed", "error": "No depth.", "recipe": None, "file": None}
    found = rows_of(write_manifest(tmp_path, [line, failed]))
    assert (found.folder, found.unreadable, found.without_recipe) == (tmp_path, [], 0)
    first, second = found.rows
    assert first == Row(
        number=12,
        source="renders/tower.png",
        view="Street",
        source_picture="sources/tower-street.png",
        file="tower.png",
        seconds=0.8,
        recipe=Recipe(prompt="brick", seed=4),
    )
    assert (second.state, second.error, second.recipe) == ("failed", "No depth.", None)


def test_a_later_line_of_the_same_number_replaces_the_earlier_one_in_its_place(tmp_path):
    rows = [Row(number=1, state="waiting"), Row(number=2), Row(number=1, file="a.png")]
    found = rows_of(write_manifest(tmp_path, rows))
    assert [(row.number, row.file, row.state) for row in found.rows] == [
        (1, "a.png", "done"),
        (2, None, "done"),
    ]


def test_lines_that_are_cut_off_or_no_outputs_are_said_with_their_number(tmp_path):
    write_manifest(tmp_path, [Row(number=1)])
    with (tmp_path / MANIFEST).open("ab") as file:
        file.write(b'\n{"number": "two"}\n\xff\n{"number": 3, "fi')
    found = rows_of(tmp_path)
    assert len(found.rows) == 1
    assert [f"line {line} is" in found.unreadable[n] for n, line in enumerate((3, 4, 5))] == [
        True
    ] * 3


def test_pngs_with_a_recipe_are_rows_by_name_and_the_others_are_counted(tmp_path):
    for name in ("b-10.PNG", "b-2.png", "a.png"):
        save(tmp_path / name, plain((1, 2, 3)), RECIPE, "Plaza")
    save(tmp_path / "depth.png", plain((1, 2, 3)))
    save(tmp_path / "deeper/c.png", plain((1, 2, 3)), RECIPE)
    (tmp_path / "notes.txt").touch()
    found = rows_of(tmp_path)
    assert [row.file for row in found.rows] == ["a.png", "b-2.png", "b-10.PNG"]
    assert {(row.view, row.recipe, row.state) for row in found.rows} == {("Plaza", RECIPE, "done")}
    assert (found.without_recipe, found.unreadable) == (1, [])


def test_a_damaged_picture_is_said_and_left_out(tmp_path):
    whole = save(tmp_path / "a.png", plain((1, 2, 3)), RECIPE).read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "b.png").write_bytes(whole.replace(b'"seed":3', b'"seed":x'))
    found = rows_of(tmp_path)
    assert [row.file for row in found.rows] == ["a.png"]
    assert len(found.unreadable) == 3
    for name, sentence in zip(("b.png", "half.png", "text.png"), found.unreadable, strict=True):
        assert str(tmp_path / name) in sentence


def test_several_runs_are_put_together_relative_to_the_folder_they_share(tmp_path):
    monday = save(tmp_path / "runs/monday/a.png", plain((1, 2, 3)), RECIPE)
    row = Row(number=1, file="b.png", source_picture="sources/s.png", recipe=RECIPE)
    tuesday = write_manifest(tmp_path / "runs/tuesday", [row])
    found = rows_of(monday, tuesday)
    assert found.folder == tmp_path / "runs"
    assert [row.file for row in found.rows] == ["monday/a.png", "tuesday/b.png"]
    assert found.rows[1].source_picture == "tuesday/sources/s.png"


@pytest.mark.parametrize(
    ("files", "place", "said"),
    [
        ([], "gone", "no file or folder .*gone.*Correct"),
        ([], ".", "neither a PNG nor a manifest.*subfolders"),
        (["bare.png"], ".", "None of the 1 PNG files in .* has a recipe.*drop the recipe"),
        (["text.png"], ".", "text.png.*is not a PNG file.*as Maquette wrote"),
        (["text.png"], "text.png", "text.png.*is not a PNG file.*as Maquette wrote"),
    ],
)
def test_nothing_to_show_is_an_error_with_the_way_out(tmp_path, files, place, said):
    for name in files:
        if name == "text.png":
            (tmp_path / name).write_text("no picture")
        else:
            save(tmp_path / name, plain((1, 2, 3)))
    with pytest.raises(MaquetteError, match=said):
        rows_of(tmp_path / place)


def test_a_setting_that_only_follows_another_one_tells_nothing():
    def row(geometry: float, seed: int) -> Row:
        recipe = Recipe(prompt="a", seed=seed, geometry=geometry, strength=1 - geometry / 2)
        return Row(source="a.blend", view="Street", recipe=recipe)

    rows = [row(geometry, seed) for geometry in (0.2, 0.8) for seed in (0, 1)]
    assert [field.name for field in varying(rows)] == ["seed", "geometry"]


def test_values_are_in_order_and_labels_say_what_they_are_of():
    rows = [Row(source=source, recipe=Recipe(prompt="p", seed=seed)) for source, seed in (
        ("models/b.blend", 10), (None, 2), ("models/a.blend", 10)
    )]  # fmt: skip
    assert BY_NAME["seed"].values(rows) == [2, 10]
    assert BY_NAME["source"].values(rows) == ["models/b.blend", "models/a.blend", None]
    labels = [BY_NAME["source"].label(value) for value in ("models/b.blend", None)]
    assert labels == ["b", "no source"]
    assert BY_NAME["seed"].label(4294967295) == "seed 4294967295"
    assert BY_NAME["geometry"].label(0.7) == "geometry 0.7"
    kinds = ("ribbon", "curtain wall", "auto")
    labels = [BY_NAME["windows"].label(kind) for kind in kinds]
    assert labels == ["ribbon windows", "curtain wall", "windows as prompted"]
    assert [BY_NAME[name].label(3.2) for name in ("storey", "bay")] == ["storey 3.2 m", "bay 3.2 m"]
