"""Presets: how they make a prompt, which there are, and files of them, good and bad."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.presets import files, library
from maquette_wire.presets.words import CATEGORIES, Preset, checked, composed, recognised

PNG = b"\x89PNG\r\n\x1a\n and so on"
OURS = Preset(
    name="Łódź Ziegel", category="material", words="red clinker", negative="paint", picture=PNG
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def some(*names: str) -> list[Preset]:
    return [library.Library(library.built_in()).named(name) for name in names]


def test_words_come_after_the_prompt_in_the_order_of_categories():
    prompt, negative = composed("church with two towers,", "cars", some("Pencil", "Dusk", "Stone"))
    assert prompt == (
        "church with two towers, natural stone, at dusk, blue hour, hand-drawn pencil sketch"
    )
    assert negative == "cars, photograph"
    assert composed(" as typed, ", "", []) == ("as typed,", "")
    assert composed("", "", some("Stone")) == ("natural stone", "")


def test_words_that_are_there_are_not_said_twice():
    assert composed("Red brick barn", "", some("Red brick"))[0] == "Red brick barn"
    assert composed("red brickwork", "", some("Red brick"))[0] == "red brickwork, red brick"


@pytest.mark.parametrize("typed", ["", "church", "church, snow", "an old church."])
def test_what_was_composed_is_recognised(typed: str):
    chosen = some("Library", "Timber", "Winter", "Night", "Watercolour")
    prompt, negative = composed(typed, "people", chosen)
    found = recognised(prompt, negative, library.built_in())
    assert found == (typed.rstrip("."), "people", tuple(chosen))


@pytest.mark.parametrize(
    ("prompt", "negative"),
    [
        ("red brick church at dusk", ""),
        ("villa, hand-drawn pencil sketch", ""),  # without what the preset avoids
        ("at dusk, blue hour, natural stone", ""),
        ("natural stone, natural stone", ""),
    ],
)
def test_what_is_recognised_always_gives_the_same_prompt_again(prompt: str, negative: str):
    typed, avoided, chosen = recognised(prompt, negative, library.built_in())
    assert composed(typed, avoided, chosen) == (prompt, negative)


def test_every_built_in_preset_has_a_small_picture_and_every_category_some():
    presets = library.built_in()
    assert {preset.category for preset in presets} == set(CATEGORIES)
    assert len({preset.key for preset in presets}) == len(presets) >= 36
    assert all(preset.picture.startswith(b"\xff\xd8\xff") for preset in presets)
    assert sum(len(preset.picture) for preset in presets) < 300_000


def test_an_own_preset_is_kept_changed_and_deleted(home: Home):
    library.add(home, OURS)
    assert library.read(home).find("material", "łódź  ziegel".replace("  ", " ")) == OURS
    with pytest.raises(MaquetteError, match="already"):
        library.add(home, msgspec.structs.replace(OURS, name="ŁÓDŹ ZIEGEL"))
    renamed = library.change(home, OURS, msgspec.structs.replace(OURS, name="Klinker"))
    assert [preset.name for preset in library.read(home).own] == ["Klinker"]
    library.remove(home, renamed)
    assert library.read(home).own == ()


def test_an_own_preset_stands_in_for_a_built_in_one(home: Home):
    (dusk,) = some("Dusk")
    library.change(home, dusk, msgspec.structs.replace(dusk, words="at dusk, pink sky"))
    found = library.read(home)
    assert found.named("dusk").words == "at dusk, pink sky"
    assert len(found.presets) == len(library.built_in())
    library.remove(home, found.named("dusk"))
    assert library.read(home).named("dusk") == dusk


def test_presets_are_shared_as_one_file(home: Home, tmp_path: Path):
    path = tmp_path / f"ours{files.SUFFIX}"
    library.share([OURS, *some("Dusk")], path)
    other = Home(tmp_path / "other")
    assert library.take_in(other, path) == ([OURS], 1)  # dusk is there
    assert library.take_in(other, path) == ([], 2)
    changed = msgspec.structs.replace(OURS, words="blue clinker")
    library.share([changed, changed], path)
    taken, _ = library.take_in(other, path)
    assert [preset.name for preset in taken] == ["Łódź Ziegel 2", "Łódź Ziegel 3"]
    assert library.read(other).own[0] == OURS


def test_a_damaged_file_is_kept_aside_and_said(home: Home):
    library.add(home, OURS)
    data = home.presets.read_bytes()[:-20]
    for number, name in enumerate(("presets-damaged.json", "presets-damaged-2.json")):
        home.presets.write_bytes(data)
        found = library.read(home)
        assert found.own == () and name in found.warnings[0], number
        assert (home.root / name).read_bytes() == data
    assert library.read(home).warnings == ()
    home.presets.write_bytes(b"\xff\x00")
    library.add(home, OURS)  # also where nobody has read it before
    assert (home.root / "presets-damaged-3.json").exists()


def test_a_later_versions_file_stays_where_it_is(home: Home):
    home.make()
    text = b'{"kind": "maquette-presets", "format": 2, "presets": [{"title": "?"}]}'
    home.presets.write_bytes(text)
    assert "later version" in library.read(home).warnings[0]
    with pytest.raises(MaquetteError, match="Update Maquette"):
        library.add(home, OURS)
    assert home.presets.read_bytes() == text


def test_two_presets_of_one_name_are_told_apart(home: Home):
    home.make()
    files.write(home.presets, [OURS, msgspec.structs.replace(OURS, words="other")])
    found = library.read(home)
    assert [preset.name for preset in found.own] == ["Łódź Ziegel", "Łódź Ziegel 2"]
    assert "Łódź Ziegel 2" in found.warnings[0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"[]",
        b'{"kind": "other", "format": 1}',
        b'{"kind": "maquette-presets", "format": 1}',
        b'{"kind": "maquette-presets", "format": 1, "presets": [{"name": "x"}]}',
        b'{"kind": "maquette-presets", "format": 1, "presets": '
        b'[{"name": " ", "category": "light", "words": "x"}]}',
        b'{"kind": "maquette-presets", "format": 1, "presets": '
        b'[{"name": "x", "category": "light", "words": "x", "picture": "R0lGODlh"}]}',
        None,
    ],
)
def test_what_is_no_file_of_presets_is_refused_in_words(
    home: Home, tmp_path: Path, content: bytes | None
):
    path = tmp_path / "other.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MaquetteError, match=r"is no file of presets|can't be read"):
        library.take_in(home, path)
    assert not home.presets.exists()


def test_texts_are_tidied_up():
    kept = checked(Preset(name=" a\n b ", category="light", words="x,\ty", negative=" z "))
    assert (kept.name, kept.words, kept.negative) == ("a b", "x, y", "z")


def test_an_unknown_name_names_near_ones(home: Home):
    found = library.read(home)
    with pytest.raises(MaquetteError, match='Do you mean "Red brick"'):
        found.named("red brik")
    with pytest.raises(MaquetteError, match="maquette presets"):
        found.named("qqqq")
    assert found.named("MATERIAL / stone").name == "Stone"
    library.add(home, Preset(name="Stone", category="ground", words="stone paving"))
    with pytest.raises(MaquetteError, match='"material/Stone" or "ground/Stone"'):
        library.read(home).named("stone")


def test_one_of_a_category_or_all_in_turn(home: Home):
    found = library.read(home)
    with pytest.raises(MaquetteError, match='"Stone" and "Timber" are both'):
        found.chosen(["Stone", "Dusk", "Timber"])
    combinations = found.combinations(["Stone", "Dusk", "Timber", "Night", "stone"])
    assert [[preset.name for preset in each] for each in combinations] == [
        ["Stone", "Dusk"],
        ["Stone", "Night"],
        ["Timber", "Dusk"],
        ["Timber", "Night"],
    ]
    assert found.combinations([]) == [()]
