"""Presets on the command line, and that the pocket model knows their words."""

from __future__ import annotations

import json
from pathlib import Path

import maquette
import pytest
from maquette import cli
from maquette.batch.task import read_task, recipes_of
from maquette.commands import options, restyle
from maquette.families.prompts import unknown_words, warnings
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.presets import library
from maquette_wire.presets.words import CATEGORIES, Preset, by_category, composed
from maquette_wire.recipe import Recipe

POCKET = Path(maquette.__file__).with_name("pocket")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("MAQUETTE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return Home(tmp_path / "home")


def _recipes(*words: str) -> list[Recipe]:
    return options.recipes_of(cli.command_parser("restyle", restyle).parse_args(words))


def test_the_pocket_model_knows_every_word_and_reads_the_longest_prompt_to_its_end():
    from transformers import AutoTokenizer

    settings = json.loads((POCKET / "maquette.json").read_text("utf-8"))
    vocabulary = frozenset(settings["vocabulary"])
    for preset in library.built_in():
        assert unknown_words(f"{preset.words} {preset.negative}", vocabulary) == [], preset.name
    longest = [
        max(presets, key=lambda preset: len(preset.words.split()))
        for presets in by_category(library.built_in()).values()
    ]
    prompt, _ = composed("", "", longest)
    tokenizer = AutoTokenizer.from_pretrained(POCKET / "tokenizer")
    window = json.loads((POCKET / "text_encoder" / "config.json").read_text("utf-8"))
    assert len(longest) == len(CATEGORIES)
    assert (
        warnings(prompt, "prompt", tokenizer, window["max_position_embeddings"], vocabulary) == []
    )


def test_presets_add_their_words_to_every_prompt():
    words = ("house.blend", "--preset", "dusk", "--preset", "Red brick", "--negative", "cars")
    found = _recipes(*words, "--prompt", "barn", "--prompt", "villa", "--preset", "pencil")
    ending = "red brick, at dusk, blue hour, hand-drawn pencil sketch"
    assert [recipe.prompt for recipe in found] == [f"barn, {ending}", f"villa, {ending}"]
    assert found[0].negative_prompt == "cars, photograph"
    (alone,) = _recipes("house.blend", "--preset", "Church")
    assert alone.prompt == "parish church"


def test_two_presets_of_one_category_are_refused_and_near_names_named(capsys):
    assert cli.main(["restyle", "x.blend", "--preset", "Dusk", "--preset", "Night"]) == 1
    assert '"Dusk" and "Night" are both' in capsys.readouterr().err
    assert cli.main(["texture", "x.blend", "--preset", "Golden our"]) == 1
    assert 'Do you mean "Golden hour"?' in capsys.readouterr().err


def test_a_batch_varies_the_presets_of_a_category(tmp_path: Path, home: Home):
    library.add(home, Preset(name="Überdachung", category="ground", words="covered plaza"))
    (tmp_path / "job.toml").write_text(
        'sources = "x.png"\nprompts = ["barn", "villa, snow"]\nseed = [1, 2]\n'
        'presets = ["Timber", "Stone", "überdachung"]\n',
        "utf-8",
    )
    found = recipes_of(read_task(tmp_path / "job.toml"), library.read(home))
    assert len(found) == 8
    assert {recipe.prompt for recipe in found} == {
        f"{typed}, {wall}, covered plaza"
        for typed in ("barn", "villa, snow")
        for wall in ("timber cladding", "natural stone")
    }
    with pytest.raises(MaquetteError, match="no preset"):
        recipes_of(read_task(tmp_path / "job.toml"))


def test_a_dry_run_of_presets_without_a_prompt(tmp_path: Path, capsys):
    (tmp_path / "x.blend").touch()
    words = ["batch", "x.blend", "--preset", "Timber", "--preset", "Stone", "--preset", "Fog"]
    assert cli.main([*words, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "timber cladding, misty morning, in fog" in said and "2 pictures" in said


def test_presets_are_listed_exported_and_imported(tmp_path: Path, home: Home, capsys):
    assert cli.main(["presets", "export", "ours.maquette-presets"]) == 1
    assert "no presets of your own" in capsys.readouterr().err
    library.add(home, Preset(name="Kalk", category="material", words="white", negative="grey"))
    assert cli.main(["presets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("Golden hour" in line and "low warm sun" in line for line in lines)
    assert any("Kalk" in line and "(avoid: grey)" in line and "your own" in line for line in lines)
    assert cli.main(["presets", "export", "ours.maquette-presets"]) == 0
    home.presets.unlink()
    assert cli.main(["presets", "import", "ours.maquette-presets"]) == 0
    assert "material/Kalk\n1 added" in capsys.readouterr().out
    assert library.read(home).named("Kalk").words == "white"
    assert cli.main(["presets", "import", str(tmp_path)]) == 1


def test_a_damaged_file_is_said_where_presets_are_used(home: Home, capsys):
    home.make()
    home.presets.write_text("{")
    (found,) = _recipes("house.blend", "--preset", "Dusk", "--prompt", "barn")
    assert found.prompt == "barn, at dusk, blue hour"
    assert "presets-damaged.json" in capsys.readouterr().err
